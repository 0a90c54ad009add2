"""The stored reads of runs, as far as they can be compared with each other: what the lag and back-tests learn from.

The attempts of a file are not all reads that were made. What a file keeps, and what therefore may be inferred:

- The first read of a run, and every read that rose, is kept. So the read that first showed a figure is known exactly,
  and so is how young the run was when it was first looked at.
- An equal read is kept only when it counts: a verification interval after the last one that did, and only until the
  plateau is stable. So between two kept reads others may have shown the earlier figure, and after the last kept read
  others may have shown the same one; or nobody looked. A gap is neither a read nor the absence of one.
- A zero after a figure is not kept, and a failed read is none. Neither says anything about when usage was complete.
- A lower read is kept, once, and so is the return. A dip after the figure was shown does not make it incomplete.

Reads of another tool stand apart: their windows began and ended between minutes, so they may have waited for less than
the whole figure, and what that tool kept is not known. They are never pooled with reads of our own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from reconcile.core.model import Observation, Policy, Run


class Origin(StrEnum):
    """Who made the reads."""

    OURS = "ours"
    ANOTHER_TOOL = "another_tool"


class LeftOut(StrEnum):
    """Why nothing is learnt from a run."""

    UNREAD = "unread"
    """Nothing was kept of it."""
    EDITED = "edited"
    """Its times were changed since it was read: the reads are about another window."""
    NO_USAGE = "no_usage"
    """No read showed usage, and none is known to be due: whether it is late or never was cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run with its comparable reads, in order of time, at least one."""

    run: Run
    origin: Origin
    reads: tuple[Observation, ...]

    @property
    def kept_under(self) -> Policy | None:
        """The policy that decided which equal reads were kept; None where another tool made them, which kept all."""
        return self.run.state.policy if self.run.state else None

    def age(self, read: Observation) -> timedelta:
        """How long after the last minute of the run's window the read was made."""
        return timedelta(seconds=read.at.timestamp() - self.run.window.end)


def histories(runs: Iterable[Run]) -> tuple[tuple[History, ...], Mapping[LeftOut, int]]:
    """Every run with reads that can be compared, and how many were left out, by reason."""
    found: list[History] = []
    left_out = Counter[LeftOut]()
    for run in runs:
        each = _history(run)
        if isinstance(each, LeftOut):
            left_out[each] += 1
        else:
            found.append(each)
    return tuple(found), {reason: left_out[reason] for reason in LeftOut}


def _history(run: Run) -> History | LeftOut:
    """The reads of today's window. In a file of ours those that another tool made before are dropped."""
    state = run.state
    if state is None or not state.observations:
        return LeftOut.UNREAD
    if run.edited:
        return LeftOut.EDITED
    reads = state.observations
    moved = [position for position, read in enumerate(reads) if read.window_changed]
    reads = reads[moved[-1] :] if moved else reads
    if state.ours:
        reads = tuple(read for read in reads if read.status is not None)
    if not reads:
        return LeftOut.UNREAD
    recorded = any(run.recorded.parts)
    if not recorded and all(read.reported.is_zero for read in reads):
        return LeftOut.NO_USAGE
    return History(run=run, origin=Origin.OURS if state.ours else Origin.ANOTHER_TOOL, reads=reads)
