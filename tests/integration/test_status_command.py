"""`reconcile status` on the sample runs: each form, of the folder and of one run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from support.hostile import rendered

from reconcile import cli, schemas
from reconcile.insight.audit_files import audit_runs
from reconcile.insight.survey import board, situation
from reconcile.runs.run import RunKey

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(schemas.load("status"))


@pytest.fixture
def status(monkeypatch):
    monkeypatch.chdir(ROOT)

    def said(*arguments):
        return CliRunner().invoke(cli.main, ["status", *arguments, "--now", "2026-01-05T15:30:00Z"])

    return said


def test_text(status):
    assert status().stdout.startswith("3 of 11 runs verified: 1 supported, 2 assumed; 6 waiting, 3 due now, next due")
    assert status("baes").stdout.startswith("0 of 5 runs verified; 3 waiting")
    one = status("chatdev", "9b07d5e3")
    assert (one.exit_code, "supported (verified: stable), since 2026-01-05T12:17:03Z" in one.stdout) == (0, True)


def test_markdown(status):
    board, one = (rendered(status(*given, "--format", "markdown").stdout).text for given in ((), ("baes", "35c8a1d2")))
    assert board.strip().startswith("LLM usage: 3 of 11 runs verified")
    assert "baes/62f09be7, which shares minutes with it" in one


@pytest.mark.parametrize("flag", [("--format", "json"), ("--json",), ("--json", "--format", "json")])
def test_json_is_one_document_that_the_schema_describes(status, flag):
    board, one = (json.loads(status(*given, *flag).stdout) for given in ((), ("ghspec", "7c52e6f4")))
    SCHEMA.validate(board)
    SCHEMA.validate(one)
    assert [each["total"] for each in board["board"]["groups"]] == [3, 6, 0, 2]
    assert (one["group"], one["calls"]["counted"], one["affected"]["gate"]) == ("waiting", 29, True)


@pytest.mark.parametrize("run", ["baes/35c8a1d2", "chatdev/c2e81f70", "chatdev/d7741b9a", "ghspec/1d3b90aa"])
def test_the_schema_describes_every_kind_of_run(status, run):
    SCHEMA.validate(json.loads(status(*run.split("/"), "--json").stdout))


def test_two_forms_contradict_each_other(status):
    said = status("--json", "--format", "text")
    assert (said.exit_code, "--json and --format text contradict each other" in said.stderr) == (2, True)


@pytest.mark.parametrize("given", [("nothing",), ("chatdev", "nothing")])
def test_what_is_not_there_is_a_usage_error(status, given):
    assert status(*given).exit_code == 2
    assert json.loads(status(*given, "--format", "json").stdout)["errors"][0]["code"].startswith("unknown_")


@pytest.fixture
def five(bench):
    """Five verified runs of one framework, and a file that is none."""
    for number in range(5):
        bench.add(f"chatdev/{number}", f"12:{number}0:10", f"12:{number}5", [(f"12:{number}1", 100 * number + 100)])
    bench.run("13:40")
    bench.run("14:40")
    bench.write("chatdev/broken", "{")
    return bench.workspace("15:00")


def test_a_file_that_is_no_run_counts_for_its_framework(five):
    assert [(each.framework, each.invalid) for each in board(five).frameworks] == [("chatdev", 1)]


def test_what_is_expected_of_a_run_comes_from_the_other_verified_ones(five):
    found = situation(five, RunKey("chatdev", "2"), str).expected
    assert (found.comparable, found.other_models) == (4, 0)
    spread = found.spreads[0]
    assert (spread.low, spread.median, spread.high, spread.figure) == (100, 300, 500, 300)


def test_only_a_run_that_is_due_is_said_to_be_due_where_the_key_id_is_not_known(five, bench):
    bench.add("chatdev/late", "14:00:10", "14:05")
    nameless = replace(bench.workspace("15:00"), configured={})
    said = [situation(nameless, RunKey("chatdev", name), str).account.problem.message for name in ("2", "late")]
    assert said == [
        "chatdev: the id of the API key that its runs used is not known",
        "chatdev: 1 run due, but the id of the API key they used is not known",
    ]


def test_a_run_whose_file_does_not_follow_from_its_evidence_says_so(five, bench):
    bench.add("chatdev/shares", "12:44:10", "12:46", [("12:44", 900)])
    bench.run("14:50")
    for name in ("chatdev/2", "chatdev/4"):
        file = bench.file(name)
        file.write_text(file.read_text("utf-8").replace('"total_tokens_in": ', '"total_tokens_in": 1'), "utf-8")
    whole = {each.run.key: each.findings for each in audit_runs(five).runs}
    assert {str(key) for key, findings in whole.items() if findings} == {"chatdev/2", "chatdev/4"}
    assert {key: situation(five, key, str).differences for key in whole} == whole


def test_the_page_on_status_shows_what_it_prints(status):
    page = (ROOT / "docs" / "status.md").read_text("utf-8")
    shown = re.findall(r"```console\n\$ reconcile status(.*?) --now 2026-01-05T15:30:00Z\n(.*?)```", page, re.DOTALL)
    assert len(shown) == 2
    assert [status(*arguments.split()).stdout for arguments, _ in shown] == [output for _, output in shown]
