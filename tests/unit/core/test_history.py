"""Which kept reads can be compared, and why runs are left out."""

from dataclasses import replace

import pytest
from support.runs import Tale, observed, theirs

from reconcile.insight.history import LeftOut, Origin, histories


def told(*reads, **members):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return tale


def edited():
    tale = told("00:30 100")
    tale.put("end_timestamp", "2026-01-06T12:20:00.000000Z")
    return tale.run


RUNS = {
    "nothing was read": (told().run, LeftOut.UNREAD),
    "its times were edited": (edited(), LeftOut.EDITED),
    "no usage, and nothing says that some is due": (told("00:30 0", "01:30 0").run, LeftOut.NO_USAGE),
    "no usage, and no calls recorded": (told("00:30 0", recorded_usage={"api_calls": 0}).run, LeftOut.NO_USAGE),
    "no usage yet, and calls recorded": (told("00:30 0", recorded_usage={"api_calls": 3}).run, (Origin.OURS, 1)),
    "two reads": (told("00:30 100", "01:30 100").run, (Origin.OURS, 2)),
    "another tool's": (told(**theirs(("00:30", 100), ("00:31", 100))).run, (Origin.ANOTHER_TOOL, 2)),
    "ours after another tool's": (told("02:30 100", **theirs(("00:30", 90), ("00:31", 90))).run, (Origin.OURS, 1)),
}


@pytest.mark.parametrize(("run", "expected"), RUNS.values(), ids=RUNS)
def test_what_is_learnt_of_a_run(run, expected):
    found, left_out = histories([run])
    if isinstance(expected, LeftOut):
        assert (found, left_out[expected], sum(left_out.values())) == ((), 1, 1)
    else:
        assert [(each.origin, len(each.reads)) for each in found] == [expected]
        assert set(left_out.values()) == {0}


def test_reads_before_the_times_changed_are_about_another_window():
    run = told("00:30 100", "01:30 100").run
    later = observed("02:30 200", window_changed=True), observed("03:30 200")
    run = replace(run, state=replace(run.state, observations=(*run.state.observations, *later)))
    (history,) = histories([run])[0]
    assert history.reads == later


def test_a_block_of_ours_that_keeps_another_tools_reads_alone_tells_nothing():
    run = told("00:30 100").run
    foreign = (observed("00:10 100", status=None),)
    run = replace(run, state=replace(run.state, observations=foreign))
    assert histories([run])[1][LeftOut.UNREAD] == 1


def test_ages_count_from_the_end_of_the_last_minute():
    run = told("00:30:30 100", end_timestamp="2026-01-06T11:59:40.000000Z").run
    (history,) = histories([run])[0]
    assert history.age(history.reads[0]).total_seconds() == 30.5 * 60


def test_the_policy_that_reads_were_kept_under_is_known_of_ours_only():
    ours, others = told("00:30 100"), told(**theirs(("00:30", 100)))
    kept = [history.kept_under for history in histories([ours.run, others.run])[0]]
    assert kept == [ours.policy, None]
