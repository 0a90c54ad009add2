"""Who pays for usage: one total by framework, model, project, key or label, with a row for what has no label.

What a log comes to in money is what it wrote itself, else tokens times list price; what has no price is told apart.
Labels are the names that reconcile.yml gives to frameworks, keys and projects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from reconcile.money.entry import LOGGED_GRAIN, Cost, Dimensions, Entry, PriceOf, Prices, total_tokens
from reconcile.money.exact import added
from reconcile.money.prices import line_item
from reconcile.usage import NO_TOKENS, Bucket, Tokens, sum_of


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


def cost_of(entry: Entry, prices: PriceList | None) -> Decimal | None:
    """What the log says that an entry cost, and where it says nothing, its list price."""
    if entry.cost is not None:
        return entry.cost
    return prices.listed(entry) if prices else None


def charges(entries: Iterable[Entry], prices: PriceList | None) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    known = [amount for entry in entries if (amount := cost_of(entry, prices)) is not None]
    return added(known) if known else None


def sources(entries: Iterable[Entry], price_of: PriceOf | None) -> tuple[str, ...]:
    """Where the prices come from of what the log wrote no amounts for."""
    asked = (price_of(entry) for entry in entries if entry.cost is None) if price_of else ()
    return tuple(sorted({prices.source for prices in asked if prices is not None}))


def unpriced(entries: Iterable[Entry], prices: PriceList | None) -> tuple[Unpriced, ...]:
    """Usage without an amount, model by model, the most tokens first."""
    models: dict[str | None, list[Entry]] = {}
    for entry in entries:
        if entry.tokens.total and cost_of(entry, prices) is None:
            models.setdefault(entry.who.model, []).append(entry)
    found = [
        Unpriced(model=model, requests=sum(entry.requests for entry in of), tokens=total_tokens(of))
        for model, of in models.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.tokens.total, each.model or "")))


Given: TypeAlias = Mapping[str, Mapping[str, str]]
"""By framework, key or project: its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Who pays, from `labels:` of reconcile.yml. A key's label counts before its framework's, and that before its
    project's."""

    frameworks: Given = field(default_factory=dict)
    api_key_ids: Given = field(default_factory=dict)
    project_ids: Given = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every label that something has: `team`, `department`."""
        given = (self.frameworks, self.api_key_ids, self.project_ids)
        return tuple(sorted({name for each in given for labels in each.values() for name in labels}))

    def of(self, who: Dimensions, label: str) -> str | None:
        sources = (
            (self.api_key_ids, who.api_key_id),
            (self.frameworks, who.framework),
            (self.project_ids, who.project_id),
        )
        found = (given[name].get(label) for given, name in sources if name is not None and name in given)
        return next((value for value in found if value is not None), None)


BY = ("framework", "model", "project", "key")
"""What can be charged by without labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something to be charged to somebody. `usd` is None where its price is not known."""

    who: Dimensions
    usd: Decimal | None
    tokens: Tokens = NO_TOKENS
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A row: what one name has to pay. `name` is None for what cannot be said to be anybody's: unlabelled."""

    name: str | None
    usd: Decimal
    tokens: Tokens
    """All of them; none where the items are lines of a bill."""
    requests: int
    unpriced: Tokens
    """Those of them that are in no amount."""


def charge_back(items: Iterable[Item], labels: Labels, by: str) -> tuple[Charge, ...]:
    """The items by one of `BY` or by a label: dearest first, what nobody is named for last. Rows sum to the total.

    The row of what nobody is named for is there wherever anything is, an amount of zero included.
    """
    shares: dict[str | None, list[Item]] = {}
    for item in items:
        shares.setdefault(_name(item.who, labels, by), []).append(item)
    rows = [_charge(name, share) for name, share in shares.items()]
    return tuple(sorted(rows, key=lambda row: (row.name is None, -row.usd, row.name or "")))


def charged(items: Iterable[Item]) -> Charge:
    """All of it as one row: what the rows of any charge-back sum to."""
    return _charge(None, list(items))


def items_of_usage(entries: Iterable[Entry], price_of: PriceOf) -> tuple[Item, ...]:
    """Usage at the cost that its log wrote, else at list prices."""
    prices = PriceList(price_of)
    return tuple(
        Item(who=entry.who, usd=cost_of(entry, prices), tokens=entry.tokens, requests=entry.requests)
        for entry in entries
    )


def items_of_costs(costs: Iterable[Cost], families: Iterable[str] = ()) -> tuple[Item, ...]:
    """Lines of the provider's bill, which are to be in one currency. They know no framework, and no key before
    KEYS_SINCE. `families`: as for `line_item`."""
    known = frozenset(families)
    return tuple(Item(who=_payer(cost, known), usd=cost.amount) for cost in costs)


def entries_of_run(framework: str, rows: Iterable[Bucket]) -> tuple[Entry, ...]:
    """The usage of a reconciled run by minute rows, such as its evidence holds."""
    return tuple(
        Entry(
            start=row.minute - row.minute % LOGGED_GRAIN,
            who=Dimensions(
                model=row.model,
                api_key_id=row.api_key_id,
                project_id=row.project_id,
                framework=framework,
                batch=row.batch,
                service_tier=row.service_tier,
            ),
            tokens=Tokens(
                uncached=row.usage.tokens_in - row.usage.cached_tokens - (row.cache_write or 0),
                cache_read=row.usage.cached_tokens,
                cache_write=row.cache_write or 0,
                output=row.usage.tokens_out,
            ),
            requests=row.usage.api_calls,
            writes_told=row.cache_write is not None,
        )
        for row in rows
    )


def _payer(cost: Cost, families: frozenset[str]) -> Dimensions:
    item = line_item(cost, families)
    return Dimensions(model=item.model if item else None, project_id=cost.project_id, api_key_id=cost.api_key_id)


def _name(who: Dimensions, labels: Labels, by: str) -> str | None:
    match by:
        case "framework":
            return who.framework
        case "model":
            return who.model
        case "project":
            return who.project_id
        case "key":
            return who.api_key_id
        case _:
            return labels.of(who, by)


def _charge(name: str | None, items: list[Item]) -> Charge:
    return Charge(
        name=name,
        usd=added(item.usd for item in items if item.usd is not None),
        tokens=sum_of(item.tokens for item in items),
        requests=sum(item.requests for item in items),
        unpriced=sum_of(item.tokens for item in items if item.usd is None),
    )
