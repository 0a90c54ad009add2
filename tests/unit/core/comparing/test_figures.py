"""Sums and differences: exact, and none where a side does not tell."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.ledger.figures import Figures, Metric, difference, figures, percent
from reconcile.money.entry import Dimensions, Entry
from reconcile.money.exact import added, spelled_out
from reconcile.usage import Tokens

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=40, min_value=-(10**12), max_value=10**12)
COUNTS = st.integers(0, 10**14)


def entry(requests, *parts):
    return Entry(start=0, who=Dimensions(), tokens=Tokens(*parts), requests=requests)


@examples(500)
@given(st.lists(AMOUNTS))
def test_a_sum_of_money_loses_no_digit(amounts):
    assert Fraction(added(amounts)) == sum(map(Fraction, amounts))


@examples(500)
@given(AMOUNTS)
def test_an_amount_is_spelled_with_all_its_digits_and_no_exponent(amount):
    text = spelled_out(amount)
    assert Decimal(text) == amount
    assert set(text) <= set("-0123456789.")


def test_zeros_of_the_provider_are_spelled_short():
    spelled = ["0E-6176", "-0.00", "12.500", "1E+3", "0.0000045", "100"]
    assert [spelled_out(Decimal(each)) for each in spelled] == ["0", "0", "12.5", "1000", "0.0000045", "100"]
    assert added([Decimal("0E-6176"), Decimal("1E-39"), Decimal(1)]) == Decimal("1." + "0" * 38 + "1")


@examples(500)
@given(st.one_of(COUNTS, AMOUNTS), st.one_of(COUNTS, AMOUNTS))
def test_a_difference_is_exact_and_turns_its_sign_with_the_sides(one, other):
    forth, back = difference(one, other), difference(other, one)
    assert Fraction(forth) == Fraction(one) - Fraction(other) == -Fraction(back)


def test_a_difference_to_what_is_not_told_is_not_told():
    assert difference(None, 1) is difference(1, None) is percent(None, 1) is None


def test_of_nothing_there_is_no_share():
    assert percent(1, 0) is percent(0, 0) is percent(Decimal(1), Decimal("0E-6176")) is None
    assert percent(103, 100) == Decimal("3.0000")
    assert percent(Decimal("0.5"), Decimal("0.75")) == Decimal("-33.3333")


@examples(300)
@given(st.lists(st.tuples(*[st.integers(0, 10**12)] * 5)))
def test_every_metric_is_the_sum_of_its_parts(rows):
    sums = figures([entry(*row) for row in rows], Decimal(1))
    requests, uncached, read, write, output = (sum(row[place] for row in rows) for place in range(5))
    assert [sums.of(metric) for metric in Metric] == [
        requests,
        uncached + read + write,
        uncached,
        read,
        write,
        output,
        uncached + read + write + output,
        Decimal(1),
    ]
    assert sums.empty is (not any(map(any, rows)))


def test_figures_of_nothing_tell_no_cost():
    assert Figures().of(Metric.COST) is None


UNTOLD = {
    "api_calls": {Metric.REQUESTS},
    "cached_tokens": {Metric.UNCACHED, Metric.CACHED, Metric.COST},
    "tokens_in": {Metric.INPUT, Metric.UNCACHED, Metric.TOTAL, Metric.COST},
    "tokens_out": {Metric.OUTPUT, Metric.TOTAL, Metric.COST},
}


@pytest.mark.parametrize("kind", UNTOLD)
def test_a_sum_with_a_part_that_nobody_told_is_unknown(kind):
    known, partial = entry(1, 5, 3, 0, 2), replace(entry(1, 5), untold=frozenset({kind}))
    found = figures([known, partial], Decimal(1))
    assert {metric for metric in Metric if found.of(metric) is None} == UNTOLD[kind]
