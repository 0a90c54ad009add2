"""A claim over minutes of a settled run, shown where somebody looks until it is read."""

import jsonschema
import pytest

from reconcile import schemas
from reconcile.cli.output import Look, answer_board, answer_explain, answer_list, answer_situation
from reconcile.insight.survey import board, explain, list_runs, situation
from reconcile.runs.run import RunKey
from reconcile.simulator import faults

TOLD = "chatdev/late claims 12:04Z too: to be read"
LATER = "15:17"


@pytest.fixture
def contested(bench):
    """A verified run, and another one that has its last minute and was told of too late."""
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)], recorded={"api_calls": 1})
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    bench.add("chatdev/late", "12:04:10", "12:09", [])
    return bench


def listed(bench, clock=LATER):
    return answer_list(list_runs(bench.workspace(clock)), Look(), everything=False)


def test_list_shows_the_contest_though_the_run_is_settled(contested):
    said = listed(contested)
    assert "2 runs awaiting reconciliation" in said.text
    assert "supported (verified)" in said.text
    assert TOLD in said.text
    (run, _) = said.document["runs"]
    assert (run["status"], run["proof"]) == ("verified", "supported")
    assert [each["run"] for each in run["contests"]] == ["chatdev/late"]
    jsonschema.Draft202012Validator(schemas.load("summary")).validate(said.document)


def test_status_shows_it_of_the_folder_and_of_the_run(contested):
    workspace, key = contested.workspace(LATER), RunKey("chatdev", "a")
    found = [
        answer_board(board(workspace), Look()),
        answer_situation(situation(workspace, key), Look()),
        answer_explain(explain(workspace, key), Look()),
    ]
    assert [TOLD in each.text for each in found] == [True, True, True]
    assert "; 1 contested." in found[0].text
    schema = jsonschema.Draft202012Validator(schemas.load("status"))
    for each in found[:2]:
        schema.validate(each.document)


def test_a_pass_that_reads_nothing_changes_no_file_for_it(contested):
    before = contested.bytes()
    contested.simulator.script(*[faults.server_error()] * 9)
    contested.run(LATER)
    assert contested.bytes() == before
    assert TOLD in listed(contested).text


def test_a_pass_that_reads_the_minutes_ends_it(contested):
    contested.run(LATER)
    assert "claims" not in listed(contested, "15:30").text
