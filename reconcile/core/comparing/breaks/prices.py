"""The gap in money, once tokens are equal: what the log priced otherwise, has no price for, or was not billed.

Log's cost - bill = (log's cost - list price of its tokens) + (its tokens - the provider's, at list price)
+ (list price of the provider's tokens - bill). Each reason is a part of one of these, and the parts add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconcile.core.comparing.amounts import NONE, WIDE, exactly, less
from reconcile.core.comparing.charging import at, charged, listed
from reconcile.core.comparing.cutting import Cut
from reconcile.core.comparing.sides import Entry, PriceOf, Tokens

STANDARD_TIERS = {None, "auto", "default", "standard"}

CLOSE = Decimal("0.02")
"""Of an amount: what may be off for it to be called half of another, or its hundredfold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Parts of the gap, USD; above zero where they make the log's cost higher."""

    quantity: Decimal = NONE
    batch: Decimal = NONE
    tier: Decimal = NONE
    cached: Decimal = NONE
    """Cached tokens that the log does not tell apart and prices like others."""
    own: Decimal = NONE
    """The log's own amounts against list price."""
    unit: bool = False
    """Whether these are off by a power of ten: another unit."""
    above_list: Decimal = NONE
    """Billed above list price: below zero."""
    below_list: Decimal = NONE
    unpriced: Decimal = NONE
    """Billed for models without a price: below zero."""
    nameless: tuple[str, ...] = ()
    """These models."""


def effects(cut: Cut, price_of: PriceOf) -> Effects:
    """The parts of the gap over the closed days."""
    local = [entry for entry in cut.local if entry.start < cut.costs_until]
    official = [entry for entry in cut.official if entry.start < cut.costs_until]
    nameless = {entry.who.model for entry in (*local, *official) if listed(entry, price_of) is None}
    unknown = {entry.who.model for entry in local if entry.tokens.total and charged(entry, price_of) is None}
    ours = [entry for entry in local if entry.who.model not in nameless]
    theirs = [entry for entry in official if entry.who.model not in nameless]
    bills = _bills(cut)
    unpriced = WIDE.minus(exactly(bills.get(model, NONE) for model in unknown))
    flags = [
        less(_priced_otherwise(theirs, how, price_of), _priced_otherwise(ours, how, price_of))
        for how in (_as_standard, _as_default_tier)
    ]
    cached = NONE if any(entry.tokens.cache_read for entry in ours) else _cached_at_full_price(theirs, price_of)
    own = exactly(less(entry.cost, _list(entry, price_of)) for entry in ours if entry.cost is not None)
    own, batch, tier, cached = _netted(own, flags[0], flags[1], cached)
    own, batch = _moved(own, batch, _otherwise_and_written(ours, _as_standard, price_of))
    own, tier = _moved(own, tier, _otherwise_and_written(ours, _as_default_tier, price_of))
    rest = _against_list(theirs, bills, nameless, price_of)
    batch, tier = exactly((batch, rest.batch)), exactly((tier, rest.tier))
    gap = less(exactly(charged(entry, price_of) or NONE for entry in local), exactly(bills.values()))
    named = (batch, tier, cached, own, rest.above_list, rest.below_list, rest.unpriced, unpriced)
    return Effects(
        quantity=less(gap, exactly(named)),
        batch=batch,
        tier=tier,
        cached=cached,
        own=own,
        unit=_is_unit(ours, price_of),
        above_list=rest.above_list,
        below_list=rest.below_list,
        unpriced=exactly((unpriced, rest.unpriced)),
        nameless=tuple(sorted(model or "calls without a model" for model in nameless)),
    )


def _list(entry: Entry, price_of: PriceOf) -> Decimal:
    return listed(entry, price_of) or NONE


def _bills(cut: Cut) -> dict[str | None, Decimal]:
    amounts: dict[str | None, list[Decimal]] = {}
    for cost in cut.costs or ():
        amounts.setdefault(cut.models.billed(cost), []).append(cost.amount)
    return {model: exactly(of) for model, of in amounts.items()}


How = Callable[[Entry], Entry | None]
"""An entry as it would be priced by somebody who overlooks something; None where there is nothing to overlook."""


def _as_standard(entry: Entry) -> Entry | None:
    return replace(entry, who=replace(entry.who, batch=False)) if entry.who.batch else None


def _as_default_tier(entry: Entry) -> Entry | None:
    special = entry.who.service_tier not in STANDARD_TIERS
    return replace(entry, who=replace(entry.who, service_tier=None)) if special else None


def _priced_otherwise(entries: Iterable[Entry], how: How, price_of: PriceOf) -> Decimal:
    """How much more the entries would cost if it were overlooked."""
    changed = [(other, entry) for entry in entries if (other := how(entry)) is not None]
    return exactly(less(_list(other, price_of), _list(entry, price_of)) for other, entry in changed)


def _otherwise_and_written(entries: Iterable[Entry], how: How, price_of: PriceOf) -> Decimal:
    return _priced_otherwise([entry for entry in entries if entry.cost is not None], how, price_of)


def _cached_at_full_price(entries: Iterable[Entry], price_of: PriceOf) -> Decimal:
    plain = [(entry, Tokens(entry.tokens.input, 0, 0, entry.tokens.output)) for entry in entries]
    priced = [(prices, entry, all_of) for entry, all_of in plain if (prices := price_of(entry)) is not None]
    return exactly(less(at(prices, all_of), at(prices, entry.tokens)) for prices, entry, all_of in priced)


def _netted(own: Decimal, *parts: Decimal) -> tuple[Decimal, ...]:
    """A log that wrote the right amounts beside flags it lacks priced nothing wrong: the two cancel."""
    kept = []
    for part in parts:
        opposed = (own < 0) != (part < 0)
        common = min(abs(own), abs(part)) if opposed else NONE
        own = exactly((own, common if own < 0 else -common))
        kept.append(exactly((part, common if part < 0 else -common)))
    return (own, *kept)


def _moved(own: Decimal, part: Decimal, overlooked: Decimal) -> tuple[Decimal, Decimal]:
    """Amounts that the log wrote as if it had overlooked what it says itself are of that kind."""
    same = (own < 0) == (overlooked < 0)
    moved = own if same and abs(own) < abs(overlooked) else overlooked if same else NONE
    return less(own, moved), exactly((part, moved))


def _is_unit(entries: Sequence[Entry], price_of: PriceOf) -> bool:
    """Cents or millionths for dollars."""
    written = exactly(entry.cost for entry in entries if entry.cost is not None)
    priced = exactly(_list(entry, price_of) for entry in entries if entry.cost is not None)
    factors = (Decimal(10) ** power for power in (2, 3, 6, -2, -3, -6))
    return any(
        priced and _close(written, WIDE.multiply(priced, factor)) for factor in factors
    )  # nothing is close to nothing


def _close(one: Decimal, other: Decimal) -> bool:
    return abs(less(one, other)) <= WIDE.multiply(abs(other), CLOSE)


def _against_list(
    entries: Iterable[Entry], bills: dict[str | None, Decimal], nameless: set[str | None], price_of: PriceOf
) -> Effects:
    """List price of the provider's own tokens less its bill, model by model, or together where no line names one."""
    groups: dict[str | None, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(None if None in bills else entry.who.model, []).append(entry)
    found = [
        _one_against_list(of, less(exactly(_list(entry, price_of) for entry in of), _billed(bills, model)), price_of)
        for model, of in groups.items()
    ]
    above = exactly(each.above_list for each in found)
    pooled = None in bills and bool(nameless)  # what has no price is on the bill with all else
    return Effects(
        batch=exactly(each.batch for each in found),
        tier=exactly(each.tier for each in found),
        above_list=NONE if pooled else above,
        unpriced=above if pooled else NONE,
        below_list=exactly(each.below_list for each in found),
    )


def _billed(bills: dict[str | None, Decimal], model: str | None) -> Decimal:
    return exactly(bills.values()) if model is None else bills.get(model, NONE)


def _one_against_list(entries: Sequence[Entry], rest: Decimal, price_of: PriceOf) -> Effects:
    """What is left may be the reduction of batch jobs, or the tier, where the price table knows neither."""
    batches = [entry for entry in entries if entry.who.batch]
    half = WIDE.divide(exactly(_list(entry, price_of) for entry in batches), Decimal(2))
    if half and not _priced_otherwise(batches, _as_standard, price_of) and _close(rest, half):
        return Effects(batch=rest)
    tiers = [entry for entry in entries if entry.who.service_tier not in STANDARD_TIERS]
    if tiers and not _priced_otherwise(tiers, _as_default_tier, price_of):
        return Effects(tier=rest)
    return Effects(below_list=rest) if rest > 0 else Effects(above_list=rest)
