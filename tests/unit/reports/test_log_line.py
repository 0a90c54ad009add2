"""A pass as one line of a log."""

from dataclasses import replace
from datetime import UTC, datetime

from support.runs import run_after

from reconcile.errors import ProviderError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import ApiUse, RunReport, Summary
from reconcile.report.job_log import failed_line, pass_line
from reconcile.runs.census import census_of
from reconcile.runs.state import Policy

HELD = run_after("00:45", "01:45", recorded_usage={"api_calls": 2})
AT = datetime(2026, 1, 5, 14, 17, 3, 250_000, tzinfo=UTC)


def error(message, code="timed_out"):
    return ProviderError(message, code=code, remedy="try again")


def summary(*errors):
    return Summary(now=AT, policy=Policy(), discovered=0, runs=(), errors=errors, api=ApiUse(requests=2))


def test_a_pass_is_its_instant_and_its_totals():
    assert pass_line(AT, summary()) == "2026-01-05T14:17:03Z 0 runs: none; 0 files written, 2 requests made."


def test_verified_runs_are_told_by_how_they_are_held():
    reports = [RunReport(run=run, selection=Selection.SETTLED) for run in (HELD, HELD, run_after("00:45", "01:45"))]
    found = replace(summary(), runs=tuple(reports), discovered=3)
    assert "Z 3 runs: 3 verified (2 supported, 1 assumed); 0 files written" in pass_line(AT, found)


def test_files_that_no_command_reads_are_counted():
    found = replace(summary(error("no")), census=census_of(["a/b"], ["c"], ["a/b"]))
    assert pass_line(AT, found).partition("made.")[2] == (
        " 2 files named metrics.json: 0 runs, 1 at another depth, 1 ignored by git. error: timed_out: no"
    )


def test_errors_are_told_in_short_and_the_others_counted():
    line = pass_line(AT, summary(*(error(f"no {number}") for number in range(5))))
    assert line.partition("made.")[2] == (
        " error: timed_out: no 0; error: timed_out: no 1; error: timed_out: no 2; and 2 more errors"
    )


def test_a_pass_that_could_not_begin_says_why():
    assert failed_line(AT, error("no", "bad")) == "2026-01-05T14:17:03Z no pass was made. error: bad: no"


def test_text_of_others_cannot_pass_for_another_line_or_break_the_log():
    line = failed_line(AT, error("a\n2026-01-05T15:17:03Z 1 run\u2028\x1b[31m \u6f22 \ud800"))
    assert (len(line.splitlines()), line.isascii(), line.isprintable()) == (1, True, True)
    assert r"a\n2026-01-05T15:17:03Z 1 run\u2028\x1b[31m \u6f22 \ud800" in line


def test_a_long_error_is_cut():
    assert failed_line(AT, error("x" * 1_000)).endswith(f" timed_out: {'x' * 186}...")
