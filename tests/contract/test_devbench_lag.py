"""The lag of the recorded reads of 220 real runs, and back-tests on them (GenAI-DevBench, October 2025)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconcile.errors import UsageError
from reconcile.insight.history import LeftOut, Origin
from reconcile.insight.lag import lag_of
from reconcile.insight.replay import ReplayEnding, Unanswerable
from reconcile.insight.trial import backtest_of
from reconcile.runs.metrics import read_run
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy
from reconcile.runs.validation import generation_of

RUNS = Path(__file__).resolve().parents[3] / "shared" / "data" / "devbench" / "runs"
NOW = datetime(2025, 11, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not RUNS.exists(), reason="the recorded runs are not beside this repository")


@pytest.fixture(scope="module")
def runs():
    files = [(file, json.loads(file.read_bytes())) for file in sorted(RUNS.glob("*/*/metrics.json"))]
    return [read_run(RunKey(*file.parts[-3:-1]), str(file), value, generation_of(value)) for file, value in files]


@pytest.fixture(scope="module")
def found(runs):
    return lag_of(runs, Policy(), NOW)


def test_every_read_is_another_tools_and_one_run_shows_no_usage(found):
    (curve,) = found.curves
    assert (curve.origin, len(curve.timings), curve.reads) == (Origin.ANOTHER_TOOL, 219, 426)
    assert found.left_out[LeftOut.NO_USAGE] == 1


def test_nothing_is_claimed_below_the_youngest_read(found):
    (curve,) = found.curves
    assert curve.youngest == 2
    assert all(point.low is None for point in curve.points if point.age < 2)


def test_few_of_the_runs_were_read_young_enough_to_tell_much(found):
    """Three quarters were complete by 45 minutes for sure; how many more, 47 runs that were watched cannot tell."""
    (curve,) = found.curves
    highs = {each.share: each.high for each in curve.quantiles}
    assert highs == {0.25: 45, 0.5: 45, 0.75: 45, 0.9: None, 0.95: None, 0.99: None}


def test_the_two_runs_that_were_seen_short_and_the_one_that_rose_after_three_hours_are_told(found):
    (curve,) = found.curves
    assert sorted(t.complete.after for t in curve.timings if t.final and t.complete.after) == [4, 27]
    assert max(t.complete.after for t in curve.timings if not t.final) == 200


def test_one_read_would_have_verified_one_run_too_early(runs):
    (trial,) = backtest_of(runs, Policy(), Policy(min_stable_verifications=1), NOW).trials
    assert (trial.answered, len(trial.present.early)) == (213, 0)
    assert [each.key.run_id[:8] for each in trial.tried.early] == ["5259b2c8"]
    assert (trial.present.count(ReplayEnding.VERIFIED), trial.tried.count(ReplayEnding.VERIFIED)) == (181, 209)


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [
        (Policy(verification_interval=timedelta(minutes=10)), ("10 min", "211 of 219", "30 min")),
        (Policy(min_age=timedelta(minutes=5)), ("5 min", "216 of 219", "30 min")),
        (Policy(min_stable_verifications=3), ("3 equal reads", "185 of 219", "34")),
    ],
    ids=["a shorter interval", "a lower min age", "three reads"],
)
def test_what_was_not_read_is_not_answered(runs, policy, numbers):
    with pytest.raises(UsageError) as caught:
        backtest_of(runs, Policy(), policy, NOW)
    assert [number for number in numbers if number not in caught.value.message] == []


def test_runs_settled_by_reads_minutes_apart_are_not_answered(runs):
    (trial,) = backtest_of(runs, Policy(), Policy(), NOW).trials
    assert trial.unanswered.count(Unanswerable.NOT_KEPT) == 6
