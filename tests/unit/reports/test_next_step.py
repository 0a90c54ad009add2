"""For each run, why it stands where it stands and what happens next."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.runs import END, WINDOW, Tale, after

from reconcile.attribution.claims import Asked
from reconcile.minutes import Window
from reconcile.passes.selection import Selection, select
from reconcile.passes.summary import RunReport
from reconcile.report.next_step import at_rest, next_step
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy
from reconcile.verdict.judgement import Contest


def step(tale, clock, *, policy=None, selection=None, **asked):
    policy = policy or Policy()
    (found,) = select([tale.run], policy, after(clock), Asked(**asked))
    report = RunReport(run=found.run, selection=selection or found.selection, due_at=found.due_at)
    return next_step(report, policy, after(clock))


def settled():
    tale = Tale()
    tale.read("00:45", "100")
    tale.read("01:45", "100")
    return tale


INHERITED = {"verification_status": "verified", "attempts": []}


@pytest.mark.parametrize(
    ("tale", "clock", "expected"),
    [
        pytest.param(Tale(), "00:12", "ended 12 min ago: due at 12:30Z", id="too young"),
        pytest.param(Tale(), "00:40", "ended 40 min ago: due now", id="due"),
        pytest.param(
            Tale(), "-1:30", "ends in the future, at 12:00Z: check the clock that wrote its file", id="not ended"
        ),
        pytest.param(Tale(), "00:00:-1", "ended 0 min ago: due at 12:30Z", id="ended by a clock a little ahead"),
        pytest.param(
            Tale(),
            "50:00",
            "ended 2 d 2 h ago, past the cutoff of 1 d, and was not read: "
            "reconcile run chatdev a --max-age 4d reaches it",
            id="past the cutoff",
        ),
        pytest.param(
            settled(),
            "02:45",
            "nothing: it is settled; reconcile run chatdev a --force reads it again",
            id="observed",
        ),
        pytest.param(
            settled(),
            "99:00",
            "nothing: it is settled; reconcile run chatdev a --force --max-age 6d reads it again",
            id="settled",
        ),
        pytest.param(
            Tale(usage_api_reconciliation=INHERITED),
            "02:45",
            "verified by another tool, not by this one: reconcile run chatdev a --force reads it again",
            id="inherited",
        ),
    ],
)
def test_next_step_of_a_run_that_is(tale, clock, expected):
    assert step(tale, clock) == expected


CONTESTS = {
    "one minute": ([(60, 120)], "baes/b claims 11:51Z too: to be read"),
    "several": ([(60, 120), (240, 420)], "baes/b claims 11:51Z, 11:54Z to 11:56Z too: to be read"),
}


@pytest.mark.parametrize(("minutes", "expected"), CONTESTS.values(), ids=CONTESTS)
def test_a_contested_run_is_not_at_rest(minutes, expected):
    spans = tuple(Window(WINDOW.start + start, WINDOW.start + end) for start, end in minutes)
    contest = Contest(RunKey("baes", "b"), spans)
    report = RunReport(run=settled().run, selection=Selection.SETTLED, contests=(contest,))
    assert next_step(report, Policy(), after("02:45")) == expected
    assert not at_rest(report)


def test_a_pending_run_is_read_again_by_the_next_pass():
    tale = Tale()
    tale.read("00:45", "100")
    assert step(tale, "01:00") == "ended 1 h ago: the next pass reads it again"


def test_a_run_that_was_read_before_the_cutoff_gets_one_last_read():
    tale = Tale()
    tale.read("00:45", "100")
    assert step(tale, "25:00") == "past the cutoff of 1 d: the next pass reads it once more and closes it"


def test_a_run_whose_times_were_edited_says_so():
    tale = settled()
    tale.put("end_timestamp", (END + timedelta(minutes=3)).isoformat())
    assert (
        step(tale, "02:45")
        == "ended 2 h 41 min ago, and its times were changed since it was read: the next pass starts anew"
    )


def test_a_run_that_was_not_asked_for_says_so():
    assert step(Tale(), "02:45", selection=Selection.NOT_ASKED) == "ended 2 h 45 min ago, and was not asked for"


def test_commands_quote_names_that_a_shell_would_read():
    tale = Tale()
    report = RunReport(run=tale.run, selection=Selection.PAST_CUTOFF)
    odd = report.run.key.__class__("a b; rm -rf", "$(x)")
    said = next_step(
        RunReport(run=replace(report.run, key=odd), selection=Selection.PAST_CUTOFF), Policy(), after("50:00")
    )
    assert "reconcile run 'a b; rm -rf' '$(x)' --max-age 4d" in said
