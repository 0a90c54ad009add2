"""Sums of money that lose no digit, and how they are written.

The provider bills with up to some forty decimals and now and then as `0E-6176`; the usual precision would round.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal

NONE = Decimal(0)

WIDE = Context(prec=7000)
"""Digits enough for any sum of amounts that a decimal of the provider can spell."""


def exactly(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, to the last digit."""
    total = NONE
    for amount in amounts:
        if amount:
            total = WIDE.add(total, amount)
    return total


def less(one: Decimal, other: Decimal) -> Decimal:
    return WIDE.subtract(one, other)


def spelled_amount(amount: Decimal) -> str:
    """All its digits and no exponent: `12.5`, `-0.0000045`, `0`."""
    if not amount:
        return "0"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
