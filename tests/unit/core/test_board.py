"""The board: how runs stand, counted by group, age and framework."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.runs import Tale, after, neighbour, run_after, theirs

from reconcile.insight.board import BANDS, Group, board_json, board_of, group_of
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy

UNREAD, PENDING, VERIFIED = run_after(), run_after("00:45"), run_after("00:45", "01:45")
WARNED = run_after("00:45", "01:45", shown="100 2x200", neighbours=[neighbour("b", 1, 12)])
INHERITED = Tale(**theirs(("00:05", 50), status="verified")).run
FAILED = run_after("00:30", "24:30", "25:30", shown="0", recorded_usage={"api_calls": 1})


def report(run, selection=Selection.DUE, *, age=timedelta(hours=2), framework="chatdev", name="a", **members):
    run = replace(run, key=RunKey(framework, name), ended_at=after("48:00") - age)
    return RunReport(run=run, selection=selection, **members)


def summary(*reports, **members):
    given = {"discovered": len(reports), **members}
    return Summary(now=after("48:00"), policy=Policy(), runs=reports, **given)


@pytest.mark.parametrize(
    ("run", "selection", "group"),
    [
        pytest.param(VERIFIED, Selection.SETTLED, Group.VERIFIED, id="verified"),
        pytest.param(INHERITED, Selection.INHERITED, Group.VERIFIED, id="verified by another tool"),
        pytest.param(PENDING, Selection.DUE, Group.WAITING, id="read once"),
        pytest.param(PENDING, Selection.LAST_READ, Group.WAITING, id="to be closed"),
        pytest.param(UNREAD, Selection.NOT_ENDED, Group.WAITING, id="ends in the future"),
        pytest.param(UNREAD, Selection.PAST_CUTOFF, Group.MISSED, id="never read"),
        pytest.param(WARNED, Selection.SETTLED, Group.BROKEN, id="a warning"),
        pytest.param(FAILED, Selection.SETTLED, Group.BROKEN, id="failed"),
    ],
)
def test_a_run_is_in_one_group(run, selection, group):
    assert group_of(RunReport(run=run, selection=selection)) is group


@pytest.mark.parametrize(
    ("age", "band"),
    [
        pytest.param(timedelta(minutes=-5), "under 1 h", id="ends in the future"),
        pytest.param(timedelta(minutes=59, seconds=59), "under 1 h", id="just under an hour"),
        pytest.param(timedelta(hours=1), "1 to 4 h", id="an hour"),
        pytest.param(timedelta(hours=4), "4 to 24 h", id="four hours"),
        pytest.param(timedelta(days=1), "1 to 7 d", id="a day"),
        pytest.param(timedelta(days=7), "7 to 30 d", id="a week"),
        pytest.param(timedelta(days=30), "over 30 d", id="thirty days"),
    ],
)
def test_a_run_is_in_the_band_of_the_age_since_its_end(age, band):
    waiting = board_of(summary(report(UNREAD, age=age))).groups[1]
    assert dict(zip(BANDS, waiting.by_age, strict=True)) == {name: int(name == band) for name in BANDS}


def test_the_board_as_json_has_every_group_and_band_and_the_files_that_are_no_runs():
    found = board_of(
        summary(
            report(VERIFIED, age=timedelta(days=2)),
            report(UNREAD, framework="baes"),
            report(WARNED, framework="baes", name="b"),
            discovered=6,
            unreadable={"baes": 1, "ghspec": 1},
        )
    )
    assert board_json(found) == {
        "bands": ["under 1 h", "1 to 4 h", "4 to 24 h", "1 to 7 d", "7 to 30 d", "over 30 d"],
        "groups": [
            {"group": "verified", "total": 1, "by_age": [0, 0, 0, 1, 0, 0]},
            {"group": "waiting", "total": 1, "by_age": [0, 1, 0, 0, 0, 0]},
            {"group": "missed", "total": 0, "by_age": [0, 0, 0, 0, 0, 0]},
            {"group": "broken", "total": 1, "by_age": [0, 1, 0, 0, 0, 0]},
        ],
        "frameworks": [
            {"framework": "baes", "verified": 0, "waiting": 1, "missed": 0, "broken": 1, "invalid": 1},
            {"framework": "chatdev", "verified": 1, "waiting": 0, "missed": 0, "broken": 0, "invalid": 0},
            {"framework": "ghspec", "verified": 0, "waiting": 0, "missed": 0, "broken": 0, "invalid": 1},
        ],
        "proven": 0,
        "supported": 0,
        "assumed": 1,
        "inherited": 0,
        "invalid": 3,
    }


def test_what_another_tool_verified_is_counted_apart_too():
    found = board_of(summary(report(VERIFIED), report(INHERITED), report(INHERITED, Selection.NOT_ASKED)))
    assert (found.groups[0].total, board_json(found)["inherited"]) == (2, 1)


def test_what_was_not_asked_for_is_not_on_the_board():
    elsewhere = report(VERIFIED, Selection.NOT_ASKED, framework="baes")
    found = board_of(summary(report(UNREAD), elsewhere, discovered=5, unreadable={"baes": 2, "chatdev": 1}), "chatdev")
    assert [(each.framework, each.invalid) for each in found.frameworks] == [("chatdev", 1)]
    assert (sum(each.total for each in found.groups), found.invalid) == (1, 1)


def test_the_next_run_that_becomes_due_is_the_first_of_those_asked_for():
    later, sooner, elsewhere = after("49:00"), after("48:30"), after("48:10")
    board = board_of(
        summary(
            report(UNREAD, Selection.TOO_YOUNG, due_at=later),
            report(UNREAD, Selection.TOO_YOUNG, due_at=sooner, name="b"),
            report(UNREAD, Selection.NOT_ASKED, due_at=elsewhere, name="c"),
        )
    )
    assert board.next_due == sooner
    assert board_of(summary(report(UNREAD))).next_due is None
