"""The statistics of a usage log and of the provider, and their difference, as the plain dictionaries that programs get.

The keys are those that programs of this kind have long used. Costs are USD; one that is not known is `Decimal("NaN")`:
it prints as NaN, makes every sum that it is in NaN, and is never taken for 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import copysign, inf, nan
from typing import TypedDict

from reconcile.ledger.log import BadLine
from reconcile.money.entry import Entry, PriceOf, total_tokens
from reconcile.money.exact import NOTHING, added, less
from reconcile.usage import Tokens, sum_of

UNKNOWN = Decimal("NaN")


class GroupSums(TypedDict):
    """What the lines of one model, kind of call, scope or day sum to."""

    count: int
    tokens: int
    cost: Decimal


class LogStats(TypedDict):
    """The sums of a log."""

    total_records: int
    total_requests: int
    """As many as records, but for lines that say they stand for several."""
    total_tokens: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    total_cost: Decimal
    """NaN where a line tells none; so are those of groups."""
    by_call_type: dict[str, GroupSums]
    by_scope: dict[str, GroupSums]
    by_model: dict[str, GroupSums]
    by_date: list[tuple[str, GroupSums]]
    """By UTC day, the latest first."""
    average_tokens_per_call: float
    average_cost_per_call: Decimal
    bad_lines: int


class DaySums(TypedDict):
    """What the provider reports of one UTC day."""

    tokens: int
    requests: int
    cost: Decimal


class ProviderStats(TypedDict):
    """The sums of what the provider reports."""

    total_tokens: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    total_requests: int
    estimated_cost: Decimal
    """At list prices; NaN without prices, and where a model has none."""
    by_date: list[tuple[str, DaySums]]
    """By UTC day, the earliest first."""
    raw_data: object


class SideSums(TypedDict):
    """What one side of a comparison comes to."""

    tokens: int
    input_tokens: int
    output_tokens: int
    requests: int
    cost: Decimal


class Difference(TypedDict):
    """Local less the provider's, and that as percentages of the provider's."""

    tokens: int
    tokens_pct: float
    input_tokens: int
    input_tokens_pct: float
    output_tokens: int
    output_tokens_pct: float
    requests: int
    requests_pct: float
    cost: Decimal
    cost_pct: float


class UsageComparison(TypedDict):
    """Both sides, their difference, and what it means."""

    local: SideSums
    openai: SideSums
    difference: Difference
    reconciled: bool
    verdict: str
    """`reconciled`, `mismatch` or `no_data`."""


UNTOLD = "unknown"
"""The group of lines that do not say which they are of."""


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


def log_stats(records: Sequence[UsageRecord]) -> LogStats:
    """Sums of a log: over all, and by call type, scope, model and day."""
    tokens, cost = _tokens(records), _cost(record.cost for record in records)
    requests = sum(record.requests for record in records)
    days = _by([record.date for record in records], records)
    return {
        "total_records": len(records),
        "total_requests": requests,
        "total_tokens": tokens.total,
        "input_tokens": tokens.input,
        "cached_tokens": tokens.cache_read,
        "output_tokens": tokens.output,
        "total_cost": cost,
        "by_call_type": _by([record.call_type for record in records], records),
        "by_scope": _by([record.scope for record in records], records),
        "by_model": _by([record.model for record in records], records),
        "by_date": [(day, days[day]) for day in sorted(days, reverse=True)],
        "average_tokens_per_call": tokens.total / requests if requests else 0.0,
        "average_cost_per_call": cost / requests if requests else NOTHING,
        "bad_lines": len(records.bad) if isinstance(records, UsageRecords) else 0,
    }


def provider_stats(entries: Sequence[Entry], price_of: PriceOf | None, raw: object = None) -> ProviderStats:
    """Sums of what the provider reports: over all and by day; cost at list prices."""
    tokens = total_tokens(entries)
    days: dict[str, list[Entry]] = {}
    for entry in entries:
        days.setdefault(f"{datetime.fromtimestamp(entry.start, UTC):%Y-%m-%d}", []).append(entry)
    return {
        "total_tokens": tokens.total,
        "input_tokens": tokens.input,
        "cached_tokens": tokens.cache_read,
        "output_tokens": tokens.output,
        "total_requests": sum(entry.requests for entry in entries),
        "estimated_cost": _listed(entries, price_of),
        "by_date": [(day, _day_sums(days[day], price_of)) for day in sorted(days)],
        "raw_data": raw,
    }


def compared(log: LogStats, official: ProviderStats, tolerance: float) -> UsageComparison:
    """Local minus official. `reconciled`: both have usage, input and output each differ by less than `tolerance` per
    cent, and requests not at all: what is too much of one does not make up for what the other lacks.
    """
    local: SideSums = {
        "tokens": log["total_tokens"],
        "input_tokens": log["input_tokens"],
        "output_tokens": log["output_tokens"],
        "requests": log["total_requests"],
        "cost": log["total_cost"],
    }
    openai: SideSums = {
        "tokens": official["total_tokens"],
        "input_tokens": official["input_tokens"],
        "output_tokens": official["output_tokens"],
        "requests": official["total_requests"],
        "cost": official["estimated_cost"],
    }
    known = not (local["cost"].is_nan() or openai["cost"].is_nan())
    cost = less(local["cost"], openai["cost"]) if known else UNKNOWN
    tokens, given, answered, requests = (
        local[name] - openai[name] for name in ("tokens", "input_tokens", "output_tokens", "requests")
    )
    shares = [percent(given, openai["input_tokens"]), percent(answered, openai["output_tokens"])]
    agree = requests == 0 and all(abs(share) < tolerance for share in shares)
    empty = not (local["requests"] and openai["requests"])
    verdict = "no_data" if empty else "reconciled" if agree else "mismatch"
    return {
        "local": local,
        "openai": openai,
        "difference": {
            "tokens": tokens,
            "tokens_pct": percent(tokens, openai["tokens"]),
            "input_tokens": given,
            "input_tokens_pct": shares[0],
            "output_tokens": answered,
            "output_tokens_pct": shares[1],
            "requests": requests,
            "requests_pct": percent(requests, openai["requests"]),
            "cost": cost,
            "cost_pct": percent(cost, openai["cost"]) if known else nan,
        },
        "reconciled": verdict == "reconciled",
        "verdict": verdict,
    }


def percent(difference: int | Decimal, whole: int | Decimal) -> float:
    """Of zero it is 0.0 where nothing differs, and infinite where something does."""
    if not whole:
        return copysign(inf, difference) if difference else 0.0
    return float(difference) / float(whole) * 100


def _day_sums(entries: Sequence[Entry], price_of: PriceOf | None) -> DaySums:
    return {
        "tokens": total_tokens(entries).total,
        "requests": sum(entry.requests for entry in entries),
        "cost": _listed(entries, price_of),
    }


def _listed(entries: Iterable[Entry], price_of: PriceOf | None) -> Decimal:
    """Unknown where prices were not given, and where one of these entries has none."""
    if price_of is None:
        return UNKNOWN
    found = [(price_of(entry), entry.tokens) for entry in entries if entry.tokens.total]
    return _cost(prices.of(tokens) if prices else None for prices, tokens in found)


def _by(names: Iterable[str | None], records: Iterable[UsageRecord]) -> dict[str, GroupSums]:
    groups: dict[str, list[UsageRecord]] = {}
    for name, record in zip(names, records, strict=True):
        groups.setdefault(name or UNTOLD, []).append(record)
    return {
        name: {
            "count": len(inside),
            "tokens": _tokens(inside).total,
            "cost": _cost(record.cost for record in inside),
        }
        for name, inside in groups.items()
    }


def _tokens(records: Iterable[UsageRecord]) -> Tokens:
    return sum_of(record.tokens for record in records)


def _cost(costs: Iterable[Decimal | None]) -> Decimal:
    """The sum; unknown where one of them is."""
    given = list(costs)
    known = [cost for cost in given if cost is not None]
    return added(known) if len(known) == len(given) else UNKNOWN
