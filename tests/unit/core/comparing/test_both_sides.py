"""Both sides side by side: verdicts, metrics that are tested, rows that add up, and the document."""

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import jsonschema
import pytest
from support.months import MARCH, log_of, lost, month
from support.week import START, WEEK, bill, calls, compared, listed, official, used
from support.worlds import dice, seeds

from reconcile import schemas
from reconcile.ledger.comparison import ComparisonVerdict, compare
from reconcile.ledger.comparison_json import comparison_json
from reconcile.ledger.figures import Figures, Metric, tolerance
from reconcile.ledger.log import BadLine, UsageLog
from reconcile.ledger.table import By
from reconcile.money.entry import DAY, HOUR, Cost, Dimensions, Measured, Official
from reconcile.report.compared import verdict_text
from reconcile.usage import Tokens


def shifted(entries, **parts):
    """The entries with the first of them changed by so many tokens or requests."""
    first, *rest = entries
    tokens = {name: getattr(first.tokens, name) + parts.pop(name, 0) for name in ("uncached", "cache_read", "output")}
    changed = replace(first, requests=first.requests + parts.pop("requests", 0), tokens=replace(first.tokens, **tokens))
    return [changed, *rest]


def totals():
    return compared(calls()).official


def test_equal_sides_are_reconciled():
    found = compared(calls())
    assert (found.verdict, found.outside, found.breaks) == (ComparisonVerdict.RECONCILED, (), ())
    assert found.local == found.official


def test_a_sum_that_nobody_told_agrees_with_nothing():
    first, *rest = without_half = calls()[1:]
    found = compared([replace(first, untold=frozenset({"tokens_in", "tokens_out", "api_calls"})), *rest])
    assert compared(without_half).verdict is ComparisonVerdict.MISMATCH
    assert (found.verdict, found.parts_outside, found.breaks, found.gap) == (ComparisonVerdict.NO_DATA, (), (), None)
    assert verdict_text(found).startswith("Nothing to compare: a run's file tells no input")
    assert [line.untested for line in found.lines if line.metric is Metric.REQUESTS] == [
        "a run's file does not tell it"
    ]


VERDICTS = {
    "one request too few": ({"requests": -1}, None, ["requests"]),
    "one request too few, allowed": ({"requests": -1}, "requests=1", []),
    "a token too many": ({"uncached": 1}, None, []),
    "a token too many, where none may": ({"uncached": 1}, "tokens=0,cost=5%", ["input_tokens", "total_tokens"]),
    "input and output that cancel": (
        {"uncached": -40_000, "output": 40_000},
        "tokens=5%,cost=99%",
        ["input_tokens", "output_tokens"],
    ),
    "cost alone": ({}, "cost=1%", ["cost_usd"]),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_each_metric_is_tested_by_itself(case):
    parts, allowed, outside = VERDICTS[case]
    local = shifted(calls(), **parts)
    if case == "cost alone":
        local = [replace(entry, cost=listed(entry) * 2) for entry in local]
    found = compared(local, tolerance=tolerance(allowed or "5%"))
    assert [metric.value for metric in found.outside] == outside
    assert found.verdict is (ComparisonVerdict.MISMATCH if outside else ComparisonVerdict.RECONCILED)


@pytest.mark.parametrize(
    ("local", "reported"),
    [([], None), (calls(), Official(usage=())), ([], Official(usage=())), ([used(1, requests=0, tokens=())], None)],
    ids=["nothing logged", "nothing reported", "nothing at all", "zeros"],
)
def test_nothing_is_never_reconciled(local, reported):
    assert compared(local, reported).verdict is ComparisonVerdict.NO_DATA


def untested(found):
    parts = {Metric.UNCACHED, Metric.CACHE_WRITE}
    return {line.metric.value: line.untested for line in found.lines if line.untested and line.metric not in parts}


def test_what_a_side_does_not_tell_is_not_tested():
    flat = [replace(entry, tokens=Tokens(entry.tokens.input, 0, 0, entry.tokens.output)) for entry in calls()]
    assert untested(compared(flat)) == {"cached_tokens": "the log tells no cached tokens apart"}
    assert untested(compared(calls(), official(calls(), costs=()))) == {
        "cost_usd": "the provider reports no costs of these days"
    }
    found = compared(calls(), price_of=None)
    assert untested(found) == {"cost_usd": "the log has no costs, and no prices were given"}
    assert (found.verdict, found.local.cost, found.breaks) == (ComparisonVerdict.RECONCILED, None, ())


def test_a_side_without_a_cost_has_no_difference_in_it():
    (cost,) = (line for line in compared(calls(), price_of=None).lines if line.metric is Metric.COST)
    assert (cost.difference, cost.percent, cost.within) == (None, None, None)


def test_the_amounts_of_the_log_are_its_cost_and_what_has_none_is_priced():
    entries = [replace(entry, cost=Decimal(1)) if place < 5 else entry for place, entry in enumerate(calls())]
    found = compared(entries)
    assert found.local.cost == 5 + sum(listed(entry) for entry in entries[5:])
    assert found.price_sources == ("a list of 2026",)
    assert compared([replace(entry, cost=Decimal(1)) for entry in calls()]).price_sources == ()


def test_a_model_without_a_price_is_unpriced_and_not_zero():
    secret = [used(3, model="secret", tokens=(7, 0, 0, 1), requests=2), used(4, model="secret", tokens=(1, 0, 0, 0))]
    nameless = used(5, model=None, tokens=(1, 0, 0, 0))
    found = compared([*calls(), *secret, nameless])
    assert [(each.model, each.requests, each.tokens.total) for each in found.unpriced] == [
        ("secret", 5, 9),
        (None, 3, 1),
    ]
    assert found.local.cost == totals().cost
    assert compared(secret, official(secret, costs=())).local.cost is None


def test_the_open_end_is_set_apart_on_both_sides():
    found = compared(calls(), settled_until=WEEK.end - 5 * HOUR)
    assert (found.apart_local.requests, found.apart_official.requests) == (6, 6)
    assert found.local.requests + 6 == totals().requests
    assert found.verdict is ComparisonVerdict.RECONCILED
    assert found.breaks == ()
    assert found.local.cost == found.official.cost == sum(listed(e) for e in calls() if e.start < WEEK.end - DAY)


def cost(item, amount, currency="USD"):
    return Cost(day=START, amount=Decimal(amount), currency=currency, line_item=item)


def with_all_else():
    return replace(
        official(calls()),
        costs=(*official(calls()).costs, cost("web search tool calls", "1.25"), cost(None, "3", "eur"), cost("x", "1")),
        other=(
            Measured(day=START, endpoint="images", unit="images", quantity=3, requests=2, who=Dimensions()),
            Measured(day=START + DAY, endpoint="images", unit="images", quantity=4, requests=1, who=Dimensions()),
            Measured(day=START, endpoint="vector_stores", unit="bytes", quantity=9, requests=None, who=Dimensions()),
        ),
        requests=7,
        cached=2,
    )


def test_the_bill_has_all_costs_and_the_comparison_those_of_calls():
    found = compared(calls(), with_all_else(), invoice=Decimal(100))
    assert (found.official.cost, found.bill.calls, found.bill.other) == (totals().cost, totals().cost, Decimal("2.25"))
    assert found.bill.total == found.bill.calls + Decimal("2.25")
    assert found.bill.beyond == 100 - found.bill.total
    assert found.verdict is ComparisonVerdict.RECONCILED
    assert compared(calls(), official(calls(), costs=())).bill is None
    alone = compared(calls(), official(calls(), costs=()), invoice=Decimal(3)).bill
    assert (alone.total, alone.beyond) == (0, 3)
    assert compared(calls()).bill.beyond is None


# ------------------------------------------------------------------------------------------------------------ rows


def names(found):
    return [(row.name, row.local and row.local.requests, row.official and row.official.requests) for row in found.rows]


def test_rows_by_day_are_in_order():
    assert [row.name for row in compared(calls()).rows] == [f"2026-03-0{day}" for day in range(2, 9)]
    assert all(row.local == row.official for row in compared(calls()).rows)


def test_rows_by_model_take_an_alias_for_its_snapshot():
    local = [replace(e, who=replace(e.who, model=e.who.model[:-11])) for e in calls()]
    assert names(compared(local, by=By.MODEL)) == [("gpt-4o-2024-08-06", 336, 336), ("o3-2025-04-16", 42, 42)]


def test_rows_by_key_say_what_a_side_does_not_tell():
    keyless = [replace(e, who=replace(e.who, api_key_id=None)) for e in calls()]
    assert names(compared(keyless, by=By.KEY)) == [("key_app", None, 336), ("key_jobs", None, 42), (None, 378, None)]
    partly = [*calls()[:-1], keyless[-1]]
    assert names(compared(partly, by=By.KEY)) == [("key_app", 336, 336), ("key_jobs", 41, 42), (None, 1, None)]


def test_rows_by_project_show_a_side_without_any_of_it_as_zero():
    local = [replace(e, who=replace(e.who, project_id="p")) for e in calls()]
    reported = [replace(e, who=replace(e.who, project_id="q")) for e in calls()]
    assert names(compared(local, official(reported), by=By.PROJECT)) == [("p", 378, 0), ("q", 0, 378)]


def test_rows_by_framework_take_the_providers_by_the_keys_that_only_one_uses():
    frameworks = {"key_app": "chatdev", "key_jobs": "baes"}
    local = [replace(e, who=replace(e.who, framework=frameworks[e.who.api_key_id])) for e in calls()]
    assert names(compared(local, by=By.FRAMEWORK)) == [("chatdev", 336, 336), ("baes", 42, 42)]
    shared = [*local, replace(local[2], start=local[0].start, who=replace(local[2].who, framework="chatdev"))]
    assert (None, None, 42) in names(compared(shared, by=By.FRAMEWORK))
    assert names(compared([replace(e, who=replace(e.who, api_key_id=None)) for e in local], by=By.FRAMEWORK))[-1] == (
        None,
        None,
        378,
    )
    assert names(compared(calls(), by=By.FRAMEWORK)) == [(None, 378, 378)]


def test_costs_without_a_key_are_in_a_row_of_their_own():
    keyless = tuple(replace(cost, api_key_id=None) for cost in official(calls()).costs)
    found = compared(calls(), official(calls(), costs=keyless), by=By.KEY)
    assert [(row.name, row.official.cost) for row in found.rows] == [
        ("key_app", None),
        ("key_jobs", None),
        (None, totals().cost),
    ]


def added(sides):
    sides = list(sides)
    return [
        sum((Fraction(value) for side in sides if side and (value := side.of(metric)) is not None), Fraction(0))
        for metric in Metric
    ]


@pytest.mark.parametrize("by", By)
def test_rows_add_up_to_totals_to_the_last_digit(by):
    for seed in seeds(1):
        thrown, drawn = dice(seed), month(seed)
        lines = [replace(line, framework=thrown.choice(["a", "b", None])) for line in lost(drawn.lines(), 0.1, seed)]
        until = MARCH.end - thrown.choice([0, 3, 30]) * HOUR
        found = compare(log_of(lines), drawn.official(), MARCH, settled_until=until, by=by, price_of=drawn.price_of())
        assert added(row.local for row in found.rows) == added([found.local]), seed
        assert added(row.official for row in found.rows) == added([found.official]), seed


# ---------------------------------------------------------------------------------------------------- the document


def floats(value):
    if isinstance(value, dict | list):
        return [each for part in (value.values() if isinstance(value, dict) else value) for each in floats(part)]
    return [value] if isinstance(value, float) else []


DOCUMENTS = {
    "equal sides": lambda: compared(calls()),
    "nothing at all": lambda: compared([], Official(usage=(), costs=None)),
    "all that there may be": lambda: compared(
        shifted([*calls(), used(3, model="secret")], requests=4),
        with_all_else(),
        invoice=Decimal("99.5"),
        settled_until=WEEK.end - 5 * HOUR,
    ),
    "keys that are not told": lambda: compared(
        [replace(e, who=replace(e.who, api_key_id=None)) for e in calls()], by=By.KEY
    ),
    "a log with bad lines": lambda: compared(
        [],
        log=UsageLog(
            entries=tuple(calls()),
            repeated=tuple(calls()[:2]),
            bad=(BadLine(file="a", line=3, why="no JSON"),),
            bad_lines=5,
            lines=9,
            files=("a",),
        ),
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_the_document_is_as_its_schema_says_and_holds_no_float(case):
    document = comparison_json(DOCUMENTS[case]())
    jsonschema.Draft202012Validator(schemas.load("comparison")).validate(document)
    assert floats(document) == []
    assert json.loads(json.dumps(document)) == document


def test_the_document_says_what_was_found():
    document = comparison_json(DOCUMENTS["all that there may be"]())
    assert document["period"] == {
        "start": "2026-03-02",
        "end": "2026-03-08",
        "compared_until": "2026-03-08T19:00:00Z",
        "costs_until": "2026-03-08T00:00:00Z",
    }
    assert (document["verdict"], document["outside"]) == ("mismatch", ["requests"])
    assert document["difference"]["requests"] == 7
    assert document["other_costs"] == [
        {"line_item": None, "currency": "eur", "amount": "3"},
        {"line_item": "web search tool calls", "currency": "usd", "amount": "1.25"},
        {"line_item": "x", "currency": "usd", "amount": "1"},
    ]
    assert document["other_usage"] == [
        {"endpoint": "images", "unit": "images", "quantity": 7, "requests": 3},
        {"endpoint": "vector_stores", "unit": "bytes", "quantity": 9, "requests": None},
    ]
    assert document["bill"]["invoice_usd"] == "99.5"
    assert document["api"] == {"requests": 7, "cached": 2}
    assert comparison_json(DOCUMENTS["a log with bad lines"]())["log"] == {
        "of_runs": False,
        "files": ["a"],
        "lines": 9,
        "bad_lines": 5,
        "bad": [{"file": "a", "line": 3, "why": "no JSON"}],
        "repeated_requests": sum(entry.requests for entry in calls()[:2]),
        "unlogged_attempts": 0,
    }


def test_figures_start_empty():
    assert Figures().empty


def test_a_part_of_a_cost_is_never_within_tolerance():
    lines = [*calls(), used(5, model="new", requests=1, tokens=(1000, 0, 0, 10))]
    reported = official(lines, costs=bill(calls()))
    (cost,) = [line for line in compared(lines, reported).lines if line.metric is Metric.COST]
    assert (cost.within, cost.untested) == (
        None,
        "some of the log's usage has no price, and a part of a cost is not within anything",
    )
