"""Usage at list prices; what has no price is told apart, and is not zero."""

from decimal import Decimal

import pytest
from support.money import MINI, at_list, prices, used

from reconcile.money import prices as money
from reconcile.money.prices import UNNAMED
from reconcile.usage import Tokens, family


def test_the_parts_of_the_tokens_have_their_own_prices():
    assert money.at_list([used(tokens=(84604 - 42624, 42624, 0, 23275))], at_list).usd == Decimal("0.0234588")


def test_an_amount_names_whose_prices_it_was_made_of():
    found = money.at_list(
        [used(), used(model="o3")], lambda entry: prices(("1", "1", "1", "1"), f"list {entry.who.model}")
    )
    assert found.source == f"list {MINI}, list o3"


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ({"model": "x"}, "x"),
        ({"model": None}, UNNAMED),
        ({"model": "o3", "batch": True}, "o3, batch"),
        ({"service_tier": "flex"}, f"{MINI}, flex"),
        ({"model": "x", "service_tier": "Default"}, "x"),
    ],
    ids=["a model", "no model", "a batch", "a tier", "the ordinary tier is no tier"],
)
def test_what_has_no_price_is_counted_by_name(who, name):
    found = money.at_list([used(), used(**who), used(**who)], at_list)
    assert dict(found.unpriced) == {name: Tokens(2000, 0, 0, 200)}
    assert found.usd == at_list(used()).of(used().tokens)


def test_no_tokens_need_no_price():
    assert money.at_list([used(model="x", tokens=(0, 0, 0, 0))], at_list).unpriced == {}


def test_nothing_has_no_source():
    assert (money.at_list([], at_list).usd, money.at_list([], at_list).source) == (Decimal(0), "")


def test_what_a_log_wrote_is_no_list_price():
    assert money.at_list([used(cost="9")], at_list).usd == Decimal("0.00021")


@pytest.mark.parametrize(
    ("model", "without_date"),
    [(MINI, "gpt-4o-mini"), ("gpt-4-0613", "gpt-4"), ("o3", "o3"), ("gpt-5.6-sol", "gpt-5.6-sol")],
)
def test_a_snapshot_belongs_to_its_model(model, without_date):
    assert family(model) == without_date
