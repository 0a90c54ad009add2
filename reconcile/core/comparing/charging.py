"""What the log comes to in money: what it wrote itself, else tokens times list price; and what has no price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconcile.core.comparing.exact import added
from reconcile.core.comparing.sides import Entry, PriceOf, Prices, Tokens, total_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Usage of a model that no amount is known for: it is in no sum of money, and not zero."""

    model: str | None
    requests: int
    tokens: Tokens


class PriceList:
    """Prices looked up, and amounts multiplied, once an entry: every sum and hypothesis asks for them again."""

    def __init__(self, price_of: PriceOf) -> None:
        self._price_of = price_of
        self._known: dict[int, tuple[Entry, Prices | None, Decimal | None]] = {}
        """By the entry's id, which the entry beside it keeps from being another's."""

    def __call__(self, entry: Entry) -> Prices | None:
        return self._looked_up(entry)[1]

    def listed(self, entry: Entry) -> Decimal | None:
        """Tokens times list price; None where there is no price."""
        return self._looked_up(entry)[2]

    def _looked_up(self, entry: Entry) -> tuple[Entry, Prices | None, Decimal | None]:
        known = self._known.get(id(entry))
        if known is None:
            prices = self._price_of(entry)
            known = self._known[id(entry)] = (entry, prices, prices.of(entry.tokens) if prices else None)
        return known


def charged(entry: Entry, prices: PriceList | None) -> Decimal | None:
    """What the log says that an entry cost, and where it says nothing, its list price."""
    if entry.cost is not None:
        return entry.cost
    return prices.listed(entry) if prices else None


def charges(entries: Iterable[Entry], prices: PriceList | None) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    known = [amount for entry in entries if (amount := charged(entry, prices)) is not None]
    return added(known) if known else None


def sources(entries: Iterable[Entry], price_of: PriceOf | None) -> tuple[str, ...]:
    """Where the prices come from of what the log wrote no amounts for."""
    asked = (price_of(entry) for entry in entries if entry.cost is None) if price_of else ()
    return tuple(sorted({prices.source for prices in asked if prices is not None}))


def unpriced(entries: Iterable[Entry], prices: PriceList | None) -> tuple[Unpriced, ...]:
    """Usage without an amount, model by model, the most tokens first."""
    models: dict[str | None, list[Entry]] = {}
    for entry in entries:
        if entry.tokens.total and charged(entry, prices) is None:
            models.setdefault(entry.who.model, []).append(entry)
    found = [
        Unpriced(model=model, requests=sum(entry.requests for entry in of), tokens=total_tokens(of))
        for model, of in models.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.tokens.total, each.model or "")))
