"""COST_USD in a whole pass: files, simulator and the real price table."""

import json
from decimal import Decimal

from support.bench import BLOCK, DAY, at

from reconcile.attribution.claims import Asked
from reconcile.insight.audit_files import audit_runs
from reconcile.passes.apply import run_pass
from reconcile.simulator.calls import BilledCall
from reconcile.workspace import open_workspace


def run_priced(bench, clock):
    bench.simulator.set_now(at(clock))
    return run_pass(workspace(bench, clock), bench.provider(), Asked())


def workspace(bench, clock):
    return open_workspace(bench.runs, scopes=bench.scopes, policy=bench.policy, now=at(clock), pricing=True)


def test_two_passes_price_a_run_and_the_audit_holds_the_cost_against_its_evidence(bench):
    bench.add("chatdev/a", "10:00", "10:10", [("10:01", 84604, 23275)])
    for clock in ("10:45", "11:45"):
        run_priced(bench, clock)
    text = bench.file("chatdev/a").read_text("utf-8")
    value = json.loads(text, parse_float=Decimal)
    assert value[BLOCK]["verification_status"] == "verified"
    assert value["aggregate_metrics"]["COST_USD"] == Decimal("0.0266556")
    assert value[BLOCK]["pricing"]["source"] == "genai-prices 0.2.3"
    assert [each.found.outcome for each in audit_runs(workspace(bench, "12:00")).runs] == ["sound"]
    bench.write("chatdev/a", text.replace("0.0266556", "0.0166556"))
    (audited,) = audit_runs(workspace(bench, "12:00")).runs
    assert audited.found.outcome == "different"
    assert "comes to 0.0266556" in audited.findings[0].message


def test_an_unpriced_model_is_told_in_the_report_and_costs_nothing_in_the_file(bench):
    call = BilledCall(
        at=at("10:01").timestamp(), tokens_in=10, tokens_out=1, api_key_id="key_chatdev", model="new-model"
    )
    bench.add("chatdev/a", "10:00", "10:10", [call])
    summary = run_priced(bench, "10:45")
    assert summary.runs[0].note == f"no COST_USD of it: new-model: no list price on {DAY:%Y-%m-%d}"
    assert "COST_USD" not in bench.value("chatdev/a")["aggregate_metrics"]


def written(bench, run):
    """By row of its evidence, what was written to a cache; nothing where it has no such column."""
    evidence = json.loads(bench.file(run).with_name("usage_evidence.json").read_text("utf-8"))
    rows = (dict(zip(evidence["columns"], row, strict=True)) for row in evidence["rows"])
    return [row["cache_write_tokens"] for row in rows if "cache_write_tokens" in row]


def test_what_was_written_to_a_cache_is_priced_and_kept(bench):
    """5000 x 0.00002 + 3000 x 0.000025 + 2000 x 0.000002 + 1000 x 0.0001"""
    call = BilledCall(
        at=at("10:01").timestamp(), tokens_in=10_000, cached_tokens=2000, cache_write_tokens=3000, tokens_out=1000,
        api_key_id="key_chatdev", model="gpt-6-cyber",
    )  # fmt: skip
    bench.add("chatdev/a", "10:00", "10:10", [call])
    for clock in ("10:45", "11:45"):
        run_priced(bench, clock)
    value = json.loads(bench.file("chatdev/a").read_text("utf-8"), parse_float=Decimal)
    assert value["aggregate_metrics"]["COST_USD"] == Decimal("0.279")
    assert written(bench, "chatdev/a") == [3000]
    assert [each.found.outcome for each in audit_runs(workspace(bench, "12:00")).runs] == ["sound"]


def test_a_minute_that_two_runs_share_is_one_where_only_one_s_evidence_tells_of_cache_writes(bench):
    calls = [
        BilledCall(
            at=at(clock).timestamp(), tokens_in=100, tokens_out=10, cache_write_tokens=count, api_key_id="key_chatdev",
            model="gpt-6-cyber",
        )
        for clock, count in (("10:01", 40), ("10:07", 0), ("10:13", 0))
    ]  # fmt: skip
    bench.add("chatdev/a", "10:00", "10:08", calls)
    bench.add("chatdev/b", "10:06", "10:14", [])
    for clock in ("10:45", "11:45"):
        run_priced(bench, clock)
    assert (written(bench, "chatdev/a"), written(bench, "chatdev/b")) == ([40, 0], [])
    assert {each.found.outcome for each in audit_runs(workspace(bench, "12:00")).runs} == {"sound"}
