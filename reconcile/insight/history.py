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

From these reads follows when one run's figure was complete, as an interval of ages: after its last kept read before the
one that first showed the figure (from the end of the window, where there is none), and by that read. A run whose figure
is not final is complete some time after its last read that is known to lack something. Ages are whole minutes, rounded
so that the interval only widens.

A figure is final when reads confirm it as the policy asks and no recorded calls are missing. That is a statement about
the reads that were made: usage that came after the last of them is in no file. Where as many calls were recorded as
were reported the figure is proven. Recorded calls that never come leave a run that is never complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from math import ceil, floor, inf

from reconcile.insight.turnbull import Interval
from reconcile.runs.run import Run
from reconcile.runs.state import Completeness, Observation, Policy, Reason
from reconcile.verdict.plateau import JITTER, Plateau, follow


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


PROVEN = {Completeness.CALLS_MATCHED, Completeness.CALLS_AND_TOKENS_MATCHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one run's reads tell, in minutes of age."""

    complete: Interval
    independent: Interval
    """A wider one for the estimate, whose ends do not depend on when in it the run was complete."""
    first: int
    """Its first read."""
    last: float
    """Its last kept read; infinite where it still waits, for then equal reads of it are not kept."""
    proven: bool = False

    @property
    def final(self) -> bool:
        return self.complete.by is not None


def timing_of(history: History, policy: Policy) -> Timing:
    """When the run was complete, as far as its reads tell."""
    reads = history.reads
    plateaus = _plateaus(reads, policy)
    plateau = _last_stable(plateaus[-1], policy)
    ages = [history.age(read).total_seconds() / 60 for read in reads]
    shown = next(position for position, read in enumerate(reads) if read.reported == plateau.figure)
    lacking = _calls_missing(history, plateau.figure.api_calls) or plateau.figure.is_zero
    stable = plateau.stable(policy)
    final = stable and not lacking
    known_short = ages if lacking else ages[:shown]
    after = max(0, floor(known_short[-1])) if known_short else 0
    complete = Interval(after, max(1, after + 1, ceil(ages[shown])) if final else None)
    state = history.run.state
    return Timing(
        complete=complete,
        independent=_independent(complete, history, reads[:shown]),
        first=max(1, ceil(ages[0])),
        last=inf if stable and not final else ages[-1],
        proven=final and state is not None and state.completeness in PROVEN,
    )


def _plateaus(reads: Sequence[Observation], policy: Policy) -> list[Plateau]:
    """The plateau after each read. Whether a read was forced does not matter: it is a read."""
    plateaus: list[Plateau] = []
    for read in reads:
        plateau, _ = follow(plateaus[-1] if plateaus else None, replace(read, forced=False), policy)
        plateaus.append(plateau)
    return plateaus


def _last_stable(plateau: Plateau, policy: Policy) -> Plateau:
    """The figure that all usage came to: a settled one stands in the file beside a higher one that was confirmed."""
    rival = plateau.rival
    higher = rival is not None and rival.stable(policy) and rival.figure.rose_from(plateau.figure)
    return rival if rival and higher and not plateau.matched else plateau


def _independent(complete: Interval, history: History, short: Sequence[Observation]) -> Interval:
    """The interval as it would be, had the reads at which the run was looked at not depended on its lag.

    An equal read is kept or not by what was read before, and a rise always is. So where the lower figure had been
    stable, the rise is known only because it came; and one sooner than equal reads count is known no better than one
    that came when they do.
    """
    kept = history.kept_under
    if kept is None or complete.by is None or not short:
        return complete
    if _plateaus(short, kept)[-1].stable(kept):
        return Interval(complete.after, None)
    counts = complete.after + int((kept.verification_interval - JITTER).total_seconds() // 60)
    return Interval(complete.after, max(complete.by, counts))


def _calls_missing(history: History, reported: int) -> bool:
    """Whether the run is known to have made calls that no read has shown."""
    state, recorded = history.run.state, history.run.recorded.api_calls
    said = state is not None and Reason.CALLS_MISSING in state.reasons
    return said or (recorded is not None and reported < recorded)
