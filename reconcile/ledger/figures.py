"""What is compared: the metrics, the sums of one side, their difference, and how much of it counts as reconciled.

A difference has its share of the provider's figure beside it; the tolerance is said metric by metric.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from reconcile.errors import UsageError
from reconcile.money.entry import Entry, total_tokens
from reconcile.money.exact import EXACT, NOTHING, less, quotient, spelled_out, times
from reconcile.usage import NO_TOKENS, Tokens

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
        return not self.requests and not any(self.tokens.counts)

    def of(self, metric: Metric) -> Amount | None:
        """The figure of one metric; None where it is unknown."""
        tokens = self.tokens
        figures: dict[Metric, Amount | None] = {
            Metric.REQUESTS: self.requests,
            Metric.INPUT: tokens.input,
            Metric.UNCACHED: tokens.uncached,
            Metric.CACHED: tokens.cache_read,
            Metric.CACHE_WRITE: tokens.written,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A difference is allowed by either rule, and none at all always is."""

    percent: Decimal = NOTHING
    """Strictly below this share of the provider's figure. Of a figure of zero there is no share."""
    absolute: Decimal = NOTHING
    """Up to this many, included."""

    def admits(self, local: Amount, official: Amount) -> bool:
        gap = EXACT.abs(Decimal(difference(local, official) or 0))
        if gap <= self.absolute:
            return True
        return EXACT.multiply(gap, Decimal(100)) < EXACT.multiply(self.percent, EXACT.abs(Decimal(official)))

    def __str__(self) -> str:
        """`below 5 %`, `up to 2`, or both."""
        parts = [f"below {spelled_out(self.percent)} %"] if self.percent else []
        parts += [f"up to {spelled_out(self.absolute)}"] if self.absolute or not parts else []
        return " or ".join(parts)


FIVE_PERCENT = Allowed(percent=Decimal(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What is allowed of tokens (each of input, cached, output and total), of requests, and of cost."""

    tokens: Allowed = FIVE_PERCENT
    requests: Allowed = Allowed()
    cost: Allowed = FIVE_PERCENT

    def of(self, metric: Metric) -> Allowed:
        match metric:
            case Metric.REQUESTS:
                return self.requests
            case Metric.COST:
                return self.cost
            case _:
                return self.tokens


DEFAULT = Tolerance()

TERM = re.compile(r"(?:(tokens|requests|cost)=)?([0-9]+(?:\.[0-9]+)?)(%?)", re.ASCII)
REMEDY = "write 5%, or for each metric a percentage, a number or both: tokens=5%,requests=2,cost=1%,cost=0.50"
MOST_DIGITS = 30


def tolerance(text: str) -> Tolerance:
    """`5%` for tokens and cost; `tokens=5%,requests=2,cost=1%` metric by metric. What is not named keeps its default.

    A metric that is named twice, as a percentage and as a number, is allowed either.
    """
    given: dict[str, Allowed] = {}
    seen: set[tuple[str, str]] = set()
    for term in text.replace(" ", "").split(","):
        match = TERM.fullmatch(term)
        if match is None or len(term) > MOST_DIGITS or (not match[1] and not match[3]):
            raise _refused(text, f"{term!r} is not a tolerance")
        for name in [match[1]] if match[1] else ["tokens", "cost"]:
            if (name, match[3]) in seen:
                raise _refused(text, f"{name} is given twice")
            seen.add((name, match[3]))
            rule = {"percent" if match[3] else "absolute": Decimal(match[2])}
            given[name] = replace(given.get(name, Allowed()), **rule)
    return replace(DEFAULT, **given)


def _refused(text: str, why: str) -> UsageError:
    return UsageError(f"tolerance {text!r}: {why}", code="bad_tolerance", remedy=REMEDY)
