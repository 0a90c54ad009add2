"""A charge-back of a period: what is in it, whose it is, and what is said of what is not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.money import DAY, ENTRIES, LINES, MINI, at_list, billed, official, used

from reconcile import schemas
from reconcile.errors import UsageError
from reconcile.ledger.charge_back import (
    ChargeSource,
    bill_charged,
    charge_back_json,
    dimension,
    framework_of,
    runs_charged,
)
from reconcile.money.charges import Labels
from reconcile.money.entry import Dimensions, Period
from reconcile.providers.base import Scope
from reconcile.usage import Tokens

WEEK = Period(date(2026, 1, 5), date(2026, 1, 11))
LABELS = Labels(
    frameworks={"chatdev": {"team": "research"}},
    api_key_ids={"key_b": {"team": "product"}},
    project_ids={"proj_a": {"team": "platform"}},
)
SCOPES = {
    "chatdev": Scope("openai", ("key_a",)),
    "ghspec": Scope("openai", (), ("proj_a",), ("gpt-4o-mini",)),
    "baes": Scope("openai", ("key_a", "key_c")),
}
ONE = {"chatdev": SCOPES["chatdev"]}


def bill_of(costs, *, usage=(), by="team", until=WEEK.end, scopes=ONE, period=WEEK):
    return bill_charged(official(usage, costs), period, until, by, LABELS, scopes)


def rows(found):
    return [(row.name, row.usd) for row in found.rows]


def codes(found):
    return [note.code.value for note in found.notes]


@pytest.mark.parametrize(
    ("who", "framework"),
    [
        ({"api_key_id": "key_c"}, "baes"),
        ({"api_key_id": "key_a"}, None),
        ({"project_id": "proj_a", "model": MINI}, "ghspec"),
        ({"project_id": "proj_a", "model": "gpt-4o-2024-08-06"}, None),
        ({"project_id": "proj_a"}, None),
        ({"api_key_id": "key_c", "project_id": "proj_a", "model": MINI}, None),
        ({}, None),
    ],
    ids=["its key", "a key of two", "its project and model", "another model", "no model", "of two", "nothing"],
)
def test_traffic_is_a_framework_s_where_no_other_has_it(who, framework):
    assert framework_of(Dimensions(**who), SCOPES) == framework


def test_a_bill_is_charged_by_the_labels_of_keys_frameworks_and_projects():
    costs = [
        billed("1", api_key_id="key_a"), billed("2", api_key_id="key_b"), billed("4", project_id="proj_a"),
        billed("8", "web search"),
    ]  # fmt: skip
    found = bill_of(costs)
    assert rows(found) == [("platform", 4), ("product", 2), ("research", 1), (None, 8)]
    assert (found.total.usd, found.currency, codes(found)) == (15, "usd", [])


def test_a_tool_s_line_is_its_model_s_where_there_is_usage_of_it():
    found = bill_of([billed("1", f"{MINI}, web search"), billed("2", "x, web search")], usage=[used()], by="model")
    assert rows(found) == [(MINI, 1), (None, 2)]


def test_only_whole_days_of_the_period_are_charged_and_the_open_ones_named():
    costs = [billed(amount, day=DAY + days * 86400) for amount, days in (("1", -1), ("2", 0), ("4", 1), ("8", 2))]
    found = bill_of(costs, until=DAY + 2 * 86400 + 3600)
    assert (found.total.usd, found.until, codes(found)) == (6, DAY + 2 * 86400, ["costs_open"])
    assert "from 2026-01-07 on" in found.notes[0].said


def test_before_the_period_is_over_nothing_is_charged():
    found = bill_charged(official((), None), WEEK, WEEK.start - 7200, "team", LABELS, ONE)
    assert (found.rows, found.total.usd, found.until) == ((), 0, WEEK.start)


def test_days_with_usage_and_without_costs_are_named():
    assert codes(bill_of([billed("1")], usage=[used(), used(day=DAY + 90000)])) == ["costs_late"]
    assert codes(bill_of([billed("1")], usage=[used(day=DAY + 80000)])) == []
    assert codes(bill_of([], usage=[used()])) == ["costs_late"]


@pytest.mark.parametrize(
    ("by", "first", "said"),
    [
        ("key", date(2025, 12, 5), ["keys_unknown"]), ("team", date(2025, 12, 5), ["keys_unknown"]),
        ("key", date(2025, 12, 6), []), ("project", date(2025, 12, 5), []), ("model", date(2025, 12, 5), []),
    ],
)  # fmt: skip
def test_what_is_told_apart_by_keys_says_from_when_on_they_are_known(by, first, said):
    assert codes(bill_of([], by=by, period=Period(first, date(2026, 1, 11)))) == said


def test_costs_know_no_framework_unless_its_keys_are_named():
    costs = [billed("1", api_key_id="key_a")]
    named, unnamed = bill_of(costs, by="framework"), bill_of(costs, by="framework", scopes={})
    assert (rows(named), codes(named)) == ([("chatdev", 1)], [])
    assert (rows(unnamed), codes(unnamed)) == ([(None, 1)], ["no_frameworks"])


def test_a_bill_in_another_currency_says_so():
    assert bill_of([billed("1", currency="EUR")]).currency == "eur"


def runs_of(*found, by="framework"):
    return runs_charged(found, WEEK, by, LABELS, at_list)


def test_runs_are_charged_at_list_prices_within_the_period():
    chatdev, before = used(framework="chatdev"), used(framework="chatdev", day=DAY - 900)
    found = runs_of(("chatdev/a", (chatdev, before)), ("baes/b", (used(framework="baes", tokens=(10, 0, 0, 0)),)))
    assert rows(found) == [("chatdev", Decimal("0.00021")), ("baes", Decimal("0.0000015"))]
    assert (found.price_sources, codes(found), found.until) == (("a list 1.0",), [], WEEK.end)
    assert rows(runs_of(("chatdev/a", (chatdev,)), by="team")) == [("research", Decimal("0.00021"))]


def test_a_run_without_an_exact_figure_is_left_out_and_named():
    found = runs_of(("chatdev/a", "it is not settled"))
    assert (found.rows, found.left_out, codes(found)) == (
        (), (("chatdev/a", "it is not settled"),), ["runs_left_out"],
    )  # fmt: skip


def test_what_was_written_to_a_cache_has_its_price_where_it_is_told():
    """400 x 0.000004 + 500 x 0.0000004 + 100 x 0.000005 + 100 x 0.00002"""
    found = runs_of(("chatdev/a", (used("writes-2026-01-01", (400, 500, 100, 100), framework="chatdev"),)))
    assert (found.rows[0].usd, found.rows[0].unpriced) == (Decimal("0.0043"), Tokens())


@pytest.mark.parametrize("model", ["nobody-knows", "writes-2026-01-01"], ids=["unknown", "charges for cache writes"])
def test_what_has_no_sure_price_is_unpriced_and_not_zero(model):
    untold = replace(used(model, framework="chatdev"), writes_told=False)
    found = runs_of(("chatdev/a", (untold,)))
    assert found.rows[0].unpriced == found.rows[0].tokens == Tokens(1000, 0, 0, 100)
    assert charge_back_json(found)["rows"][0]["amount"] is None
    assert charge_back_json(found)["total"]["unpriced_tokens"] == 1100


@pytest.mark.parametrize(
    ("by", "source", "name"),
    [(None, ChargeSource.COSTS, "project"), (None, ChargeSource.RUNS, "framework"), ("key", ChargeSource.RUNS, "key"),
     ("team", ChargeSource.COSTS, "team")],
)  # fmt: skip
def test_a_row_is(by, source, name):
    assert dimension(by, LABELS, source) == name


def test_a_label_that_nothing_has_is_an_error_that_names_those_there_are():
    with pytest.raises(UsageError, match="'department'") as refused:
        dimension("department", LABELS, ChargeSource.COSTS)
    assert refused.value.remedy.startswith("one of framework, model, project, key, team;")


def test_the_documents_are_those_of_the_schema():
    schema = jsonschema.Draft202012Validator(schemas.load("costs"))
    bill = bill_of([billed("1", api_key_id="key_a"), billed("-2")], usage=[used()], until=DAY + 86400)
    for found in (bill, bill_of([]), runs_of(("a/b", (used("x"),)), ("a/c", "it was given up"))):
        schema.validate(charge_back_json(found))


@pytest.mark.parametrize("by", ["team", "model"])
@given(usage=st.lists(ENTRIES, max_size=6), costs=st.lists(LINES, max_size=6))
def test_amounts_in_json_sum_to_the_total_to_the_last_digit(by, usage, costs):
    for found in (bill_of(costs, usage=usage, by=by), runs_of(("a/b", tuple(usage)), by=by)):
        document = charge_back_json(found)
        amounts = [Fraction(row["amount"] or 0) for row in document["rows"]]
        assert sum(amounts) == Fraction(document["total"]["amount"] or 0)
        unnamed = [row for row in document["rows"] if row["name"] is None]
        assert unnamed == ([{"name": None, **document["unlabelled"]}] if document["unlabelled"] else [])
