"""The recorded reads of 220 real runs (GenAI-DevBench, October 2025), judged again: benchmarks/replay.py as a test.

What the reads say of each other can be held here. Whether a stable figure was the whole truth cannot: the tool that
made them lost each window's first partial minute, stably.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconcile.runs.metrics import read_run
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy
from reconcile.runs.validation import generation_of

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT.parent / "shared" / "data" / "devbench" / "runs"

pytestmark = pytest.mark.skipif(not RUNS.exists(), reason="the recorded runs are not beside this repository")

_SPEC = importlib.util.spec_from_file_location("replay", ROOT / "benchmarks" / "replay.py")
replaying = sys.modules["replay"] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(replaying)

POLICIES = {
    "the default policy": Policy(),
    "an hour between reads": Policy(verification_interval=timedelta(minutes=60)),
    "three reads": Policy(min_stable_verifications=3),
    "as soon as two reads agree": Policy(verification_interval=timedelta(0)),
    "no cutoff": Policy(max_age=timedelta(days=365)),
}


@pytest.fixture(scope="module", params=POLICIES.values(), ids=POLICIES)
def replays(request):
    return list(replaying.replays(RUNS, request.param))


@pytest.fixture(scope="module")
def by_run():
    return {each.key.run_id[:8]: each for each in replaying.replays(RUNS, Policy())}


def test_every_recorded_run_is_replayed(replays):
    assert (len(replays), sum(len(each.reads) for each in replays)) == (220, 428)


def test_no_figure_is_verified_that_a_later_read_exceeds(replays):
    assert [str(each.key) for each in replays if each.too_soon] == []


def test_no_figure_is_lost_to_a_transient_zero_or_a_dip(replays):
    assert sum(each.sank for each in replays) == 5
    assert [str(each.key) for each in replays if each.lost] == []


def test_what_the_reads_come_to_under_the_default_policy(by_run):
    assert (
        replaying.table(by_run.values())
        == """\
| our verdict after the last recorded read | theirs: verified | theirs: pending | theirs: data_not_available | all |
| --- | --- | --- | --- | --- |
| `verified: stable` | 183 | 0 | 0 | 183 |
| `pending: first_read` | 1 | 33 | 0 | 34 |
| `pending: rising` | 0 | 2 | 0 | 2 |
| `data_not_available: no_usage_yet` | 0 | 0 | 1 | 1 |

- runs with recorded reads: 220
- reads: 428
- runs whose reads sank in between: 5
- runs with a read of zero: 7
- figures lost to a lower read: 0
- figures verified that a later read exceeds: 0"""
    )


KNOWN = {
    "a zero between": ("08c47487", "24523 0 24523 24523", "pending: first_read", "verified: stable"),
    "a dip between": ("a7528f73", "19066 3711 19066 19066", "pending: lower_read", "verified: stable"),
    "a dip of fourteen hours": ("7c997ab4", "238085 190252 238085 238085", "pending: lower_read", "verified: stable"),
    "a rise after four hours": ("5259b2c8", "13586 19066", "pending: rising", "pending: rising"),
    "usage after two zeros": (
        "6d5f179c",
        "0 0 25156 25156 25156 25156",
        "data_not_available: no_usage_yet",
        "verified: stable",
    ),
    "reads minutes apart, which the other tool called verified": (
        "2ddc87a6",
        "219917 219917 219917 219917",
        "pending: first_read",
        "pending: first_read",
    ),
    "first read three days late": (
        "972933b6",
        "21919 21919 21919 21919 0 21919",
        "pending: first_read",
        "pending: first_read",
    ),
}


@pytest.mark.parametrize(("name", "reads", "second", "last"), KNOWN.values(), ids=KNOWN)
def test_a_hard_case(by_run, name, reads, second, last):
    found = by_run[name]
    assert " ".join(str(read.tokens_in) for read in found.reads) == reads
    assert (found.verdicts[1], found.ours) == (second, last)


def late_rise(recorded=None):
    """The run whose figure rose four hours after it ended, 7 calls to 11, had it been read more often than it was."""
    (file,) = RUNS.glob("*/5259b2c8*/metrics.json")
    value = json.loads(file.read_bytes())
    run = read_run(RunKey("baes", file.parent.name), str(file), value, generation_of(value))
    low, high = run.state.observations
    again = [replace(each, at=low.at + timedelta(minutes=at)) for each, at in ((low, 31), (high, 39), (high, 70))]
    return replaying.replay(run, "", [low, *again], Policy(), recorded)


def test_two_reads_before_a_rise_of_four_hours_would_have_verified_the_lower_figure():
    """Stability cannot see what nothing recorded: such a verdict says that it assumes so, and the rise restates it once
    it was read again."""
    found = late_rise()
    assert found.too_soon
    assert found.verdicts[1:] == ("verified: stable", "verified: stable", "warning: restated")


def test_recorded_calls_keep_the_lower_figure_from_being_verified():
    found = late_rise(recorded={"api_calls": 11})
    assert not found.too_soon
    assert found.verdicts[1:] == ("pending: calls_missing", "pending: rising", "verified: stable")
