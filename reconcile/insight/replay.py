"""What another policy would have made of the stored reads: each is selected and settled again by the code of a pass.

The passes are taken as they were made: a policy decides which of them read a run and what they conclude, not when they
come. A run is replayed alone on its key, with what it recorded. The kept reads are not all reads (`history`), so a run
is not answered, but counted by its reason, where the tried policy depends on reads that nobody made or kept:

- an interval shorter than the one its file was kept under: equal reads nearer to each other were not kept;
- a min age below the one it was read under: younger, it was not read;
- kept equal reads of which one no longer counts, reads below the tried min age that hide equal ones above it, a
  shorter cutoff, or reads that end, because the run was settled, before the tried policy concludes: after each of
  these, equal reads may have been made that are not kept;
- minutes shared with other runs, or with traffic that nobody recorded: what was whose is not in the attempts.

Another tool kept every read, at intervals of its own; the spacing of the run's own reads stands for what is unknown.
That a verdict came too early shows only where a later read was kept, which a rise always is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from reconcile.attribution.attribute import attribute
from reconcile.attribution.claims import Asked
from reconcile.insight.history import History
from reconcile.passes.selection import Selection, select
from reconcile.providers import DEFAULT
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, Run, RunKey
from reconcile.runs.state import Observation, Policy, Reason, State, Status
from reconcile.usage import Bucket, Usage
from reconcile.verdict.plateau import JITTER, Effect, plateau_of
from reconcile.verdict.settlement import Settled, Verdict, settle

KEY_ID = "key_replayed"
SCOPE = Scope(DEFAULT, (KEY_ID,))


class ReplayEnding(StrEnum):
    """Where a replayed run stands after its last kept read."""

    VERIFIED = "verified"
    WARNING = "warning"
    FAILED = "failed"
    OPEN = "open"
    """It waits, and so it does in its file."""
    NOT_REACHED = "not_reached"
    """It was first read past the cutoff."""


class Unanswerable(StrEnum):
    """Why a run's reads cannot tell what the tried policy would have made of it."""

    INTERVAL = "interval_too_short"
    MIN_AGE = "min_age_too_low"
    NOT_KEPT = "reads_not_kept"
    SHARED = "shared_minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One run under one policy."""

    key: RunKey
    result: ReplayEnding | Unanswerable
    verified_after: timedelta | None = None
    """Its age, from its end, at the read that first verified it."""
    early: bool = False
    """Whether it was verified at a figure that a later read exceeds."""
    restated: bool = False

    @property
    def answered(self) -> bool:
        return isinstance(self.result, ReplayEnding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a policy must not go below to be replayed on a run's reads."""

    interval: timedelta
    min_age: timedelta
    max_age: timedelta
    kept: Policy | None = None
    """The policy that decided which equal reads were kept; None where all were."""


def limits(history: History, present: Policy) -> Limits:
    """From the policy that the reads were kept under; another tool's from how it read, up to the `present` policy."""
    kept, reads = history.kept_under, history.reads
    if kept is not None:
        return Limits(interval=kept.verification_interval, min_age=kept.min_age, max_age=kept.max_age, kept=kept)
    gaps = [later.at - earlier.at for earlier, later in pairwise(reads)]
    return Limits(
        interval=min([present.verification_interval, *gaps]),
        min_age=min(present.min_age, reads[0].at - history.run.ended_at),
        max_age=present.max_age,
    )


def replay(history: History, policy: Policy, present: Policy) -> Replay:
    """The run as passes under `policy` would have left it."""
    key, bound = history.run.key, limits(history, present)
    refused = _refused(history, policy, bound)
    if refused:
        return Replay(key=key, result=refused)
    run = replace(history.run, state=None)
    verified: tuple[datetime, Usage] | None = None
    restated = hidden = False
    for read in history.reads:
        (chosen,) = select([run], policy, read.at, Asked(force=read.forced))
        if not (chosen.due or chosen.selection is Selection.OBSERVED):
            continue
        outcome = _settled(run, read, policy, forced=chosen.forced)
        hidden = hidden or (verified is None and _hides(outcome, chosen.selection, policy, bound))
        run = _told(run, outcome.verdict, policy) if outcome.verdict else run
        if run.state and run.state.status is Status.VERIFIED and verified is None:
            verified = read.at, run.state.figure
        restated = restated or (run.state is not None and Reason.RESTATED in run.state.reasons)
    result = _ending(history, run, policy)
    return Replay(
        key=key,
        result=Unanswerable.NOT_KEPT if hidden else result,
        verified_after=verified[0] - run.ended_at if verified else None,
        early=verified is not None and _exceeded(verified, history.reads),
        restated=restated,
    )


def _refused(history: History, policy: Policy, bound: Limits) -> Unanswerable | None:
    """Why the run cannot be replayed at all."""
    state = history.run.state
    shared = state is not None and (state.neighbours or state.shared_minutes)
    if shared or any(read.bounds for read in history.reads):
        return Unanswerable.SHARED
    if policy.min_stable_verifications > 1 and policy.verification_interval < bound.interval:
        return Unanswerable.INTERVAL
    if policy.min_age < bound.min_age:
        return Unanswerable.MIN_AGE
    return Unanswerable.NOT_KEPT if bound.kept and _young_reads_hide(history, policy, bound.kept) else None


def _young_reads_hide(history: History, policy: Policy, kept: Policy) -> bool:
    """Whether reads below the tried min age kept equal ones above it from being kept."""
    since = history.run.ended_at + policy.min_age
    young = [read for read in history.reads if read.at < since]
    plateau = plateau_of(young, kept)
    if plateau is None:
        return False
    return plateau.stable(kept) or since - young[-1].at < kept.verification_interval - JITTER


def _hides(outcome: Settled, selection: Selection, policy: Policy, bound: Limits) -> bool:
    """Whether equal reads that are not kept may have decided before the next one that is."""
    skipped = outcome.effect is Effect.EARLY
    closed_sooner = selection is Selection.LAST_READ and policy.max_age < bound.max_age
    return bound.kept is not None and (skipped or closed_sooner)


def _settled(run: Run, read: Observation, policy: Policy, *, forced: bool) -> Settled:
    claim = Claim(run.key, SCOPE, run.window, run.recorded)
    row = Bucket(run.window.start, read.reported, KEY_ID)
    attribution = attribute([claim], [row], [run.window.widened(60)]).by_run[run.key]
    return settle(run, attribution, read.at, policy, forced=forced)


def _told(run: Run, verdict: Verdict, policy: Policy) -> Run:
    """The run as its file would be read after the verdict is written into it."""
    state = run.state or State(status=verdict.status, window=run.window, policy=policy)
    kept = (*state.observations, *([verdict.observation] if verdict.observation else ()))
    if verdict.stands:
        return replace(run, state=replace(state, observations=kept))
    state = replace(
        state,
        status=verdict.status,
        reasons=tuple(verdict.reasons),
        observations=kept,
        restatement=verdict.restatement,
        verified_at=verdict.verified_at,
    )
    shown = verdict.attribution
    if shown:
        state = replace(
            state,
            figure=shown.figure,
            exact=shown.exact,
            bounds=None if shown.exact else shown.bounds,
            completeness=verdict.completeness,
            reconciled_at=verdict.reconciled_at,
        )
    return replace(run, state=state)


def _ending(history: History, run: Run, policy: Policy) -> ReplayEnding | Unanswerable:
    if run.state is None:
        late = history.reads[0].at - run.ended_at > policy.max_age
        return ReplayEnding.NOT_REACHED if late else Unanswerable.NOT_KEPT
    if run.state.status.settled:
        return ReplayEnding(run.state.status.value)
    return Unanswerable.NOT_KEPT if history.run.settled else ReplayEnding.OPEN


def _exceeded(verified: tuple[datetime, Usage], reads: Iterable[Observation]) -> bool:
    at, figure = verified
    return any(read.at > at and read.reported.rose_from(figure) for read in reads)
