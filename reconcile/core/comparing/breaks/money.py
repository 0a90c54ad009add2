"""The reasons of a gap in money, from its parts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from reconcile.core.comparing.breaks.codes import Break, Code
from reconcile.core.comparing.breaks.prices import Effects, effects
from reconcile.core.comparing.charging import PriceList
from reconcile.core.comparing.cutting import Cut
from reconcile.core.comparing.exact import NOTHING, less, spelled_out
from reconcile.core.comparing.figures import Figures, Metric

PETTY = Decimal("0.001")
"""Of the bill: less than that is no reason to be named, but rounding."""

SHOWN = 3
"""How many models a sentence names."""


def money_breaks(
    cut: Cut, local: Figures, official: Figures, prices: PriceList | None, *, quantities: bool, batches_logged: bool
) -> tuple[Break, ...]:
    """The largest first. `quantities`: whether reasons were found for the tokens, which explain their price too."""
    if official.cost is None or (local.cost is None and prices is None):
        return ()
    gap = less(local.cost or NOTHING, official.cost)
    parts = effects(cut, prices, batches_logged=batches_logged) if prices else Effects(quantity=gap)
    found = [
        Break(
            code=code,
            metric=Metric.COST,
            local=local.cost,
            official=official.cost,
            explains=amount,
            arithmetic=f"{said}: {_signed(amount)} USD",
            remedy=remedy,
        )
        for code, amount, said, remedy in _reasons(parts, quantities=quantities)
        if abs(amount) > PETTY * abs(official.cost)
    ]
    last = (Code.UNEXPLAINED,)
    return tuple(sorted(found, key=lambda each: (each.code in last, -abs(Decimal(each.explains)))))


def _reasons(parts: Effects, *, quantities: bool) -> Iterable[tuple[Code, Decimal, str, str]]:
    yield (
        Code.BATCH_PRICE,
        parts.batch,
        "the log seems to price batch jobs like other calls, and they are billed at the batch price",
        "log which calls are batch jobs, and price them so",
    )
    yield (
        Code.TIER_PRICE,
        parts.tier,
        "the log seems to price calls of another service tier like the default tier's",
        "log the service tier of the answer, and price by it",
    )
    yield (
        Code.TIER_REQUESTED,
        parts.requested,
        "the log prices calls by a service tier that the provider does not report: it was asked for, and not served",
        "log the service tier of the answer, not that of the request",
    )
    own = "the log's own amounts differ from its tokens times list price"
    if parts.unit:
        yield Code.UNITS, parts.own, f"{own} by a power of ten", "state the unit of the log's amounts: USD or cents"
    else:
        yield Code.PRICE_TABLE, parts.own, own, "compare the prices that the log was written with to the price list"
    yield (
        Code.PRICE_TABLE,
        parts.cached,
        "the log does not tell cached tokens apart, so that they are priced as uncached ones",
        "log cached tokens too",
    )
    yield (
        Code.PRICE_TABLE,
        parts.above_list,
        "the bill is above list price",
        "look for a newer price list: prices may have changed",
    )
    yield (
        Code.UNPRICED_MODEL,
        parts.unpriced,
        f"no price is known for {_unpriced(parts)}, so that the log's cost lacks it",
        "update the price list, or state the price of this model",
    )
    yield (
        Code.CREDITS_OR_FREE_USAGE,
        parts.below_list,
        "the bill is below list price, and nothing else explains it",
        "look for free tokens (data sharing), credits or a negotiated price in the provider's console",
    )
    if not quantities:
        said = "the cost of other tokens, or of the same under another model's price"
        yield Code.UNEXPLAINED, parts.quantity, said, "compare both sides by model (--by model)"


def _unpriced(parts: Effects) -> str:
    more = f" and {len(parts.nameless) - SHOWN:,} more" if len(parts.nameless) > SHOWN else ""
    return "; ".join(parts.nameless[:SHOWN]) + more


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{spelled_out(amount)}"
