"""One run's situation: what is added to its account."""

from dataclasses import replace

import pytest
from support.runs import KEY, MODEL, SCOPE, WINDOW, Tale, after, attribution_of, call_log, neighbour, theirs

from reconcile.attribution.evidence import evidence_of
from reconcile.insight.account import Account
from reconcile.insight.board import Group
from reconcile.insight.situation import logged_span, situation_json, situation_of
from reconcile.minutes import instant
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport
from reconcile.runs.run import Claim, Finding, Generation, RunKey, Step
from reconcile.runs.state import Policy
from reconcile.usage import Usage
from reconcile.verdict.plateau import plateau_of


def situated(run, clock="03:00", *, selection=Selection.OBSERVED, shown=None, neighbours=(), others=(), scope=SCOPE):
    account = Account(
        report=RunReport(run=run, selection=selection),
        claim=Claim(KEY, scope, run.window, run.recorded) if scope else None,
        neighbours=attribution_of("1", *neighbours).neighbours,
        plateau=plateau_of(run.state.observations, Policy()) if run.state else None,
        policy=Policy(),
        now=after(clock),
        requests=(),
        evidence=evidence_of(attribution_of(shown, *neighbours), after(clock)) if shown else None,
    )
    return situation_of(account, others, {})


def told(*reads, **members):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return tale


STABLE = ("00:45 100", "01:45 100")


@pytest.mark.parametrize(
    ("run", "since"),
    [
        pytest.param(Tale().run, "00:00", id="unread since it ended"),
        pytest.param(told("00:45 100").run, "00:45", id="pending since the first read"),
        pytest.param(told("00:45 100", "01:45 200", "02:45 100").run, "00:45", id="a lower read changes no status"),
        pytest.param(told(*STABLE, "02:45 100").run, "01:45", id="verified since its file says so"),
        pytest.param(
            told("00:45 2x200", "01:45 2x200", recorded_usage={"api_calls": 1}).run,
            "01:45",
            id="a warning since the read that confirmed it",
        ),
    ],
)
def test_since_when_a_run_has_its_status(run, since):
    assert situated(run).since == after(since)


def test_no_read_tells_since_when_a_run_waits_whose_times_were_edited():
    tale = told(*STABLE)
    tale.put("start_timestamp", "2026-01-06T11:40:00Z")
    assert situated(tale.run).since is None


def test_a_run_is_restated_since_the_read_that_confirmed_another_figure():
    assert situated(told(*STABLE, "02:45 200", "03:45 200", "04:45 200").run).since == after("03:45")


def test_no_read_tells_since_when_another_tools_verdict_stands():
    assert situated(Tale(**theirs(("00:05", 50), status="verified")).run).since is None


def test_only_a_run_that_waits_is_closed_at_the_cutoff():
    assert situated(Tale().run, selection=Selection.DUE).closes_at == after("24:00")
    assert situated(Tale().run, selection=Selection.PAST_CUTOFF).closes_at is None


def test_what_depends_on_a_verified_run_is_its_neighbours_only():
    found = situated(told(*STABLE).run, neighbours=[neighbour("b", 1, 12)])
    assert (found.group, found.affected.fields, found.affected.gate) == (Group.VERIFIED, (), False)
    assert found.affected.runs == (RunKey("chatdev", "b"),)


def test_without_a_claim_of_its_own_a_run_affects_the_neighbours_that_its_file_names():
    shared = told("00:45 100 2x200", neighbours=[neighbour("b", 1, 12)])
    assert situated(shared.run, scope=None).affected.runs == (RunKey("chatdev", "b"),)
    assert situated(Tale().run, scope=None, selection=Selection.DUE).affected.runs == ()


def test_another_tools_verdict_keeps_the_gate_shut():
    found = situated(Tale(**theirs(("00:05", 50), status="verified")).run)
    assert (found.group, found.affected.fields, found.affected.gate) == (Group.VERIFIED, (), True)


def test_a_run_that_is_not_verified_leaves_its_fields_open():
    run = Tale().run
    fields = ("TOK_IN", "TOK_OUT", "CACHED_TOKENS", "API_CALLS")
    assert situated(run, selection=Selection.DUE).affected.fields == fields
    assert situated(replace(run, cost_usd=0.1)).affected.fields == (*fields, "COST_USD")
    first = replace(run, generation=Generation.V1)
    assert situated(first).affected.fields == (*fields, "steps[].tokens_in", "steps[].tokens_out")


def test_the_figure_is_told_by_model_where_it_is_exact():
    run = told("00:45 100 50", "01:45 100 50").run
    assert situated(run, shown="100 50").by_model == ((MODEL, Usage(150, 15, 37, 2)),)
    assert situated(run).by_model == ()
    shared = [neighbour("b", 1, 12)]
    assert situated(told("00:45 100 2x200", neighbours=shared).run, shown="100 2x200", neighbours=shared).by_model == ()


def test_the_calls_of_a_log_lie_in_whole_minutes():
    first, end = logged_span(replace(Tale().run, log=call_log("1:100 3:50")))
    assert (first, end) == (instant(WINDOW.start + 60), instant(WINDOW.start + 240))
    assert logged_span(Tale().run) is logged_span(replace(Tale().run, log=call_log("1:100!"))) is None


def test_the_calls_and_steps_of_a_run_as_json():
    steps = (Step(number=1, span=(WINDOW.start, WINDOW.start + 77.5)), Step(number=2, span=None))
    run = replace(Tale().run, log=call_log("1:100 3:50 4:10!"), steps=steps)
    assert situation_json(situated(run, selection=Selection.DUE))["calls"] == {
        "counted": 2,
        "source": None,
        "log": {
            "calls": 2, "complete": True, "cut_off": 1, "outside": 0, "models": [MODEL],
            "from": "2026-01-06T11:51:00Z", "to": "2026-01-06T11:54:00Z",
        },
        "seconds": 600.0,
        "steps": [
            {"step": 1, "start": "2026-01-06T11:50:00Z", "seconds": 77.5},
            {"step": 2, "start": None, "seconds": None},
        ],
    }  # fmt: skip


def test_differences_from_the_evidence_are_in_the_json():
    run = told(*STABLE).run
    found = replace(situated(run), differences=(Finding(run.path, 3, 5, "/steps", "is another"),))
    assert situation_json(found)["differences"] == [
        {"path": run.path, "line": 3, "column": 5, "pointer": "/steps", "message": "is another"}
    ]
    assert situation_json(situated(run))["differences"] == []


def test_the_situation_as_json_holds_the_account():
    run = told(*STABLE).run
    document = situation_json(situated(run, shown="100"))
    assert (document["run"]["tokens_in"], len(document["observations"]), document["group"]) == (100, 2, "verified")
    assert document["evidence_read_at"] == "2026-01-06T15:00:00Z"
    assert document["by_model"] == [
        {"model": MODEL, "tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1}
    ]
    empty = situation_json(situated(Tale().run, selection=Selection.DUE))
    assert (empty["evidence_read_at"], empty["calls"]["log"]) == (None, None)
    assert (empty["since"], empty["closes_at"]) == ("2026-01-06T12:00:00Z", "2026-01-07T12:00:00Z")
