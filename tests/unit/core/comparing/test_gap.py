"""The gap between what a log costs and what the provider bills: its terms, and that they sum to it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.money import DAY, ENTRIES, LINES, MINI, at_list, bill, billed, official, prices, used

from reconcile.ledger.terms import split_gap
from reconcile.money.exact import spelled_out
from reconcile.usage import Tokens


def terms(logged, usage, costs, price_of=at_list):
    """The terms that are not zero."""
    gap = split_gap(logged, official(usage, costs), price_of).gap
    return {name: spelled_out(getattr(gap, name)) for name in type(gap).__slots__ if getattr(gap, name)}


USAGE = [used(tokens=(1000, 500, 0, 100), requests=10), used(model="o3-2025-04-16", tokens=(10, 0, 0, 20))]


def test_there_is_no_gap_where_both_sides_have_the_same():
    assert (
        terms([replace(each, who=replace(each.who, model=each.who.model[:-11])) for each in USAGE], USAGE, bill(USAGE))
        == {}
    )


def test_lost_lines_are_quantity_at_list_prices():
    logged = [used(tokens=(900, 500, 0, 90), requests=9), USAGE[1]]
    assert terms(logged, USAGE, bill(USAGE)) == {"quantity": "-0.000021"}


def test_other_prices_in_the_log_are_price():
    logged = [used(tokens=(1000, 500, 0, 100), requests=10, cost="0.0005"), USAGE[1]]
    assert terms(logged, USAGE, bill(USAGE)) == {"price": "0.0002525"}


def test_a_bill_at_other_prices_is_price():
    dearer = bill(USAGE, lambda entry: prices(("0.000003", "0.000003", "0.000003", "0.00001")))
    assert list(terms(USAGE, USAGE, dearer)) == ["price"]


def test_a_batch_that_the_log_priced_as_standard_is_price_and_no_quantity():
    assert terms([used()], [used(batch=True)], bill([used(batch=True)])) == {"price": "0.000105"}


def test_amounts_that_were_rounded_when_written_are_rounding():
    logged = [used(tokens=(1001, 0, 0, 100), requests=3, cost="0.000211")]
    reported = [used(tokens=(1001, 0, 0, 100), requests=3)]
    assert terms(logged, reported, bill(reported)) == {"rounding": "0.00000085"}


def test_three_calls_cannot_be_rounded_by_more_than_three_times_half_a_millionth():
    logged = [used(tokens=(1000, 0, 0, 100), requests=3, cost="0.0002116")]
    assert list(terms(logged, [used(requests=3)], bill([used(requests=3)]))) == ["price"]


def test_a_sum_in_double_precision_is_off_by_rounding():
    logged = [used(tokens=(10**9, 0, 0, 0), cost="150.00000000000003")]
    reported = [used(tokens=(10**9, 0, 0, 0))]
    assert terms(logged, reported, bill(reported)) == {"rounding": "0.00000000000003"}


def test_a_bill_to_six_decimals_is_rounding_and_one_off_by_more_is_price():
    logged = reported = [used(tokens=(10**7, 0, 0, 0), requests=100)]
    assert terms(logged, reported, [billed("1.5")]) == {}
    assert terms(logged, reported, [billed("1.5000005")]) == {"rounding": "-0.0000005"}
    assert terms(logged, reported, [billed("1.500001")]) == {"price": "-0.000001"}


def test_free_usage_is_price_and_not_rounding():
    assert terms([used()], [used()], [billed("0E-6176")]) == {"price": "0.00021"}


@pytest.mark.parametrize(
    ("logged", "reported", "costs", "gap"),
    [
        ([used(model="x")], [used(model="x")], [billed("2", "x, input")], "-2"),
        ([used(model="x", cost="3")], [used(model="x")], [billed("2", "x, input")], "1"),
        ([], [], [billed("2", "web search")], "-2"),
        ([], [], [billed("2", None)], "-2"),
        ([], [], [billed("2")], "-2"),
        ([used(model=None, cost="3")], [], [], "3"),
        ([used(service_tier="scale", cost="3")], [used()], bill([used()]), "2.99979"),
    ],
    ids=["no price", "but a cost", "no model's", "no line item", "no tokens", "no model", "a tier without a price"],
)
def test_what_has_no_list_price_is_unpriced_as_a_whole(logged, reported, costs, gap):
    assert terms(logged, reported, costs) == {"unpriced": gap}


def test_costs_without_a_model_are_held_against_no_price():
    everything_costs = lambda _: prices(("1", "1", "1", "1"))  # noqa: E731
    assert terms([used(model=None)], [], [billed("2", "web search")], everything_costs) == {"unpriced": "1098"}


def test_usage_without_cost_and_price_is_no_zero():
    split = split_gap([used(model="x"), used(model="y", cost="1")], official(), at_list)
    assert dict(split.unpriced) == {"x": Tokens(1000, 0, 0, 100)}


def test_a_request_without_tokens_needs_no_price():
    empty = used(service_tier="scale", tokens=(0, 0, 0, 0))
    assert terms([used(tokens=(900, 0, 0, 100))], [used(), empty], bill([used()])) == {"quantity": "-0.000015"}


def test_a_mean_price_that_decimals_cannot_write_leaves_its_last_digits_to_rounding():
    reported = [used(tokens=(1, 0, 0, 0)), used(tokens=(6, 0, 0, 0), batch=True)]
    costs = [billed(f"1.{'3' * 39}")]
    split = split_gap([used(tokens=(8, 0, 0, 0), cost="0.0000006")], official(reported, costs), at_list)
    assert split.gap.quantity == Decimal("0.000000085714")
    assert 0 < abs(split.gap.rounding) < Decimal("1E-12")
    assert sum(map(Fraction, split.gap.terms)) == Fraction(split.local) - Fraction(split.official)


def test_days_are_apart_and_models_too():
    logged = [used(), used(day=DAY + 90000, model="o3")]
    split = split_gap(logged, official(USAGE, [*bill(USAGE), billed("1", "storage", DAY + 86400)]), at_list)
    assert [(cell.day - DAY, cell.model) for cell in split.cells] == [
        (0, "gpt-4o-mini"), (0, "o3"), (86400, None), (86400, "o3"),
    ]  # fmt: skip
    assert (split.cells[0].local_tokens, split.cells[0].official_tokens) == (logged[0].tokens, USAGE[0].tokens)


def test_any_line_of_a_model_with_usage_is_part_of_its_cost():
    split = split_gap([used()], official([used()], [billed("1", f"{MINI}, cache storage")]), at_list)
    assert [(cell.model, cell.official) for cell in split.cells] == [("gpt-4o-mini", Decimal(1))]


def test_other_currencies_are_told_and_not_added():
    split = split_gap(
        [], official([], [billed("1"), billed("2", currency="EUR"), billed("3", currency="EUR")]), at_list
    )
    assert (split.official, dict(split.foreign)) == (Decimal(1), {"EUR": Decimal(5)})


def test_usd_in_capitals_is_usd():
    assert split_gap([], official([], [billed("1", currency="USD")]), at_list).official == Decimal(1)


def test_without_costs_there_is_no_gap_to_split():
    assert split_gap([used()], official([], None), at_list) is None


def test_the_source_of_list_prices_is_named():
    assert split_gap([used(cost="1")], official([], []), at_list).source == "a list 1.0"


@given(st.lists(ENTRIES, max_size=8), st.lists(ENTRIES, max_size=8), st.lists(LINES, max_size=8))
def test_terms_sum_to_the_gap_to_the_last_digit(logged, usage, costs):
    split = split_gap(logged, official(usage, costs), at_list)
    for each in (*split.cells, split):
        assert sum(map(Fraction, each.gap.terms)) == Fraction(each.local) - Fraction(each.official)
        assert Fraction(each.gap.total) == Fraction(each.local) - Fraction(each.official)
    assert Fraction(split.official) == sum(Fraction(cost.amount) for cost in costs)
    known = [each.cost if each.cost is not None else rates.of(each.tokens)
             for each in logged if (rates := at_list(each)) or each.cost is not None]  # fmt: skip
    assert Fraction(split.local) == sum(map(Fraction, known))
