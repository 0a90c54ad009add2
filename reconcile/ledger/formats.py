"""How a log writes down usage: where a line holds what, in which units, and what its input includes.

A format says nothing of files. One without `fields` is recognised by the first lines of each file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from enum import StrEnum
from typing import TypeAlias

Paths: TypeAlias = tuple[str, ...]
"""Places in a line, the first that is there counts: `usage.prompt_tokens`, or `attributes."llm.model"` where a name
holds dots; in CSV the name of a column."""

STEP = re.compile(r'"([^"]+)"|([^".]+)')


class Timestamps(StrEnum):
    """What a timestamp is. Detected: RFC 3339 where it is text, else a Unix time in the unit in which its number of
    digits lies in this century."""

    DETECTED = "detected"
    RFC3339 = "rfc3339"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    NANOSECONDS = "nanoseconds"


class Shape(StrEnum):
    """What a line is."""

    NDJSON = "ndjson"
    CSV = "csv"


class Counters(StrEnum):
    """What the counts of a line are."""

    OWN = "own"
    """Its own call's."""
    RUNNING = "running"
    """Of all calls of its thread so far."""


class Included(StrEnum):
    """What the input tokens of a log may include."""

    CACHED = "cached"
    CACHE_WRITE = "cache_write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Where a line holds what; nowhere where nothing is said."""

    timestamp: Paths
    input_tokens: Paths
    output_tokens: Paths = ()
    total_tokens: Paths = ()
    """Only ever compared with the sum of the parts."""
    cached_tokens: Paths = ()
    cache_write_tokens: Paths = ()
    reasoning_tokens: Paths = ()
    model: Paths = ()
    requests: Paths = ()
    """How many requests the line stands for; one where nothing is said."""
    cost: Paths = ()
    """USD."""
    api_key_id: Paths = ()
    project_id: Paths = ()
    batch: Paths = ()
    service_tier: Paths = ()
    attempt: Paths = ()
    """Which try at a call it was, from 1 up."""
    request_id: Paths = ()
    """Of the call, the same for all tries at it."""
    aborted: Paths = ()
    """Whether the answer was cut off: such a line counts for nothing, as the call may be billed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """The format of a log."""

    name: str = "detected"
    fields: Fields | None = None
    """None: that of the built-in format that the first lines show."""
    shape: Shape | None = None
    """None: CSV where the name of the file says so, else NDJSON."""
    units: int = 1
    """Tokens that one in the log stands for: 1000 in a log of thousands."""
    timestamps: Timestamps = Timestamps.DETECTED
    time_zone: tzinfo | None = None
    """Of timestamps without an offset; where it is not stated, such lines are bad."""
    input_includes: frozenset[Included] = frozenset(Included)
    """Of what else the line tells; the rest is added to it. OpenAI's input includes both."""
    output_includes_reasoning: bool = True
    latest_wins: bool = False
    """Of lines with one request id the last counts."""
    each: Paths = ()
    """Where lists of calls stand in a line; none where the line is the call."""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Places, and the words of which one must stand there for the line to be a call."""
    once: Paths = ()
    """Places of an id: of lines with the same one the last counts."""
    counters: Counters = Counters.OWN
    thread: Paths = ()
    """Whose counts run on; the whole file's where nothing is said."""
    constants: tuple[tuple[str, str | bool], ...] = ()
    """What every line says of these fields, unless it says so itself."""
    thousands: str = ""
    """What parts thousands in a count."""
    statement: str | None = None
    """A member that makes the first line of a file a statement about the file instead of a call."""


SEEDS = LogFormat(
    name="seeds",
    fields=Fields(
        timestamp=("timestamp",),
        model=("model",),
        input_tokens=("prompt_tokens",),
        output_tokens=("completion_tokens",),
        total_tokens=("total_tokens",),
        cached_tokens=("cached_tokens",),
        cache_write_tokens=("cache_write_tokens",),
        reasoning_tokens=("reasoning_tokens",),
        api_key_id=("api_key_id",),
        service_tier=("service_tier",),
        cost=("total_cost",),
    ),
)
"""`usage_tracking.ndjson`: local time without an offset, so a zone has to be stated."""

CALLS = LogFormat(
    name="calls",
    fields=Fields(
        timestamp=("ended_at",),
        model=("model",),
        input_tokens=("input_tokens",),
        output_tokens=("output_tokens",),
        cached_tokens=("cached_tokens",),
        api_key_id=("api_key_id",),
        attempt=("attempt",),
        request_id=("response_id",),
        aborted=("aborted",),
    ),
    latest_wins=True,
    statement="complete",
)
"""`calls.ndjson` of a run."""

_USAGE = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
    "total_tokens": ("total_tokens",),
    "cached_tokens": ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
    "cache_write_tokens": ("prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens"),
    "reasoning_tokens": ("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
}

OPENAI = LogFormat(
    name="openai",
    fields=Fields(
        timestamp=("timestamp", "created", "created_at"),
        model=("model",),
        service_tier=("service_tier",),
        **{name: tuple(f"usage.{path}" for path in paths) for name, paths in _USAGE.items()},
    ),
)
"""Responses of OpenAI's API as they came, chat completions and responses alike, with their `usage`."""

BUILT_IN = {built_in.name: built_in for built_in in (CALLS, OPENAI, SEEDS)}

NAMES = tuple(field.name for field in fields(Fields))
"""What can be mapped."""


def words(value: object) -> str:
    """How `where` spells what stands at a place."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def steps(path: str) -> tuple[str, ...]:
    """The names on the way to a place."""
    return tuple(quoted or plain for quoted, plain in STEP.findall(path))


def column(path: str) -> str:
    """The name of a column of a CSV, which may stand in quotes."""
    return path.strip('"')


def recognised(log_format: LogFormat, lines: Iterable[Mapping[str, object]]) -> LogFormat | None:
    """The format with the fields that the first of these lines shows; None where none shows any."""
    if log_format.fields is not None:
        return log_format
    for line in lines:
        name = _name(line)
        if name:
            built_in = BUILT_IN[name]
            return replace(
                log_format,
                name=name,
                fields=built_in.fields,
                latest_wins=log_format.latest_wins or built_in.latest_wins,
                statement=built_in.statement,
            )
    return None


def _name(line: Mapping[str, object]) -> str | None:
    if line.keys() >= {"ended_at", "input_tokens", "output_tokens"}:
        return CALLS.name
    if line.keys() >= {"timestamp", "prompt_tokens", "completion_tokens"}:
        return SEEDS.name
    return OPENAI.name if isinstance(line.get("usage"), Mapping) else None
