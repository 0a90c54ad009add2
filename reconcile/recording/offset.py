"""By how much a provider's clock is ahead of this machine's, from the `Date` of the provider's own responses.

`Date` has whole seconds, and was written between the moments when the request was sent and the response had come. So
each response leaves an interval for the offset, and all of them together what their intervals have in common. Where
that is nothing, a clock was set meanwhile, and the offset may be anything that one response allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

RESOLUTION = 1.0
"""Seconds that a `Date` stands for."""

MOST = 2 * 86_400.0
"""Seconds of an offset beyond which a clock is not off but wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What responses say of the offset, in seconds, the provider's clock minus the machine's."""

    low: float
    high: float
    """Ends of what every response allows; low is above high where they allow nothing in common."""
    least: float
    most: float
    """Ends of what some response allows."""
    responses: int
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, date: str, sent_at: float, come_at: float, host: str) -> Offset | None:
        """What one response says; None where its date is none, or no clock shows such times."""
        with suppress(ValueError, TypeError, OverflowError):
            moment = parsedate_to_datetime(date).timestamp()
            low, high = moment - come_at, moment + RESOLUTION - sent_at
            if low <= high and max(abs(low), abs(high)) <= MOST:
                return cls(low=low, high=high, least=low, most=high, responses=1, hosts=(host[:60],))
        return None

    def __add__(self, other: Offset) -> Offset:
        return Offset(
            low=max(self.low, other.low),
            high=min(self.high, other.high),
            least=min(self.least, other.least),
            most=max(self.most, other.most),
            responses=self.responses + other.responses,
            hosts=tuple(sorted({*self.hosts, *other.hosts})),
        )

    @property
    def line(self) -> dict[str, object]:
        """For the journal."""
        return {name: getattr(self, name) for name in NUMBERS} | {"hosts": list(self.hosts)}

    @property
    def clock(self) -> dict[str, object]:
        """As `metrics.json` has it. The uncertainty is rounded up, so that the interval only grows."""
        low, high = (self.low, self.high) if self.low <= self.high else (self.least, self.most)
        offset = round((low + high) / 2, 3)
        reach = max(high - offset, offset - low)
        responses = f"{self.responses} response" + ("" if self.responses == 1 else "s")
        source = f"Date of {responses} of {', '.join(self.hosts[:3])}"
        torn = "" if self.low <= self.high else "; they do not agree, a clock was set"
        return {
            "offset_seconds": offset,
            "uncertainty_seconds": math.ceil(reach * 1000) / 1000,
            "source": source[: 200 - len(torn)] + torn,
        }


NUMBERS = ("low", "high", "least", "most", "responses")


def together(offsets: Iterable[Offset]) -> Offset | None:
    found: Offset | None = None
    for each in offsets:
        found = each if found is None else found + each
    return found


def offset_in(line: Mapping[str, Any]) -> Offset:
    """The offset that a line of the journal tells. Raises ValueError, TypeError or KeyError where it tells none."""
    low, high, least, most = (float(line[name]) for name in NUMBERS[:4])
    hosts = line["hosts"]
    if not all(abs(each) <= MOST for each in (low, high, least, most)) or least > most or not isinstance(hosts, list):
        raise ValueError("no offset")
    return Offset(
        low=low,
        high=high,
        least=least,
        most=most,
        responses=int(line["responses"]),
        hosts=tuple(sorted(str(each)[:60] for each in hosts)),
    )
