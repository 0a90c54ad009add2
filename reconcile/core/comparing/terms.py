"""The terms of a gap between two costs of the same usage, how they are told apart, and that they sum to it.

quantity   tokens that one side has and the other has not, at the list prices of what the provider reports
unpriced   all of the gap where a list price is not known, or a cost is not of a model's tokens
rounding   a difference from list prices that writing each amount to six decimals can have made
price      the rest: one side charged other prices than the list
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from reconcile.core.comparing.exact import NOTHING, added, decimal_of, less, times
from reconcile.core.comparing.money import AtList
from reconcile.core.comparing.sides import Prices

ZERO = Fraction(0)
ROUNDED = Fraction(1, 2_000_000)
"""USD that an amount may be off by being written to six decimals: half a unit of the last."""
DOUBLE = Fraction(1, 2**50)
"""What amounts that were computed in double precision may be off, of their size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The terms, in USD."""

    quantity: Decimal = NOTHING
    price: Decimal = NOTHING
    unpriced: Decimal = NOTHING
    rounding: Decimal = NOTHING

    @property
    def terms(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        return (self.quantity, self.price, self.unpriced, self.rounding)

    @property
    def total(self) -> Decimal:
        return added(self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Both sides of some usage at list prices. `written`: what a log has a cost of its own for."""

    written: AtList
    unwritten: AtList
    reported: AtList

    @property
    def prices(self) -> set[Prices]:
        return {*self.written.priced, *self.unwritten.priced, *self.reported.priced}

    @property
    def complete(self) -> bool:
        """Whether there are tokens, and all have a price."""
        unpriced = self.written.unpriced or self.unwritten.unpriced or self.reported.unpriced
        return bool(self.prices) and not unpriced


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A sum of money that somebody charged, and of how many amounts it is."""

    usd: Decimal
    amounts: int


def terms_of(listed: Listed, written: Charged, billed: Charged) -> Gap:
    """The gap between what the log comes to and what was billed. Terms that no finite number of decimals can write
    leave their last digits to the rounding."""
    gap = less(added([written.usd, listed.unwritten.usd]), billed.usd)
    if not listed.complete:
        return Gap(unpriced=gap)
    quantity = _quantity(listed)
    rounded = added(
        [
            _if_rounding(less(written.usd, listed.written.usd), written),
            _if_rounding(less(listed.reported.usd, billed.usd), billed),
        ]
    )
    price = decimal_of(Fraction(gap) - quantity - Fraction(rounded))
    told = decimal_of(quantity)
    return Gap(quantity=told, price=price, rounding=less(gap, added([told, price])))


def _quantity(listed: Listed) -> Fraction:
    """The tokens that only one side has, each part at its mean list price on the provider's side."""
    reported, logged = _sums([listed.reported]), _sums([listed.written, listed.unwritten])
    return sum(
        (
            (count - theirs) * (_mean(billed, theirs) if theirs else _mean(usd, count))
            for (count, usd), (theirs, billed) in zip(logged, reported, strict=True)
        ),
        ZERO,
    )


def _sums(listed: Iterable[AtList]) -> list[tuple[int, Fraction]]:
    """Of each part of the tokens how many there are, and what they come to."""
    counts, amounts = [0] * 4, [ZERO] * 4
    for prices, tokens in (each for at in listed for each in at.priced.items()):
        for part, (rate, count) in enumerate(zip(prices.rates, tokens.parts, strict=True)):
            counts[part] += count
            amounts[part] += Fraction(times(rate, count))
    return list(zip(counts, amounts, strict=True))


def _mean(amount: Fraction, count: int) -> Fraction:
    return amount / count if count else ZERO


def _if_rounding(difference: Decimal, charged: Charged) -> Decimal:
    """The difference, if rounding each of the amounts can have made it."""
    most = charged.amounts * ROUNDED + abs(Fraction(charged.usd)) * DOUBLE
    return difference if abs(Fraction(difference)) <= most else NOTHING
