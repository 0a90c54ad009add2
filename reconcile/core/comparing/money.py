"""What usage comes to at list prices: an estimate, with the part of it that no list price is known for set apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconcile.core.comparing.exact import added
from reconcile.core.comparing.sides import Dimensions, Entry, PriceOf, Tokens
from reconcile.core.model import SNAPSHOT

UNNAMED = "a model that is not named"
STANDARD = (None, "default", "standard", "auto")
"""Service tiers at the ordinary price. `auto` is what a request asks for, and so says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """USD for what has a price, and the tokens of what has none. Unpriced is not zero: it is not known."""

    usd: Decimal
    unpriced: Mapping[str, Tokens]
    """By model, as `named` has it."""
    source: str
    """Whose prices were taken: `genai-prices 0.2.3`. Empty where none was."""


def priced(entries: Iterable[Entry], price_of: PriceOf) -> Amount:
    """The entries at list prices, whatever a log wrote beside them."""
    amounts: list[Decimal] = []
    unpriced: dict[str, Tokens] = {}
    sources: set[str] = set()
    for entry in entries:
        if not any(entry.tokens.parts):
            continue
        prices = price_of(entry)
        if prices is None:
            name = named(entry.who)
            unpriced[name] = unpriced.get(name, Tokens()) + entry.tokens
        else:
            amounts.append(prices.of(entry.tokens))
            sources.add(prices.source)
    return Amount(usd=added(amounts), unpriced=unpriced, source=", ".join(sorted(sources)))


def named(who: Dimensions) -> str:
    """The model with what else its price hangs on: a batch or a tier may have no price where the model has one."""
    return ", ".join([who.model or UNNAMED, *kind_of_service(who)])


def kind_of_service(who: Dimensions) -> list[str]:
    """`batch`, or the tier, where the price is not the ordinary one."""
    batch = ["batch"] if who.batch else []
    return batch + ([who.service_tier] if who.service_tier and who.service_tier.lower() not in STANDARD else [])


def family(model: str) -> str:
    """The model without the date of its snapshot: a log may say gpt-4o-mini where the provider says which."""
    return re.sub(f"{SNAPSHOT}$", "", model)
