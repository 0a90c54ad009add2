"""Charge-back: who pays what, and that nothing is lost on the way."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.money import DAY, ENTRIES, LINES, MINI, at_list, billed, used

from reconcile.money.charges import BY, Labels, charge_back, charged, entries_of_run, items_of_costs, items_of_usage
from reconcile.money.entry import Dimensions
from reconcile.usage import Bucket, Tokens, Usage

LABELS = Labels(
    frameworks={"chatdev": {"team": "research", "environment": "lab"}},
    api_key_ids={"key_a": {"team": "product"}, "key_b": {"department": "sales"}},
    project_ids={"proj_a": {"team": "platform", "environment": "production"}},
)


@pytest.mark.parametrize(
    ("who", "team", "environment"),
    [
        ({"framework": "chatdev"}, "research", "lab"),
        ({"framework": "chatdev", "api_key_id": "key_a"}, "product", "lab"),
        ({"framework": "chatdev", "api_key_id": "key_b"}, "research", "lab"),
        ({"framework": "chatdev", "project_id": "proj_a"}, "research", "lab"),
        ({"project_id": "proj_a"}, "platform", "production"),
        ({"framework": "other", "api_key_id": "key_x"}, None, None),
        ({}, None, None),
    ],
)
def test_a_key_s_label_counts_before_its_framework_s_and_that_before_its_project_s(who, team, environment):
    whose = Dimensions(**who)
    assert (LABELS.of(whose, "team"), LABELS.of(whose, "environment")) == (team, environment)


def test_all_labels_are_known_by_name():
    assert LABELS.names == ("department", "environment", "team")


def test_the_dearest_comes_first_and_what_nobody_is_named_for_last():
    usage = [used(api_key_id="key_a"), used(framework="chatdev", tokens=(9000, 0, 0, 0)), used(tokens=(10**6, 0, 0, 0))]
    rows = charge_back(items_of_usage(usage, at_list), LABELS, "team")
    assert [(row.name, row.usd) for row in rows] == [
        ("research", Decimal("0.00135")), ("product", Decimal("0.00021")), (None, Decimal("0.15")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "name"),
    [("framework", "chatdev"), ("model", MINI), ("project", "proj_a"), ("key", "key_a"), ("department", None)],
)
def test_usage_is_charged_by(by, name):
    usage = used(framework="chatdev", project_id="proj_a", api_key_id="key_a")
    assert [row.name for row in charge_back(items_of_usage([usage], at_list), LABELS, by)] == [name]


def test_what_has_no_price_is_in_the_tokens_and_in_no_amount():
    rows = charge_back(items_of_usage([used(), used(model="x")], at_list), LABELS, "team")
    assert [(row.usd, row.tokens, row.unpriced, row.requests) for row in rows] == [
        (Decimal("0.00021"), Tokens(2000, 0, 0, 200), Tokens(1000, 0, 0, 100), 2)
    ]


def test_a_cost_in_the_log_counts_before_a_list_price():
    assert items_of_usage([used(cost="7")], at_list)[0].usd == 7


def test_a_bill_is_charged_by_what_its_lines_say():
    costs = [billed("1", api_key_id="key_a"), billed("2", project_id="proj_a"), billed("4", "web search")]
    items = items_of_costs(costs)
    assert [(row.name, row.usd) for row in charge_back(items, LABELS, "team")] == [
        ("platform", 2), ("product", 1), (None, 4),
    ]  # fmt: skip
    assert [(row.name, row.usd) for row in charge_back(items, LABELS, "model")] == [(MINI, 3), (None, 4)]


def test_rows_of_equal_amounts_have_an_order():
    costs = [billed("1", project_id="b"), billed("1", project_id="a")]
    assert [row.name for row in charge_back(items_of_costs(costs), LABELS, "project")] == ["a", "b"]


def test_the_minutes_of_a_run_become_usage_of_its_framework():
    row = Bucket(DAY + 960, Usage(100, 10, 25, 3), "key_a", MINI, "proj_a", True, "flex", 0)
    assert entries_of_run("chatdev", [row]) == (
        used(MINI, (75, 25, 0, 10), 3, DAY + 900, None, api_key_id="key_a", project_id="proj_a", framework="chatdev",
             batch=True, service_tier="flex"),
    )  # fmt: skip


@pytest.mark.parametrize("by", [*BY, "team"])
@given(usage=st.lists(ENTRIES), costs=st.lists(LINES))
def test_rows_sum_to_the_total_to_the_last_digit(by, usage, costs):
    for items in (items_of_usage(usage, at_list), items_of_costs(costs)):
        rows, whole = charge_back(items, LABELS, by), charged(items)
        assert sum(Fraction(row.usd) for row in rows) == Fraction(whole.usd)
        assert Fraction(whole.usd) == sum(Fraction(item.usd) for item in items if item.usd is not None)
        assert sum((row.tokens for row in rows), Tokens()) == whole.tokens
        assert sum((row.unpriced for row in rows), Tokens()) == whole.unpriced
        assert len({row.name for row in rows}) == len(rows)
