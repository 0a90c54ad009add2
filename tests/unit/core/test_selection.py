"""Which runs a pass is about, and what becomes of the others. Clocks count from the run's end."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from support.runs import END, KEY, Tale, after, theirs

from reconcile.attribution.booking import clock_of
from reconcile.attribution.claims import EVERYTHING, Asked
from reconcile.minutes import Clock
from reconcile.passes.selection import Selected, Selection, ends_in_future, select
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy, State, Status

FORCE = Asked(force=True)
WEEK = Policy(max_age=timedelta(days=7))


def told(*reads, **members):
    """The run after these reads, each a clock and what was shown."""
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" "))
    return tale.run


def edited():
    """Verified, and then its end was moved. The end is where it was when the tests look at its age."""
    return replace(told("00:30 100", "01:30 100"), window=told().window.widened(1))


NEW = told()
PENDING = told("00:30 100")
VERIFIED = told("00:30 100", "01:30 100")
WARNED = told("00:30 100", "01:30 100", recorded_usage={"api_calls": 0})
GIVEN_UP = told("00:30 100", "24:10 60")
MEASURED = replace(told(), clock=Clock(0.0, 5.0, "date_headers"))
TOO_YOUNG, NOT_ENDED = "too_young, due at 00:30", "not_ended, due at 00:30"
NEVER_ANY = told("00:30 0", "24:10 0", "25:10 0", recorded_usage={"api_calls": 3})
INHERITED = told(**theirs(("00:30", 100), ("01:30", 100), status="verified"))
THEIRS_OPEN = told(**theirs(("00:30", 100)))

CASES = {
    "ends in the future": (NEW, "-00:01:01", EVERYTHING, "not_ended, due at 00:30"),
    "ends in the future, by no more than an unknown clock may be off": (NEW, "-00:01", EVERYTHING, TOO_YOUNG),
    "ends in the future, by more than its clock may be off": (MEASURED, "-00:00:11", EVERYTHING, NOT_ENDED),
    "ends in the future, by no more than that": (MEASURED, "-00:00:10", EVERYTHING, TOO_YOUNG),
    "just ended": (NEW, "00:00", EVERYTHING, "too_young, due at 00:30"),
    "29:59 old": (NEW, "00:29:59", EVERYTHING, "too_young, due at 00:30"),
    "30 minutes old": (NEW, "00:30", EVERYTHING, "due"),
    "a day old": (NEW, "24:00", EVERYTHING, "due"),
    "a day and a second old": (NEW, "24:00:01", EVERYTHING, "past_cutoff"),
    "pending": (PENDING, "01:30", EVERYTHING, "due"),
    "pending, past the cutoff": (PENDING, "24:00:01", EVERYTHING, "last_read"),
    "pending, long past the cutoff": (PENDING, "999:00", EVERYTHING, "last_read"),
    "verified": (VERIFIED, "02:30", EVERYTHING, "observed"),
    "verified, past the cutoff": (VERIFIED, "24:00:01", EVERYTHING, "settled"),
    "warned": (WARNED, "02:30", EVERYTHING, "observed"),
    "given up": (GIVEN_UP, "25:00", EVERYTHING, "settled"),
    "closed without any usage": (NEVER_ANY, "26:00", EVERYTHING, "settled"),
    "inherited": (INHERITED, "02:30", EVERYTHING, "inherited"),
    "inherited, past the cutoff": (INHERITED, "25:00", EVERYTHING, "inherited"),
    "another tool's open verdict": (THEIRS_OPEN, "02:30", EVERYTHING, "due"),
    "another tool's open verdict, past the cutoff": (THEIRS_OPEN, "25:00", EVERYTHING, "past_cutoff"),
    "edited after it was verified": (edited(), "02:30", EVERYTHING, "due"),
    "edited, past the cutoff": (edited(), "25:00", EVERYTHING, "past_cutoff"),
    "forced: new": (NEW, "00:30", FORCE, "due, forced"),
    "forced: too young all the same": (NEW, "00:10", FORCE, "too_young, due at 00:30"),
    "forced: verified": (VERIFIED, "02:30", FORCE, "due, forced"),
    "forced: verified, past the cutoff all the same": (VERIFIED, "25:00", FORCE, "settled"),
    "forced: inherited": (INHERITED, "02:30", FORCE, "due, forced"),
    "forced: inherited, past the cutoff all the same": (INHERITED, "25:00", FORCE, "inherited"),
    "forced: a last read is an ordinary one": (PENDING, "25:00", FORCE, "last_read"),
    "another framework": (NEW, "00:30", Asked(framework="baes"), "not_asked"),
    "this framework": (NEW, "00:30", Asked(framework="chatdev"), "due"),
    "another run of it": (NEW, "00:30", Asked(framework="chatdev", run_id="b"), "not_asked"),
    "this run": (NEW, "00:30", Asked(framework="chatdev", run_id="a"), "due"),
    "one of the runs named": (NEW, "00:30", Asked(keys=frozenset({KEY})), "due"),
    "none of the runs named": (NEW, "00:30", Asked(keys=frozenset()), "not_asked"),
    "named, but of another framework": (NEW, "00:30", Asked(framework="baes", keys=frozenset({KEY})), "not_asked"),
}

LATER_CUTOFF = {
    "new": (NEW, "25:00", EVERYTHING, "due"),
    "given up is reopened": (GIVEN_UP, "25:00", EVERYTHING, "due"),
    "closed without any usage is not": (NEVER_ANY, "25:00", EVERYTHING, "observed"),
    "verified": (VERIFIED, "25:00", EVERYTHING, "observed"),
    "forced: verified": (VERIFIED, "25:00", FORCE, "due, forced"),
}


def at(clock):
    return END - (after(clock[1:]) - END) if clock.startswith("-") else after(clock)


@pytest.mark.parametrize(
    ("clock", "stated", "expected"),
    [
        pytest.param(None, None, Clock(0.0, 60.0), id="nothing known"),
        pytest.param(None, 5, Clock(0.0, 10.0, "policy"), id="stated, but a provider books late"),
        pytest.param(None, 300, Clock(0.0, 300.0, "policy"), id="stated"),
        pytest.param(Clock(-3.0, 0.5, "x"), 300, Clock(-3.0, 10.0, "x"), id="measured, which wins"),
        pytest.param(Clock(7.0, 30.0, "x"), None, Clock(7.0, 30.0, "x"), id="measured badly"),
    ],
)
def test_what_is_known_of_a_run_s_clock(clock, stated, expected):
    policy = Policy(clock_uncertainty=stated and timedelta(seconds=stated))
    assert clock_of(replace(NEW, clock=clock), policy) == expected


def shown(selected):
    hours = selected.due_at and (selected.due_at - END) // timedelta(hours=1)
    minutes = selected.due_at and (selected.due_at - END) // timedelta(minutes=1) % 60
    due = f", due at {hours:02}:{minutes:02}" if selected.due_at else ""
    return f"{selected.selection}{', forced' if selected.forced else ''}{due}"


@pytest.mark.parametrize(("run", "clock", "asked", "expected"), CASES.values(), ids=CASES)
def test_what_a_pass_does_with_a_run(run, clock, asked, expected):
    (selected,) = select([run], Policy(), at(clock), asked)
    assert shown(selected) == expected


@pytest.mark.parametrize(("run", "clock", "asked", "expected"), LATER_CUTOFF.values(), ids=LATER_CUTOFF)
def test_what_a_pass_with_a_later_cutoff_does(run, clock, asked, expected):
    (selected,) = select([run], WEEK, at(clock), asked)
    assert shown(selected) == expected


def test_every_selection_is_in_the_table():
    assert {expected.split(",")[0] for *_, expected in CASES.values()} == {str(each) for each in Selection}


@pytest.mark.parametrize("selection", Selection)
def test_due_is_what_the_provider_is_asked_for(selection):
    due = Selected(run=NEW, selection=selection).due
    assert due == (selection in {Selection.DUE, Selection.LAST_READ})


def test_runs_keep_their_order():
    runs = [replace(NEW, key=RunKey("chatdev", name)) for name in "cab"]
    assert [each.run for each in select(runs, Policy(), after("01:00"), EVERYTHING)] == runs


def test_age_is_counted_from_the_end_that_the_file_states_and_from_nothing_else(tmp_path):
    """A checkout resets the time a file was changed."""
    file = tmp_path / "metrics.json"
    file.write_text(Tale().text)
    os.utime(file, (END.timestamp() - 86_400, END.timestamp() - 86_400))
    run = Tale(file.read_text()).run
    assert (run.key, run.ended_at) == (KEY, END)
    assert shown(select([run], Policy(), after("00:30"), EVERYTHING)[0]) == "due"


SEEN = replace(NEW, state=State(status=Status.PENDING, window=NEW.window, seen_in_future=after("00:00")))


@pytest.mark.parametrize(
    ("run", "clock", "told"),
    [
        pytest.param(NEW, "-00:05", True, id="seen before its end"),
        pytest.param(NEW, "00:05", False, id="seen after it"),
        pytest.param(SEEN, "-00:05", False, id="told already"),
        pytest.param(replace(SEEN, window=NEW.window.widened(1)), "-00:05", True, id="told of other times"),
        pytest.param(VERIFIED, "-00:05", False, id="settled"),
    ],
)
def test_a_file_is_told_once_that_its_run_had_not_ended(run, clock, told):
    (selected,) = select([run], Policy(), at(clock), EVERYTHING)
    assert ends_in_future(selected) is told
