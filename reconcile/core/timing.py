"""When one run's figure was complete, as far as the reads that its file keeps tell: an interval of ages.

Complete after its last kept read before the one that first showed the figure (from the end of the window, where there
is none), and by that read. A run whose figure is not final is complete some time after its last read that is known to
lack something. Ages are whole minutes, rounded so that the interval only widens.

A figure is final when reads confirm it as the policy asks and no recorded calls are missing. That is a statement about
the reads that were made: usage that came after the last of them is in no file. Where as many calls were recorded as
were reported the figure is proven. Recorded calls that never come leave a run that is never complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf

from reconcile.core.history import History
from reconcile.core.model import Completeness, Observation, Policy, Reason
from reconcile.core.plateau import JITTER, Plateau, follow
from reconcile.core.turnbull import Interval

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
