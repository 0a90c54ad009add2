"""Amounts of money: exact decimals, whatever their length. Nothing here rounds, and nothing is a float."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction

EXACT = Context(prec=20_000, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])
"""Wide enough for what providers write (39 decimals, and zeros as 0E-6176), and an error rather than a rounded digit.

The context that Python starts with has 28 digits and rounds what is longer without a word.
"""

NOTHING = Decimal(0)
PLACES = 12
"""Decimals of a term that no finite number of them could write out, such as a third."""


def plain(amount: Decimal) -> Decimal:
    """The same amount in its shortest form: 0 for 0E-6176, and for -0."""
    return EXACT.normalize(EXACT.add(amount, NOTHING)) if amount else NOTHING


def added(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, to the last digit. Raises decimal.Inexact where that would take more than 20,000 digits."""
    total = NOTHING
    for amount in amounts:
        if amount:
            total = EXACT.add(total, amount)
    return plain(total)


def times(amount: Decimal, count: int) -> Decimal:
    """So many of it, to the last digit."""
    return EXACT.multiply(amount, count)


def less(one: Decimal, other: Decimal) -> Decimal:
    """The difference, to the last digit."""
    return plain(EXACT.subtract(plain(one), plain(other)))


def quotient(one: Decimal, other: Decimal, places: int = PLACES) -> Decimal:
    """One amount by another, rounded to so many decimals. `other` is not zero."""
    return decimal_of(round(Fraction(one) / Fraction(other), places))


def spelled_out(amount: Decimal) -> str:
    """The amount without an exponent and without a digit lost: for documents."""
    return f"{plain(amount):f}"


def decimal_of(number: Fraction) -> Decimal:
    """The number itself where decimals can write it, else rounded to PLACES of them."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        number = round(number, PLACES)
    return plain(EXACT.divide(Decimal(number.numerator), Decimal(number.denominator)))
