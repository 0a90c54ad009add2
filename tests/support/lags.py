"""Worlds whose reporting lag is known, read by passes: what their files keep of it.

A run's usage is complete at an age drawn from the world's lag; until then a read shows none or half of it. Passes come
every hour from a random minute on, for a day. What is kept is what the settlement of the package keeps.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from support.runs import END, WINDOW, attribution_of, remembered
from support.worlds import dice

from reconcile.runs.run import Generation, Run, RunKey
from reconcile.runs.state import Policy
from reconcile.usage import Recorded
from reconcile.verdict.settlement import settle

FULL, HALF, NONE = "2x100", "100", "0"
CONFIRMED = 150
"""Minutes in which passes have confirmed what they show, a higher figure of a settled run too."""


@dataclass(frozen=True)
class Lag:
    """A mixture of uniform lags: each a weight and the minutes between which it lies."""

    parts: tuple[tuple[float, int, int], ...]

    def draw(self, roll):
        ((_, low, high),) = roll.choices(self.parts, weights=[weight for weight, _, _ in self.parts])
        return roll.uniform(low, high)

    def complete_by(self, age):
        return sum(weight * min(1, max(0, (age - low) / (high - low))) for weight, low, high in self.parts)


LAGS = {
    "clean": Lag(((1, 2, 20),)),
    "slow tail": Lag(((0.9, 2, 20), (0.1, 45, 240))),
    "stalls": Lag(((0.7, 2, 20), (0.3, 40, 150))),
    "slower than the first read": Lag(((1, 20, 200),)),
}


def run_of(number, recorded):
    return Run(
        key=RunKey("chatdev", str(number)), path="", generation=Generation.V2, window=WINDOW,
        started_at=END - timedelta(minutes=10), ended_at=END, recorded=recorded,
    )  # fmt: skip


@cache
def _shown(cells, recorded):
    """What every run of these worlds gets of such a read: they all have the same window."""
    return attribution_of(cells, run=run_of(0, recorded))


def lived(roll, lag, number, *, counts, interval=60, policy=None):
    """A run after a day of passes, as its file would be read."""
    run = run_of(number, Recorded(api_calls=2) if counts else Recorded())
    late, before = lag.draw(roll), roll.choice([NONE, HALF])
    policy = policy or Policy()
    for age in range(30 + roll.randrange(interval), 24 * 60, interval):
        at = END + timedelta(minutes=age)
        outcome = settle(run, _shown(FULL if age >= late else before, run.recorded), at, policy)
        run = remembered(run, outcome.verdict) if outcome.verdict else run
        completeness = outcome.verdict.completeness if outcome.verdict else run.state.completeness
        run = replace(run, state=replace(run.state, policy=policy, completeness=completeness))
        if age >= late + CONFIRMED and run.settled:
            break  # reads that equal what was confirmed are not kept
    return run


def world(seed, lag, count, **facts):
    roll = dice(seed)
    return [lived(roll, lag, number, **facts) for number in range(count)]
