"""Jobs with `compare: true`: the pass is published as ever, and beside it what the last seven days come to."""

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest
from support.bench import called, log_text
from support.billing import spoil
from support.hostile import obeyed, rendered
from support.job import CONFIGURATION

from reconcile import schemas
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall

LOG = "logs/app.ndjson"
ODD = "m|<b>@all`::error::x"
"""A model that wants to be more than a name."""


def used(repository, *clocks, model=None):
    """Calls of an application at these instants, as the provider knows them."""
    calls = [called(clock, 900, 70, key="key_app") for clock in clocks]
    if model:
        calls = [
            BilledCall(at=call.at, tokens_in=900, tokens_out=70, api_key_id="key_app", model=model) for call in calls
        ]
    repository.simulator.ledger.add(calls)
    return calls


def log(repository, calls, name=LOG):
    """What the application wrote of these calls, in the job's checkout."""
    file = repository.workspace / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(log_text(calls), "utf-8")
    return file


def document(done):
    return json.loads(Path(done["summary-json"]).read_text("utf-8"))


def test_a_log_that_agrees_with_the_provider_is_shown_below_the_pass(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    log(repository, used(repository, "-3 09:10", "-1 10:20"))
    done = repository.job("13:17", compare="true", logs=LOG)
    assert (done.code, done["comparison"], done["pushed"]) == (0, "reconciled", "true")
    passed, below = done.summary.split("### Log and provider, 2025-12-29 to 2026-01-04: reconciled")
    assert ("1 pending" in passed, "| requests | 2 | 2 | 0 |" in below) == (True, True)
    assert "RECONCILED  2025-12-29 to 2026-01-04 (UTC)" in done.log
    value = document(done)
    jsonschema.Draft202012Validator(schemas.load("summary")).validate(value)
    jsonschema.Draft202012Validator(schemas.load("comparison")).validate(value["comparison"])
    assert not Path(os.environ["XDG_CACHE_HOME"]).exists()


def test_a_mismatch_fails_the_job_and_not_the_pass_and_edits_the_comment_only_where_it_changes(repository, double):
    number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    calls = used(repository, "-3 09:10", "-2 10:20", "-1 10:20", model=ODD)
    asked = {"compare": "true", "logs": f"prod={LOG}", "pr_number": number}
    log(repository, calls[:2])
    first = repository.job("13:17", **asked)
    assert (first.code, first["status"], first["comparison"]) == (1, "errors", "mismatch")
    assert repository.verdict("chatdev/a") == "pending: first_read"
    assert [name for name, _ in obeyed(first.log) if name != "add-mask"] == ["error"]
    (before,) = repository.comments(number)
    assert ("500" in before, "Log and provider, 2025-12-29 to 2026-01-04: mismatch" in before) == (True, True)
    assert {tag for tag, _ in rendered(before).elements} <= {
        *("h3", "p", "strong", "ol", "ul", "li", "a", "code", "table", "thead", "tbody", "tr", "th", "td", "sub"),
        *("/h3", "/p", "/strong", "/ol", "/ul", "/li", "/a", "/code", "/table", "/thead", "/tbody", "/tr", "/th"),
        *("/td", "/sub"),
    }
    log(repository, [*calls[:2], called("12:30", key="key_app")])  # of today: not in the comparison
    assert repository.job("13:20", **asked, fail_on="never").code == 0
    assert repository.comments(number) == [before]
    log(repository, calls)
    assert repository.job("13:25", **asked)["comparison"] == "reconciled"
    (after,) = repository.comments(number)
    assert "2026-01-04: reconciled" in after


@pytest.mark.parametrize(("fail_on", "code"), [("errors", 0), ("warnings", 1)])
def test_nothing_to_compare_is_a_warning(repository, fail_on, code):
    used(repository, "-1 10:20")
    done = repository.job("13:17", compare="true", fail_on=fail_on)
    assert (done.code, done["status"], done["comparison"]) == (code, "warnings", "no_data")
    assert "::warning::NO DATA" in done.log


def test_a_provider_that_tells_no_costs_leaves_the_pass_as_it_is_and_exits_3(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    log(repository, used(repository, "-1 10:20"))
    spoil(repository.simulator, "costs", *[faults.not_found] * 60)
    done = repository.job("13:17", compare="true", logs=LOG)
    assert (done.code, done["comparison"], done["pushed"], done["pending"]) == (3, "", "true", "1")
    assert repository.verdict("chatdev/a") == "pending: first_read"
    assert ("comparison" in document(done), "not&#95;found" in done.summary) == (False, True)


def test_without_a_key_the_job_says_so_once(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    done = repository.job("13:17", compare="true", openai_admin_key="")
    assert (done.code, [each["code"] for each in document(done)["errors"]]) == (1, ["missing_admin_key"])


def test_committed_runs_stand_in_for_a_log_in_mode_pull_request_too(repository):
    repository.add("chatdev/a", "-1 12:00:10", "-1 12:05", [("-1 12:01", 500)])
    for clock in ("-1 13:17", "-1 14:17"):
        repository.job(clock)
    done = repository.job("13:17", mode="pull-request", compare="true")
    assert (done.code, done["comparison"], done["pr-operation"]) == (0, "reconciled", "none")


def test_mode_check_compares_nothing_and_says_so(repository):
    repository.add("chatdev/a", "12:00:10", "12:05")
    repository.pull()
    done = repository.job("13:17", mode="check", compare="true", openai_admin_key="")
    assert (done.code, done["comparison"], repository.simulator.requests) == (0, "", [])
    assert "::notice::`compare: true` does nothing in mode check" in done.log


def test_a_value_that_no_tolerance_can_have_fails_before_the_pass(repository):
    done = repository.job("13:17", compare="true", tolerance="five", fail_on="never")
    assert (done.code, done.outputs, repository.simulator.requests) == (2, {}, [])


def test_a_link_in_the_checkout_leads_to_no_file_of_the_machine(repository, tmp_path):
    secret = tmp_path / "secret.ndjson"
    secret.write_text("not for you\n")
    (repository.workspace / "logs").mkdir()
    (repository.workspace / LOG).symlink_to(secret)
    done = repository.job("13:17", compare="true", logs="logs/*.ndjson")
    assert (done.code, [each["code"] for each in document(done)["errors"]]) == (1, ["log_outside"])
    assert "not for you" not in done.log + done.summary


def test_the_configuration_leads_nowhere_but_into_the_workspace_and_the_workflow_anywhere(repository, tmp_path):
    calls = used(repository, "-1 10:20")
    outside = tmp_path / "elsewhere" / "app.ndjson"
    outside.parent.mkdir()
    outside.write_text(log_text(calls))
    text = f"{CONFIGURATION}\nlogs: {{files: '{outside}', format: calls}}\n"
    repository.forge.write({"reconcile.yml": text.encode()}, "main", message="a log")
    refused = repository.job("13:17", compare="true")
    assert [each["code"] for each in document(refused)["errors"]] == ["log_outside"]
    named = repository.job("13:20", compare="true", logs=str(outside))
    assert (named.code, named["comparison"]) == (0, "reconciled")


class TestPricing:
    def test_the_input_fills_costs_whatever_the_configuration_says(self, repository):
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        repository.job("13:17", pricing="true")
        assert repository.value("chatdev/a")["aggregate_metrics"]["COST_USD"] > 0

    def test_without_the_table_the_remedy_is_the_input_and_a_check_needs_none(self, repository, monkeypatch):
        monkeypatch.setitem(sys.modules, "genai_prices", None)
        repository.forge.write({"reconcile.yml": CONFIGURATION.encode() + b"pricing: on\n"}, "main", message="price")
        repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
        done = repository.job("13:17")
        assert (done.code, repository.verdict("chatdev/a")) == (1, None)
        assert "set the input `pricing: true`" in done.log
        repository.pull()
        assert repository.job("13:17", mode="check").code == 0
