"""Made-up runs, feeds and weather: repeatable, possible, and as crowded, late and bad as was asked for."""

from __future__ import annotations

import statistics
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from support import timetables
from support.timetables import Scenario, world

from reconcile.minutes import Window
from reconcile.simulator import scenarios
from reconcile.simulator.calls import Ledger
from reconcile.simulator.scenarios import calls_for
from reconcile.usage import Usage

START = 1767621600  # 2026-01-05T14:00:00Z


def test_calls_for__a_name_always_makes_the_same_calls() -> None:
    made = calls_for("chatdev/ab12", START, START + 150, "key_a", scenarios.MODEL)
    assert made == calls_for("chatdev/ab12", START, START + 150, "key_a", scenarios.MODEL)
    assert made != calls_for("chatdev/ab13", START, START + 150, "key_a", scenarios.MODEL)
    assert (len(made), made[0].tokens_in) == (20, 535), "made-up runs differ from those of other machines"


@pytest.mark.parametrize("seconds", [0.0, 0.001, 5.0, 150.0, 7200.0])
def test_calls_for__every_call_is_in_the_run_and_possible(seconds: float) -> None:
    end = START + seconds
    made = calls_for("baes/1", START, end, "key_a", scenarios.MODEL)
    assert made
    assert all(START <= call.at < max(end, START + 1e-6) for call in made)
    assert all(0 <= call.cached_tokens <= call.tokens_in for call in made)
    assert list(made) == sorted(made, key=lambda call: call.at)


def plan(**changed: Any) -> Scenario:
    return Scenario(**({"runs": 200, "start": float(START)} | changed))


def shared_edges(runs: tuple[timetables.SimulatedRun, ...]) -> list[bool]:
    """For each two consecutive runs of a key whether they share a minute."""
    return [
        Window.around(a.start, a.end).meets(Window.around(b.start, b.end))
        for a, b in pairwise(runs)
        if a.api_key_id == b.api_key_id
    ]


def test_world__the_same_seed_makes_the_same_world() -> None:
    assert world(7, plan(runs=20)) == world(7, plan(runs=20))
    assert world(7, plan(runs=20)) != world(8, plan(runs=20))


def test_world__a_key_of_its_own_for_every_run() -> None:
    runs = world(1, plan(runs_per_key=1))
    assert len({run.api_key_id for run in runs}) == 200


def test_world__runs_apart_share_no_minute_and_runs_in_a_chain_do() -> None:
    assert not any(shared_edges(world(1, plan(timetable=timetables.apart))))
    assert statistics.fmean(shared_edges(world(1, plan(timetable=timetables.back_to_back)))) > 0.9


@pytest.mark.parametrize("mean", [1, 2, 4])
def test_world__overlapping_runs_overlap_as_much_as_was_asked(mean: int) -> None:
    runs = world(1, plan(timetable=timetables.overlapping(mean), runs_per_key=200))
    busy = sum(run.end - run.start for run in runs) / (max(run.end for run in runs) - runs[0].start)
    assert busy == pytest.approx(mean, rel=0.2)


def test_world__what_a_key_used_is_what_its_runs_used() -> None:
    runs = world(3, plan(runs=20, timetable=timetables.overlapping(2)))
    ledger = Ledger(call for run in runs for call in run.calls)
    everything = ledger.truth(runs[0].api_key_id, START, START + 10 * 86400)
    assert everything == sum((call.usage for run in runs for call in run.calls), Usage())


def dice() -> Random:
    return Random(1)  # noqa: S311 (chance that can be repeated)


def lags(feed: scenarios.Feed) -> list[float]:
    """Minutes until calls show, of one call every ten seconds for a day."""
    random = dice()
    return [(feed(random, START + second) - START - second) / 60 for second in range(0, 86400, 10)]


def test_feeds__what_is_clean_shows_within_the_hour_and_in_batches() -> None:
    assert 6 < statistics.median(lags(scenarios.clean)) < 10
    assert max(lags(scenarios.clean)) < 60
    assert scenarios.clean(dice(), START) % 300 == 0


def test_feeds__a_slow_tail_is_one_call_in_25() -> None:
    late = [lag for lag in lags(scenarios.slow_tail) if lag > 30]
    assert len(late) == pytest.approx(8640 / 25, rel=0.25)


def test_feeds__a_stall_delays_and_never_hastens() -> None:
    stalled, smooth = lags(scenarios.stalling(2, chance=0.3)), lags(scenarios.clean)
    assert all(late >= soon for late, soon in zip(stalled, smooth, strict=True))
    assert max(stalled) > 40
    assert lags(scenarios.stalling(2, chance=0)) == smooth


def test_weather__is_as_bad_as_was_asked_and_always_the_same() -> None:
    script = scenarios.weather(1, 1000, 0.1)
    assert script == scenarios.weather(1, 1000, 0.1)
    assert sum(fault is not None for fault in script) == pytest.approx(100, rel=0.3)
    assert {fault for fault in script if fault} == set(scenarios.WEATHER)
