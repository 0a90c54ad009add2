"""Below the total: models and keys that both sides name, one by one. What one lacks and another has twice cancels in
the total, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconcile.core.comparing.cutting import Cut
from reconcile.core.comparing.sides import Dimensions, Entry
from reconcile.core.comparing.tolerance import Tolerance

WHOLE = {"tokens_in", "tokens_out"}
"""The kinds that make up all tokens."""

Of = Callable[[Dimensions], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A model or key, and its tokens on both sides."""

    what: str
    name: str
    local: int
    official: int


def parts_outside(cut: Cut, tolerance: Tolerance) -> tuple[Part, ...]:
    """Those out of tolerance, the furthest apart first. A name that a side does not tell of all its usage tells
    nothing, and keys that the log calls otherwise throughout are names of its own."""
    found = [
        *_outside(cut, "model", lambda who: who.model, tolerance, own_names=False),
        *_outside(cut, "key", lambda who: who.api_key_id, tolerance, own_names=True),
    ]
    return tuple(sorted(found, key=lambda part: (-abs(part.local - part.official), part.what, part.name)))


def _outside(cut: Cut, what: str, of: Of, tolerance: Tolerance, *, own_names: bool) -> Iterable[Part]:
    if any(entry.untold & WHOLE for entry in cut.local):
        return
    local, official = _sums(cut.local, of), _sums(cut.official, of)
    if None in local or None in official or (own_names and not local.keys() & official.keys()):
        return
    for name in local.keys() | official.keys():
        ours, theirs = local.get(name, 0), official.get(name, 0)
        if name is not None and not tolerance.tokens.admits(ours, theirs):
            yield Part(what=what, name=name, local=ours, official=theirs)


def _sums(entries: Iterable[Entry], of: Of) -> dict[str | None, int]:
    sums: dict[str | None, int] = {}
    for entry in entries:
        sums[of(entry.who)] = sums.get(of(entry.who), 0) + entry.tokens.total
    return sums
