"""Both sides of a comparison line by line, as CSV: what a dispute is argued with."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from reconcile.core.comparing.exact import spelled_out
from reconcile.core.comparing.figures import RESTS_ON, Metric
from reconcile.core.comparing.sides import PARTS, Cost, Entry
from reconcile.core.instants import spelled
from reconcile.core.model import instant
from reconcile.reports.compared_csv import csv_text

WHO = ("model", "api_key_id", "project_id", "framework", "batch", "service_tier")
TAKES = tuple(
    RESTS_ON.get(metric, set()) for metric in (Metric.UNCACHED, Metric.CACHED, Metric.CACHE_WRITE, Metric.OUTPUT)
)
"""The kinds of a committed figure that each of PARTS takes."""
USAGE = ("start", *WHO, *PARTS, "requests", "reasoning", "cost_usd")
COSTS = ("day", "line_item", "project_id", "api_key_id", "amount", "currency", "quantity", "quantity_unit")


def entries_csv(entries: Iterable[Entry]) -> str:
    """Usage by stretches of time, in order; an empty cell is what a side does not say."""
    rows = (
        (
            spelled(instant(entry.start)),
            *(getattr(entry.who, name) for name in WHO),
            *(None if entry.untold & kinds else part for part, kinds in zip(entry.tokens.parts, TAKES, strict=True)),
            None if "api_calls" in entry.untold else entry.requests,
            entry.reasoning,
            entry.cost,
        )
        for entry in sorted(entries, key=lambda entry: (entry.start, str(entry.who)))
    )
    return _csv(USAGE, rows)


def costs_csv(costs: Iterable[Cost]) -> str:
    """The provider's bill by day and line item, in order."""
    rows = (
        (
            f"{instant(cost.day):%Y-%m-%d}",
            cost.line_item,
            cost.project_id,
            cost.api_key_id,
            cost.amount,
            cost.currency,
            cost.quantity,
            cost.quantity_unit,
        )
        for cost in sorted(costs, key=lambda cost: (cost.day, str(cost)))
    )
    return _csv(COSTS, rows)


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    return "".join(f"{','.join(map(_cell, row))}\r\n" for row in (head, *rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return spelled_out(value)
    return csv_text(value) if isinstance(value, str) else str(value).lower()
