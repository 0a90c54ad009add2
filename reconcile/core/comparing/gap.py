"""Why the local cost and the provider's differ: the gap between them by UTC day and model, in terms that sum to it.

Snapshots of a model are taken together. Costs are local minus official throughout, like every difference of a
comparison. What the terms mean stands in `terms.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconcile.core.comparing.exact import added
from reconcile.core.comparing.line_items import line_item
from reconcile.core.comparing.money import at_list, family
from reconcile.core.comparing.sides import DAY, Cost, Entry, Official, PriceOf, Tokens, total_tokens
from reconcile.core.comparing.terms import Charged, Gap, Listed, terms_of

USD = "usd"


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
    sides = _cells(logged, official.usage, [cost for cost in official.costs if cost.currency.lower() == USD])
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


def _cell(day: int, model: str | None, sides: _Sides, price_of: PriceOf) -> tuple[Cell, Listed]:
    listed = Listed(
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
        if cost.currency.lower() != USD:
            sums[cost.currency].append(cost.amount)
    return {currency: added(amounts) for currency, amounts in sorted(sums.items())}
