"""The common form of both sides."""

from datetime import date

from reconcile.money.entry import DAY, Period
from reconcile.usage import Tokens


def test_parts_of_a_difference_may_be_below_zero():
    assert Tokens(1, 2, 3, 4) - Tokens(4, 3, 2, 1) == Tokens(-3, -1, 1, 3)


def test_both_ends_of_a_period_are_in_it():
    period = Period(date(2026, 2, 1), date(2026, 2, 28))
    assert (period.days, period.end - period.start) == (28, 28 * DAY)
