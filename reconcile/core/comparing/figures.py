"""What is compared: the metrics, the sums of one side, and a difference with its share of the provider's figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from reconcile.core.comparing.exact import less, quotient, times
from reconcile.core.comparing.sides import Entry, Tokens, total_tokens

Amount = int | Decimal
"""Tokens and requests are whole numbers, money is decimal."""


class Metric(StrEnum):
    """What both sides are held against each other in. Input has all of its parts in it, and total has output too."""

    REQUESTS = "requests"
    INPUT = "input_tokens"
    UNCACHED = "uncached_tokens"
    CACHED = "cached_tokens"
    CACHE_WRITE = "cache_write_tokens"
    OUTPUT = "output_tokens"
    TOTAL = "total_tokens"
    COST = "cost_usd"


NO_TOKENS = Tokens()

RESTS_ON = {
    Metric.REQUESTS: {"api_calls"},
    Metric.INPUT: {"tokens_in"},
    Metric.UNCACHED: {"tokens_in", "cached_tokens"},
    Metric.CACHED: {"cached_tokens"},
    Metric.OUTPUT: {"tokens_out"},
    Metric.TOTAL: {"tokens_in", "tokens_out"},
    Metric.COST: {"tokens_in", "tokens_out", "cached_tokens"},
}
"""Which kinds of a committed figure a metric takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The sums of one side over some usage."""

    requests: int = 0
    tokens: Tokens = NO_TOKENS
    cost: Decimal | None = None
    """USD; None where nothing tells it, which is not zero."""
    untold: frozenset[Metric] = frozenset()
    """What is unknown, for a part of the sum is."""

    @property
    def empty(self) -> bool:
        return not self.requests and not any(self.tokens.parts)

    def of(self, metric: Metric) -> Amount | None:
        """The figure of one metric; None where it is unknown."""
        tokens = self.tokens
        figures: dict[Metric, Amount | None] = {
            Metric.REQUESTS: self.requests,
            Metric.INPUT: tokens.input,
            Metric.UNCACHED: tokens.uncached,
            Metric.CACHED: tokens.cache_read,
            Metric.CACHE_WRITE: tokens.cache_write,
            Metric.OUTPUT: tokens.output,
            Metric.TOTAL: tokens.total,
            Metric.COST: self.cost,
        }
        return None if metric in self.untold else figures[metric]


def figures(entries: Iterable[Entry], cost: Decimal | None = None) -> Figures:
    """The sums of entries, beside a cost that was found elsewhere. A sum that lacks a part of one entry is unknown."""
    counted = tuple(entries)
    left_out: frozenset[str] = frozenset().union(*(entry.untold for entry in counted))
    untold = frozenset(metric for metric, kinds in RESTS_ON.items() if kinds & left_out)
    return Figures(
        requests=sum(entry.requests for entry in counted),
        tokens=total_tokens(counted),
        cost=None if Metric.COST in untold else cost,
        untold=untold,
    )


def difference(local: Amount | None, official: Amount | None) -> Amount | None:
    """Local less official: above zero where the log shows more. None where a side does not tell."""
    if local is None or official is None:
        return None
    if isinstance(local, int) and isinstance(official, int):
        return local - official
    return less(Decimal(local), Decimal(official))


def percent(local: Amount | None, official: Amount | None) -> Decimal | None:
    """The difference in per cent of the provider's figure, to four decimals; of zero nothing is a share: None."""
    gap = difference(local, official)
    if gap is None or not official:
        return None
    return quotient(times(Decimal(gap), 100), Decimal(official), 4)
