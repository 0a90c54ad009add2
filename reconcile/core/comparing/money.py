"""What usage comes to at list prices: an estimate, with the part of it that no list price is known for set apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from reconcile.core.comparing.exact import added
from reconcile.core.comparing.sides import Dimensions, Entry, PriceOf, Prices, Tokens
from reconcile.core.model import SNAPSHOT

UNNAMED = "a model that is not named"
STANDARD = ("default", "standard", "auto")
"""Service tiers at the ordinary price. `auto` is what a request asks for, and so says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtList:
    """Tokens of entries by their prices: the same amount as entry by entry, for a fraction of the work."""

    priced: Mapping[Prices, Tokens]
    unpriced: Mapping[str, Tokens]
    """By model, as `named` has it."""

    @property
    def usd(self) -> Decimal:
        return added(prices.of(tokens) for prices, tokens in self.priced.items())

    @property
    def source(self) -> str:
        return ", ".join(sorted({prices.source for prices in self.priced}))


def at_list(entries: Iterable[Entry], price_of: PriceOf) -> AtList:
    """The entries at list prices, whatever a log wrote beside them. What has no tokens needs no price."""
    known: dict[Prices, list[int]] = {}
    unknown: dict[str, list[int]] = {}
    for entry in entries:
        parts = entry.tokens.parts
        if any(parts):
            prices = price_of(entry)
            sums = known.setdefault(prices, [0] * 4) if prices else unknown.setdefault(named(entry.who), [0] * 4)
            for part, count in enumerate(parts):
                sums[part] += count
    return AtList(
        priced={prices: Tokens(*sums) for prices, sums in known.items()},
        unpriced={name: Tokens(*sums) for name, sums in unknown.items()},
    )


def named(who: Dimensions) -> str:
    """The model with what else its price hangs on: a batch or a tier may have no price where the model has one."""
    return ", ".join([who.model or UNNAMED, *kind_of_service(who)])


def kind_of_service(who: Dimensions) -> list[str]:
    """`batch`, or the tier, where the price is not the ordinary one."""
    batch = ["batch"] if who.batch else []
    return batch + ([who.service_tier] if who.service_tier and is_special(who) else [])


def is_special(who: Dimensions) -> bool:
    """Whether it is of another service tier than the ordinary one."""
    return (who.service_tier or "default").lower() not in STANDARD


def prices_of_minutes(price_of: PriceOf) -> PriceOf:
    """The same but for models that charge for what is written to the cache, which minutes of runs do not tell apart."""

    def prices(entry: Entry) -> Prices | None:
        found = price_of(entry)
        return found if found and found.cache_write == found.uncached else None

    return prices


@lru_cache(maxsize=1024)
def family(model: str) -> str:
    """The model without the date of its snapshot: a log may say gpt-4o-mini where the provider says which."""
    return re.sub(f"{SNAPSHOT}$", "", model)
