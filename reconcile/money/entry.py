"""The two sides of a comparison in one form: usage by stretches of time, in token parts that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from reconcile.money.exact import added, times
from reconcile.usage import Tokens, sum_of

HOUR = 3600
DAY = 86400

LOGGED_GRAIN = 900
"""Seconds of a stretch of a log. Time zones differ by quarters of an hour."""

REPORTED_GRAIN = HOUR
"""Seconds of a stretch of the provider's usage."""

KEYS_SINCE = 1_764_979_200
"""2025-12-06T00:00Z: from when on the provider tells costs apart by key; for a start before it it refuses to."""

MARGIN = 14 * HOUR
"""How far beyond both ends of the period a log is read: so far off can its clock be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Whose usage it is; None where a side does not say."""

    model: str | None = None
    api_key_id: str | None = None
    project_id: str | None = None
    framework: str | None = None
    """Of committed runs, and the name of an environment (`--logs prod=...`)."""
    batch: bool | None = None
    service_tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Usage of one stretch of time under equal dimensions, on either side."""

    start: int
    """Unix seconds: a multiple of LOGGED_GRAIN in a log, of REPORTED_GRAIN in the provider's usage."""
    who: Dimensions
    tokens: Tokens
    requests: int
    reasoning: int = 0
    """Of the output, as a log tells it: never added to anything."""
    cost: Decimal | None = None
    """USD that a log wrote beside its tokens; None where it wrote none."""
    untold: frozenset[str] = frozenset()
    """Of a committed figure, the kinds that another tool left out: 0 here, and no figure."""
    writes_told: bool = True
    """Whether what was written to a cache is told apart from other input, as in a figure of a run it may not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedLines:
    """Lines of one file that do not count, between two that do."""

    since: int | None
    """The quarter of an hour of the line before; None where there is none."""
    until: int | None
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A line of the provider's bill: one UTC day of one line item."""

    day: int
    """Unix seconds of its midnight."""
    amount: Decimal
    currency: str
    line_item: str | None = None
    """`<model snapshot>, input|cached input|output` where it is a model's."""
    project_id: str | None = None
    api_key_id: str | None = None
    quantity: Decimal | None = None
    quantity_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Usage that is no tokens of a model call, in the unit of its endpoint, of one UTC day."""

    day: int
    endpoint: str
    """Last part of its path: `images`, `vector_stores`."""
    unit: str
    """Of `quantity`: images, characters, seconds, usage_bytes, sessions, requests, input_tokens."""
    quantity: int
    requests: int | None
    who: Dimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """All that the provider says of a period."""

    usage: tuple[Entry, ...]
    """Of completions and embeddings: what a log of model calls can be held against."""
    costs: tuple[Cost, ...] | None = ()
    """None where costs were not asked for."""
    other: tuple[Measured, ...] = ()
    requests: int = 0
    """That were made; what the cache answers is none."""
    cached: int = 0
    """Answers that came from the cache of closed periods."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days, both ends included."""

    first: date
    last: date

    @property
    def start(self) -> int:
        return midnight(self.first)

    @property
    def end(self) -> int:
        """Unix seconds, excluded."""
        return midnight(self.last + timedelta(days=1))

    @property
    def days(self) -> int:
        return (self.end - self.start) // DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """USD for one token of each part, and where that is written."""

    uncached: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal
    source: str
    """`genai-prices 0.2.3`."""

    @property
    def charges_for_writes(self) -> bool:
        """Whether what is written to a cache has another price than other input."""
        return self.cache_write != self.uncached

    @property
    def rates(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """In the order of `PARTS`."""
        return (self.uncached, self.cache_read, self.cache_write, self.output)

    def of(self, tokens: Tokens) -> Decimal:
        """USD, to the last digit."""
        return added(map(times, self.rates, tokens.parts))


PriceOf = Callable[[Entry], Prices | None]
"""The prices an entry was used at: of its model, day, batch flag, tier and size of a request; None: unpriced."""


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def total_tokens(entries: Iterable[Entry]) -> Tokens:
    """The sum of all parts; nothing sums to zero."""
    return sum_of(entry.tokens for entry in entries)
