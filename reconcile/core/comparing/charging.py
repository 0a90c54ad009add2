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


def remembered(price_of: PriceOf) -> PriceOf:
    """The same prices, looked up once an entry: every sum and hypothesis asks for them again."""
    known: dict[Entry, Prices | None] = {}

    def prices(entry: Entry) -> Prices | None:
        if entry not in known:
            known[entry] = price_of(entry)
        return known[entry]

    return prices


def listed(entry: Entry, price_of: PriceOf | None) -> Decimal | None:
    """Tokens times list price; None where there is no price."""
    prices = price_of(entry) if price_of else None
    return prices.of(entry.tokens) if prices else None


def charged(entry: Entry, price_of: PriceOf | None) -> Decimal | None:
    """What the log says that an entry cost, and where it says nothing, its list price."""
    return entry.cost if entry.cost is not None else listed(entry, price_of)


def charges(entries: Iterable[Entry], price_of: PriceOf | None) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    known = [amount for entry in entries if (amount := charged(entry, price_of)) is not None]
    return added(known) if known else None


def sources(entries: Iterable[Entry], price_of: PriceOf | None) -> tuple[str, ...]:
    """Where the prices come from of what the log wrote no amounts for."""
    asked = (price_of(entry) for entry in entries if entry.cost is None) if price_of else ()
    return tuple(sorted({prices.source for prices in asked if prices is not None}))


def unpriced(entries: Iterable[Entry], price_of: PriceOf | None) -> tuple[Unpriced, ...]:
    """Usage without an amount, model by model, the most tokens first."""
    models: dict[str | None, list[Entry]] = {}
    for entry in entries:
        if entry.tokens.total and charged(entry, price_of) is None:
            models.setdefault(entry.who.model, []).append(entry)
    found = [
        Unpriced(model=model, requests=sum(entry.requests for entry in of), tokens=total_tokens(of))
        for model, of in models.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.tokens.total, each.model or "")))
