"""A back-test of many runs: two policies side by side, and whether the stored reads can answer the one tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from reconcile.errors import ReconcileError, UsageError
from reconcile.insight.history import History, LeftOut, Origin, histories
from reconcile.insight.replay import Limits, Replay, ReplayEnding, Unanswerable, limits, replay
from reconcile.minutes import spelled
from reconcile.passes.summary import SCHEMA_VERSION, error_json
from reconcile.runs.metrics import policy_json
from reconcile.runs.run import Json, Run
from reconcile.runs.state import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What one policy made of runs."""

    replays: tuple[Replay, ...]

    @property
    def waits(self) -> list[timedelta]:
        """Ages at which runs were verified, in order."""
        return sorted(each.verified_after for each in self.replays if each.verified_after is not None)

    @property
    def early(self) -> tuple[Replay, ...]:
        return tuple(each for each in self.replays if each.early)

    @property
    def restated(self) -> int:
        return sum(each.restated for each in self.replays)

    def count(self, result: ReplayEnding | Unanswerable) -> int:
        return sum(each.result is result for each in self.replays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Two policies on the same runs of one origin: those that both can be asked about."""

    origin: Origin
    runs: int
    present: Outcomes
    tried: Outcomes
    unanswered: Outcomes
    """The other runs, under the policy that cannot be asked about them."""
    interval: timedelta
    """The median, over the runs, of the shortest interval that can be tried."""
    min_age: timedelta
    """The median of the lowest min age that can be tried."""

    @property
    def answered(self) -> int:
        return len(self.tried.replays)

    @property
    def changes(self) -> list[timedelta]:
        """How much later the tried policy verified, run by run, in order; below zero is sooner."""
        pairs = zip(self.present.replays, self.tried.replays, strict=True)
        both = [(one.verified_after, other.verified_after) for one, other in pairs]
        return sorted(later - sooner for sooner, later in both if sooner is not None and later is not None)

    @property
    def refused(self) -> Unanswerable | None:
        """Why the reads cannot answer, where more runs lack reads for the policy than have them.

        What is left then is a minority that the policy itself has picked, and says nothing of the others.
        """
        reasons = (Unanswerable.INTERVAL, Unanswerable.MIN_AGE, Unanswerable.NOT_KEPT)
        lacking = {reason: self.unanswered.count(reason) for reason in reasons}
        if sum(lacking.values()) <= self.answered:
            return None
        return max(lacking, key=lambda reason: lacking[reason])


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The trials, each origin of reads by itself, and the runs that cannot be replayed at all."""

    now: datetime
    present: Policy
    tried: Policy
    trials: tuple[Trial, ...]
    left_out: Mapping[LeftOut, int]
    invalid: int = 0
    """Files that are no valid run."""
    errors: tuple[ReconcileError, ...] = ()


def at_share(spans: Sequence[timedelta], share: float) -> timedelta | None:
    """The span, of some in order, by which this share of them is reached: one that occurred, not a mean of two."""
    return spans[max(0, ceil(share * len(spans)) - 1)] if spans else None


def backtest_of(runs: Iterable[Run], present: Policy, tried: Policy, now: datetime) -> Backtest:
    """Replay the runs under both policies. Raises UsageError where the reads cannot answer the one that is tried."""
    if tried.max_age < tried.min_age:
        raise UsageError(
            f"max-age {_minutes(tried.max_age)} is below min-age {_minutes(tried.min_age)}: no run would ever be due",
            code="bad_policy",
            remedy="give a --max-age above --min-age",
        )
    found, left_out = histories(runs)
    by_origin = {origin: [each for each in found if each.origin is origin] for origin in Origin}
    trials = tuple(_trial(origin, some, present, tried) for origin, some in by_origin.items() if some)
    if trials and all(each.refused for each in trials):
        raise _unanswerable(trials[0], tried)
    return Backtest(now=now, present=present, tried=tried, trials=trials, left_out=left_out)


def _trial(origin: Origin, found: Sequence[History], present: Policy, tried: Policy) -> Trial:
    pairs = [(replay(each, present, present), replay(each, tried, present)) for each in found]
    both = [(one, other) for one, other in pairs if one.answered and other.answered]
    bounds = [limits(each, present) for each in found]
    return Trial(
        origin=origin,
        runs=len(pairs),
        present=Outcomes(replays=tuple(one for one, _ in both)),
        tried=Outcomes(replays=tuple(other for _, other in both)),
        unanswered=Outcomes(
            replays=tuple(
                one if other.answered else other for one, other in pairs if not (one.answered and other.answered)
            )
        ),
        interval=_middle(bounds, "interval"),
        min_age=_middle(bounds, "min_age"),
    )


def _middle(bounds: Sequence[Limits], name: str) -> timedelta:
    values: list[timedelta] = sorted(getattr(each, name) for each in bounds)
    return values[len(values) // 2]


def _unanswerable(trial: Trial, tried: Policy) -> UsageError:
    message, remedy = why_refused(trial, tried)
    return UsageError(message, code="unanswerable_policy", remedy=remedy)


def why_refused(trial: Trial, tried: Policy) -> tuple[str, str]:
    """What the stored reads lack for the policy, with both numbers, and the remedy."""
    reason = trial.refused or Unanswerable.NOT_KEPT
    of = f"{trial.unanswered.count(reason):,} of {trial.runs:,} runs"
    interval, min_age = _minutes(trial.interval), _minutes(trial.min_age)
    match reason:
        case Unanswerable.INTERVAL:
            lack = (
                f"verification-interval {_minutes(tried.verification_interval)}: equal reads of {of} were made or kept "
                f"only {interval} apart or more, so what a shorter interval would have read is not known"
            )
            return lack, f"try {interval} or longer; for a shorter one, read with it for a while first"
        case Unanswerable.MIN_AGE:
            lack = (
                f"min-age {_minutes(tried.min_age)}: {of} were not read before an age of {min_age}, so what a younger "
                "read would have shown is not known"
            )
            return lack, f"try {min_age} or more; for a lower age, read with it for a while first"
        case _:
            lack = (
                f"{described(tried)}: the kept reads of {of} end, or leave out equal ones, before this policy "
                f"concludes, for a file keeps no equal reads once its run is settled; {trial.answered:,} can be "
                "answered"
            )
            return lack, "try a policy that concludes no later than the present one, or read with it for a while first"


def described(policy: Policy) -> str:
    """`2 equal reads 30 min apart, from 30 min to 1,440 min`."""
    count = policy.min_stable_verifications
    reads = "1 read" if count == 1 else f"{count} equal reads {_minutes(policy.verification_interval)} apart"
    return f"{reads}, from {_minutes(policy.min_age)} to {_minutes(policy.max_age)}"


def _minutes(span: timedelta) -> str:
    return f"{round(span.total_seconds() / 60, 1):,g} min"


# ------------------------------------------------------------------------------------------- as JSON


def backtest_json(backtest: Backtest) -> dict[str, Json]:
    """The back-test as schemas/backtest.schema.json describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(backtest.now),
        "present_policy": policy_json(backtest.present),
        "tried_policy": policy_json(backtest.tried),
        "trials": [_trial_json(trial) for trial in backtest.trials],
        "left_out": {reason.value: count for reason, count in backtest.left_out.items()},
        "invalid": backtest.invalid,
        "errors": [error_json(error) for error in backtest.errors],
    }


def _trial_json(trial: Trial) -> Json:
    change = at_share(trial.changes, 0.5)
    return {
        "origin": trial.origin.value,
        "runs": trial.runs,
        "answered": trial.answered,
        "unanswered": {reason.value: trial.unanswered.count(reason) for reason in Unanswerable},
        "refused": trial.refused.value if trial.refused else None,
        "present": _outcomes_json(trial.present),
        "tried": _outcomes_json(trial.tried),
        "verified_by_both": len(trial.changes),
        "median_change_minutes": _json_minutes(change),
    }


def _outcomes_json(outcomes: Outcomes) -> Json:
    return {
        **{ending.value: outcomes.count(ending) for ending in ReplayEnding},
        "minutes_to_verify": {
            "median": _json_minutes(at_share(outcomes.waits, 0.5)),
            "p95": _json_minutes(at_share(outcomes.waits, 0.95)),
        },
        "early": [{"framework": each.key.framework, "run_id": each.key.run_id} for each in outcomes.early],
        "restated": outcomes.restated,
    }


def _json_minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 1)
