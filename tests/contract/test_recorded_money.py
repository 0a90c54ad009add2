"""List prices and line items, held against amounts that a provider billed and a run recorded."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.money import official

from reconcile.ledger.legs import three_way
from reconcile.ledger.terms import split_gap
from reconcile.money.charges import entries_of_run
from reconcile.money.entry import Cost
from reconcile.money.list_prices import list_prices
from reconcile.usage import Bucket, Tokens, Usage
from reconcile.verdict.cost import AMOUNTS, PricedPart

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
COSTS = SHARED / "contracts" / "examples" / "real_costs_2026-06_string_amounts.json"
RUN = SHARED / "data" / "devbench" / "cases" / "v1-with-cost-breakdown-model-cost-usd-0-live-tokens.json"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded files are not at hand")


def recorded_costs():
    for bucket in json.loads(COSTS.read_text("utf-8"))["data"]:
        for row in bucket["results"]:
            yield Cost(
                day=bucket["start_time"],
                amount=Decimal(row["amount"]["value"]),
                currency=row["amount"]["currency"],
                line_item=row["line_item"],
                project_id=row["project_id"],
                quantity=Decimal(str(row["quantity"])),
            )


def test_a_recorded_bill_is_its_tokens_at_list_price_to_the_last_digit():
    costs = list(recorded_costs())
    usage = entries_of_run("any", [Bucket(costs[0].day, Usage(30, 57, 0, 3), model="gpt-4o-mini-2024-07-18")])
    split = split_gap(usage, official(usage, costs), list_prices())
    assert (split.official, split.gap.terms) == (Decimal("0.0000387"), (0, 0, 0, 0))


def test_quantities_of_a_recorded_bill_are_tokens_and_its_input_is_without_cached_input():
    costs = list(recorded_costs())
    usage = entries_of_run("any", [Bucket(costs[0].day, Usage(30, 57, 0, 3), model="gpt-4o-mini-2024-07-18")])
    assert [(each.part, each.costs, each.odd) for each in three_way(usage, usage, costs)] == [
        ("cached input", 0, None), ("input", 30, None), ("output", 57, None),
    ]  # fmt: skip


def test_a_recorded_cost_of_a_run_and_its_parts_are_what_list_prices_come_to():
    value = json.loads(RUN.read_text("utf-8"), parse_float=Decimal)
    totals = value["aggregate_metrics"]
    figure = Usage(totals["TOK_IN"], totals["TOK_OUT"], totals["CACHED_TOKENS"], totals["API_CALLS"])
    (entry,) = entries_of_run("any", [Bucket(1760900820, figure, model="gpt-4o-mini-2024-07-18")])
    prices = list_prices()(entry)
    part = PricedPart(model="any", day="2025-10-19", batch=None, service_tier=None, usage=figure, prices=prices)
    assert dict(zip(AMOUNTS, part.amounts, strict=True)) == {
        name: amount for name, amount in value["cost_breakdown"].items() if name != "model"
    }
    assert prices.of(entry.tokens) == totals["COST_USD"]
    assert prices.of(replace(entry.tokens, cache_read=0)) != prices.of(Tokens(*entry.tokens.parts))
