"""What usage comes to at list prices: an estimate, with the part of it that no list price is known for set apart.

Of a line of the provider's bill its name says what it is for, as far as it says that.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconcile.money.entry import Cost, Dimensions, Entry, PriceOf, Prices
from reconcile.money.exact import added, times
from reconcile.usage import Tokens, family, sum_of

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
    known: dict[Prices, list[Tokens]] = {}
    unknown: dict[str, list[Tokens]] = {}
    for entry in entries:
        if any(entry.tokens.counts):
            prices = price_of(entry)
            group = known.setdefault(prices, []) if prices else unknown.setdefault(named(entry.who), [])
            group.append(entry.tokens)
    return AtList(
        priced={prices: sum_of(group) for prices, group in known.items()},
        unpriced={name: sum_of(group) for name, group in unknown.items()},
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
    """The same but where a model charges for what is written to a cache, and the minutes of a run do not tell it."""

    def prices(entry: Entry) -> Prices | None:
        found = price_of(entry)
        return found if found and (entry.writes_told or not found.charges_for_writes) else None

    return prices


INPUT, CACHED_INPUT, OUTPUT = "input", "cached input", "output"
BILLED = (INPUT, CACHED_INPUT, OUTPUT)
"""Parts of a model's tokens that have a line each. Recorded amounts are the prices of just these: `input` is without
what was cached."""

PER_UNIT = {None: 1, "tokens": 1, "1000_tokens": 1000}
"""Tokens of a unit. Answers from before 2026-08 name none and count single tokens."""


@dataclass(frozen=True, slots=True)
class LineItem:
    """The model, and the part of its tokens where the line is of tokens."""

    model: str
    part: str | None = None


def line_item(cost: Cost, families: Container[str] = ()) -> LineItem | None:
    """What the line is for; None where that is no model: `<model snapshot>, input|cached input|output` is.

    `families`: of models that there is usage of. A line about one of them is the model's whatever it is for.
    """
    head, _, part = (cost.line_item or "").rpartition(", ")
    whole = head or part
    known = next((name for name in (whole, whole.split(" ", 1)[0]) if family(name) in families), None)
    if head and part in BILLED:
        return LineItem(known or head, part)
    return LineItem(known) if known else None


def billed_tokens(cost: Cost) -> Decimal | None:
    """How many tokens the line says it bills; None where it does not say so."""
    if cost.quantity is None or cost.quantity_unit not in PER_UNIT:
        return None
    return times(cost.quantity, PER_UNIT[cost.quantity_unit])


def as_billed(tokens: Tokens) -> dict[str, int]:
    """Tokens by the parts that a bill has lines for; what is written to the cache is input that was not cached."""
    return {INPUT: tokens.uncached + tokens.written, CACHED_INPUT: tokens.cache_read, OUTPUT: tokens.output}
