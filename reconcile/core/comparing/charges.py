"""Charge-back: one total by framework, model, project, key or label, with a row for what has no label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from reconcile.core.comparing.charging import PriceList
from reconcile.core.comparing.charging import charged as cost_of
from reconcile.core.comparing.exact import added
from reconcile.core.comparing.labels import Labels
from reconcile.core.comparing.line_items import line_item
from reconcile.core.comparing.sides import LOGGED_GRAIN, Cost, Dimensions, Entry, PriceOf, Tokens
from reconcile.core.model import Bucket

NO_TOKENS = Tokens()

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
    """The usage of a reconciled run by minute rows, such as its evidence holds. It does not tell cache writes apart."""
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
                uncached=row.usage.tokens_in - row.usage.cached_tokens,
                cache_read=row.usage.cached_tokens,
                output=row.usage.tokens_out,
            ),
            requests=row.usage.api_calls,
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
        tokens=_sum(item.tokens for item in items),
        requests=sum(item.requests for item in items),
        unpriced=_sum(item.tokens for item in items if item.usd is None),
    )


def _sum(all_tokens: Iterable[Tokens]) -> Tokens:
    total = NO_TOKENS
    for tokens in all_tokens:
        total += tokens
    return total
