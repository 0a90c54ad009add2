"""The reporting lag: how long after a run's window its figure is complete, from the reads that files keep.

What each run tells is an interval of ages (`history`). The estimate is Turnbull's (`turnbull`), from intervals whose
ends do not depend on when in them the run was complete: it needs that, and what files keep does not give it by itself.
So it ends where equal reads are no longer kept.

The band does not lean on that, nor on the estimate. At each of fixed ages:

- Low: of the runs that were first read by this age and still at it, the share that showed the figure by it. Late runs
  are read longer than others, so this share is no higher than the truth, whatever was not kept.
- High: the share of all runs that may have been complete, which is all but those that a read at or after this age
  still found lacking.

Each share has an exact bound, of a probability from independent trials (Clopper and Pearson 1934): it holds at any
number of trials, and nothing is approximated by a normal distribution, for where all of 60 runs were complete that has
no spread at all. The error of each is divided by the number of bounds, so that all of them hold at once: then a bound
at one age holds at later (low) or earlier (high) ones too. A bootstrap would not do: for censored times like these it
is inconsistent, and where no run was ever seen incomplete it would have no width. The band takes runs for independent
of each other, and when a run is first read for independent of how late its usage is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, exp, lgamma, log, log1p

from reconcile.errors import ReconcileError
from reconcile.insight.history import History, LeftOut, Origin, Timing, histories, timing_of
from reconcile.insight.turnbull import Mass, estimate, quantile, share_by
from reconcile.minutes import spelled
from reconcile.passes.summary import SCHEMA_VERSION, error_json
from reconcile.runs.metrics import policy_json
from reconcile.runs.run import Json, Run
from reconcile.runs.state import Policy

CONFIDENCE = 0.95
AGES = (5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 360, 480, 720, 1440)
"""Minutes at which the band is taken. Fixed, because ages that depend on the data would need a wider band."""

ERROR = (1 - CONFIDENCE) / (2 * len(AGES))
"""The error of one bound: two at each age."""

UNTOLD = 0.05
"""Where more than this share of the runs is complete at some later age that no read tells, the estimate has ended."""

SHARES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The curve at one age: the share of runs that are complete by it. None where nothing is known.

    No `share` beside a band: the estimate has ended.
    """

    age: int
    runs: int
    """How many were first read by this age and still read at it."""
    share: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """The age in minutes by which a share of runs is complete, above `low` and by `high`.

    No `high`: too few runs, or too slow ones; then no age is estimated. Nor is one where the estimate does not reach
    the share. No `low`: the age may lie below the youngest read.
    """

    share: float
    age: int | None
    low: int | None
    high: int | None

    @property
    def runs_needed(self) -> int:
        """How many runs it takes at least, all of them complete, before the band can reach this share."""
        return ceil(log(ERROR) / log(self.share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What the reads of one origin tell."""

    origin: Origin
    reads: int
    days: int
    """UTC days on which the runs ended: what delays one run of an hour delays its neighbours."""
    timings: tuple[Timing, ...]
    masses: tuple[Mass, ...]
    points: tuple[Point, ...]
    quantiles: tuple[Quantile, ...]

    @property
    def youngest(self) -> int:
        """The age of the youngest read."""
        return min(timing.first for timing in self.timings)

    @property
    def final(self) -> int:
        return sum(timing.final for timing in self.timings)

    @property
    def proven(self) -> int:
        return sum(timing.proven for timing in self.timings)

    @property
    def seen_short(self) -> int:
        """Runs whose figure is final and was seen lacking something before."""
        return sum(timing.final and timing.complete.after > 0 for timing in self.timings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """The curves, each origin of reads by itself, and the runs that nothing is learnt from."""

    now: datetime
    policy: Policy
    curves: tuple[Curve, ...]
    left_out: Mapping[LeftOut, int]
    invalid: int = 0
    """Files that are no valid run."""
    errors: tuple[ReconcileError, ...] = ()


def lag_of(runs: Iterable[Run], policy: Policy, now: datetime) -> Lag:
    """What the kept reads of the runs tell. `policy` says when a figure is confirmed."""
    found, left_out = histories(runs)
    curves = (_curve(origin, [each for each in found if each.origin is origin], policy) for origin in Origin)
    return Lag(now=now, policy=policy, curves=tuple(curve for curve in curves if curve.timings), left_out=left_out)


def _curve(origin: Origin, runs: Sequence[History], policy: Policy) -> Curve:
    timings = tuple(timing_of(each, policy) for each in runs)
    masses = estimate(Counter(timing.independent for timing in timings)) if timings else ()
    points = band(timings, masses) if timings else ()
    return Curve(
        origin=origin,
        reads=sum(len(each.reads) for each in runs),
        days=len({each.run.ended_at.date() for each in runs}),
        timings=timings,
        masses=masses,
        points=points,
        quantiles=tuple(_quantile(share, masses, points) for share in SHARES) if timings else (),
    )


def band(timings: Sequence[Timing], masses: Sequence[Mass]) -> tuple[Point, ...]:
    """The curve at every age, with a band that holds at all of them at once."""
    youngest = min(timing.first for timing in timings)
    ages = [age for age in AGES if age >= youngest]
    watched = [[timing for timing in timings if timing.first <= age <= timing.last] for age in ages]
    lows = [at_least(_complete(there, age), len(there), ERROR) for age, there in zip(ages, watched, strict=True)]
    highs = [at_most(sum(t.complete.after < age for t in timings), len(timings), ERROR) for age in ages]
    points = [Point(age=age, runs=0) for age in AGES if age < youngest]
    for position, (age, there) in enumerate(zip(ages, watched, strict=True)):
        low, high = max(lows[: position + 1]), min(highs[position:])
        known = Point(age=age, runs=len(there), share=_share(masses, age, low, high), low=low, high=high)
        points.append(known if there else Point(age=age, runs=0))
    return tuple(points)


def _share(masses: Sequence[Mass], age: int, low: float, high: float) -> float | None:
    """The estimate, inside the band."""
    untold = sum(mass.share for mass in masses if mass.by is None and mass.after < age)
    return None if untold > UNTOLD else min(max(share_by(masses, age), low), high)


def _complete(timings: Iterable[Timing], age: int) -> int:
    return sum(timing.complete.by is not None and timing.complete.by <= age for timing in timings)


def _quantile(share: float, masses: Sequence[Mass], points: Sequence[Point]) -> Quantile:
    low = max((point.age for point in points if point.high is not None and point.high < share), default=None)
    high = min((point.age for point in points if point.low is not None and point.low >= share), default=None)
    age = quantile(masses, share) if high is not None else None
    return Quantile(
        share=share, age=None if age is None or high is None else min(max(age, low or 0), high), low=low, high=high
    )


# ------------------------------------------------------------------------------------------- as JSON


def lag_json(lag: Lag) -> dict[str, Json]:
    """The curves as schemas/lag.schema.json describes them."""
    return {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(lag.now),
        "policy": policy_json(lag.policy),
        "confidence": CONFIDENCE,
        "curves": [_curve_json(curve) for curve in lag.curves],
        "left_out": {reason.value: count for reason, count in lag.left_out.items()},
        "invalid": lag.invalid,
        "errors": [error_json(error) for error in lag.errors],
    }


def _curve_json(curve: Curve) -> Json:
    return {
        "origin": curve.origin.value,
        "runs": len(curve.timings),
        "reads": curve.reads,
        "days": curve.days,
        "final": curve.final,
        "proven": curve.proven,
        "seen_short": curve.seen_short,
        "youngest_read_minutes": curve.youngest,
        "quantiles": [
            {
                "share": each.share,
                "minutes": each.age,
                "low_minutes": each.low,
                "high_minutes": each.high,
                "runs_needed": each.runs_needed,
            }
            for each in curve.quantiles
        ],
        "points": [
            {"minutes": each.age, "runs": each.runs, "share": each.share, "low": each.low, "high": each.high}
            for each in curve.points
        ],
    }


HALVINGS = 60
"""The bounds are found by halving [0, 1]; so many halvings leave less than a float can tell apart."""

NEGLIGIBLE = 1e-17


def at_least(successes: int, trials: int, error: float) -> float:
    """A number that the probability of success exceeds, but for a chance of `error`. Without trials 0."""
    return 1 - at_most(trials - successes, trials, error)


def at_most(successes: int, trials: int, error: float) -> float:
    """A number that the probability of success stays below, but for a chance of `error`. Without trials 1."""
    if successes >= trials:
        return 1.0
    low, high = successes / trials, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if chance_of_at_most(successes, trials, middle) > error:
            low = middle
        else:
            high = middle
    return high


def chance_of_at_most(successes: int, trials: int, rate: float) -> float:
    """The chance of that many successes or fewer. `0 <= successes < trials`."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    if successes > trials * rate:
        more = trials - successes - 1
        return 1 - (chance_of_at_most(more, trials, 1 - rate) if more < trials else 1.0)
    choices = lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)
    term = exp(choices + successes * log(rate) + (trials - successes) * log1p(-rate))
    total = 0.0
    for count in range(successes, -1, -1):  # from the largest term downwards
        total += term
        if term <= total * NEGLIGIBLE:
            break
        term *= count / (trials - count + 1) * (1 - rate) / rate
    return min(1.0, total)
