"""How observations are read, in order of time: which figure stands, and how often it was confirmed.

A plateau is the observations since the figure last rose. Dips do not end it: a provider that shows less for an hour
has not taken anything back. Equal reads count only when they are an interval apart, so polling more often neither
delays a verdict nor hastens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from reconcile.core.model import Observation, Policy, Usage

JITTER = timedelta(seconds=60)
"""An hourly schedule fires up to a minute early now and then; that must not cost an hour."""


def apart(policy: Policy) -> timedelta:
    """How far apart two reads have to be: the interval, less what schedules jitter by; of a short one, less a tenth."""
    return policy.verification_interval - min(JITTER, policy.verification_interval / 10)


class Effect(Enum):
    """What an observation did to the plateau."""

    FIRST = auto()
    """It starts a plateau: nothing was read before, or what was read before no longer counts."""
    ROSE = auto()
    """It is higher than the figure and starts a new plateau."""
    COUNTED = auto()
    """It confirms the figure."""
    EARLY = auto()
    """It repeats what is known too soon to count."""
    RETURNED = auto()
    """It shows the figure again after lower reads."""
    LOWER = auto()
    """It is lower than the figure, which stays."""
    ZERO = auto()
    """It shows nothing where there was a figure: transient in nearly every record, and kept nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """Confirmations of one figure: `counted` reads, the first at `since`, the latest at `last`."""

    figure: Usage
    since: datetime
    last: datetime
    counted: int = 1
    foreign: bool = False
    """Whether another tool read it, over a window that may have been wider than ours."""
    lower: Plateau | None = None
    """The lower figure that was read since this one was last seen."""

    def stable(self, policy: Policy) -> bool:
        return self.counted >= policy.min_stable_verifications

    def due_at(self, policy: Policy) -> datetime:
        """When an equal read counts next."""
        return self.last + policy.verification_interval


def follow(plateau: Plateau | None, read: Observation, policy: Policy) -> tuple[Plateau, Effect]:
    """The plateau after one more observation."""
    if plateau is None or read.restarts:
        return _started(read), Effect.FIRST
    if read.reported == plateau.figure:
        confirmed, counts = _confirmed(plateau, read, policy)
        if plateau.lower:
            return replace(confirmed, lower=None), Effect.RETURNED
        return confirmed, Effect.COUNTED if counts else Effect.EARLY
    if read.reported.is_zero:
        return plateau, Effect.ZERO
    if read.reported.rose_from(plateau.figure):
        return _started(read), Effect.ROSE
    if plateau.foreign and read.status is not None:
        return _started(read), Effect.FIRST
    return _lowered(plateau, read, policy)


def stamped(before: Plateau | None, read: Observation, begun: datetime, policy: Policy) -> Observation:
    """The read at the instant that makes no two reads look further apart than they were.

    Its pass may have waited for the provider. What starts a plateau was read no later than the answer was complete,
    which is `read.at`; what confirms one, no earlier than it was asked for. One that counts from `begun` counts from
    then on as well; one that does not is dated back to it, so that it never will.
    """
    early = replace(read, at=begun)
    after, effect = follow(before, early, policy)
    repeats = before is not None and before.counted == after.counted and effect in {Effect.EARLY, Effect.RETURNED}
    return early if repeats else read


def plateau_of(observations: Iterable[Observation], policy: Policy) -> Plateau | None:
    """Where a run's observations, in order of time, have led."""
    plateau = None
    for observation in observations:
        plateau, _ = follow(plateau, observation, policy)
    return plateau


def placed(
    before: Plateau | None, read: Observation, later: Sequence[Observation], policy: Policy
) -> tuple[Plateau, Effect]:
    """Where `read` and the observations that overtook it lead, and what it did at its place in time.

    Passes that ran at once may write in another order than they read. An overtaken read without which the later
    ones would have led to the same is one too early.
    """
    plateau, effect = follow(before, read, policy)
    without = before
    for observation in later:
        plateau, _ = follow(plateau, observation, policy)
        without, _ = follow(without, observation, policy)
    redundant = bool(later) and _confirmations(plateau) == _confirmations(without)
    return plateau, Effect.EARLY if redundant else effect


def _confirmations(plateau: Plateau | None) -> tuple[object, ...]:
    """The figures and how often each was confirmed, whenever that was."""
    return (plateau.figure, plateau.counted, _confirmations(plateau.lower)) if plateau else ()


def _started(read: Observation) -> Plateau:
    return Plateau(figure=read.reported, since=read.at, last=read.at, foreign=read.status is None)


def _confirmed(plateau: Plateau, read: Observation, policy: Policy) -> tuple[Plateau, bool]:
    """One more read of the plateau's figure. One confirmation more than the policy asks for is not counted."""
    counts = not plateau.stable(policy) and read.at > plateau.last and read.at - plateau.last >= apart(policy)
    if not counts:
        return plateau, False
    foreign = plateau.foreign and read.status is None
    return replace(plateau, counted=plateau.counted + 1, last=read.at, foreign=foreign), True


def _lowered(plateau: Plateau, read: Observation, policy: Policy) -> tuple[Plateau, Effect]:
    lower = plateau.lower
    if lower is None or lower.figure != read.reported:
        return replace(plateau, lower=_started(read)), Effect.LOWER
    confirmed, counts = _confirmed(lower, read, policy)
    return (replace(plateau, lower=confirmed), Effect.LOWER) if counts else (plateau, Effect.EARLY)
