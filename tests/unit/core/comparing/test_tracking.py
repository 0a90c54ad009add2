"""The dictionaries that programs get: their sums, and when two of them count as reconciled."""

import math
from decimal import Decimal

import pytest
from support.money import DAY, at_list, used

from reconcile.ledger.log import BadLine
from reconcile.ledger.tracking import UsageRecord, UsageRecords, compared, log_stats, percent, provider_stats
from reconcile.usage import Tokens

BAD = BadLine(file="usage.ndjson", line=3, why="the line is not JSON")


def line(day="2026-02-01", given=100, answered=50, **said):
    facts = {"model": "gpt-4o-mini", "cost": Decimal("0.1")} | said
    return UsageRecord(date=day, tokens=Tokens(uncached=given, output=answered), **facts)


def reported(given=1000, answered=100, requests=10):
    return provider_stats([used(tokens=(given, 0, 0, answered), requests=requests)], at_list)


def logged(given=1000, answered=100, requests=10, cost=Decimal(1)):
    return log_stats([line(given=given, answered=answered, requests=requests, cost=cost)])


def test_a_log_is_summed_up_over_all_and_by_group():
    stats = log_stats(
        UsageRecords([line(call_type="chat", scope="IN"), line("2026-02-03", 10, 5, model=None), line()], [BAD])
    )
    assert stats == {
        "total_records": 3,
        "total_requests": 3,
        "total_tokens": 315,
        "input_tokens": 210,
        "cached_tokens": 0,
        "output_tokens": 105,
        "total_cost": Decimal("0.3"),
        "by_call_type": {
            "chat": {"count": 1, "tokens": 150, "cost": Decimal("0.1")},
            "unknown": {"count": 2, "tokens": 165, "cost": Decimal("0.2")},
        },
        "by_scope": {
            "IN": {"count": 1, "tokens": 150, "cost": Decimal("0.1")},
            "unknown": {"count": 2, "tokens": 165, "cost": Decimal("0.2")},
        },
        "by_model": {
            "gpt-4o-mini": {"count": 2, "tokens": 300, "cost": Decimal("0.2")},
            "unknown": {"count": 1, "tokens": 15, "cost": Decimal("0.1")},
        },
        "by_date": [
            ("2026-02-03", {"count": 1, "tokens": 15, "cost": Decimal("0.1")}),
            ("2026-02-01", {"count": 2, "tokens": 300, "cost": Decimal("0.2")}),
        ],
        "average_tokens_per_call": 105.0,
        "average_cost_per_call": Decimal("0.1"),
        "bad_lines": 1,
    }


def test_an_empty_log_has_the_same_keys_and_types():
    empty, full = log_stats([]), log_stats([line()])
    assert {name: type(value) for name, value in empty.items()} == {name: type(of) for name, of in full.items()}
    assert (empty["total_tokens"], empty["total_cost"], empty["average_cost_per_call"]) == (0, 0, 0)


def test_a_cost_that_one_line_lacks_is_unknown_and_not_zero():
    stats = log_stats([line(), line("2026-02-02", cost=None)])
    assert stats["total_cost"].is_nan()
    assert stats["average_cost_per_call"].is_nan()
    assert [sums["cost"].is_nan() for _, sums in stats["by_date"]] == [True, False]
    assert f"{stats['total_cost']:.4f}" == "NaN"


def test_what_is_reported_is_summed_up_over_all_and_by_utc_day():
    rows = [used(tokens=(1000, 200, 0, 100)), used(day=DAY - 3600), used(tokens=(0, 0, 0, 0), model="x")]
    stats = provider_stats(rows, at_list, raw={"data": []})
    assert stats == {
        "total_tokens": 2400,
        "input_tokens": 2200,
        "cached_tokens": 200,
        "output_tokens": 200,
        "total_requests": 3,
        "estimated_cost": Decimal("0.000435"),
        "by_date": [
            ("2026-01-04", {"tokens": 1100, "requests": 1, "cost": Decimal("0.00021")}),
            ("2026-01-05", {"tokens": 1300, "requests": 2, "cost": Decimal("0.000225")}),
        ],
        "raw_data": {"data": []},
    }


@pytest.mark.parametrize(("rows", "price_of"), [([used()], None), ([used(), used("x")], at_list)])
def test_without_a_price_the_cost_is_unknown_and_not_zero(rows, price_of):
    stats = provider_stats(rows, price_of)
    assert stats["estimated_cost"].is_nan()
    assert stats["total_tokens"] == 1100 * len(rows)


def test_both_sides_and_their_difference_are_told():
    found = compared(logged(1010, 90, 12), reported(), 5.0)
    assert found["local"] == {
        "tokens": 1100, "input_tokens": 1010, "output_tokens": 90, "requests": 12, "cost": Decimal(1)
    }  # fmt: skip
    assert found["openai"] == {
        "tokens": 1100, "input_tokens": 1000, "output_tokens": 100, "requests": 10, "cost": Decimal("0.00021")
    }  # fmt: skip
    difference = found["difference"]
    assert difference.pop("cost_pct") == pytest.approx(476090.476)
    assert difference == {
        "tokens": 0, "tokens_pct": 0.0, "input_tokens": 10, "input_tokens_pct": 1.0, "output_tokens": -10,
        "output_tokens_pct": -10.0, "requests": 2, "requests_pct": 20.0, "cost": Decimal("0.99979"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("local", "official", "verdict"),
    [
        pytest.param(logged(), reported(), "reconciled", id="equal"),
        pytest.param(logged(1049), reported(), "reconciled", id="below 5 %"),
        pytest.param(logged(1050), reported(), "mismatch", id="5 % is not below 5 %"),
        pytest.param(logged(1050, 50), reported(), "mismatch", id="input and output cancel"),
        pytest.param(logged(requests=11), reported(), "mismatch", id="one request more"),
        pytest.param(logged(), provider_stats([], at_list), "no_data", id="nothing reported"),
        pytest.param(log_stats([]), reported(), "no_data", id="nothing logged"),
        pytest.param(log_stats([]), provider_stats([], None), "no_data", id="nothing at all"),
        pytest.param(logged(1000, 5), reported(1000, 0), "mismatch", id="output where none is reported"),
    ],
)
def test_two_sides_are_reconciled_where(local, official, verdict):
    found = compared(local, official, 5.0)
    assert (found["verdict"], found["reconciled"]) == (verdict, verdict == "reconciled")


def test_another_tolerance_may_be_given():
    assert compared(logged(1050), reported(), 5.1)["reconciled"]


@pytest.mark.parametrize("unknown", ["local", "openai"])
def test_a_difference_to_an_unknown_cost_is_unknown(unknown):
    local = logged(cost=None) if unknown == "local" else logged()
    official = reported() if unknown == "local" else provider_stats([used("x", (1000, 0, 0, 100), 10)], at_list)
    found = compared(local, official, 5.0)
    assert found["difference"]["cost"].is_nan()
    assert math.isnan(found["difference"]["cost_pct"])
    assert found["reconciled"]


@pytest.mark.parametrize(
    ("difference", "whole", "share"),
    [(5, 100, 5.0), (-5, 100, -5.0), (0, 0, 0.0), (1, 0, math.inf), (-1, 0, -math.inf), (Decimal(1), Decimal(4), 25.0)],
)
def test_a_percentage_of_zero_is_told_apart_from_zero(difference, whole, share):
    assert percent(difference, whole) == share
