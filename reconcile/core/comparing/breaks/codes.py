"""The closed list of reasons, and what is said of one that was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconcile.core.comparing.figures import Amount, Metric


class Code(StrEnum):
    """The likelier of two that explain as much comes first here."""

    TIME_ZONE = "time_zone"
    CACHED_COUNTED_TWICE = "cached_counted_twice"
    REASONING_COUNTED_TWICE = "reasoning_counted_twice"
    UNITS = "units"
    DUPLICATE_LINES = "duplicate_lines"
    MISSING_LOG = "missing_log"
    UNLOGGED_ATTEMPTS = "unlogged_attempts"
    FOREIGN_KEY = "foreign_key"
    BATCH_PRICE = "batch_price"
    TIER_PRICE = "tier_price"
    PRICE_TABLE = "price_table"
    UNPRICED_MODEL = "unpriced_model"
    CREDITS_OR_FREE_USAGE = "credits_or_free_usage"
    OPEN_PERIOD = "open_period"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A hint at why a metric differs. Names in its sentences are untrusted."""

    code: Code
    metric: Metric
    local: Amount | None
    official: Amount | None
    explains: Amount
    """How much of the difference (local less official) goes with it; of usage set apart, how much that differs."""
    arithmetic: str
    remedy: str
