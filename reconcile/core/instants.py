"""Timestamps as metrics.json spells them, and what a whole second means as an end.

A timestamp is RFC 3339 text with its UTC offset, or Unix seconds as an integer or a float; the schemas refuse the rest.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

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
