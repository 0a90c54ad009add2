"""What was used: tokens and calls as whole numbers and intervals of them, by the minute or call by call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import add, sub
from typing import TypeAlias

Parts: TypeAlias = tuple[int, int, int, int]
"""Tokens where they are added up line by line, as `Tokens.parts` has them."""

PARTS = ("uncached", "cache_read", "cache_write", "output")
"""What `Tokens.parts` holds, in its order: each has a price, and a column of a comparison."""

WRITES = ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h", "cache_write")
"""The fields of `Tokens` that together are what was written to a cache."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by parts that share none: input is all but the output. Reasoning is within the output, and no part.

    What was written to a cache is kept by how long it stays there, as far as that is told: Anthropic charges more for
    an hour than for five minutes, and a call log has a column for each time that a provider tells, two of Anthropic's
    and two of OpenAI's. With a field less one of these would be lost. Usage APIs, bills and logs tell one figure,
    `cache_write`; and all of them have one price in the table of list prices.
    """

    uncached: int = 0
    """Below zero where an answer says that more was read and written than there was."""
    cache_read: int = 0
    cache_write: int = 0
    """Written for a time that nobody told."""
    output: int = 0
    cache_write_5m: int = 0
    cache_write_30m: int = 0
    cache_write_1h: int = 0
    cache_write_12h: int = 0

    @property
    def written(self) -> int:
        """To a cache, for whatever time."""
        return (
            self.cache_write + self.cache_write_5m + self.cache_write_30m + self.cache_write_1h + self.cache_write_12h
        )

    @property
    def parts(self) -> Parts:
        """With what was written to a cache as one."""
        return (self.uncached, self.cache_read, self.written, self.output)

    @property
    def counts(self) -> tuple[int, ...]:
        """Every field, in their order."""
        return (
            self.uncached,
            self.cache_read,
            self.cache_write,
            self.output,
            self.cache_write_5m,
            self.cache_write_30m,
            self.cache_write_1h,
            self.cache_write_12h,
        )

    @property
    def input(self) -> int:
        return self.uncached + self.cache_read + self.written

    @property
    def total(self) -> int:
        return self.input + self.output

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(*map(add, self.counts, other.counts))

    def __sub__(self, other: Tokens) -> Tokens:
        """The difference, part by part; a part of it may be below zero."""
        return Tokens(*map(sub, self.counts, other.counts))


NO_TOKENS = Tokens()


def sum_of(tokens: Iterable[Tokens]) -> Tokens:
    """The sum of each part; nothing sums to zero."""
    return Tokens(*map(sum, zip(*(each.counts for each in tokens), strict=True)))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and calls. Input includes cached input, output includes reasoning."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached_tokens: int = 0
    api_calls: int = 0

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return (self.tokens_in, self.tokens_out, self.cached_tokens, self.api_calls)

    @property
    def is_zero(self) -> bool:
        return not any(self.parts)

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def __sub__(self, other: Usage) -> Usage:
        """The difference, kind by kind; a part of it may be below zero."""
        return Usage(*(a - b for a, b in zip(self.parts, other.parts, strict=True)))

    def rose_from(self, other: Usage) -> bool:
        """Some kind is higher than in `other` and none is lower."""
        return self != other and all(a >= b for a, b in zip(self.parts, other.parts, strict=True))


ZERO = Usage()

KINDS = ("tokens_in", "tokens_out", "cached_tokens", "api_calls")
"""The fields of a `Usage`, in the order of its `parts`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval that holds the true figure, kind by kind, both ends included."""

    low: Usage
    high: Usage

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run counted by itself; None where it did not count that kind."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    cached_tokens: int | None = None
    api_calls: int | None = None
    source: str | None = None
    aborted: int = field(default=0, kw_only=True)
    """Calls whose answer did not come whole. They may be billed or not, and are not among `api_calls`."""
    unknown: int = field(default=0, kw_only=True)
    """Requests that were not understood. They may be billed or not, too."""
    others: tuple[tuple[str, int], ...] = field(default=(), kw_only=True)
    """Calls that are not in the figure of completions, by endpoint, in the order of names."""
    every_attempt: bool = field(default=False, kw_only=True)
    """Whether every attempt of every call was seen, retries of the client itself too."""

    @property
    def parts(self) -> tuple[int | None, int | None, int | None, int | None]:
        return (self.tokens_in, self.tokens_out, self.cached_tokens, self.api_calls)

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        return self.parts[:3]


UNRECORDED = Recorded()
NOTHING_RECORDED = UNRECORDED.parts


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of figures; nothing sums to zero."""
    sums = [0, 0, 0, 0]
    for usage in usages:
        for kind, value in enumerate(usage.parts):
            sums[kind] += value
    return Usage(*sums)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One minute of reported usage of one project, key, model, batch flag and service tier."""

    minute: int
    usage: Usage
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    batch: bool | None = None
    service_tier: str | None = None
    cache_write: int | None = None
    """Input tokens, of those of `usage`, that were written to a cache; None where that is not told, which is not 0."""

    @property
    def cell(self) -> Bucket:
        """The same without figures: what it is usage of."""
        return replace(self, usage=ZERO, cache_write=None)


def cache_writes(rows: Iterable[Bucket]) -> int | None:
    """What was written to a cache in all of these rows together; None where one of them does not tell."""
    told = [row.cache_write for row in rows]
    known = [count for count in told if count is not None]
    return sum(known) if len(known) == len(told) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as a provider tells it that tells calls one by one. Instants are Unix seconds of its clock."""

    id: str
    started: float
    ended: float
    usage: Usage
    """With one call."""
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OddRow:
    """A row of a minute that cannot be true, and what can be read of it: that may tell that it is nobody's here."""

    minute: int
    parts: tuple[int | None, ...]
    """Its figures by kind; None for one that is no count."""
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    unreadable: frozenset[str] = frozenset()
    """The dimensions among these three that hold what they cannot: they may be anybody's."""


SNAPSHOT = re.compile("(.+)-[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?", re.DOTALL)
"""A dated snapshot of a model and the model's own name: gpt-4o-mini-2024-07-18, and of older ones gpt-4-0613."""


@lru_cache(maxsize=4096)
def family(model: str) -> str:
    """The model without the date of its snapshot: a log may say gpt-4o-mini where the provider says which."""
    dated = SNAPSHOT.fullmatch(model)
    return dated[1] if dated else model


def names(alias: str, model: str | None) -> bool:
    """Whether `alias` is the reported `model` or its undated form: usage is reported under dated snapshots."""
    return model is not None and alias in {model, family(model)}


def same_model(one: str, other: str) -> bool:
    """Whether two names may be of one model: they are equal, or one is the other's undated form."""
    return names(one, other) or names(other, one)
