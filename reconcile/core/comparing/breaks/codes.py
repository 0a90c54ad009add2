"""The closed list of reasons, and what is said of one that was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconcile.core.comparing.figures import Amount, Metric


class Code(StrEnum):
    """The likelier of two that explain as much comes first here."""

    TIME_ZONE = "time_zone"
    CACHED_COUNTED_TWICE = "cached_counted_twice"
    CACHED_LEFT_OUT = "cached_left_out"
    CACHE_WRITES_LEFT_OUT = "cache_writes_left_out"
    REASONING_COUNTED_TWICE = "reasoning_counted_twice"
    REASONING_LEFT_OUT = "reasoning_left_out"
    UNITS = "units"
    CACHE_HITS = "cache_hits"
    FAILED_CALLS = "failed_calls"
    STREAMED_CHUNKS = "streamed_chunks"
    REPEATED_IDS = "repeated_ids"
    RUNNING_TOTALS = "running_totals"
    NESTED_SPANS = "nested_spans"
    DUPLICATE_LINES = "duplicate_lines"
    MODEL_SPELLING = "model_spelling"
    OUTLIER_LINE = "outlier_line"
    REFUSED_LINES = "refused_lines"
    MISSING_LOG = "missing_log"
    PROVIDER_GAP = "provider_gap"
    TIMEOUT_RETRIES = "timeout_retries"
    UNLOGGED_ATTEMPTS = "unlogged_attempts"
    FOREIGN_KEY = "foreign_key"
    BATCH_PRICE = "batch_price"
    TIER_PRICE = "tier_price"
    TIER_REQUESTED = "tier_requested"
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
