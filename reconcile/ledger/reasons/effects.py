"""The gap in money, once tokens are equal: what the log priced otherwise, has no price for, or was not billed.

Log's cost - bill = (log's cost - list price of its tokens) + (its tokens - the provider's, at list price)
+ (list price of the provider's tokens - bill). Each reason is a part of one of these, and the parts add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconcile.ledger.cut import Cut
from reconcile.money.charges import PriceList, cost_of
from reconcile.money.entry import Entry
from reconcile.money.exact import EXACT, NOTHING, added, less, quotient
from reconcile.money.prices import is_special, named
from reconcile.usage import Tokens

FEW = Decimal("0.1")
"""Of the tokens that something is said of: a log may lack some lines of them like of all others."""

HALF = Decimal("0.5")

CLOSE = Decimal("0.02")
"""Of an amount: what may be off for it to be called half of another, or its hundredfold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Parts of the gap, USD; above zero where they make the log's cost higher."""

    quantity: Decimal = NOTHING
    batch: Decimal = NOTHING
    tier: Decimal = NOTHING
    requested: Decimal = NOTHING
    """Calls under a tier that the log tells and the provider does not: it was asked for, and not served."""
    cached: Decimal = NOTHING
    """Cached tokens that the log does not tell apart and prices like others."""
    own: Decimal = NOTHING
    """The log's own amounts against list price."""
    unit: bool = False
    """Whether these are off by a power of ten: another unit."""
    above_list: Decimal = NOTHING
    """Billed above list price: below zero."""
    below_list: Decimal = NOTHING
    unpriced: Decimal = NOTHING
    """Billed for what has no list price: below zero."""
    nameless: tuple[str, ...] = ()
    """Models, or what of them has none: `gpt-4o, flex`."""


def effects(cut: Cut, prices: PriceList, *, batches_logged: bool = True) -> Effects:
    """The parts of the gap over the closed days. Batch jobs that are not logged at all are a matter of quantity."""
    local = [entry for entry in cut.local if entry.start < cut.costs_until]
    official = [entry for entry in cut.official if entry.start < cut.costs_until]
    bills = _bills(cut)
    unlisted = [entry for entry in (*local, *official) if entry.tokens.total and prices.listed(entry) is None]
    priced = {entry.who.model for entry in (*local, *official) if prices.listed(entry) is not None}
    nameless = {entry.who.model for entry in unlisted} - priced
    unknown = {entry.who.model for entry in local if entry.tokens.total and cost_of(entry, prices) is None} - priced
    names = tuple(sorted({named(entry.who) for entry in unlisted}))
    known = [amount for entry in local if (amount := cost_of(entry, prices)) is not None]
    gap = less(added(known), added(bills.values()))
    if not known:
        return Effects(unpriced=gap, nameless=names)
    requested = _requested(local, official, prices)
    ours = [entry for entry in local if prices.listed(entry) is not None and not (requested and is_special(entry.who))]
    theirs = [entry for entry in official if prices.listed(entry) is not None]
    told = any(entry.tokens.cache_read for entry in local)
    flags = _flags(ours, theirs, prices, told=told, batches_logged=batches_logged)
    partly = {entry.who.model for entry in unlisted} & priced
    rest = _against_list(theirs, bills, nameless, partly, prices)
    batch, tier = added((flags.batch, rest.batch)), added((flags.tier, rest.tier))
    unpriced = added((rest.unpriced, EXACT.minus(added(bills.get(model, NOTHING) for model in unknown))))
    explained = (batch, tier, requested, flags.cached, flags.own, rest.above_list, rest.below_list, unpriced)
    quantity = less(gap, added(explained))
    whole = None in unknown  # no line says which model it is of
    return Effects(
        quantity=NOTHING if whole else quantity,
        batch=batch,
        tier=tier,
        requested=requested,
        cached=flags.cached,
        own=flags.own,
        unit=_is_unit(ours, prices),
        above_list=rest.above_list,
        below_list=rest.below_list,
        unpriced=added((unpriced, quantity)) if whole else unpriced,
        nameless=names,
    )


def _requested(local: Iterable[Entry], official: Iterable[Entry], prices: PriceList) -> Decimal:
    """What the log wrote for a tier, beyond the default's price, where the provider served hardly any of it."""
    reported = [entry for entry in official if entry.who.service_tier is not None]
    flagged = [entry for entry in local if is_special(entry.who)]
    served = sum(entry.tokens.total for entry in reported if is_special(entry.who))
    if not reported or served > FEW * sum(entry.tokens.total for entry in flagged):
        return NOTHING
    plain = [(entry, replace(entry, who=replace(entry.who, service_tier=None))) for entry in flagged]
    return added(
        less(amount, at_list)
        for entry, other in plain
        if (amount := cost_of(entry, prices)) is not None and (at_list := prices.listed(other)) is not None
    )


def _flags(
    ours: Sequence[Entry], theirs: Sequence[Entry], prices: PriceList, *, told: bool, batches_logged: bool
) -> Effects:
    """What the log's own amounts, and what it does not say of its calls, come to. `told`: cached tokens are."""
    cached = NOTHING if told else _cached_at_full_price(theirs, prices)
    flat = theirs if told else [replace(entry, tokens=_flat(entry.tokens)) for entry in theirs]
    batch = _unflagged(ours, flat, _as_standard, prices) if batches_logged else NOTHING
    tier = _unflagged(ours, flat, _as_default_tier, prices)
    own = added(less(entry.cost, _list(entry, prices)) for entry in ours if entry.cost is not None)
    own, batch, tier, cached = _netted(own, batch, tier, cached)
    own, batch = _moved(own, batch, _otherwise_and_written(ours, _as_standard, prices))
    own, tier = _moved(own, tier, _otherwise_and_written(ours, _as_default_tier, prices))
    return Effects(batch=batch, tier=tier, cached=cached, own=own)


def _list(entry: Entry, prices: PriceList) -> Decimal:
    return prices.listed(entry) or NOTHING


def _bills(cut: Cut) -> dict[str | None, Decimal]:
    amounts: dict[str | None, list[Decimal]] = {}
    for cost in cut.costs or ():
        amounts.setdefault(cut.models.billed(cost), []).append(cost.amount)
    return {model: added(of) for model, of in amounts.items()}


How = Callable[[Entry], Entry | None]
"""An entry as it would be priced by somebody who overlooks something; None where there is nothing to overlook."""


def _as_standard(entry: Entry) -> Entry | None:
    return replace(entry, who=replace(entry.who, batch=False)) if entry.who.batch else None


def _as_default_tier(entry: Entry) -> Entry | None:
    special = is_special(entry.who)
    return replace(entry, who=replace(entry.who, service_tier=None)) if special else None


def _priced_otherwise(entries: Iterable[Entry], how: How, prices: PriceList) -> Decimal:
    """How much more the entries would cost if it were overlooked."""
    changed = [(other, entry) for entry in entries if (other := how(entry)) is not None]
    return added(less(_list(other, prices), _list(entry, prices)) for other, entry in changed)


def _otherwise_and_written(entries: Iterable[Entry], how: How, prices: PriceList) -> Decimal:
    return _priced_otherwise([entry for entry in entries if entry.cost is not None], how, prices)


def _unflagged(ours: Iterable[Entry], theirs: Sequence[Entry], how: How, prices: PriceList) -> Decimal:
    """What overlooking it costs, as far as the log does not say it of as many of its tokens as the provider does."""
    told, total = _share(ours, how)
    flagged, reported = _share(theirs, how)
    lacking = EXACT.subtract(flagged * total, told * reported) if total else NOTHING
    if not flagged or lacking <= EXACT.multiply(FEW, flagged * total):
        return NOTHING
    whole = _priced_otherwise(theirs, how, prices)
    return whole if not told else quotient(EXACT.multiply(whole, lacking), flagged * total)


def _share(entries: Iterable[Entry], how: How) -> tuple[Decimal, Decimal]:
    """Tokens that it is said of, and all."""
    counted = [(entry.tokens.total, how(entry) is not None) for entry in entries]
    return Decimal(sum(count for count, said in counted if said)), Decimal(sum(count for count, _ in counted))


def _flat(tokens: Tokens) -> Tokens:
    """All input as uncached."""
    return Tokens(tokens.input, 0, 0, tokens.output)


def _cached_at_full_price(entries: Iterable[Entry], prices: PriceList) -> Decimal:
    found = [(rates, entry.tokens) for entry in entries if (rates := prices(entry)) is not None]
    return added(less(rates.of(_flat(tokens)), rates.of(tokens)) for rates, tokens in found)


def _netted(own: Decimal, *parts: Decimal) -> tuple[Decimal, ...]:
    """A log that wrote the right amounts beside flags it lacks priced nothing wrong: they cancel, and are none."""
    left = added((own, *parts))
    most = added(parts)
    if most and abs(left) <= abs(most) / 2:
        return (left, *(NOTHING for _ in parts))
    return (own, *parts)


def _moved(own: Decimal, part: Decimal, overlooked: Decimal) -> tuple[Decimal, Decimal]:
    """Amounts that the log wrote as if it had overlooked what it says itself are of that kind."""
    if overlooked and abs(less(own, overlooked)) <= abs(overlooked) / 2:
        return less(own, overlooked), added((part, overlooked))
    return own, part


def _is_unit(entries: Sequence[Entry], prices: PriceList) -> bool:
    """Cents or millionths for dollars."""
    written = added(entry.cost for entry in entries if entry.cost is not None)
    priced = added(_list(entry, prices) for entry in entries if entry.cost is not None)
    factors = (Decimal(10) ** power for power in (2, 3, 6, -2, -3, -6))
    return any(
        priced and _close(written, EXACT.multiply(priced, factor)) for factor in factors
    )  # nothing is close to nothing


def _close(one: Decimal, other: Decimal) -> bool:
    return abs(less(one, other)) <= EXACT.multiply(abs(other), CLOSE)


def _against_list(
    entries: Iterable[Entry],
    bills: dict[str | None, Decimal],
    nameless: set[str | None],
    partly: set[str | None],
    prices: PriceList,
) -> Effects:
    """List price of the provider's own tokens less its bill, model by model, or together where no line names one.

    Of models that are priced `partly`, that is what the rest of them costs.
    """
    groups: dict[str | None, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(None if None in bills else entry.who.model, []).append(entry)
    found = [
        Effects(unpriced=less(added(_list(entry, prices) for entry in of), _billed(bills, model)))
        if model in partly
        else _one_against_list(of, less(added(_list(entry, prices) for entry in of), _billed(bills, model)), prices)
        for model, of in groups.items()
    ]
    above = added(each.above_list for each in found)
    pooled = None in bills and bool(nameless)  # what has no price is on the bill with all else
    return Effects(
        batch=added(each.batch for each in found),
        tier=added(each.tier for each in found),
        above_list=NOTHING if pooled else above,
        unpriced=added((above if pooled else NOTHING, *(each.unpriced for each in found))),
        below_list=added(each.below_list for each in found),
    )


def _billed(bills: dict[str | None, Decimal], model: str | None) -> Decimal:
    return added(bills.values()) if model is None else bills.get(model, NOTHING)


def _one_against_list(entries: Sequence[Entry], rest: Decimal, prices: PriceList) -> Effects:
    """What is left may be the reduction of batch jobs, or the tier, where the price table knows neither."""
    batches = [entry for entry in entries if entry.who.batch]
    half = EXACT.multiply(added(_list(entry, prices) for entry in batches), HALF)
    if half and not _priced_otherwise(batches, _as_standard, prices) and _close(rest, half):
        return Effects(batch=rest)
    tiers = [entry for entry in entries if is_special(entry.who)]
    if tiers and not _priced_otherwise(tiers, _as_default_tier, prices):
        return Effects(tier=rest)
    return Effects(below_list=rest) if rest > 0 else Effects(above_list=rest)
