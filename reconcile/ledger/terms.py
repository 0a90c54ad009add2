"""Why the local cost and the provider's differ: the gap between them by UTC day and model, in terms that sum to it.

quantity   tokens that one side has and the other has not, at the list prices of what the provider reports
unpriced   all of the gap where a list price is not known, or a cost is not of a model's tokens
rounding   a difference from list prices that writing each amount to six decimals can have made
price      the rest: one side charged other prices than the list

Snapshots of a model are taken together. Costs are local minus official throughout, like every difference of a
comparison.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from reconcile.ledger.cut import DOLLAR
from reconcile.money.entry import DAY, Cost, Entry, Official, PriceOf, Prices, total_tokens
from reconcile.money.exact import NOTHING, added, decimal_of, less, times
from reconcile.money.prices import AtList, at_list, line_item
from reconcile.usage import Tokens, family


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

    written: list[Entry] = field(default_factory=list)
    """Of the log, with a cost of its own."""
    unwritten: list[Entry] = field(default_factory=list)
    reported: list[Entry] = field(default_factory=list)
    billed: list[Cost] = field(default_factory=list)


def split_gap(logged: Iterable[Entry], official: Official, price_of: PriceOf) -> Split | None:
    """The gap between what the log costs and what the provider bills; None where costs were not asked for.

    Both sides are to be of the same whole UTC days.
    """
    if official.costs is None:
        return None
    sides = _cells(logged, official.usage, [cost for cost in official.costs if cost.currency.lower() == DOLLAR])
    found = [_cell(*of, sides[of], price_of) for of in sorted(sides, key=lambda of: (of[0], of[1] or ""))]
    cells = tuple(cell for cell, _ in found)
    unpriced: dict[str, Tokens] = {}
    for name, tokens in (each for _, listed in found for each in listed.unwritten.unpriced.items()):
        unpriced[name] = unpriced.get(name, Tokens()) + tokens
    return Split(
        cells=cells,
        local=added(cell.local for cell in cells),
        official=added(cell.official for cell in cells),
        gap=Gap(**{term: added(getattr(cell.gap, term) for cell in cells) for term in Gap.__slots__}),
        unpriced=unpriced,
        source=", ".join(sorted({prices.source for _, listed in found for prices in listed.prices})),
        foreign=_foreign(official.costs),
    )


def _cells(
    logged: Iterable[Entry], reported: Iterable[Entry], billed: Iterable[Cost]
) -> dict[tuple[int, str | None], _Sides]:
    sides: dict[tuple[int, str | None], _Sides] = defaultdict(_Sides)
    for entry in logged:
        of = sides[_of(entry)]
        (of.unwritten if entry.cost is None else of.written).append(entry)
    for entry in reported:
        sides[_of(entry)].reported.append(entry)
    families = {model for _, model in sides if model}
    for cost in billed:
        item = line_item(cost, families)
        sides[cost.day, family(item.model) if item else None].billed.append(cost)
    return sides


def _of(entry: Entry) -> tuple[int, str | None]:
    return entry.start - entry.start % DAY, family(entry.who.model) if entry.who.model else None


def _cell(day: int, model: str | None, sides: _Sides, price_of: PriceOf) -> tuple[Cell, ListedTerms]:
    listed = ListedTerms(
        written=at_list(sides.written, price_of),
        unwritten=at_list(sides.unwritten, price_of),
        reported=at_list(sides.reported, price_of),
    )
    costs = [(entry.cost, max(entry.requests, 1)) for entry in sides.written if entry.cost is not None]
    written = Charged(usd=added(cost for cost, _ in costs), amounts=sum(requests for _, requests in costs))
    lines = [cost.amount for cost in sides.billed if cost.amount]
    billed = Charged(usd=added(lines), amounts=len(lines))
    terms = terms_of(listed, written, billed)
    cell = Cell(
        day=day,
        model=model,
        local=added([listed.unwritten.usd, written.usd]),
        official=billed.usd,
        local_tokens=total_tokens([*sides.written, *sides.unwritten]),
        official_tokens=total_tokens(sides.reported),
        gap=terms if model else Gap(unpriced=terms.total),
    )
    return cell, listed


def _foreign(costs: Iterable[Cost]) -> dict[str, Decimal]:
    sums: dict[str, list[Decimal]] = defaultdict(list)
    for cost in costs:
        if cost.currency.lower() != DOLLAR:
            sums[cost.currency].append(cost.amount)
    return {currency: added(amounts) for currency, amounts in sorted(sums.items())}


ZERO = Fraction(0)
ROUNDED = Fraction(1, 2_000_000)
"""USD that an amount may be off by being written to six decimals: half a unit of the last."""
DOUBLE = Fraction(1, 2**50)
"""What amounts that were computed in double precision may be off, of their size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTerms:
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


def terms_of(listed: ListedTerms, written: Charged, billed: Charged) -> Gap:
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


def _quantity(listed: ListedTerms) -> Fraction:
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
