"""What many files may cost together: requests, bytes, memory and time of one pass."""

import json
import resource
import time
from datetime import timedelta

import pytest
from support.bench import BLOCK, at
from support.job import path, run_file

from reconcile.attribution import claims
from reconcile.errors import StoreError
from reconcile.git import repository as git
from reconcile.insight.audit_files import audit_runs
from reconcile.passes import fetch, tree
from reconcile.providers.base import Scope
from reconcile.runs.state import Policy

GHOST = {"run": "chatdev/ghost", "start": 1766016000, "end": 1769040000, "gone": True}
"""A run of 35 days around the bench's that nobody has a file of."""


def block(**attribution):
    return {BLOCK: {"verification_status": "pending", "policy": {}, "attribution": attribution}}


def test_a_neighbour_by_hearsay_is_read_no_further_than_a_day_from_the_run(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)], **block(neighbours=[GHOST]))
    asked = []
    tree_ = tree.read_tree(bench.workspace("13:17"))
    bench.simulator.set_now(at("13:17"))
    fetch.read_usage(bench.workspace("13:17"), tree_, bench.provider(), claims.Asked(), asked.append)
    (queries,) = asked
    assert len(queries) <= 2
    assert queries[0].window.start >= at("12:00").timestamp() - 90_000


def test_a_neighbour_of_years_is_a_finding_and_asks_for_nothing(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)], **block(neighbours=[{**GHOST, "start": 946684800}]))
    summary = bench.run("13:17")
    assert (len(summary.findings), summary.api.requests) == (1, 0)


def test_a_pass_makes_so_many_queries_and_says_that_the_oldest_wait(bench, monkeypatch):
    monkeypatch.setattr(fetch, "MOST_QUERIES", 1)
    bench.policy = Policy(max_age=timedelta(days=9))
    bench.add("chatdev/new", "12:00:10", "12:05", [("12:01", 500)])
    bench.add("chatdev/old", "-3 12:00:10", "-3 12:05")
    summary = bench.run("13:17")
    (error,) = summary.errors
    assert (error.code, summary.exit_code) == ("too_many_requests_needed", 3)
    assert (bench.verdict("chatdev/new"), bench.verdict("chatdev/old")) == ("pending: first_read", None)


def test_ids_that_would_make_an_address_too_long_are_no_filter(bench):
    bench.scopes["chatdev"] = Scope("openai", tuple(f"key_{'x' * 150}{number}" for number in range(60)))
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    assert bench.run("13:17").errors == ()


def test_logs_over_the_total_are_findings_and_the_runs_go_on(bench, monkeypatch):
    for name in ("small", "large"):
        made = bench.add(f"chatdev/{name}", "12:00:10", "12:05", [("12:01", 500)], key=f"key_{name}")
        bench.add_log(f"chatdev/{name}", made * (1 if name == "small" else 9))
    monkeypatch.setattr(tree, "MOST_BESIDE_BYTES", 1_000)
    summary = bench.run("13:17")
    assert [finding.path.split("/")[-2] for finding in summary.findings] == ["large"]
    assert "over the 1000 that are read in all" in summary.findings[0].message
    assert len(summary.runs) == 2


def test_run_files_over_the_total_are_findings_and_the_others_go_on(bench, monkeypatch):
    bench.add("chatdev/small", "12:00:10", "12:05", [("12:01", 500)])
    bench.add("chatdev/large", "12:10:10", "12:15", notes="x" * 2_000)
    monkeypatch.setattr(tree, "MOST_RUN_BYTES", 1_500)
    summary = bench.run("13:17")
    assert [finding.path.split("/")[-2] for finding in summary.findings] == ["large"]
    assert [report.run.key.run_id for report in summary.runs] == ["small"]


def test_evidence_that_is_too_large_is_not_read(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    bench.run("13:17")
    with (bench.runs / "chatdev/a/usage_evidence.json").open("r+b") as stream:
        stream.truncate(8_000_000_000)
    done = audit_runs(bench.workspace("14:17"))
    assert [each.found.outcome for each in done.runs] == ["different"]
    workspace = bench.workspace("14:17")
    (file,), _ = workspace.store.discover()
    with pytest.raises(StoreError, match="8,000,000,000 bytes, more than the 64,000,000"):
        workspace.store.read_evidence(file.key)


def test_one_blob_under_many_paths_is_held_once(repository, monkeypatch):
    log = b"x" * 2_000_000
    files = {path(f"chatdev/{number}"): run_file(str(number), "12:00:10", "12:05") for number in range(60)}
    logs = {f"runs/chatdev/{number}/calls.ndjson": log for number in range(60)}
    repository.forge.write({**files, **logs}, message="bomb")
    monkeypatch.setattr(git, "BATCH_BYTES", 3_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = repository.job("13:17", fail_on="never")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
    assert done["changed"] == "60"


def test_an_audit_takes_twice_as_long_for_twice_the_differences(bench):
    """It read the file again for each of them."""
    spent = []
    for count in (400, 1_600):
        steps = [{"step_number": number, "tokens_in": 1, "tokens_out": 0} for number in range(count)]
        bench.add(f"chatdev/{count}", "12:00:10", "12:05", [("12:01", 500)], key=f"key_{count}", steps=steps)
        bench.run("13:17")
        value = bench.value(f"chatdev/{count}")
        for step in value["steps"]:
            step["tokens_in"] = 7
        bench.write(f"chatdev/{count}", json.dumps(value))
        began = time.process_time()
        audit_runs(bench.workspace("14:17"), [bench.file(f"chatdev/{count}")])
        spent.append(time.process_time() - began)
    assert spent[1] < 10 * spent[0] + 0.5
