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
