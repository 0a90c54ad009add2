"""What a gate says."""

from dataclasses import replace

import pytest
from support.runs import after, run_after

from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.report.held import UNGRADED
from reconcile.report.overview import MOST_LACKING, gate_lines
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy, Proof

ALL = {"api_calls": 2, "tokens_in": 300, "tokens_out": 30, "cached_tokens": 75}
PROVEN = run_after("00:45", "01:45", recorded_usage=ALL)
SUPPORTED = run_after("00:45", "01:45", recorded_usage={"api_calls": 2})
SUMMED_UP = run_after("00:45", "01:45", recorded_usage={**ALL, "source": "aggregate_metrics"})
ASSUMED = run_after("00:45", "01:45")
CALL_BY_CALL = "record calls and tokens call by call, not as totals of another tool"
OLD = replace(PROVEN, state=replace(PROVEN.state, proof=None))


def told(least, *runs, **facts):
    reports = tuple(
        RunReport(run=replace(run, key=RunKey("chatdev", chr(ord("a") + place))), selection=Selection.SETTLED)
        for place, run in enumerate(runs)
    )
    found = Summary(now=after("03:00"), policy=Policy(), discovered=len(runs), runs=reports, **facts)
    return gate_lines(found, least)


@pytest.mark.parametrize(
    ("least", "runs", "lines"),
    [
        pytest.param(Proof.ASSUMED, [PROVEN, ASSUMED], ["2 of 2 runs verified: analysis may go on."], id="open"),
        pytest.param(
            Proof.ASSUMED,
            [PROVEN, run_after("00:45")],
            ["1 of 2 runs verified: analysis must wait.", "1 run not verified (chatdev/b)"],
            id="shut",
        ),
        pytest.param(
            Proof.SUPPORTED,
            [PROVEN, SUPPORTED, ASSUMED, ASSUMED],
            [
                "2 of 4 runs proven or supported: analysis must wait.",
                "2 runs verified, but only assumed: record calls and tokens (chatdev/c, chatdev/d)",
            ],
            id="supported",
        ),
        pytest.param(
            Proof.PROVEN,
            [PROVEN, SUPPORTED, SUMMED_UP, OLD],
            [
                "1 of 4 runs proven: analysis must wait.",
                "1 run verified, but only supported: record calls and all tokens of every response (chatdev/b)",
                f"1 run verified, but only supported: {CALL_BY_CALL} (chatdev/c)",
                f"1 run verified, but only supported: {UNGRADED} (chatdev/d)",
            ],
            id="proven",
        ),
    ],
)
def test_what_a_gate_says(least, runs, lines):
    assert told(least, *runs) == lines


def test_a_file_that_is_no_run_shuts_it():
    finding = Finding("runs/chatdev/b/metrics.json", 1, 1, "", "is broken")
    assert told(Proof.ASSUMED, PROVEN, findings=(finding,)) == ["1 of 1 run verified: analysis must wait."]


def test_of_many_runs_some_are_named():
    _, line = told(Proof.PROVEN, *[ASSUMED] * (MOST_LACKING + 2))
    assert line.startswith("22 runs verified, but only assumed: record calls and tokens (chatdev/a, ")
    assert line.endswith(", 2 more)")
