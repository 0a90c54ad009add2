"""What the cells of a line say: the quarter of an hour it lies in, its counts, and token parts that share nothing.

A zone's offset is a whole number of quarters, so all of a local quarter lies in one of UTC's. A wall clock that shows
an hour twice is taken at its first showing. Parts are proven to sum to what the line says:

input = uncached + cache read + cache write        of OpenAI, whose input includes both
output = answer + reasoning                        reasoning is within it, and never added twice
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from reconcile.ledger.formats import Included, LogFormat, Timestamps
from reconcile.ledger.log import UnusableError
from reconcile.money.entry import LOGGED_GRAIN
from reconcile.usage import Parts
from reconcile.words import shown

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


class TimestampReader:
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


MOST = 10**15
"""Tokens in one line, which may stand for a month."""

WHOLE = re.compile(r"[0-9]{1,15}")
DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?")
GROUPED = re.compile(r"[0-9]{1,3}(?:[,._' ][0-9]{3})+")
AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
"""Of money: any number that a language writes for some dollars, to the last digit."""


def count_of(value: object, name: str, units: int = 1) -> int:
    """A number of things, which is whole and not below zero. Raises UnusableError."""
    if type(value) is int:
        number = value * units
    elif isinstance(value, str) and WHOLE.fullmatch(value):
        number = int(value) * units
    elif isinstance(value, str) and DECIMAL.fullmatch(value):
        exact = Decimal(value) * units
        if exact > MOST or exact != exact.to_integral_value():
            raise _no_count(value, name)
        number = int(exact)
    else:
        raise _no_count(value, name)
    if not 0 <= number <= MOST:
        raise _no_count(value, name)
    return number


GROUP = 3
"""Digits between two separators of thousands."""


def without_thousands(value: object, separator: str) -> object:
    """The count `1,234` as `1234`; what is no such count as it is."""
    if not isinstance(value, str) or not separator:
        return value
    parts = value.strip().split(separator)
    whole = len(parts) == 1 or (1 <= len(parts[0]) <= GROUP and all(len(part) == GROUP for part in parts[1:]))
    return "".join(parts) if whole else value


def _no_count(value: object, name: str) -> UnusableError:
    if isinstance(value, str) and GROUPED.fullmatch(value):
        return UnusableError(
            f"{name} is {shown(value)}, which may have separators of thousands in it; say `thousands:` of the log, or "
            "write a whole number from 0 up"
        )
    return UnusableError(f"{name} is {shown(value)}, which is no count; write a whole number from 0 up")


def amount_of(value: object) -> Decimal:
    """Dollars, to the last digit, with or without their sign. Raises UnusableError."""
    bare = str(value).removeprefix("$")
    if isinstance(value, str | int) and not isinstance(value, bool) and AMOUNT.fullmatch(bare):
        return Decimal(bare)
    raise UnusableError(f"cost is {shown(value)}, which is no amount; write US dollars such as 0.0125")


class Stated(NamedTuple):
    """What a line says, before anything is derived from it."""

    given: int
    """Input tokens."""
    answered: int | None
    """Output tokens; None where it does not say, as of embeddings."""
    total: int | None = None
    cached: int = 0
    written: int = 0
    """Input tokens that were written to the cache."""
    reasoning: int = 0


def parts_of(log_format: LogFormat, counts: Stated) -> Parts:
    """The parts that the counts of a line are made of. Raises UnusableError where these contradict each other."""
    given, answered, total, cached, written, reasoning = counts
    if answered is None:
        answered = _left(given, total)
    within = 0
    if Included.CACHED in log_format.input_includes:
        within += cached
    if Included.CACHE_WRITE in log_format.input_includes:
        within += written
    if within > given:
        raise UnusableError(
            f"input_tokens is {given} and is to include {within} cached tokens; "
            "log both as reported, or correct input_includes in the mapping"
        )
    if not log_format.output_includes_reasoning:
        output = answered + reasoning
    elif reasoning <= answered:
        output = answered
    else:
        raise UnusableError(
            f"output_tokens is {answered} and is to include {reasoning} reasoning tokens; "
            "log both as reported, or correct output_includes_reasoning in the mapping"
        )
    whole = given - within + cached + written + output
    if total is not None and total != given + answered and total != whole:
        raise UnusableError(
            f"total_tokens is {total} and its parts sum to {whole}; {_remedy(log_format, counts, whole)}"
        )
    return given - within, cached, written, output


def _remedy(log_format: LogFormat, counts: Stated, whole: int) -> str:
    """What to do of a total that is none: the setting by which it would be one, where there is such a setting."""
    lacking = (counts.total or 0) - whole
    if lacking == counts.reasoning and log_format.output_includes_reasoning:
        return "it is with reasoning added: say `output_includes_reasoning: false` of the log"
    if lacking in {counts.cached, counts.written, counts.cached + counts.written}:
        return "it is with cached tokens added: correct `input_includes` of the log"
    return "log all as reported, or correct the mapping"


def _left(given: int, total: int | None) -> int:
    """What a total leaves for the output."""
    if total is None:
        raise UnusableError("output_tokens is missing; log it, or take it out of the mapping where there is no output")
    if total < given:
        raise UnusableError(f"total_tokens is {total}, less than input_tokens, which is {given}; log both as reported")
    return total - given
