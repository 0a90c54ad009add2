"""A usage log as it was read: usage by stretches of time, in parts that share nothing, and what does not count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconcile.money.entry import Entry, RefusedLines


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line of a log that says nothing which could be counted."""

    file: str
    line: int
    why: str


class UnusableError(ValueError):
    """A sentence for the person who has to mend the line: what stands there, and the remedy.

    It never leaves the reading of a log: it becomes a `BadLine`.
    """


class Suspicion(StrEnum):
    """What may be wrong with lines that count."""

    REPEATED_IDS = "repeated_ids"
    STREAMED_CHUNKS = "streamed_chunks"
    RUNNING_TOTALS = "running_totals"
    NESTED_SPANS = "nested_spans"
    CACHE_HITS = "cache_hits"
    FAILED_CALLS = "failed_calls"
    DUPLICATE_LINES = "duplicate_lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Lines of which their own members suggest that they are no calls, or no calls of their own."""

    suspicion: Suspicion
    said: str
    """Which lines, as a part of a sentence: `lines with cache_hit True`."""
    lines: int
    surplus: tuple[Entry, ...]
    """What the log would no longer count if it were so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLog:
    """All that was logged in the period and MARGIN around it. An empty one is no usage of zero: it is nothing."""

    entries: tuple[Entry, ...]
    """Every line that counts, the repeated ones too."""
    repeated: tuple[Entry, ...] = ()
    """Of these, the lines that equal one that was read before."""
    unlogged_attempts: int = 0
    """Requests that lines speak of (the third attempt at a call) and that have no line of their own."""
    lines: int = 0
    """That were read, blank ones aside."""
    bad: tuple[BadLine, ...] = ()
    """The first of those that do not count."""
    bad_lines: int = 0
    files: tuple[str, ...] = ()
    refused: tuple[RefusedLines, ...] = ()
    """Where in time lines lie that do not count, as far as that was looked into."""
    doubts: tuple[Doubt, ...] = ()
    """Of a log of which every line was looked into."""
    singles: tuple[Entry, ...] = ()
    """The lines one by one, where each was looked into and there are not too many."""
    of_runs: bool = False
    """Whether committed runs stand in for it. Their figures are the provider's own."""
