"""From the timestamp of a line to the quarter of an hour it lies in.

A zone's offset is a whole number of quarters, so all of a local quarter lies in one of UTC's. A wall clock that shows
an hour twice is taken at its first showing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from reconcile.core.comparing.formats import LogFormat, Timestamps
from reconcile.core.comparing.sides import LOGGED_GRAIN
from reconcile.core.comparing.unusable import UnusableError
from reconcile.core.defects import shown

RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::[0-9]{2})?(?:[.,][0-9]{1,9})?"
    r"(?:([Zz])| ?([+-])([0-9]{2}):?([0-9]{2}))?"
)
NUMBER = re.compile(r"([0-9]{1,20})(?:\.[0-9]{1,30})?")
POWER = re.compile(r"[0-9](?:\.[0-9]{1,30})?[eE]\+?[0-9]{1,2}")

LEAST = (
    (100_000_000_000_000_000, 1_000_000_000),
    (100_000_000_000_000, 1_000_000),
    (100_000_000_000, 1000),
)
"""Numbers from here up are nanoseconds, microseconds or milliseconds where nothing is said: in the next larger unit
they lie past the year 5000."""

PARTS_OF_A_SECOND = {
    Timestamps.SECONDS: 1,
    Timestamps.MILLISECONDS: 1000,
    Timestamps.MICROSECONDS: 1_000_000,
    Timestamps.NANOSECONDS: 1_000_000_000,
}

LAST = 4_102_444_800
"""Midnight of the year 2100, in Unix seconds."""

REMEMBERED = 10_000

ZONE_REMEDY = "state the zone of the log with time_zone in reconcile.yml (UTC, Europe/Berlin), or log the offset"


class Clock:
    """Reads the timestamps of one log_format. Remembers some, for neighbours in a log share their minute."""

    def __init__(self, log_format: LogFormat) -> None:
        self._kind = log_format.timestamps
        self._zone = log_format.time_zone
        self._known: dict[tuple[str, ...], int] = {}

    def quarter(self, value: object) -> int:
        """Unix seconds at which the quarter begins. Raises UnusableError."""
        if isinstance(value, str) and not value.isdecimal() and self._kind in {Timestamps.DETECTED, Timestamps.RFC3339}:
            found = RFC3339.fullmatch(value)
            if found:
                parts = found.groups("")
                known = self._known.get(parts)
                return self._read(value, parts) if known is None else known
        if isinstance(value, bool) or not isinstance(value, int | str) or self._kind is Timestamps.RFC3339:
            raise self._unreadable(value)
        return self._counted(value)

    def _read(self, text: str, parts: tuple[str, ...]) -> int:
        day, hour, minute, utc, sign, hours, minutes = parts
        offset = "+00:00" if utc else f"{sign}{hours}:{minutes}" if sign else ""
        try:
            moment = datetime.fromisoformat(f"{day}T{hour}:{minute}{offset}")
            quarter = quarter_of(moment, self._zone)
        except (ValueError, OverflowError) as error:
            if isinstance(error, UnusableError):
                raise
            raise self._unreadable(text) from error
        if not 0 <= quarter < LAST:
            raise self._unreadable(text)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[parts] = quarter
        return quarter

    def _counted(self, value: int | str) -> int:
        text = str(value)
        found = NUMBER.fullmatch(f"{Decimal(text):f}" if POWER.fullmatch(text) else text)
        if found is None:
            raise self._unreadable(value)
        count = int(found[1])
        detected = next((parts for least, parts in LEAST if count >= least), 1)
        seconds = count // PARTS_OF_A_SECOND.get(self._kind, detected)
        if not 0 < seconds < LAST:
            raise self._unreadable(value)
        return seconds - seconds % LOGGED_GRAIN

    def _unreadable(self, value: object) -> UnusableError:
        wanted = {
            Timestamps.DETECTED: "RFC 3339 or Unix seconds",
            Timestamps.RFC3339: "RFC 3339, such as 2026-01-05T14:17:00Z",
            Timestamps.SECONDS: "Unix seconds",
            Timestamps.MILLISECONDS: "Unix milliseconds",
            Timestamps.MICROSECONDS: "Unix microseconds",
            Timestamps.NANOSECONDS: "Unix nanoseconds",
        }[self._kind]
        return UnusableError(f"timestamp is {shown(value)}, which names no instant; write {wanted}")


def quarter_of(moment: datetime, zone: tzinfo | None) -> int:
    """The quarter of a moment, in this zone where it has no offset. Raises UnusableError where neither says one."""
    if moment.tzinfo is None and zone is None:
        raise UnusableError(f"timestamp is {moment.isoformat()} without an offset; {ZONE_REMEDY}")
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    seconds = int(aware.astimezone(UTC).timestamp())
    return seconds - seconds % LOGGED_GRAIN
