"""A usage log held against the provider's usage and bill: sums side by side, a verdict, and what may explain the gap.

Nothing is reconciled against nothing, and errors of input and output do not cancel: each metric is tested by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from reconcile.ledger.cut import DOLLAR, ComparedPart, Cut, cut, parts_outside
from reconcile.ledger.figures import DEFAULT, Allowed, Amount, Figures, Metric, Tolerance, difference, figures, percent
from reconcile.ledger.legs import LegMatch, three_way
from reconcile.ledger.log import UsageLog
from reconcile.ledger.reasons.codes import Break
from reconcile.ledger.reasons.search import breaks_of
from reconcile.ledger.table import By, TableRow, rows
from reconcile.ledger.terms import Split, split_gap
from reconcile.money.charges import PriceList, Unpriced, charges, sources, unpriced
from reconcile.money.entry import Cost, Measured, Official, Period, PriceOf
from reconcile.money.exact import NOTHING, added, less


class ComparisonVerdict(StrEnum):
    RECONCILED = "reconciled"
    MISMATCH = "mismatch"
    NO_DATA = "no_data"
    """One side, or both, has nothing in the period, or does not tell its tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonLine:
    """One metric of both sides, and whether it is within its tolerance."""

    metric: Metric
    local: Amount | None
    official: Amount | None
    allowed: Allowed
    untested: str | None = None
    """Why it is no part of the verdict."""

    @property
    def difference(self) -> Amount | None:
        return difference(self.local, self.official)

    @property
    def percent(self) -> Decimal | None:
        return percent(self.local, self.official)

    @property
    def within(self) -> bool | None:
        """None where it is not tested."""
        if self.untested or self.local is None or self.official is None:
            return None
        return self.allowed.admits(self.local, self.official)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Everything that the provider bills in the closed days of the period, USD."""

    calls: Decimal
    """Of models that were called: what the log is held against."""
    other: Decimal
    """For what no log of calls holds."""
    invoice: Decimal | None = None
    """As somebody read it off the invoice, with tax and credits in it."""

    @property
    def total(self) -> Decimal:
        return added((self.calls, self.other))

    @property
    def beyond(self) -> Decimal | None:
        """What the invoice has beyond these costs: tax, less credits, and days that are not closed."""
        return None if self.invoice is None else less(self.invoice, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides of a period, and what to make of them."""

    period: Period
    cut: Cut
    by: By
    tolerance: Tolerance
    local: Figures
    official: Figures
    lines: tuple[ComparisonLine, ...]
    rows: tuple[TableRow, ...]
    breaks: tuple[Break, ...]
    """The likeliest first; none where a sum of the log is unknown, for a cause has to fit all of them."""
    apart_local: Figures
    apart_official: Figures
    """Usage after the instant up to which figures are final."""
    gap: Split | None
    """What the difference in cost is made of, over the closed days; None where a side has no cost."""
    odd: tuple[LegMatch, ...]
    """Of log, usage and bill, the counts of tokens of a day, a model and a part of which one or all stand apart."""
    unpriced: tuple[Unpriced, ...]
    bill: Bill | None
    other_costs: tuple[Cost, ...]
    other_usage: tuple[Measured, ...]
    log: UsageLog
    price_sources: tuple[str, ...] = ()
    """Where the prices of the log's tokens are written."""
    parts_outside: tuple[ComparedPart, ...] = ()
    """Models and keys, named on both sides, whose tokens are out of tolerance."""
    asked: int = 0
    """Requests to the provider."""
    remembered: int = 0
    """Answers from the cache of closed periods."""

    @property
    def verdict(self) -> ComparisonVerdict:
        if self.local.empty or self.official.empty or Metric.TOTAL in self.local.untold:
            return ComparisonVerdict.NO_DATA
        return ComparisonVerdict.MISMATCH if self.outside or self.parts_outside else ComparisonVerdict.RECONCILED

    @property
    def outside(self) -> tuple[Metric, ...]:
        """The metrics out of tolerance."""
        return tuple(line.metric for line in self.lines if line.within is False)


def compare(  # noqa: PLR0913  two sides, what to compare of them, and how
    log: UsageLog,
    official: Official,
    period: Period,
    *,
    settled_until: int,
    tolerance: Tolerance = DEFAULT,
    by: By = By.DAY,
    price_of: PriceOf | None = None,
    invoice: Decimal | None = None,
) -> Comparison:
    """Both sides of the period, up to `settled_until` (Unix seconds), where the provider's figures end to be final.

    Costs are compared over whole closed days. Without `price_of` the log's cost is what it wrote itself.
    """
    parts = cut(log, official, period, settled_until)
    prices = PriceList(price_of) if price_of else None
    local = _local(parts, prices)
    reported = figures(parts.official, None if parts.costs is None else added(cost.amount for cost in parts.costs))
    closed = tuple(entry for entry in parts.local if entry.start < parts.costs_until)
    of_closed = tuple(entry for entry in parts.official if entry.start < parts.costs_until)
    billed = Official(usage=of_closed, costs=parts.costs)
    lacking = unpriced(closed, prices)
    costed = Metric.COST not in local.untold
    return Comparison(
        period=period,
        cut=parts,
        by=by,
        tolerance=tolerance,
        local=local,
        official=reported,
        lines=_lines(local, reported, tolerance, priced=not lacking),
        rows=rows(parts, by, prices),
        breaks=() if local.untold else breaks_of(log, parts, local, reported, prices),
        apart_local=figures(parts.apart_local),
        apart_official=figures(parts.apart_official),
        gap=split_gap(closed, billed, prices) if prices and reported.cost is not None and costed else None,
        odd=tuple(match for match in three_way(closed, billed.usage, billed.costs or ()) if match.odd and costed),
        unpriced=lacking if reported.cost is not None or local.cost is not None else (),
        bill=_bill(parts, reported.cost, invoice),
        other_costs=parts.other_costs,
        other_usage=official.other,
        log=log,
        price_sources=sources(closed, prices),
        parts_outside=parts_outside(parts, tolerance),
        asked=official.requests,
        remembered=official.cached,
    )


def _local(parts: Cut, prices: PriceList | None) -> Figures:
    closed = (entry for entry in parts.local if entry.start < parts.costs_until)
    return figures(parts.local, charges(closed, prices))


def _lines(local: Figures, official: Figures, allowed: Tolerance, *, priced: bool) -> tuple[ComparisonLine, ...]:
    return tuple(
        ComparisonLine(
            metric=metric,
            local=local.of(metric),
            official=official.of(metric),
            allowed=allowed.of(metric),
            untested=_untested(metric, local, official, allowed, priced=priced),
        )
        for metric in Metric
    )


def _untested(metric: Metric, local: Figures, official: Figures, allowed: Tolerance, *, priced: bool) -> str | None:
    if local.empty or official.empty:
        return "a side has no usage"
    if metric in local.untold:
        return "a run's file does not tell it"
    match metric:
        case Metric.UNCACHED | Metric.CACHE_WRITE:
            return "tested as a part of the input"
        case Metric.CACHED if not local.tokens.cache_read:
            return "the log tells no cached tokens apart"
        case Metric.COST if official.cost is None:
            return "the provider reports no costs of these days"
        case Metric.COST if local.cost is None:
            return "the log has no costs, and no prices were given"
        case Metric.COST if not priced and allowed.cost.admits(local.cost or NOTHING, official.cost or NOTHING):
            return "some of the log's usage has no price, and a part of a cost is not within anything"
        case _:
            return None


def _bill(parts: Cut, calls: Decimal | None, invoice: Decimal | None) -> Bill | None:
    other = [cost.amount for cost in parts.other_costs if cost.currency.lower() == DOLLAR]
    if calls is None and not other and invoice is None:
        return None
    return Bill(calls=calls or Decimal(0), other=added(other), invoice=invoice)
