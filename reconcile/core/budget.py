"""How much one pass reads in all. Each file has its own limit; many files together must not exceed what a job has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from reconcile.core.model import Finding

MOST_RUN_BYTES = 1_000_000_000
"""Bytes of run files that one pass reads: 100,000 runs of 10 kB."""

MOST_BESIDE_BYTES = 256_000_000
"""Bytes of call logs that one pass reads, and of evidence: each log takes some ten times its size while it is read."""


class Sized(Protocol):
    """A file with its size in bytes, as far as that is known."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int | None: ...


S = TypeVar("S", bound=Sized)


def affordable(files: Iterable[S], most: int) -> tuple[list[S], list[S]]:
    """The files that one pass reads, in their order, and those over its bound. The smallest come first, so that a large
    one is in nobody's way but its own."""
    there = list(files)
    left, kept = most, set()
    for position in sorted(range(len(there)), key=lambda each: (there[each].size or 0, there[each].path)):
        left -= there[position].size or 0
        if left < 0:
            break
        kept.add(position)
    inside = [each for position, each in enumerate(there) if position in kept]
    return inside, [each for position, each in enumerate(there) if position not in kept]


def over_the_total(path: str, size: int | None, most: int) -> Finding:
    """The finding for a file that is not read, because others of the same pass are smaller and come to the bound."""
    message = f"not read: with its {size or 0} bytes the files of this pass are over the {most} that are read in all"
    return Finding(path, 1, 1, "", f"{message}; keep logs and outputs elsewhere, or make passes over fewer runs")
