"""A gate that wants every run verified, with a grade or better."""

from dataclasses import replace

import pytest
from support.runs import Tale, after, run_after, theirs

from reconcile.insight.board import asked_for, lacking, reaches
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary, graded
from reconcile.runs.state import Policy, Proof

PROVEN = run_after(
    "00:45", "01:45", recorded_usage={"api_calls": 2, "tokens_in": 300, "tokens_out": 30, "cached_tokens": 75}
)
SUPPORTED = run_after("00:45", "01:45", recorded_usage={"api_calls": 2})
ASSUMED = run_after("00:45", "01:45")


def of_version_one(run):
    return replace(run, state=replace(run.state, proof=None))


@pytest.mark.parametrize(
    ("run", "grade"),
    [
        pytest.param(PROVEN, Proof.PROVEN, id="calls and tokens recorded"),
        pytest.param(SUPPORTED, Proof.SUPPORTED, id="calls recorded"),
        pytest.param(ASSUMED, Proof.ASSUMED, id="nothing recorded"),
        pytest.param(of_version_one(PROVEN), Proof.SUPPORTED, id="calls and tokens, of version one"),
        pytest.param(of_version_one(ASSUMED), Proof.ASSUMED, id="nothing, of version one"),
        pytest.param(replace(PROVEN, window=PROVEN.window.widened(1)), None, id="its times were changed"),
        pytest.param(run_after("00:45"), None, id="pending"),
        pytest.param(run_after(), None, id="unread"),
        pytest.param(Tale(**theirs(("00:05", 50), status="verified")).run, None, id="verified by another tool"),
    ],
)
def test_how_a_verdict_is_held(run, grade):
    assert graded(run) is grade


@pytest.mark.parametrize(
    ("least", "admitted"),
    [
        pytest.param(Proof.ASSUMED, [True, True, True, False], id="any grade"),
        pytest.param(Proof.SUPPORTED, [True, True, False, False], id="supported or better"),
        pytest.param(Proof.PROVEN, [True, False, False, False], id="proven only"),
    ],
)
def test_a_grade_admits_what_is_held_as_well_or_better(least, admitted):
    assert [reaches(run, least) for run in (PROVEN, SUPPORTED, ASSUMED, run_after())] == admitted


def test_only_runs_that_were_asked_for_are_wanted():
    reports = (
        RunReport(run=SUPPORTED, selection=Selection.SETTLED),
        RunReport(run=ASSUMED, selection=Selection.NOT_ASKED),
    )
    found = Summary(now=after("03:00"), policy=Policy(), discovered=2, runs=reports)
    assert asked_for(found) == reports[:1]
    assert lacking(found, Proof.SUPPORTED) == ()
    assert lacking(found, Proof.PROVEN) == reports[:1]
