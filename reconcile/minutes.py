"""Time as usage is stored: whole UTC minutes, in Unix seconds divisible by 60.

A timestamp, as metrics.json spells it, is RFC 3339 text with its UTC offset, or Unix seconds as an integer or a float;
the schemas refuse the rest. One in whole seconds was cut or rounded, so as an end it counts to the end of its second.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60
"""Seconds in the smallest bucket: providers store usage per UTC minute, and nothing tells it apart more finely."""

GUARD_MINUTES = 60
"""How many unclaimed minutes on either side of a claim are watched for usage that nobody claims."""

LONGEST = 31 * 86400
"""Seconds that a run may last. Each day of it is a request of every pass, so a slip of the calendar must not pass."""

LONGEST_REACH = LONGEST + 4 * 86400 + 2 * MINUTE
"""Seconds of the widest claim: of the longest run whose clock is off by two days and may be off by two more."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open `[start, end)` in Unix seconds, both whole UTC minutes."""

    start: int
    end: int

    @classmethod
    def around(cls, start: float, end: float) -> Window:
        """The least whole minutes that hold `[start, end)`, at least one of them."""
        first = minute_of(start)
        last = int(-(-end // MINUTE)) * MINUTE
        return cls(first, max(last, first + MINUTE))

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE

    def meets(self, other: Window) -> bool:
        return self.start < other.end and other.start < self.end

    def holds(self, other: Window) -> bool:
        return self.start <= other.start and other.end <= self.end

    def __contains__(self, minute: int) -> bool:
        return self.start <= minute < self.end

    def widened(self, minutes: int) -> Window:
        return Window(self.start - minutes * MINUTE, self.end + minutes * MINUTE)


@dataclass(frozen=True, slots=True)
class Clock:
    """How far the provider's clock may be from that of the machine that ran the run, in seconds."""

    offset: float = 0.0
    """The provider's clock less the machine's."""
    uncertainty: float = 0.0
    """By how much that may be off, either way."""
    source: str = "none"

    def around(self, start: float, end: float) -> Window:
        """The whole minutes in which something from `start` to `end` by the machine's clock can have been booked."""
        return Window.around(start + self.offset - self.uncertainty, end + self.offset + self.uncertainty)


EXACT = Clock()


def minute_of(seconds: float) -> int:
    """The start of the minute that holds the instant."""
    return int(seconds // MINUTE) * MINUTE


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def minutes_of(window: Window) -> range:
    return range(window.start, window.end, MINUTE)


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same minutes as sorted windows that neither meet nor touch."""
    apart: list[Window] = []
    for window in sorted(windows):
        if apart and window.start <= apart[-1].end:
            apart[-1] = Window(apart[-1].start, max(apart[-1].end, window.end))
        else:
            apart.append(window)
    return apart


def hull(windows: Sequence[Window]) -> Window:
    """From the first start to the last end."""
    return Window(min(window.start for window in windows), max(window.end for window in windows))


def any_meets(apart: Sequence[Window], window: Window) -> bool:
    """Whether one of the windows, sorted and apart, meets `window`."""
    position = bisect_left(apart, window.end, key=lambda candidate: candidate.start)
    return position > 0 and apart[position - 1].end > window.start


def any_holds(apart: Sequence[Window], window: Window) -> bool:
    """Whether one of the windows, sorted and apart, holds all of `window`."""
    position = bisect_left(apart, window.end, key=lambda candidate: candidate.start)
    return position > 0 and apart[position - 1].holds(window)


Timestamp = str | int | float


def instant_of(value: Timestamp) -> datetime:
    """The instant, in UTC. Raises ValueError where the text names no instant (30 February, a missing offset)."""
    if not isinstance(value, str):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no UTC offset")
    return moment.astimezone(UTC)


def start_seconds(value: Timestamp) -> float:
    """Unix seconds at which something that starts at `value` starts."""
    return instant_of(value).timestamp()


def end_seconds(value: Timestamp) -> float:
    """Unix seconds before which everything of something that ends at `value` has happened.

    A timestamp in whole seconds was cut or rounded, so it counts to the end of its second.
    """
    seconds = instant_of(value).timestamp()
    whole = isinstance(value, int) or (isinstance(value, str) and "." not in value)
    return math.floor(seconds) + 1 if whole else seconds


def spelled(moment: datetime) -> str:
    """RFC 3339 in UTC, as this project writes it: whole seconds where it is one, else microseconds."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
