"""All files that bear the name of a run's, those that no command ever reads too, and how much of them one pass reads.

A run whose file lies a folder too deep, or is ignored by git, looks as if it had never been made. Each file has a limit
of its own; many files together must not exceed what a job has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from reconcile.runs.run import Finding, Json
from reconcile.words import escaped, plural

SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Paths of files named metrics.json below the folder of runs."""

    runs: int = 0
    """How many are in the place of a run's file and in git, or may be."""
    elsewhere: tuple[str, ...] = ()
    """At another depth than `<framework>/<run_id>/`."""
    ignored: tuple[str, ...] = ()
    """What git ignores, wherever it lies: it is committed by nobody."""

    @property
    def counts(self) -> str | None:
        """`14 files named metrics.json: 11 runs, 2 at another depth, 1 ignored by git`; None where all are runs'."""
        over = len(self.elsewhere) + len(self.ignored)
        if not over:
            return None
        parts = [plural(self.runs, "run")]
        parts += [f"{len(self.elsewhere):,} at another depth"] if self.elsewhere else []
        parts += [f"{len(self.ignored):,} ignored by git"] if self.ignored else []
        return f"{plural(self.runs + over, 'file')} named metrics.json: {', '.join(parts)}"

    @property
    def line(self) -> str | None:
        """The counts, and where what is no run's lies."""
        over = [*self.elsewhere, *self.ignored]
        if not over:
            return None
        more = f" and {len(over) - SHOWN:,} more" if len(over) > SHOWN else ""
        where = ", ".join(escaped(path, 120) for path in over[:SHOWN])
        return f"{self.counts}; a run is <framework>/<run_id>/metrics.json, and in git: see {where}{more}"


def census_of(placed: Iterable[str], elsewhere: Iterable[str], ignored: Collection[str] = ()) -> Census:
    """`placed`: the files in the place of a run's; `ignored`: those of all that git ignores."""
    inside, outside = list(placed), list(elsewhere)
    return Census(
        runs=sum(path not in ignored for path in inside),
        elsewhere=tuple(path for path in outside if path not in ignored),
        ignored=tuple(path for path in [*inside, *outside] if path in ignored),
    )


def census_json(census: Census) -> dict[str, Json]:
    """How many there are of each."""
    return {"runs": census.runs, "elsewhere": len(census.elsewhere), "ignored": len(census.ignored)}


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
