"""Which mode a job is in, how it ends, and what its exit code is."""

from dataclasses import replace

import pytest
from support.runs import Tale, after, neighbour

from reconcile.action.end import JobOutcome, exit_code, outcome
from reconcile.action.request import FailOn, Mode, mode_of
from reconcile.errors import ConfigurationError, ProviderError
from reconcile.ledger.comparison import ComparisonVerdict
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.runs.run import Finding
from reconcile.runs.state import Policy

FINDING = Finding("runs/a", 1, 1, "", "is broken")
UNREACHABLE = ProviderError("no answer", code="timeout", remedy="run again")
UNSET = ConfigurationError("no key", code="missing", remedy="set it")


def report(*shown, moved=False, neighbours=(), hours=1):
    """A run that was read as often, so many hours apart."""
    tale = Tale(neighbours=neighbours)
    for number, each in enumerate(shown):
        tale.read(f"{number * hours:02}:45", each)
    return RunReport(run=tale.run, selection=Selection.DUE, moved=moved)


def summary(*reports, **members):
    return Summary(now=after("02:00"), policy=Policy(), discovered=len(reports), runs=reports, **members)


def verified(**members):
    return report("100", "100", **members)


def shared(**members):
    return report("100", "100", neighbours=[neighbour("b", 0, 10)], **members)


def failed(**members):
    return report("200", "100", hours=24, **members)


@pytest.mark.parametrize(
    ("asked", "event", "mode"),
    [
        (Mode.AUTO, "pull_request", Mode.CHECK),
        (Mode.AUTO, "pull_request_target", Mode.CHECK),
        (Mode.AUTO, "pull_request_review", Mode.CHECK),
        (Mode.AUTO, "merge_group", Mode.CHECK),
        (Mode.AUTO, "schedule", Mode.COMMIT),
        (Mode.AUTO, "push", Mode.COMMIT),
        (Mode.AUTO, "workflow_dispatch", Mode.COMMIT),
        (Mode.AUTO, "repository_dispatch", Mode.COMMIT),
        (Mode.COMMIT, "merge_group", Mode.COMMIT),
        (Mode.AUTO, "", Mode.COMMIT),
        (Mode.COMMIT, "pull_request", Mode.COMMIT),
        (Mode.CHECK, "schedule", Mode.CHECK),
        (Mode.PULL_REQUEST, "schedule", Mode.PULL_REQUEST),
    ],
)
def test_the_mode(asked, event, mode):
    assert mode_of(asked, event) is mode


@pytest.mark.parametrize(
    ("found", "ended"),
    [
        pytest.param(summary(), JobOutcome.CLEAN, id="no runs"),
        pytest.param(summary(verified()), JobOutcome.CLEAN, id="all verified"),
        pytest.param(summary(verified(), report("100")), JobOutcome.WAITING, id="one pending"),
        pytest.param(summary(report("0")), JobOutcome.WAITING, id="no data yet"),
        pytest.param(summary(report()), JobOutcome.WAITING, id="one unread"),
        pytest.param(summary(shared()), JobOutcome.CLEAN, id="a warning of an earlier pass"),
        pytest.param(summary(shared(moved=True)), JobOutcome.WARNINGS, id="a new warning"),
        pytest.param(summary(failed()), JobOutcome.CLEAN, id="a failure of an earlier pass"),
        pytest.param(summary(failed(moved=True), shared(moved=True)), JobOutcome.ERRORS, id="a new failure"),
        pytest.param(summary(verified(), findings=(FINDING,)), JobOutcome.ERRORS, id="a finding"),
        pytest.param(summary(verified(), errors=(UNREACHABLE,)), JobOutcome.ERRORS, id="an error"),
    ],
)
def test_how_a_pass_ended(found, ended):
    assert outcome(found) is ended


@pytest.mark.parametrize(
    ("found", "compared", "ended"),
    [
        pytest.param(summary(verified()), ComparisonVerdict.RECONCILED, JobOutcome.CLEAN, id="both sides agree"),
        pytest.param(summary(verified()), ComparisonVerdict.MISMATCH, JobOutcome.ERRORS, id="they do not"),
        pytest.param(summary(report("100")), ComparisonVerdict.NO_DATA, JobOutcome.WARNINGS, id="a side is empty"),
        pytest.param(
            summary(failed(moved=True)),
            ComparisonVerdict.NO_DATA,
            JobOutcome.ERRORS,
            id="a side is empty beside an error",
        ),
    ],
)
def test_what_a_comparison_makes_of_it(found, compared, ended):
    assert outcome(found, compared=compared) is ended


def test_a_gate_that_stays_shut_is_an_error():
    assert outcome(summary(report("100")), unverified=True) is JobOutcome.ERRORS


@pytest.mark.parametrize(
    ("ended", "fail_on", "code"),
    [
        (JobOutcome.ERRORS, FailOn.ERRORS, 1),
        (JobOutcome.ERRORS, FailOn.WARNINGS, 1),
        (JobOutcome.ERRORS, FailOn.NEVER, 0),
        (JobOutcome.WARNINGS, FailOn.ERRORS, 0),
        (JobOutcome.WARNINGS, FailOn.WARNINGS, 1),
        (JobOutcome.WARNINGS, FailOn.NEVER, 0),
        (JobOutcome.WAITING, FailOn.WARNINGS, 0),
        (JobOutcome.CLEAN, FailOn.WARNINGS, 0),
    ],
)
def test_what_fails_a_job(ended, fail_on, code):
    assert exit_code(summary(), ended, fail_on) == code


def test_what_could_not_be_reached_tells_in_the_exit_code():
    found = summary(findings=(FINDING,), errors=(UNSET, UNREACHABLE))
    assert exit_code(found, JobOutcome.ERRORS, FailOn.ERRORS) == 3
    assert exit_code(replace(found, errors=(UNSET,)), JobOutcome.ERRORS, FailOn.ERRORS) == 1
