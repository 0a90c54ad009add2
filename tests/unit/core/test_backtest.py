"""Kept reads under another policy: what came of them, and what they cannot tell."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from support.runs import KEY, Tale, neighbour, theirs

from reconcile.insight.history import histories
from reconcile.insight.replay import ReplayEnding, Unanswerable, replay
from reconcile.runs.state import Policy

PRESENT = Policy()


def minutes(**members):
    """A policy in minutes: `min_age=60`, `interval=45`."""
    count = members.pop("count", 2)
    names = {"min_age": "min_age", "max_age": "max_age", "interval": "verification_interval"}
    given = {names[name]: timedelta(minutes=value) for name, value in members.items()}
    return Policy(min_stable_verifications=count, **given)


def told(reads, *, neighbours=(), policy=None, **members):
    tale = Tale(neighbours=neighbours, policy=policy, **members)
    for read in reads:
        clock, shown = read.removesuffix(" forced").split(" ", 1)
        tale.read(clock, shown, forced=read.endswith("forced"))
    ((history,), _) = histories([tale.run])
    return history


HOURLY = ["00:31 100", "01:31 100"]
EARLY = ["00:31 100", "01:31 200", "02:31 200"]
CALLS = {"recorded_usage": {"api_calls": 2}}
TOKENS = {"recorded_usage": {"api_calls": 1, "tokens_in": 50}}
BESIDE = [neighbour("b", 1, 12)]

ANSWERS = {
    "the present policy": (HOURLY, {}, PRESENT, (ReplayEnding.VERIFIED, 91)),
    "one read is enough": (HOURLY, {}, minutes(count=1), (ReplayEnding.VERIFIED, 31)),
    "a longer interval that the reads have": (HOURLY, {}, minutes(interval=60), (ReplayEnding.VERIFIED, 91)),
    "a shorter interval": (HOURLY, {}, minutes(interval=10), (Unanswerable.INTERVAL, None)),
    "a shorter interval, and one read": (HOURLY, {}, minutes(interval=10, count=1), (ReplayEnding.VERIFIED, 31)),
    "a longer interval than the reads have": (HOURLY, {}, minutes(interval=90), (Unanswerable.NOT_KEPT, None)),
    "three reads": (HOURLY, {}, minutes(count=3), (Unanswerable.NOT_KEPT, None)),
    "a lower min age": (HOURLY, {}, minutes(min_age=10), (Unanswerable.MIN_AGE, None)),
    "a min age after the first read": (HOURLY, {}, minutes(min_age=75, count=1), (ReplayEnding.VERIFIED, 91)),
    "a min age soon after the first read": (HOURLY, {}, minutes(min_age=45), (Unanswerable.NOT_KEPT, None)),
    "a min age after all reads": (HOURLY, {}, minutes(min_age=120, count=1), (Unanswerable.NOT_KEPT, None)),
    "a min age after a stable zero": (
        ["00:31 0", "01:31 0", "05:31 100", "06:31 100"],
        {},
        minutes(min_age=180),
        (Unanswerable.NOT_KEPT, None),
    ),
    "a risen figure": (EARLY, {}, PRESENT, (ReplayEnding.VERIFIED, 151)),
    "calls that are missing": (
        ["00:31 100", "01:31 2x100", "02:31 2x100"],
        CALLS,
        PRESENT,
        (ReplayEnding.VERIFIED, 151),
    ),
    "still open": (["00:31 100"], {}, minutes(interval=60), (ReplayEnding.OPEN, None)),
    "open, and one read is enough": (["00:31 100"], {}, minutes(count=1), (ReplayEnding.VERIFIED, 31)),
    "more calls than recorded": (["00:31 3x100", "01:31 3x100"], CALLS, PRESENT, (Unanswerable.SHARED, None)),
    "other tokens than recorded": (HOURLY, TOKENS, PRESENT, (ReplayEnding.WARNING, None)),
    "given up at the cutoff": (["00:31 200", "24:31 100"], {}, PRESENT, (ReplayEnding.FAILED, None)),
    "given up at the cutoff, and a later one": (
        ["00:31 200", "24:31 100"],
        {},
        minutes(max_age=2880),
        (Unanswerable.NOT_KEPT, None),
    ),
    "a cutoff before the last read": (
        ["00:31 100", "01:31 200", "02:31 200"],
        {},
        minutes(max_age=120),
        (Unanswerable.NOT_KEPT, 151),
    ),
    "first read past the cutoff": (["02:31 100"], {}, minutes(max_age=120), (ReplayEnding.NOT_REACHED, None)),
    "shared minutes": (HOURLY, {"neighbours": BESIDE}, PRESENT, (Unanswerable.SHARED, None)),
    "forced": ([*HOURLY, "02:31 200 forced", "03:31 200"], {}, PRESENT, (ReplayEnding.VERIFIED, 91)),
    "three reads kept, two asked for": (
        ["00:31 100", "01:31 100", "02:31 100"],
        {"policy": minutes(count=3)},
        PRESENT,
        (ReplayEnding.VERIFIED, 91),
    ),
    "three reads kept, and one of them skipped": (
        ["00:31 100", "01:11 100", "01:51 100"],
        {"policy": minutes(count=3)},
        minutes(interval=60),
        (Unanswerable.NOT_KEPT, 80 + 31),
    ),
}


@pytest.mark.parametrize(("reads", "members", "policy", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_run_under_a_policy(reads, members, policy, expected):
    found = replay(told(reads, **members), policy, PRESENT)
    waited = found.verified_after and found.verified_after / timedelta(minutes=1)
    assert (found.key, found.result, waited) == (KEY, *expected)
    assert found.answered == isinstance(expected[0], ReplayEnding)


OTHERS = {
    "its own spacing": ((("00:31", 100), ("01:31", 100)), PRESENT, ReplayEnding.VERIFIED),
    "less than the present interval": ((("00:31", 100), ("01:31", 100)), minutes(interval=10), Unanswerable.INTERVAL),
    "reads that were nearer": ((("00:31", 100), ("00:41", 100)), minutes(interval=10), ReplayEnding.VERIFIED),
    "reads that were younger": ((("00:05", 100), ("01:31", 100)), minutes(min_age=5), ReplayEnding.VERIFIED),
    "younger than its reads": ((("00:31", 100), ("01:31", 100)), minutes(min_age=5), Unanswerable.MIN_AGE),
    "a min age soon after its first read": (
        (("00:31", 100), ("01:31", 100), ("02:31", 100)),
        minutes(min_age=45),
        ReplayEnding.VERIFIED,
    ),
}


@pytest.mark.parametrize(("reads", "policy", "result"), OTHERS.values(), ids=OTHERS)
def test_another_tools_run_under_a_policy(reads, policy, result):
    assert replay(told([], **theirs(*reads, status="verified")), policy, PRESENT).result is result


def test_a_verdict_is_early_where_a_later_read_is_higher():
    hasty = replay(told(EARLY), minutes(count=1), PRESENT)
    patient = replay(told(EARLY), PRESENT, PRESENT)
    assert [(each.early, each.restated) for each in (hasty, patient)] == [(True, True), (False, False)]


def test_a_dip_is_no_early_verdict():
    reads = ["00:31 200", "01:31 200", "02:31 100", "03:31 200"]
    assert not replay(told(reads), PRESENT, PRESENT).early


def replaying():
    file = Path(__file__).resolve().parents[3] / "benchmarks" / "replay.py"
    spec = importlib.util.spec_from_file_location("replay_for_backtest", file)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "reads",
    [HOURLY, EARLY, ["00:31 100", "01:31 100", "02:31 200", "03:31 200", "04:31 100", "05:31 100"], ["00:31 100"]],
    ids=["verified", "risen", "restated twice", "read once"],
)
def test_the_replay_ends_where_one_through_files_ends(reads):
    """The benchmark writes every verdict into a file and reads it again."""
    history = told(reads)
    through_files = replaying().replay(history.run, "", history.reads, PRESENT)
    status = through_files.ours.split(":")[0]
    assert replay(history, PRESENT, PRESENT).result == ("open" if status == "pending" else status)
