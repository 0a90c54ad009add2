"""A lesson goes into the file as it is at that moment, or not at all."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from support.runs import CHECKER, END, KEY, PATH, SCOPE, Tale, after, attribution_of

from reconcile.errors import StoreError
from reconcile.minutes import spelled
from reconcile.runs.edits import amend
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import Claim
from reconcile.runs.state import Policy, Status
from reconcile.verdict import lesson as module
from reconcile.verdict.amendment import in_future
from reconcile.verdict.lesson import CHANGED, OVERTAKEN, TRANSIENT, Lesson, apply


def lesson(tale, shown, clock="00:45", begun=None):
    run = tale.run
    claim = Claim(KEY, SCOPE, run.window, run.recorded)
    attribution = attribution_of(shown, run=run) if shown is not None else None
    at, asked = after(clock), after(begun or clock)
    return Lesson(path=PATH, claim=claim, own_scope=run.own_scope, attribution=attribution, at=at, begun=asked)


def applied(found, text):
    return apply(found, text.encode(), CHECKER, Policy())


def test_a_read_goes_into_the_file():
    tale = Tale()
    outcome = applied(lesson(tale, "100"), tale.text)
    assert (outcome.run.state.status, json.loads(outcome.after)["aggregate_metrics"]["TOK_IN"]) == (Status.PENDING, 100)


def test_what_others_have_added_meanwhile_stays():
    tale = Tale()
    found = lesson(tale, "100")
    tale.put("note", "by hand")
    assert json.loads(applied(found, tale.text).after)["note"] == "by hand"


def test_a_second_application_changes_nothing():
    tale = Tale()
    found = lesson(tale, "100")
    once = applied(found, tale.text).after
    assert applied(found, once.decode()).after is None


def test_a_slow_read_starts_a_plateau_when_its_answer_was_complete_and_confirms_from_when_it_was_asked_for():
    tale = Tale()
    for begun, clock, verdict in (
        ("00:30", "00:50", "pending: first_read"),
        ("01:10", "01:25", None),
        ("01:19", "01:25", "verified: stable"),
    ):
        found = applied(lesson(tale, "100", clock, begun), tale.text)
        assert (found.after is not None) == (verdict is not None), begun
        tale.text = (found.after or found.before).decode()
        assert verdict in {None, tale.status}
    assert [spelled(each.at) for each in tale.run.state.observations] == [
        "2026-01-06T12:50:00Z",
        "2026-01-06T13:25:00Z",
    ]


def test_a_slow_read_is_applied_but_once():
    tale = Tale()
    found = lesson(tale, "100", "00:50", "00:30")
    once = applied(found, tale.text).after
    assert applied(found, once.decode()).after is None


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda tale: tale.put("end_timestamp", "2026-01-06T12:09:00Z"), id="its times"),
        pytest.param(lambda tale: tale.put("recorded_usage", {"api_calls": 1}), id="what it recorded"),
        pytest.param(lambda tale: tale.put("usage_scope", {"api_key_ids": ["key_b"]}), id="its scope"),
        pytest.param(lambda tale: tale.put("run_id", "other"), id="its validity"),
    ],
)
def test_nothing_is_written_where_somebody_changed(edit):
    tale = Tale()
    found = lesson(tale, "100")
    edit(tale)
    outcome = applied(found, tale.text)
    assert (outcome.after, outcome.note) == (None, CHANGED)


def test_a_transient_zero_is_noted_and_changes_nothing():
    tale = Tale()
    tale.read("00:45", "100")
    outcome = applied(lesson(tale, "0", "01:45"), tale.text)
    assert (outcome.after, outcome.note) == (None, TRANSIENT)


def before_its_end(tale):
    """The file after a pass that saw it five minutes before the run ends."""
    found = lesson(tale, None)
    early = replace(found, at=END - timedelta(minutes=5), begun=END - timedelta(minutes=5))
    return applied(early, tale.text).after.decode()


def test_a_run_that_was_seen_before_its_end_says_so_and_keeps_every_figure():
    tale = Tale()
    figures = tale.value["aggregate_metrics"]
    tale.text = before_its_end(tale)
    assert (tale.status, tale.value["aggregate_metrics"]) == ("pending: ends_in_future", figures)
    assert (tale.run.state.seen_in_future, tale.run.state.observations) == (END - timedelta(minutes=5), ())


def test_it_is_never_better_than_a_warning_until_its_times_are_corrected():
    tale = Tale()
    tale.text = before_its_end(tale)
    assert [tale.read("00:30", "100"), tale.read("01:30", "100")] == ["pending: first_read", "warning: clock_off"]
    assert not tale.block["attribution"]["exact"]
    tale.put("end_timestamp", "2026-01-06T11:54:00Z")
    assert [tale.read("02:30", "100"), tale.read("03:30", "100")] == ["pending: first_read", "verified: stable"]
    assert tale.run.state.seen_in_future is None


def test_a_run_that_is_seen_before_its_end_again_says_when_it_was_seen_last():
    tale = Tale()
    tale.text = before_its_end(tale)
    seen = END - timedelta(minutes=1)
    value = json.loads(amend(tale.text, in_future(tale.run, seen, Policy(), tale.value)))
    assert value[BLOCK].pop("verification_message") != tale.block["verification_message"]
    earlier = {name: item for name, item in tale.block.items() if name != "verification_message"}
    assert value[BLOCK] == {**earlier, "seen_in_future": spelled(seen)}


def test_what_else_it_is_warned_of_is_told_too():
    tale = Tale(recorded_usage={"api_calls": 0})
    tale.text = before_its_end(tale)
    assert [tale.read("00:30", "100"), tale.read("01:30", "100")][-1] == "warning: clock_off, extra_calls"


def test_what_would_not_be_valid_is_never_returned(monkeypatch):
    """A defect of this tool must not reach a file: here it writes a status that no schema knows."""
    judged = module.settle

    def broken(*given, **options):
        outcome = judged(*given, **options)
        return replace(outcome, verdict=replace(outcome.verdict, status="splendid"))

    monkeypatch.setattr(module, "settle", broken)
    tale = Tale()
    with pytest.raises(StoreError, match="the file is as it was"):
        applied(lesson(tale, "100"), tale.text)


@pytest.mark.parametrize(
    ("clock", "note"),
    [
        pytest.param("02:00", None, id="a little"),
        pytest.param("02:14", OVERTAKEN, id="by what would confirm it"),
        pytest.param("09:00", OVERTAKEN, id="by a clock that was hours ahead"),
    ],
)
def test_a_read_that_is_overtaken_is_not_confirmed_by_what_came_before_it(clock, note):
    """The later read may have been made first, by a clock that was ahead: no interval lies between the two."""
    tale = Tale()
    tale.read(clock, "100")
    outcome = applied(lesson(tale, "100", "01:45"), tale.text)
    assert (outcome.run.state.status, outcome.note) == (Status.PENDING, note)
