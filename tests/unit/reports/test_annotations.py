"""Workflow commands: annotations on lines, few enough to be shown, and text of others that commands nothing."""

import pytest
from support.hostile import HOSTILE, obeyed
from support.week import calls, compared, official

from reconcile.errors import GitError
from reconcile.report.job_log import (
    LONGEST,
    command,
    comparison_annotation,
    error_annotation,
    gate_annotation,
    job_annotations,
    surplus,
)
from reconcile.runs.run import Finding


def finding(number=1, message="broken", path="runs/a"):
    return Finding(path, number, 2, "/steps", message)


def error(message="it moved"):
    return GitError(message, code="race_lost", remedy="run again")


def test_a_gate_that_stays_shut_is_one_error_on_one_line():
    said = gate_annotation(["1 of 2 runs proven: analysis must wait.", "1 run not verified (a/b)"])
    assert said == "::error::1 of 2 runs proven: analysis must wait. 1 run not verified (a/b)\n"
    assert gate_annotation([]) == ""


def test_errors_come_before_findings_on_their_lines_and_notices_last():
    assert job_annotations([finding(3), finding(2)], [error()], ["no comment"]) == (
        "::error::race_lost: it moved. run again\n"
        "::error file=runs/a,line=2,col=2::/steps: broken\n"
        "::error file=runs/a,line=3,col=2::/steps: broken\n"
        "::notice::no comment\n"
    )


def test_nothing_to_say():
    assert job_annotations([], [], []) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, ""),
        (compared(calls()), ""),
        (compared([], official(calls())), "::warning::NO DATA  2026-03-02 to 2026-03-08 (UTC): Nothing to compare: "),
        (
            compared(calls()[1:], official(calls())),
            "::error::MISMATCH  2026-03-02 to 2026-03-08 (UTC): Out of tolerance: requests.\n",
        ),
    ],
    ids=["none", "both sides agree", "a side is empty", "they differ"],
)
def test_a_comparison_is_heard_of_where_the_sides_do_not_agree(found, said):
    shown = comparison_annotation(found)
    assert shown.startswith(said)
    assert bool(shown) == bool(said)


def test_a_finding_on_a_whole_file():
    assert job_annotations([Finding("runs/a", 1, 1, "", "is empty")], [], []) == (
        "::error file=runs/a,line=1,col=1::/: is empty\n"
    )


@pytest.mark.parametrize(
    ("errors", "findings", "last"),
    [
        pytest.param(0, 9, "::error file=runs/a,line=9,col=2::/steps: broken", id="as many as are shown"),
        pytest.param(0, 10, "::error::and 1 more error: the summary of the job has all of them", id="one more"),
        pytest.param(5, 1_200, "::error::and 1,196 more errors: the summary of the job has all of them", id="both"),
    ],
)
def test_errors_and_findings_share_the_ten_that_github_shows(errors, findings, last):
    lines = job_annotations([finding(n + 1) for n in range(findings)], [error()] * errors, []).splitlines()
    assert (len(lines), lines[-1]) == (min(10, errors + findings), last)


def test_notices_that_are_only_counted_stand_in_the_log():
    notices = [f"notice {number}" for number in range(11)]
    lines = job_annotations([], [], notices).splitlines()
    assert lines[8:] == ["::notice::notice 8", "::notice::and 2 more notices: the log has all of them"]
    assert surplus(notices) == "notice 9\nnotice 10\n"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_of_others_ends_no_command_and_begins_none(text):
    said = error_annotation(error(text)) + command("error", text, file=text, line=1)
    assert [name for name, _ in obeyed(said)] == ["error", "error"]
    assert len(said.splitlines()) == 2


def test_a_property_cannot_be_left():
    assert command("error", "a:b,c%0A", file="a,line=9::b%0A") == "::error file=a%2Cline=9%3A%3Ab%250A::a:b,c%250A\n"


def test_long_messages_are_cut():
    assert command("error", "x" * 10_000) == f"::error::{'x' * LONGEST}\n"
