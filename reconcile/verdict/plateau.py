"""How observations are read, in order of time: which figure stands, and how often it was confirmed.

A plateau is the observations since the figure last rose. Dips do not end it: a provider that shows less for an hour
has not taken anything back. Nor do spikes, once the figure was settled or is what the run recorded. What differs from
such a figure is its rival, and counts once it was read equal again with nothing else in between. Equal reads count
only when they are an interval apart, so polling more often neither delays a verdict nor hastens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from reconcile.runs.state import Observation, Policy, Status
from reconcile.usage import Usage

JITTER = timedelta(seconds=60)
"""An hourly schedule fires up to a minute early now and then; that must not cost an hour."""


def apart(policy: Policy) -> timedelta:
    """How far apart two reads have to be: the interval, less what schedules jitter by; of a short one, less a tenth."""
    return policy.verification_interval - min(JITTER, policy.verification_interval / 10)


RIVAL_READ = "higher_read"
"""What an attempt that is higher than a figure which stands is called; it is no status of a run."""

SETTLED = frozenset({Status.VERIFIED, Status.WARNING, Status.FAILED})


class Effect(Enum):
    """What an observation did to the plateau."""

    FIRST = auto()
    """It starts a plateau: nothing was read before, what was read before no longer counts, or it is all that the run
    recorded."""
    ROSE = auto()
    """It is higher than the figure and starts a new plateau."""
    COUNTED = auto()
    """It confirms the figure."""
    EARLY = auto()
    """It repeats what is known too soon to count."""
    RETURNED = auto()
    """It shows the figure again after a rival."""
    RIVAL = auto()
    """It differs from the figure, which stays."""
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
    settled: bool = False
    """Whether a verdict was made of it."""
    matched: bool = False
    """Whether it is what the run recorded, calls and all tokens."""
    rival: Plateau | None = None
    """Another figure that was read since this one was last seen."""

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
        confirmed = replace(confirmed, matched=confirmed.matched or read.matched)
        if plateau.rival:
            return replace(confirmed, rival=None), Effect.RETURNED
        return confirmed, Effect.COUNTED if counts else Effect.EARLY
    if read.reported.is_zero:
        return plateau, Effect.ZERO
    rose = read.reported.rose_from(plateau.figure)
    if read.matched and not rose and not plateau.settled:
        return _started(read), Effect.FIRST
    if rose and (read.matched or not _stands(plateau, read)):
        return _started(read), Effect.ROSE
    if plateau.foreign and read.status is not None:
        return _started(read), Effect.FIRST
    return _rivalled(plateau, read, policy)


def _stands(plateau: Plateau, read: Observation) -> bool:
    """Whether a higher read leaves the figure. Version one left none, and said `pending` of the read."""
    return plateau.matched or (plateau.settled and (read.fresh or read.status == RIVAL_READ))


def stamped(before: Plateau | None, read: Observation, begun: datetime, policy: Policy) -> Observation:
    """The read at the instant that makes no two reads look further apart than they were.

    Its pass may have waited for the provider. What starts a plateau was read no later than the answer was complete,
    which is `read.at`; what confirms one, no earlier than it was asked for. One that counts from `begun` counts from
    then on as well; one that does not is dated back to it, so that it never will.
    """
    early = replace(read, at=begun)
    after, effect = follow(before, early, policy)
    same = before is not None and before.figure == after.figure and before.counted == after.counted
    repeats = same and effect in {Effect.EARLY, Effect.RETURNED}
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
    return (plateau.figure, plateau.counted, _confirmations(plateau.rival)) if plateau else ()


def _started(read: Observation) -> Plateau:
    return Plateau(
        figure=read.reported,
        since=read.at,
        last=read.at,
        foreign=read.status is None,
        settled=_settles(read),
        matched=read.matched,
    )


def _settles(read: Observation) -> bool:
    """Whether a verdict was made of what it shows. One on a zero that nothing confirmed says nothing of usage."""
    return read.status == Status.VERIFIED or (read.status in SETTLED and not read.reported.is_zero)


def _confirmed(plateau: Plateau, read: Observation, policy: Policy) -> tuple[Plateau, bool]:
    """One more read of the plateau's figure. One confirmation more than the policy asks for is not counted."""
    plateau = replace(plateau, settled=plateau.settled or _settles(read))
    counts = not plateau.stable(policy) and read.at > plateau.last and read.at - plateau.last >= apart(policy)
    if not counts:
        return plateau, False
    foreign = plateau.foreign and read.status is None
    return replace(plateau, counted=plateau.counted + 1, last=read.at, foreign=foreign), True


def _rivalled(plateau: Plateau, read: Observation, policy: Policy) -> tuple[Plateau, Effect]:
    """One more read of another figure. One that is not lower throughout takes the place of an unsettled figure once it
    was counted twice; what is lower throughout may be a dip, however long."""
    rival = plateau.rival
    if rival is None or rival.figure != read.reported:
        return replace(plateau, rival=_started(read)), Effect.RIVAL
    confirmed, counts = _confirmed(rival, read, policy)
    if not counts:
        return plateau, Effect.EARLY
    if not plateau.settled and not plateau.figure.rose_from(read.reported):
        return confirmed, Effect.ROSE if confirmed.figure.rose_from(plateau.figure) else Effect.FIRST
    return replace(plateau, rival=confirmed), Effect.RIVAL
