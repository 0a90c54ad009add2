"""Why the local cost and the provider's differ: the gap between them in terms that sum to it, to the last digit.

A cell is a UTC day of a model, snapshots of it together. Costs are local minus official throughout, like every
difference of a comparison.

    quantity   tokens that one side has and the other has not, at the list prices of what the provider reports
    unpriced   all of the gap where a list price is not known, or a cost is not of a model's tokens
    rounding   a difference from list prices that writing each amount to six decimals can have made
    price      the rest: one side charged other prices than the list
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from reconcile.core.comparing.exact import NOTHING, added, decimal_of, less, times
from reconcile.core.comparing.line_items import line_item
from reconcile.core.comparing.money import family, priced
from reconcile.core.comparing.sides import DAY, Cost, Entry, Official, PriceOf, Tokens, total_tokens

USD = "usd"
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
class Cell:
    """A day of a model. `model` is None for costs that are no model's."""

    day: int
    model: str | None
    local: Decimal
    """As the log wrote it, else tokens at list prices; what has neither adds nothing, and is in `unpriced`."""
    official: Decimal
    """Of the provider's bill."""
    local_tokens: Tokens
    official_tokens: Tokens
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """All cells, by day and model, and what they come to together."""

    cells: tuple[Cell, ...]
    local: Decimal
    official: Decimal
    gap: Gap
    unpriced: Mapping[str, Tokens]
    """Local usage without a cost in its log and without a list price, by model: never counted as zero."""
    source: str
    """Of the list prices."""
    foreign: Mapping[str, Decimal]
    """Costs in other currencies than USD: they cannot be held against anything, and are in no sum."""


@dataclass(slots=True)
class _Sides:
    """What falls into a cell."""

    logged: list[Entry] = field(default_factory=list)
    reported: list[Entry] = field(default_factory=list)
    billed: list[Cost] = field(default_factory=list)


def split_gap(logged: Iterable[Entry], official: Official, price_of: PriceOf) -> Split | None:
    """The gap between what the log costs and what the provider bills; None where costs were not asked for.

    Both sides are to be of the same whole UTC days.
    """
    if official.costs is None:
        return None
    logged = tuple(logged)
    sides = _cells(logged, official.usage, [cost for cost in official.costs if cost.currency.lower() == USD])
    cells = tuple(_cell(*of, sides[of], price_of) for of in sorted(sides, key=lambda of: (of[0], of[1] or "")))
    unknown = priced([entry for entry in logged if entry.cost is None], price_of)
    return Split(
        cells=cells,
        local=added(cell.local for cell in cells),
        official=added(cell.official for cell in cells),
        gap=Gap(**{term: added(getattr(cell.gap, term) for cell in cells) for term in Gap.__slots__}),
        unpriced=unknown.unpriced,
        source=priced((*logged, *official.usage), price_of).source,
        foreign=_foreign(official.costs),
    )


def _cells(
    logged: Iterable[Entry], reported: Iterable[Entry], billed: Iterable[Cost]
) -> dict[tuple[int, str | None], _Sides]:
    sides: dict[tuple[int, str | None], _Sides] = defaultdict(_Sides)
    for entry in logged:
        sides[_of(entry)].logged.append(entry)
    for entry in reported:
        sides[_of(entry)].reported.append(entry)
    families = {model for _, model in sides if model}
    for cost in billed:
        item = line_item(cost, families)
        sides[cost.day, family(item.model) if item else None].billed.append(cost)
    return sides


def _of(entry: Entry) -> tuple[int, str | None]:
    return entry.start - entry.start % DAY, family(entry.who.model) if entry.who.model else None


def _cell(day: int, model: str | None, sides: _Sides, price_of: PriceOf) -> Cell:
    written = [entry for entry in sides.logged if entry.cost is not None]
    unwritten = priced([entry for entry in sides.logged if entry.cost is None], price_of)
    local = added([unwritten.usd, *(entry.cost for entry in written if entry.cost is not None)])
    official = added(cost.amount for cost in sides.billed)
    gap = less(local, official)
    at_list = priced((*sides.logged, *sides.reported), price_of)
    tokens = model is not None and any(any(entry.tokens.parts) for entry in (*sides.logged, *sides.reported))
    return Cell(
        day=day,
        model=model,
        local=local,
        official=official,
        local_tokens=total_tokens(sides.logged),
        official_tokens=total_tokens(sides.reported),
        gap=_terms(gap, sides, written, price_of) if tokens and not at_list.unpriced else Gap(unpriced=gap),
    )


def _terms(gap: Decimal, sides: _Sides, written: list[Entry], price_of: PriceOf) -> Gap:
    """Where all of the cell has a list price. What decimals cannot write out of two terms goes to the rounding."""
    quantity = _quantity(sides, price_of)
    logged_off_list = less(_written(written), priced(written, price_of).usd)
    billed_off_list = less(priced(sides.reported, price_of).usd, added(cost.amount for cost in sides.billed))
    rounded = added(
        [
            _if_rounding(logged_off_list, [(entry.cost or NOTHING, entry.requests) for entry in written]),
            _if_rounding(billed_off_list, [(cost.amount, 1) for cost in sides.billed]),
        ]
    )
    price = decimal_of(Fraction(gap) - quantity - Fraction(rounded))
    told = decimal_of(quantity)
    return Gap(quantity=told, price=price, rounding=less(gap, added([told, price])))


def _quantity(sides: _Sides, price_of: PriceOf) -> Fraction:
    """The tokens that only one side has, each part at its mean list price on the provider's side."""
    reported, logged = total_tokens(sides.reported), total_tokens(sides.logged)
    means = zip(_means(sides.reported, price_of), _means(sides.logged, price_of), strict=True)
    differing = (logged - reported).parts
    return sum(
        (
            count * (mean if mean is not None else own or ZERO)
            for count, (mean, own) in zip(differing, means, strict=True)
        ),
        ZERO,
    )


def _means(entries: Iterable[Entry], price_of: PriceOf) -> list[Fraction | None]:
    """Of each part of the tokens the mean list price; None where there are none of it."""
    counts, amounts = [0, 0, 0, 0], [ZERO] * 4
    for entry in entries:
        prices = price_of(entry)
        if prices is None:
            continue
        for part, (rate, count) in enumerate(zip(prices.rates, entry.tokens.parts, strict=True)):
            counts[part] += count
            amounts[part] += Fraction(times(rate, count))
    return [amount / count if count else None for amount, count in zip(amounts, counts, strict=True)]


def _written(entries: Iterable[Entry]) -> Decimal:
    return added(entry.cost for entry in entries if entry.cost is not None)


def _if_rounding(difference: Decimal, amounts: Iterable[tuple[Decimal, int]]) -> Decimal:
    """The difference, if rounding can have made it where each amount is the sum of so many that were rounded."""
    most = sum((max(count, 1) * ROUNDED + abs(Fraction(amount)) * DOUBLE for amount, count in amounts if amount), ZERO)
    return difference if abs(Fraction(difference)) <= most else NOTHING


def _foreign(costs: Iterable[Cost]) -> dict[str, Decimal]:
    sums: dict[str, list[Decimal]] = defaultdict(list)
    for cost in costs:
        if cost.currency.lower() != USD:
            sums[cost.currency].append(cost.amount)
    return {currency: added(amounts) for currency, amounts in sorted(sums.items())}
