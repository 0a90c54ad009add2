"""Made-up runs whose truth is known, key by key: how close together they are is said by a timetable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from reconcile.minutes import MINUTE
from reconcile.simulator.calls import BilledCall
from reconcile.simulator.scenarios import HOUR, MODEL, Feed, calls_for, clean

Timetable: TypeAlias = Callable[[Random, float, float], float]
"""When a key's next run starts, from the start and the end of the one before. Unix seconds."""


def apart(random: Random, _: float, end: float) -> float:
    """Runs that share no minute."""
    return end + random.uniform(2, 10) * MINUTE


def back_to_back(random: Random, _: float, end: float) -> float:
    """Runs that share the minute in which one ends and the next starts."""
    return end + random.uniform(0, 5)


def overlapping(mean: float, duration: float = 5 * MINUTE) -> Timetable:
    """Runs started independently, `mean` of them going on at a time."""
    return lambda random, start, _: start + random.expovariate(mean / duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRun:
    """A run as it really was: half-open `[start, end)` in Unix seconds, and every call it made."""

    name: str
    api_key_id: str
    start: float
    end: float
    calls: tuple[BilledCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How many runs, from when on, how close together and how soon reported."""

    runs: int
    start: float
    timetable: Timetable = back_to_back
    runs_per_key: int = 20
    spread: float = HOUR
    """The first runs of the keys start within so many seconds."""
    mean_duration: float = 5.0 * MINUTE
    feed: Feed = clean


def world(seed: int, plan: Scenario) -> tuple[SimulatedRun, ...]:
    """The runs of a plan, key by key, each key's in order of their start."""
    random = Random(seed)  # noqa: S311 (chance that can be repeated)
    runs: list[SimulatedRun] = []
    for number in range(plan.runs):
        if number % plan.runs_per_key == 0:
            start = plan.start + random.uniform(0, plan.spread)
        else:
            start = plan.timetable(random, runs[-1].start, runs[-1].end)
        end = start + plan.mean_duration * random.uniform(0.5, 1.5)
        name, key = f"{seed}-{number:05}", f"key_{seed}_{number // plan.runs_per_key:04}"
        calls = calls_for(name, start, end, key, MODEL, plan.feed)
        runs.append(SimulatedRun(name=name, api_key_id=key, start=start, end=end, calls=calls))
    return tuple(runs)
