"""The statistics of a usage log and of the provider, and their difference, as plain dictionaries for a program.

The keys are those that programs of this kind have long used. Amounts are decimals, a cost that is not known is None
and never 0, and nothing is reconciled against nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import copysign, inf
from typing import Any

from reconcile.core.comparing.exact import added, less
from reconcile.core.comparing.sides import BadLine, Entry, PriceOf, Tokens

Stats = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One line of a log."""

    date: str
    """Its UTC day."""
    tokens: Tokens
    requests: int = 1
    cost: Decimal | None = None
    """USD, as the line says it."""
    model: str | None = None
    call_type: str | None = None
    scope: str | None = None


class UsageRecords(list[UsageRecord]):
    """The records of a log, and the lines that are none."""

    def __init__(self, records: Iterable[UsageRecord] = (), bad: Sequence[BadLine] = ()) -> None:
        super().__init__(records)
        self.bad = tuple(bad)


def log_stats(records: Sequence[UsageRecord]) -> Stats:
    """Sums of a log: over all, and by call type, scope, model and day, the latest day first."""
    tokens, cost = sum(record.tokens.total for record in records), _cost([record.cost for record in records])
    requests = sum(record.requests for record in records)
    return {
        "total_records": len(records),
        "total_requests": requests,
        "total_tokens": tokens,
        "total_cost": cost,
        "by_call_type": _by(records, "call_type"),
        "by_scope": _by(records, "scope"),
        "by_model": _by(records, "model"),
        "by_date": sorted(([day, sums] for day, sums in _by(records, "date").items()), reverse=True),
        "average_tokens_per_call": tokens / requests if requests else 0.0,
        "average_cost_per_call": cost / requests if cost is not None and requests else None,
        "bad_lines": len(getattr(records, "bad", ())),
    }


def provider_stats(entries: Sequence[Entry], price_of: PriceOf | None, raw: object = None) -> Stats:
    """Sums of what the provider reports: over all and by UTC day, the earliest first; cost at list prices."""
    days: dict[str, list[Entry]] = {}
    for entry in entries:
        days.setdefault(f"{datetime.fromtimestamp(entry.start, UTC):%Y-%m-%d}", []).append(entry)
    return {
        **_provider_sums(entries, price_of),
        "by_date": [[day, _day_sums(days[day], price_of)] for day in sorted(days)],
        "raw_data": raw,
    }


def compared(local: Stats, official: Stats, tolerance: float = 5.0) -> Stats:
    """Local minus official. `reconciled`: both have usage, tokens differ by less than `tolerance` per cent, requests
    not at all. A percentage of zero is 0.0 beside zero and infinite beside anything else.
    """
    sides = {
        "local": {"tokens": local["total_tokens"], "requests": local["total_requests"], "cost": local["total_cost"]},
        "openai": {
            "tokens": official["total_tokens"],
            "requests": official["total_requests"],
            "cost": official["estimated_cost"],
        },
    }
    difference: Stats = {}
    for metric in ("tokens", "requests", "cost"):
        ours, theirs = sides["local"][metric], sides["openai"][metric]
        difference[metric] = _less(ours, theirs)
        difference[f"{metric}_pct"] = _percent(difference[metric], theirs)
    empty = not (sides["local"]["requests"] and sides["openai"]["requests"])
    agree = abs(difference["tokens_pct"]) < tolerance and difference["requests"] == 0
    verdict = "no_data" if empty else "reconciled" if agree else "mismatch"
    return {**sides, "difference": difference, "reconciled": verdict == "reconciled", "verdict": verdict}


def _provider_sums(entries: Sequence[Entry], price_of: PriceOf | None) -> Stats:
    return {
        "total_tokens": sum(entry.tokens.total for entry in entries),
        "input_tokens": sum(entry.tokens.input for entry in entries),
        "cached_tokens": sum(entry.tokens.cache_read for entry in entries),
        "output_tokens": sum(entry.tokens.output for entry in entries),
        "total_requests": sum(entry.requests for entry in entries),
        "estimated_cost": _listed(entries, price_of),
    }


def _day_sums(entries: Sequence[Entry], price_of: PriceOf | None) -> Stats:
    return {
        "tokens": sum(entry.tokens.total for entry in entries),
        "requests": sum(entry.requests for entry in entries),
        "cost": _listed(entries, price_of),
    }


def _listed(entries: Iterable[Entry], price_of: PriceOf | None) -> Decimal | None:
    """None where prices were not given, and where one of these entries has none."""
    if price_of is None:
        return None
    found = [(price_of(entry), entry.tokens) for entry in entries if entry.tokens.total]
    return _cost([prices.of(tokens) if prices else None for prices, tokens in found])


def _by(records: Iterable[UsageRecord], name: str) -> dict[str, Stats]:
    groups: dict[str, list[UsageRecord]] = {}
    for record in records:
        groups.setdefault(getattr(record, name) or "unknown", []).append(record)
    return {
        group: {
            "count": len(inside),
            "tokens": sum(record.tokens.total for record in inside),
            "cost": _cost([record.cost for record in inside]),
        }
        for group, inside in groups.items()
    }


def _cost(costs: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; None where one of them is not known."""
    known = [cost for cost in costs if cost is not None]
    return added(known) if len(known) == len(costs) else None


def _less(ours: Any, theirs: Any) -> Any:  # noqa: ANN401  counts or amounts
    if ours is None or theirs is None:
        return None
    return less(ours, theirs) if isinstance(ours, Decimal) else ours - theirs


def _percent(difference: Any, whole: Any) -> float | None:  # noqa: ANN401  counts or amounts
    if difference is None:
        return None
    if not whole:
        return copysign(inf, difference) if difference else 0.0
    return float(difference) / float(whole) * 100
