"""Which runs are due, and why each of the others is not.

Age counts from the run's end as its file states it, never from the file's modification time: a checkout resets that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconcile.attribution.booking import clock_of
from reconcile.attribution.claims import Asked
from reconcile.runs.run import Run
from reconcile.runs.state import Policy


class Selection(StrEnum):
    """What a pass does with a run."""

    DUE = "due"
    """It is read and judged."""
    LAST_READ = "last_read"
    """It is past the cutoff but was read before: it is read once more and closed."""
    OBSERVED = "observed"
    """It is settled: a page that holds its minutes anyway is looked at for a change."""
    SETTLED = "settled"
    INHERITED = "inherited"
    """Another tool settled it."""
    TOO_YOUNG = "too_young"
    NOT_ENDED = "not_ended"
    """It ends further in the future than its clock may be off, so one is wrong."""
    PAST_CUTOFF = "past_cutoff"
    """It was never read while it was young enough, and is not touched."""
    NOT_ASKED = "not_asked"
    """The pass was limited to other runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A run and what is to be done with it. `due_at`: when it becomes due, where that is known and ahead."""

    run: Run
    selection: Selection
    due_at: datetime | None = None
    forced: bool = False

    @property
    def due(self) -> bool:
        return self.selection in {Selection.DUE, Selection.LAST_READ}


def ends_in_future(selected: Selected) -> bool:
    """Whether its file is to be told that it was seen before its run had ended; once is enough."""
    run = selected.run
    if selected.selection is not Selection.NOT_ENDED or run.settled:
        return False
    return run.edited or run.state is None or run.state.seen_in_future is None


def select(runs: Iterable[Run], policy: Policy, now: datetime, asked: Asked) -> list[Selected]:
    """One value a run, in the order given."""
    return [_select(run, policy, now, asked) for run in runs]


def _select(run: Run, policy: Policy, now: datetime, asked: Asked) -> Selected:
    if not asked.admits(run):
        return Selected(run=run, selection=Selection.NOT_ASKED)
    age = now - run.ended_at
    if -age > timedelta(seconds=clock_of(run, policy).uncertainty):
        return Selected(run=run, selection=Selection.NOT_ENDED, due_at=run.ended_at + policy.min_age)
    in_time = age <= policy.max_age
    reopened = asked.force or (run.state is not None and run.state.closed_by_cutoff)
    if run.settled and not (in_time and reopened):
        return Selected(run=run, selection=_at_rest(run, in_time=in_time))
    if age < policy.min_age:
        return Selected(run=run, selection=Selection.TOO_YOUNG, due_at=run.ended_at + policy.min_age)
    if in_time:
        return Selected(run=run, selection=Selection.DUE, forced=asked.force)
    read_before = run.state is not None and run.state.ours and not run.edited
    return Selected(run=run, selection=Selection.LAST_READ if read_before else Selection.PAST_CUTOFF)


def _at_rest(run: Run, *, in_time: bool) -> Selection:
    if run.state is not None and run.state.inherited:
        return Selection.INHERITED
    return Selection.OBSERVED if in_time else Selection.SETTLED
