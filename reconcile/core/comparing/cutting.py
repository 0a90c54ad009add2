"""What of both sides can be compared: settled whole hours, and of costs whole closed days. The rest is set apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcile.core.comparing.aligning import Aligned, aligned
from reconcile.core.comparing.sides import DAY, REPORTED_GRAIN, Cost, Entry, Official, Period, UsageLog

DOLLAR = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Both sides, their models under common names, cut where the provider's figures end to be final."""

    start: int
    until: int
    """Excluded; usage from here to the end of the period is set apart."""
    end: int
    costs_until: int
    """Excluded; the end of the last closed day that costs are there for."""
    costs_due: int
    """Excluded; the end of the last closed day."""
    models: Aligned
    log: tuple[Entry, ...]
    """All that was read, the margin too."""
    local: tuple[Entry, ...]
    official: tuple[Entry, ...]
    apart_local: tuple[Entry, ...]
    apart_official: tuple[Entry, ...]
    costs: tuple[Cost, ...] | None
    """In USD, of models that were called, of closed days; None where there are none."""
    other_costs: tuple[Cost, ...]
    """Of closed days, for what no log of model calls holds, or in another currency."""


def cut(log: UsageLog, official: Official, period: Period, settled_until: int) -> Cut:
    """Both sides of the period up to `settled_until`, which is rounded down to the provider's grain."""
    models = aligned((*log.entries, *log.repeated), official.usage)
    read, reported = models.entries(log.entries), models.entries(official.usage)
    start, end = period.start, period.end
    until = max(start, min(end, settled_until // REPORTED_GRAIN * REPORTED_GRAIN))
    due = until // DAY * DAY
    closed = [cost for cost in official.costs or () if start <= cost.day < due]
    costs_until = _costs_until(closed, reported, start, due)
    of_calls = tuple(cost for cost in closed if cost.day < costs_until and _of_calls(cost, models))
    return Cut(
        start=start,
        until=until,
        end=end,
        costs_until=costs_until,
        costs_due=due if closed else start,
        models=models,
        log=read,
        local=within(read, start, until),
        official=within(reported, start, until),
        apart_local=within(read, until, end),
        apart_official=within(reported, until, end),
        costs=of_calls or None,
        other_costs=tuple(cost for cost in closed if cost.day < costs_until and not _of_calls(cost, models)),
    )


def within(entries: Iterable[Entry], start: int, until: int) -> tuple[Entry, ...]:
    """The entries of `[start, until)`."""
    return tuple(entry for entry in entries if start <= entry.start < until)


def _costs_until(closed: list[Cost], reported: Iterable[Entry], start: int, due: int) -> int:
    """Costs come later than usage: last days with usage and without a line of the bill are not billed yet."""
    billed = max((cost.day + DAY for cost in closed), default=start)
    return billed if any(billed <= entry.start < due for entry in reported) else due


def _of_calls(cost: Cost, models: Aligned) -> bool:
    named = cost.line_item is None or models.billed(cost) is not None
    return named and cost.currency.lower() == DOLLAR
