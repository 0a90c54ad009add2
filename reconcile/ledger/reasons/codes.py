"""The closed list of reasons, what is said of one that was found, and the hypothesis that it begins as.

A hypothesis is one thing that may be wrong, and both sides as they would be if it were put right. The one that stands
here is of names: models that the log names otherwise than the provider, the same calls under another name and so at
another price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from reconcile.ledger.figures import Amount, Figures, Metric
from reconcile.ledger.reasons.view import COMPARED, TOKENS, Cells, View, ViewRow
from reconcile.money.exact import NOTHING, less


class BreakCode(StrEnum):
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

    code: BreakCode
    metric: Metric
    local: Amount | None
    official: Amount | None
    explains: Amount
    """How much of the difference (local less official) goes with it; of usage set apart, how much that differs."""
    arithmetic: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """To be named, it must take away most of the gaps in the counts that it speaks of, and more than any other."""

    code: BreakCode
    metric: Metric
    after: View
    said: str
    """What was tried, with its numbers."""
    remedy: str
    speaks_of: tuple[int, ...] = COMPARED
    strict: bool = False
    """Whether nearly all of what it changes must close gaps."""
    shown: bool = False
    """Whether lines themselves show it: then it need not be most of what differs, if all it takes away fits."""


Hypotheses = Iterator[Hypothesis]


def hour_text(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}"


def totals_by_hour(cells: Cells) -> dict[int, list[int]]:
    """All models of an hour together."""
    hours: dict[int, list[int]] = {}
    for (hour, _), counts in cells.items():
        total = hours.setdefault(hour, [0] * len(COMPARED))
        for part in COMPARED:
            total[part] += counts[part]
    return hours


FEW = 0.01
"""Of all tokens: fewer under another name are no reason to be named."""

CANCELS = 0.9
"""Share of what one name has too much of that the others must lack."""

SHOWN = 3


def respelled(rest: View, local: Figures, official: Figures) -> Iterator[Break]:
    """Where all models together agree, and one has what another lacks. Names are untrusted."""
    ours, theirs = (
        _by_model(row for row in rest.local if rest.start <= row.start < rest.until),
        _by_model(rest.official),
    )
    apart = {name: ours.get(name, 0) - theirs.get(name, 0) for name in sorted({*ours, *theirs} - {None}, key=str)}
    over = {name: count for name, count in apart.items() if count > 0}
    short = {name: -count for name, count in apart.items() if count < 0}
    moved, most = sorted((sum(over.values()), sum(short.values())))
    if None in ours or None in theirs or moved <= FEW * sum(theirs.values()) or moved < CANCELS * most:
        return
    metric, explains = _in_money(local, official)
    yield Break(
        code=BreakCode.MODEL_SPELLING,
        metric=metric,
        local=local.of(metric),
        official=official.of(metric),
        explains=explains,
        arithmetic=f"the log has {moved:,} tokens under {_named(over)} that the provider reports under {_named(short)}",
        remedy="log the model that the answer names, not an alias or the one that was asked for",
    )


def _in_money(local: Figures, official: Figures) -> tuple[Metric, Amount]:
    """What another name changes: the cost, where both sides have one, and no token."""
    if local.cost is None or official.cost is None:
        return Metric.TOTAL, 0
    return Metric.COST, less(local.cost, official.cost or NOTHING)


def _by_model(rows: Iterable[ViewRow]) -> dict[str | None, int]:
    sums: dict[str | None, int] = {}
    for row in rows:
        sums[row.who.model] = sums.get(row.who.model, 0) + sum(row.counts[part] for part in TOKENS)
    return sums


def _named(models: dict[str | None, int]) -> str:
    names = [str(name) for name in sorted(models, key=lambda name: (-models[name], str(name)))]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
