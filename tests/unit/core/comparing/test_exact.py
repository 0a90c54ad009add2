"""Amounts are added to the last digit, whatever their length."""

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.money import AMOUNTS

from reconcile.money.exact import added, decimal_of, less, plain, spelled_out, times


@given(st.lists(AMOUNTS))
def test_a_sum_of_amounts_with_39_decimals_is_exact(amounts):
    assert Fraction(added(amounts)) == sum(map(Fraction, amounts))


@given(AMOUNTS, AMOUNTS, st.integers(-(10**15), 10**15))
def test_differences_and_multiples_are_exact(one, other, count):
    assert Fraction(less(one, other)) == Fraction(one) - Fraction(other)
    assert Fraction(times(one, count)) == Fraction(one) * count


def test_what_28_digits_would_lose_is_kept():
    amounts = [Decimal("123456789.000000000000000000000000000000000000001"), Decimal("0.1")]
    assert spelled_out(added(amounts)) == "123456789.100000000000000000000000000000000000001"


def test_the_context_of_the_caller_rounds_nothing():
    with localcontext() as context:
        context.prec = 2
        assert spelled_out(added([Decimal("1.2345"), Decimal(1)])) == "2.2345"
        assert spelled_out(less(Decimal("1.2345"), Decimal(1))) == "0.2345"


@pytest.mark.parametrize(
    ("amount", "spelling"),
    [("0E-6176", "0"), ("-0", "0"), ("1E+3", "1000"), ("0.0100", "0.01"), ("4.5E-6", "0.0000045"), ("-1.50", "-1.5")],
)
def test_an_amount_is_spelled_without_an_exponent(amount, spelling):
    assert spelled_out(Decimal(amount)) == spelling
    assert plain(Decimal(amount)) == Decimal(amount)


def test_a_sum_that_would_lose_a_digit_is_an_error():
    with pytest.raises(Inexact):
        added([Decimal("1E-30000"), Decimal(1)])


def test_a_third_is_written_to_twelve_places_and_a_half_whole():
    assert (decimal_of(Fraction(1, 3)), decimal_of(Fraction(1, 2**20 * 5))) == (
        Decimal("0.333333333333"),
        Decimal("1.9073486328125E-7"),
    )
