"""Reads of another tool that left kinds of tokens, or calls, out: what a whole read tells of them.

Where a later read of every kind shows the same in all kinds that the earlier one has, it confirms it: then the earlier
read is taken to have seen what the later one shows in the others too. Else what it left out stays unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconcile.core.model import KINDS, Observation, Usage


def completed(observations: Sequence[Observation], read: Usage | None = None) -> tuple[Observation, ...]:
    """The observations, in order of time, with what later ones tell of them. `read`: what was reported after all."""
    whole = [] if read is None else [read]
    found: list[Observation] = []
    for each in reversed(observations):
        same = next((later for later in whole if _fits(each, later)), None) if each.unknown else None
        found.append(replace(each, figure=same, reported=same, unknown=frozenset()) if same else each)
        whole = whole if each.unknown else [each.reported, *whole]
    return tuple(reversed(found))


def filled(figure: Usage, unknown: frozenset[str], observations: Sequence[Observation]) -> Usage | None:
    """The figure with what the latest read that shows the same tells of its unknown kinds; None where none does."""
    reads = (each.figure for each in reversed(observations) if not each.unknown)
    return next((read for read in reads if _same(figure, unknown, read)), None)


def _fits(earlier: Observation, later: Usage) -> bool:
    """Whether all that the earlier read knows is what the later one shows."""
    return _same(earlier.reported, earlier.unknown, later)


def _same(earlier: Usage, unknown: frozenset[str], later: Usage) -> bool:
    pairs = zip(KINDS, earlier.parts, later.parts, strict=True)
    return all(kind in unknown or was == is_ for kind, was, is_ in pairs)
