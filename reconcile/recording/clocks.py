"""The time as something that is given, so that a test need not wait for it; and how far a provider's clock is from it.

A provider's own responses have a `Date` of whole seconds, written between the moments when the request was sent and the
response had come. So each leaves an interval for the offset, and all of them together what their intervals have in
common. Where that is nothing, a clock was set meanwhile, and the offset may be anything from what those before allow
to what those after do.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

MINUTE = 60
FRESH = 5.0
"""Seconds into a minute up to which a run may still start on its turn: what came before had ended by then."""


class WallClock(Protocol):
    """Unix seconds, and a way to let them pass."""

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def await_start(clock: WallClock) -> None:
    """Return in the first seconds of a minute."""
    now = clock.now()
    if now % MINUTE >= FRESH:
        _await(clock, (now // MINUTE + 1) * MINUTE)


def await_end(clock: WallClock, ended_at: float) -> None:
    """Return when the minute of this instant is over."""
    _await(clock, -(-ended_at // MINUTE) * MINUTE)


def _await(clock: WallClock, moment: float) -> None:
    while (left := moment - clock.now()) > 0:
        clock.wait(left)


RESOLUTION = 1.0
"""Seconds that a `Date` stands for."""

MOST = 2 * 86_400.0
"""Seconds of an offset beyond which a clock is not off but wrong."""


Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What responses say of the offset, in seconds, the provider's clock minus the machine's."""

    now: Interval
    """What the last responses that agree allow."""
    before: Interval | None = None
    """What others allowed, where a clock was set in between: from the least to the most of it."""
    responses: int = 1
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, date: str, sent_at: float, come_at: float, host: str) -> Offset | None:
        """What one response says; None where its date is none, or no clock shows such times."""
        with suppress(ValueError, TypeError, OverflowError):
            moment = parsedate_to_datetime(date).timestamp()
            now = (moment - come_at, moment + RESOLUTION - sent_at)
            if now[0] <= now[1] and max(map(abs, now)) <= MOST:
                return cls(now=now, hosts=(host[:60],))
        return None

    def __add__(self, other: Offset) -> Offset:
        now = (max(self.now[0], other.now[0]), min(self.now[1], other.now[1]))
        agree = now[0] <= now[1]
        return Offset(
            now=now if agree else other.now,
            before=_hull(self.before, other.before, *(() if agree else (self.now,))),
            responses=self.responses + other.responses,
            hosts=tuple(sorted({*self.hosts, *other.hosts})),
        )

    @property
    def line(self) -> dict[str, object]:
        """For the journal."""
        before = {"before": list(self.before)} if self.before else {}
        return {"now": list(self.now), **before, "responses": self.responses, "hosts": list(self.hosts)}

    @property
    def clock(self) -> dict[str, object]:
        """As `metrics.json` has it. The uncertainty is rounded up, so that the interval only grows."""
        low, high = _hull(self.before, self.now) or self.now
        offset = round((low + high) / 2, 3)
        reach = max(high - offset, offset - low)
        responses = f"{self.responses} response" + ("" if self.responses == 1 else "s")
        source = f"Date of {responses} of {', '.join(self.hosts[:3])}"
        torn = "; they do not agree, a clock was set" if self.before else ""
        return {
            "offset_seconds": offset,
            "uncertainty_seconds": math.ceil(reach * 1000) / 1000,
            "source": source[: 200 - len(torn)] + torn,
        }


def _hull(*intervals: Interval | None) -> Interval | None:
    found = [each for each in intervals if each is not None]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def together(offsets: Iterable[Offset]) -> Offset | None:
    found: Offset | None = None
    for each in offsets:
        found = each if found is None else found + each
    return found


def offset_in(line: Mapping[str, Any]) -> Offset:
    """The offset that a line of the journal tells. Raises ValueError, TypeError or KeyError where it tells none."""
    hosts, before = line["hosts"], line.get("before")
    if not isinstance(hosts, list):
        raise TypeError("no hosts")
    return Offset(
        now=_interval(line["now"]),
        before=None if before is None else _interval(before),
        responses=int(line["responses"]),
        hosts=tuple(sorted(str(each)[:60] for each in hosts)),
    )


def _interval(ends: Any) -> Interval:  # noqa: ANN401  JSON
    low, high = (float(each) for each in ends)
    if not -MOST <= low <= high <= MOST:
        raise ValueError("no interval")
    return low, high
