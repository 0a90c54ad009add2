"""The plain dictionaries that programs get: the sums of a usage log, those of the provider, and their difference.

The keys are those that programs of this kind have long used. Costs are USD; one that is not known is `Decimal("NaN")`:
it prints as NaN, makes every sum that it is in NaN, and is never taken for 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

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
