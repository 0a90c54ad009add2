"""What the lines of a journal say together."""

import json
from datetime import UTC, datetime

import pytest

from reconcile.recording.journal import read, seconds

NOON = 1_767_614_400


def lines(*values):
    return "".join(f"{value if isinstance(value, str) else json.dumps(value)}\n" for value in values)


def steps(*values):
    return [(step.name, step.begun_at, step.ended_at, step.success) for step in read(lines(*values)).steps]


def test_steps_are_paired_by_name():
    found = steps(
        {"begin": "plan", "at": NOON}, {"begin": "code", "at": NOON + 1},
        {"end": "plan", "at": NOON + 2}, {"end": "code", "at": NOON + 3, "success": False},
    )  # fmt: skip
    assert found == [("plan", NOON, NOON + 2, True), ("code", NOON + 1, NOON + 3, False)]


def test_steps_of_one_name_are_paired_by_their_id():
    found = steps(
        {"begin": "plan", "at": NOON, "id": "a"}, {"begin": "plan", "at": NOON + 1, "id": "b"},
        {"end": "plan", "at": NOON + 2, "id": "a"},
    )  # fmt: skip
    assert found == [("plan", NOON, NOON + 2, True), ("plan", NOON + 1, None, None)]


def test_of_steps_without_an_id_the_one_that_began_last_ends_first():
    begin, end = {"begin": "plan", "at": NOON}, {"end": "plan", "at": NOON + 5}
    assert [ended for _, _, ended, _ in steps(begin, {**begin, "at": NOON + 1}, end)] == [None, NOON + 5]


@pytest.mark.parametrize("at", [NOON, float(NOON), "2026-01-05T12:00:00Z", "2026-01-05T13:00:00+01:00"], ids=str)
def test_an_instant_is_unix_seconds_or_text_with_an_offset(at):
    assert read(lines({"begin": "plan", "at": at})).steps[0].begun_at == NOON


UNREAD = [
    "half a li", "{", "7", "[]", "{}", '"begin"', "null",
    {"begin": "plan"}, {"begin": "plan", "at": True}, {"begin": "plan", "at": "2026-01-05T12:00:00"},
    {"begin": "plan", "at": NOON * 1000}, {"begin": "plan", "at": "noon"}, '{"begin": "plan", "at": NaN}',
    {"end": "plan", "at": NOON}, {"recorder": []}, {"recorder": "x", "closed": True},
]  # fmt: skip


@pytest.mark.parametrize("line", UNREAD, ids=str)
def test_a_line_that_says_nothing_is_counted_and_changes_nothing(line):
    journal = read(lines({"run": "chatdev/a", "at": NOON}, {"recorder": "x"}, line, {"begin": "code", "at": NOON}))
    assert (journal.unread, [step.name for step in journal.steps]) == (1, ["code"])
    assert (journal.taking_part, journal.watched) == ({"x"}, 0)


def test_recorders_that_left_are_added_up_and_the_others_are_told():
    closed = {"recorder": "a", "closed": True, "watched": 2, "uncounted": 3, "lost": 4}
    journal = read(lines({"recorder": "a"}, {"recorder": "b"}, closed))
    assert (journal.taking_part, journal.watched, journal.uncounted, journal.lost) == ({"b"}, 2, 3, 4)


def test_of_what_a_recorder_measured_the_last_counts():
    first, last = ({"now": [low, 1], "responses": 1, "hosts": ["a"]} for low in (0, 0.5))
    found = read(lines({"clock": first, "of": "x"}, {"clock": last, "of": "x"}, {"clock": first, "of": "y"}))
    assert {name: each.now[0] for name, each in found.offsets.items()} == {"x": 0.5, "y": 0}


def test_a_measurement_that_is_none_is_a_line_that_says_nothing():
    assert (read(lines({"clock": {"now": 1}, "of": "x"})).offsets, read(lines({"clock": 7})).unread) == ({}, 1)


def test_what_a_recorder_counted_holds_where_its_beginning_was_lost():
    journal = read(lines({"recorder": "y", "closed": True, "watched": 3, "uncounted": 1, "lost": 2}))
    assert (journal.unread, journal.watched, journal.uncounted, journal.lost) == (1, 3, 1, 2)


def test_the_first_model_and_the_first_start_stand():
    journal = read(lines({"run": "c/a", "at": NOON}, {"model": "m"}, {"model": "n"}, {"run": "c/a", "at": NOON + 9}))
    assert (journal.model, journal.started_at, journal.unread) == ("m", NOON, 1)


def test_a_name_can_be_written_into_any_file():
    (step,) = read(lines({"begin": "\ud800" + "x" * 300, "at": NOON})).steps
    assert (step.name, step.name.encode()) == ("?" + "x" * 199, b"?" + b"x" * 199)


def test_only_true_states_that_every_call_is_logged():
    assert [read(lines({"complete": said})).complete for said in (True, 1, "true", False)] == [
        True,
        False,
        False,
        False,
    ]


def test_an_aware_datetime_is_an_instant_too():
    assert seconds(datetime(2026, 1, 5, 12, tzinfo=UTC)) == NOON
