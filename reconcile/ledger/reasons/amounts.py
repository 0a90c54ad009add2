"""The reasons of a gap in money, from its parts; and what shows only line by line.

That is one line that is far too large, and calls that were made again after a time-out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import comb
from statistics import median
from typing import TypeAlias

from reconcile.ledger.cut import Cut
from reconcile.ledger.figures import Figures, Metric
from reconcile.ledger.reasons.codes import Break, BreakCode, Hypotheses, Hypothesis, hour_text
from reconcile.ledger.reasons.effects import Effects, effects
from reconcile.ledger.reasons.view import READ, REQUESTS, TOKENS, UNCACHED, WRITE, View, ViewRow
from reconcile.money.charges import PriceList
from reconcile.money.entry import HOUR
from reconcile.money.exact import NOTHING, less, spelled_out
from reconcile.words import plural

PETTY = Decimal("0.001")
"""Of the bill: less than that is no reason to be named, but rounding."""

SHOWN = 3
"""How many models a sentence names."""


MoneyReason: TypeAlias = tuple[BreakCode, Decimal, str, str]
"""What is wrong, the USD that it explains, the sentence and the remedy."""


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
    last = (BreakCode.UNEXPLAINED,)
    return tuple(sorted(found, key=lambda each: (each.code in last, -abs(Decimal(each.explains)))))


def _reasons(parts: Effects, *, quantities: bool) -> Iterable[MoneyReason]:
    """What each part of the gap says, and what would help. Parts of nothing are among them."""
    yield from _of_another_kind(parts)
    yield _of_own_amounts(parts)
    yield (
        BreakCode.PRICE_TABLE,
        parts.cached,
        "the log does not tell cached tokens apart, so that they are priced as uncached ones",
        "log cached tokens too",
    )
    yield (
        BreakCode.PRICE_TABLE,
        parts.above_list,
        "the bill is above list price",
        "look for a newer price list: prices may have changed",
    )
    yield (
        BreakCode.UNPRICED_MODEL,
        parts.unpriced,
        f"no price is known for {_unpriced(parts)}, so that the log's cost lacks it",
        "update the price list, or state the price of this model",
    )
    yield (
        BreakCode.CREDITS_OR_FREE_USAGE,
        parts.below_list,
        "the bill is below list price, and nothing else explains it",
        "look for free tokens (data sharing), credits or a negotiated price in the provider's console",
    )
    if not quantities:
        said = "the cost of other tokens, or of the same under another model's price"
        yield BreakCode.UNEXPLAINED, parts.quantity, said, "compare both sides by model (--by model)"


def _of_another_kind(parts: Effects) -> Iterable[MoneyReason]:
    """Calls that the log prices as those of another batch or tier."""
    yield (
        BreakCode.BATCH_PRICE,
        parts.batch,
        "the log seems to price batch jobs like other calls, and they are billed at the batch price",
        "log which calls are batch jobs, and price them so",
    )
    yield (
        BreakCode.TIER_PRICE,
        parts.tier,
        "the log seems to price calls of another service tier like the default tier's",
        "log the service tier of the answer, and price by it",
    )
    yield (
        BreakCode.TIER_REQUESTED,
        parts.requested,
        "the log prices calls by a service tier that the provider does not report: it was asked for, and not served",
        "log the service tier of the answer, not that of the request",
    )


def _of_own_amounts(parts: Effects) -> MoneyReason:
    """Amounts that the log wrote itself: in another unit, or by other prices."""
    said = "the log's own amounts differ from its tokens times list price"
    if parts.unit:
        remedy = "state the unit of the log's amounts: USD or cents"
        return BreakCode.UNITS, parts.own, f"{said} by a power of ten", remedy
    return BreakCode.PRICE_TABLE, parts.own, said, "compare the prices that the log was written with to the price list"


def _unpriced(parts: Effects) -> str:
    more = f" and {len(parts.nameless) - SHOWN:,} more" if len(parts.nameless) > SHOWN else ""
    return "; ".join(parts.nameless[:SHOWN]) + more


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{spelled_out(amount)}"


FAR = 10
"""How many times the usual line an outlier holds."""

FEWEST = 5
"""Lines by which it is known what is usual."""

FEWEST_HOURS = 2

MOST_WAYS = 20_000
"""Ways to choose which calls of an hour were made again, before it is not tried."""

MOSTLY = 0.5
"""Share of the hours that lack calls in which these must be calls made again. Not all: some began an hour earlier."""

DENSE = 0.1
"""Share of all numbers from which on a sum fits by chance."""

MOST_HOURS = 200
"""That are tried."""

INPUT = (UNCACHED, READ, WRITE)


def outliers(view: View) -> Hypotheses:
    """A line that alone holds most of what the log has too much of."""
    lines = [row for row in view.singles if view.start <= row.start < view.until]
    if len(lines) < FEWEST:
        return
    largest = max(lines, key=_tokens)
    hour, held = largest.start // HOUR, _tokens(largest)
    theirs = _of_hour(view.official, hour)
    surplus = _sum(_of_hour(view.local, hour)) - _sum(theirs)
    usual = int(median(_tokens(row) for row in lines))
    if held > FAR * max(usual, 1) and held >= surplus > held // 2:
        kept = tuple(row for row in view.local if row.start // HOUR != hour)
        yield Hypothesis(
            code=BreakCode.OUTLIER_LINE,
            metric=Metric.TOTAL,
            after=view.with_local(kept + tuple(theirs)),
            said=f"one line in the hour from {hour_text(hour * HOUR)} holds {held:,} tokens, where a usual one holds "
            f"{usual:,} and the provider reports {_sum(theirs):,} for all of that hour",
            remedy="look at this line: a count in it has another unit, or is a sum of many",
        )


def retries(view: View) -> Hypothesis | None:
    """Requests without a line that ask again what logged ones of their hour ask: their input is the same."""
    lacking = -view.difference(Metric.REQUESTS)
    if lacking <= 0 or _uniform(view.singles):
        return None
    ours, theirs = _by_hour(view.singles), _by_hour(view.official)
    found = [again for hour in sorted(ours) if (again := _again(ours[hour], theirs.get(hour, []))) is not None]
    tried = found[:MOST_HOURS]
    fitting = sum(tried)
    if fitting < FEWEST_HOURS or fitting <= MOSTLY * len(tried):
        return None
    return Hypothesis(
        code=BreakCode.TIMEOUT_RETRIES,
        metric=Metric.TOTAL,
        after=view.filled(view.lacking),
        said=f"{plural(lacking, 'request')} have no line, and in {fitting} of {plural(len(tried), 'hour')} "
        "their input is to the token that of logged calls asked again",
        remedy="log every try: one that timed out on the client is answered and billed all the same",
    )


def _again(ours: Sequence[ViewRow], theirs: Sequence[ViewRow]) -> bool | None:
    """Whether what an hour lacks asks what its lines ask. None where it lacks nothing, or so many that any sum fits."""
    lacking = sum(row.counts[REQUESTS] for row in theirs) - sum(row.counts[REQUESTS] for row in ours)
    if lacking <= 0 or comb(len(ours) + lacking - 1, lacking) > MOST_WAYS:
        return None
    sums = _sums([_input(row) for row in ours], lacking)
    if len(sums) > DENSE * (max(sums) - min(sums) + 1) and len(sums) > 1:
        return None
    return sum(map(_input, theirs)) - sum(map(_input, ours)) in sums


def _by_hour(rows: Iterable[ViewRow]) -> dict[int, list[ViewRow]]:
    hours: dict[int, list[ViewRow]] = {}
    for row in rows:
        hours.setdefault(row.start // HOUR, []).append(row)
    return hours


def _sums(of: Sequence[int], count: int) -> set[int]:
    """All sums of so many of these, each as often as one likes."""
    sums = {0}
    for _ in range(count):
        sums = {found + each for found in sums for each in of}
    return sums


def _uniform(rows: Iterable[ViewRow]) -> bool:
    """Whether calls ask so much the same that any would fit."""
    inputs = [_input(row) for row in rows]
    return len(set(inputs)) * 2 < len(inputs)


def _input(row: ViewRow) -> int:
    return sum(row.counts[part] for part in INPUT)


def _tokens(row: ViewRow) -> int:
    return sum(row.counts[part] for part in TOKENS)


def _sum(rows: Iterable[ViewRow]) -> int:
    return sum(map(_tokens, rows))


def _of_hour(rows: Iterable[ViewRow], hour: int) -> list[ViewRow]:
    return [row for row in rows if row.start // HOUR == hour]
