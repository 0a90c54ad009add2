"""Reasons found by elimination: what takes away most of the gap is put right, then the rest is looked at again."""

from __future__ import annotations

from dataclasses import dataclass

from reconcile.core.comparing.breaks.absence import provider_gaps, silences, strangers, unlogged_batches
from reconcile.core.comparing.breaks.clock import clock
from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.counting import duplicates, left_out, twice_within, units
from reconcile.core.comparing.breaks.doubted import doubted
from reconcile.core.comparing.breaks.hypothesis import Hypothesis
from reconcile.core.comparing.breaks.refusal import refusals
from reconcile.core.comparing.breaks.singles import outliers
from reconcile.core.comparing.breaks.spread import spread
from reconcile.core.comparing.breaks.view import View, gaps

KINDS = (
    clock,
    twice_within,
    left_out,
    units,
    doubted,
    duplicates,
    outliers,
    refusals,
    silences,
    provider_gaps,
    strangers,
    unlogged_batches,
)

MOST = 0.5
"""What may be left of the gaps that a hypothesis speaks of, for it to be named."""

FITTING = 0.75
"""Share of what a hypothesis changes that must close gaps, where lines themselves show it."""

TIE = 0.01
"""Of the gap: hypotheses that leave as much but for this are told apart by what is likelier."""

STEPS = 8
"""More faults at a time are not looked for."""

RANK = {code: place for place, code in enumerate(Code)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A hypothesis that was taken, and both sides before it."""

    taken: Hypothesis
    before: View
    gap_before: float
    gap_after: float


def eliminated(view: View) -> tuple[tuple[Step, ...], View]:
    """The steps, in order, and both sides after the last."""
    steps: list[Step] = []
    while len(steps) < STEPS and any(view.gaps):
        found = _best(view) or _best_of_two(view) or next(spread(view), None)
        if found is None:
            break
        step = step_of(view, found)
        steps.append(step)
        view = found.after
    return tuple(steps), view


def step_of(view: View, found: Hypothesis) -> Step:
    return Step(taken=found, before=view, gap_before=view.distance, gap_after=found.after.distance)


def _best(view: View) -> Hypothesis | None:
    """What leaves least, of all that take away most."""
    differing = view.gaps
    tried = []
    for hypothesis in _hypotheses(view):
        left = hypothesis.after.gaps
        counted = hypothesis.speaks_of
        most = view.weigh(left, counted) <= MOST * view.weigh(differing, counted) and _holds_by_day(view, hypothesis)
        fits = (hypothesis.shown or hypothesis.strict) and _fits(view, hypothesis)
        named = (most and (fits or not hypothesis.strict)) or (fits and hypothesis.shown)
        if named and hypothesis.after.distance < view.distance:
            tried.append((hypothesis, hypothesis.after.distance))
    least = min((left for _, left in tried), default=0.0)
    tied = [hypothesis for hypothesis, left in tried if left - least <= TIE * view.distance]
    return min(tied, key=lambda hypothesis: RANK[hypothesis.code], default=None)


def _fits(view: View, hypothesis: Hypothesis) -> bool:
    """Whether what it takes away is nearly all in a place where it closes a gap."""
    after = hypothesis.after
    taken = view.weigh(gaps(view.local_cells, after.local_cells))
    taken += view.weigh(gaps(view.official_cells, after.official_cells))
    return view.distance - after.distance >= FITTING * taken


def _holds_by_day(view: View, hypothesis: Hypothesis) -> bool:
    """Calls that one side has in the next hour look like gaps by the hour, and are none by the day."""
    after = hypothesis.after
    return hypothesis.code is Code.TIME_ZONE or after.weigh(after.day_gaps) < view.weigh(view.day_gaps)


def _best_of_two(view: View) -> Hypothesis | None:
    """The first of two that take away most only together; of these the one that takes away more."""
    gap = view.distance
    found: list[tuple[float, int, Hypothesis]] = []
    for place, first in enumerate(_hypotheses(view)):
        alone = first.after.distance
        if alone >= gap:
            continue
        second = _best(first.after)
        if second is not None and second.after.distance <= MOST * MOST * gap:
            found.append((alone, place, first))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _hypotheses(view: View) -> list[Hypothesis]:
    return [hypothesis for kind in KINDS for hypothesis in kind(view)]
