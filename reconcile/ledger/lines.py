"""From one line of a log to the request it tells of. A line that cannot count says why."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from reconcile.ledger.cells import Stated, TimestampReader, amount_of, count_of, parts_of, without_thousands
from reconcile.ledger.formats import NAMES, Counters, LogFormat, Shape, column, steps, words
from reconcile.ledger.log import UnusableError
from reconcile.usage import Parts
from reconcile.words import KEY_PREFIX, shown

LONGEST_NAME = 200
"""Characters of the name of a model, a key, a project or a tier."""

EMPTY = frozenset({"nan", "null", "none", "n/a", "-"})
"""Words that stand for nothing in a cell or member that need not hold anything."""

COUNTED = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)

NEEDED = ("timestamp", "input_tokens")

FLAGS = {"true": True, "false": False, "1": True, "0": False}

DELIMITERS = (",", ";", "\t")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """What a line tells of one request, or of several that it adds up."""

    quarter: int
    model: str | None
    api_key_id: str | None
    project_id: str | None
    batch: bool | None
    service_tier: str | None
    parts: Parts
    requests: int
    reasoning: int
    cost: Decimal | None
    attempt: int
    request_id: str | None
    aborted: bool


def _refused(text: str) -> None:
    if text == "NaN":  # how pandas and others spell what is not there
        return
    raise ValueError(f"{text} is no number of JSON")


_DECODER = json.JSONDecoder(parse_float=str, parse_constant=_refused)
"""Keeps the digits of every fraction as they stand."""


def object_of(line: bytes) -> Mapping[str, Any]:
    """The object that a line of NDJSON is. Raises UnusableError."""
    try:
        value = _DECODER.decode(text_of(line))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnusableError):
            raise
        raise UnusableError("the line is not JSON; let every line hold one whole object") from error
    if not isinstance(value, dict):
        raise UnusableError(f"the line is {shown(value)} and no object; let every line hold one whole object")
    return value


def text_of(line: bytes) -> str:
    """The text of a line. Raises UnusableError."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise UnusableError(f"byte {line[error.start]:#04x} is not UTF-8; save the log as UTF-8") from error


def cells_of(line: bytes, delimiter: str = ",") -> list[str]:
    """The cells of a row of CSV. Raises UnusableError."""
    *before, last = text_of(line).split("\n")
    try:
        found = list(csv.reader([*(f"{text}\n" for text in before), last], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _no_row() from error
    if len(found) > 1:
        raise _no_row()
    return found[0] if found else []


def _no_row() -> UnusableError:
    return UnusableError("the line is not CSV; quote cells that hold quotes, and double the quotes in them")


def delimiter_of_line(line: bytes) -> str:
    """What parts the cells of this header: a semicolon or a tab where a comma parts none."""
    return next((mark for mark in DELIMITERS if len(cells_of(line, mark)) > 1), ",")


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and value.lower() in EMPTY


def _worded(value: object) -> object:
    """An id that is a number as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _calls(found: object, line: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects of a list, one after the other, or of lists in a list."""
    if not isinstance(found, list):
        return []
    calls: list[Mapping[str, Any]] = []
    for one in found:
        calls += _calls(one, line) if isinstance(one, list) else [{**line, **one}] if isinstance(one, dict) else []
    return calls


def _runs(log_format: LogFormat) -> bool:
    return log_format.counters is Counters.RUNNING


class Running:
    """What each line adds to the totals of its thread. Where a count goes down a thread has begun anew."""

    def __init__(self, thread: Callable[[Mapping[str, Any]], Any]) -> None:
        self._thread = thread
        self._so_far: dict[tuple[str, str | None], Record] = {}

    def taken(self, record: Record, value: Mapping[str, Any]) -> Record:
        """The record less what the thread had before. One that adds nothing stands for no request."""
        thread = (str(self._thread(value)), record.model)
        before = self._so_far.get(thread)
        self._so_far[thread] = record
        if before is None or any(now < then for now, then in zip(record.parts, before.parts, strict=True)):
            return record
        uncached, read, write, output = (now - then for now, then in zip(record.parts, before.parts, strict=True))
        added = record._replace(
            parts=(uncached, read, write, output), reasoning=max(0, record.reasoning - before.reasoning)
        )
        if record.cost is not None and before.cost is not None and record.cost >= before.cost:
            added = added._replace(cost=record.cost - before.cost)
        return added if any(added.parts) else added._replace(requests=0)


class LineParser:
    """Reads the lines of one file; `header` are the columns of a CSV, which `delimiter` parts."""

    def __init__(self, log_format: LogFormat, header: Sequence[str] = (), delimiter: str = ",") -> None:
        if log_format.fields is None:
            raise ValueError("a format has fields once it is recognised")
        self.format = log_format
        self.tells_attempts = bool(log_format.fields.attempt)
        csv = log_format.shape is Shape.CSV
        self._header = tuple(header)
        self._clock = TimestampReader(log_format)
        self._answers = bool(log_format.fields.output_tokens)
        self._find = {name: _finder(getattr(log_format.fields, name), csv=csv) for name in NAMES}
        self._said = tuple(name for name in NAMES if getattr(log_format.fields, name))
        self._constants = dict(log_format.constants)
        self._where = tuple((_finder((place,), csv=csv), said) for place, said in log_format.where)
        self._each = _finder(log_format.each, csv=csv) if log_format.each else None
        self._once = _finder(log_format.once, csv=csv) if log_format.once else None
        self._running = Running(_finder(log_format.thread, csv=csv)) if _runs(log_format) else None
        self._delimiter = delimiter
        self.value_of = self._row if csv else object_of
        """All that a line says. Raises UnusableError."""

    def parse(self, line: bytes, *, first: bool = False) -> Record | str | None:
        """The record of a line of one call, why it is none, or None where it tells of no request; `first` in its
        file."""
        try:
            return self.judge(self.value_of(line), first=first)
        except UnusableError as error:
            return str(error)

    def calls_of(self, line: bytes) -> list[Mapping[str, Any]]:
        """The calls that a line tells of, each with all that the line says beside them. Raises UnusableError."""
        value = self.value_of(line)
        return [value] if self._each is None else _calls(self._each(value), value)

    def judge(self, value: Mapping[str, Any], *, first: bool = False) -> Record | str | None:
        """The record of a call, why it is none, or None where what is said is of no call."""
        try:
            if self.format.statement in value:
                if first:
                    return None
                raise UnusableError(f"{self.format.statement} does not belong here; only the first line may say it")
            if any(words(find(value)) not in said for find, said in self._where):
                return None
            return self._told(value)
        except UnusableError as error:
            return str(error)

    def _told(self, value: Mapping[str, Any]) -> Record:
        found = {name: self._find[name](value) for name in self._said}
        optional = (name for name in self._said if name not in NEEDED)
        found |= {name: None for name in optional if _is_empty(found[name])}
        found |= {name: said for name, said in self._constants.items() if found.get(name) is None}
        record = self._record(found.get)
        if self._once is not None:
            record = record._replace(request_id=_name(_worded(self._once(value)), "once"))
        return record if self._running is None else self._running.taken(record, value)

    def _row(self, line: bytes) -> Mapping[str, Any]:
        cells = cells_of(line, self._delimiter)
        if len(cells) != len(self._header):
            given = f"the line has {len(cells)} cells and the header {len(self._header)}"
            raise UnusableError(f"{given}; write one for each column")
        return {name: cell for name, cell in zip(self._header, cells, strict=True) if cell}

    def _record(self, said: Callable[[str], Any]) -> Record:
        stamp = said("timestamp")
        if stamp is None:
            raise self._missing("timestamp")
        counts = self._counts(said)
        cost = said("cost")
        return Record(
            self._clock.quarter(stamp),
            _name(said("model"), "model"),
            _name(said("api_key_id"), "api_key_id"),
            _name(said("project_id"), "project_id"),
            _flag(said("batch"), "batch"),
            _name(said("service_tier"), "service_tier"),
            parts_of(self.format, counts),
            _plain(said("requests"), "requests"),
            counts.reasoning,
            None if cost is None else amount_of(cost),
            max(1, _plain(said("attempt"), "attempt")),
            _name(said("request_id"), "request_id"),
            _flag(said("aborted"), "aborted") or False,
        )

    def _counts(self, said: Callable[[str], Any]) -> Stated:
        units = self.format.units
        given, answered, total, cached, written, reasoning = (
            without_thousands(said(name), self.format.thousands) for name in COUNTED
        )
        if given is None:
            raise self._missing("input_tokens")
        if answered is None and not self._answers:
            answered = 0
        return Stated(
            count_of(given, "input_tokens", units),
            None if answered is None else count_of(answered, "output_tokens", units),
            None if total is None else count_of(total, "total_tokens", units),
            0 if cached is None else count_of(cached, "cached_tokens", units),
            0 if written is None else count_of(written, "cache_write_tokens", units),
            0 if reasoning is None else count_of(reasoning, "reasoning_tokens", units),
        )

    def _missing(self, name: str) -> UnusableError:
        where = " or ".join(getattr(self.format.fields, name))
        return UnusableError(f"{where} is missing; log it in every line, or map {name} to where it stands")


def _plain(value: object, name: str) -> int:
    """A count of requests or tries, one where it is not said."""
    return 1 if value is None else count_of(value, name)


def _finder(paths: Sequence[str], *, csv: bool) -> Callable[[Mapping[str, Any]], Any]:
    """A function that finds what stands at the first of these places, None where nothing does."""
    ways = [_way(path, csv=csv) for path in paths]
    if len(ways) == 1 and len(ways[0]) == 1:
        return _member(ways[0][0])

    def find(value: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever a log holds
        for way in ways:
            found: Any = value
            for name in way:
                found = _opened(found)
                found = found.get(name) if isinstance(found, dict) else None
            if found is not None:
                return found
        return None

    return find


def _way(path: str, *, csv: bool) -> tuple[str, ...]:
    """The steps to a place; in a CSV the first is a column, and others lead into the JSON that it holds."""
    if not csv:
        return steps(path)
    head, inside, rest = path.partition("->")
    return (column(head), *steps(rest)) if inside else (column(path),)


def _opened(found: object) -> object:
    """What a text holds that is an object of JSON; all else as it is."""
    if not isinstance(found, str) or not found.lstrip().startswith("{"):
        return found
    try:
        return _DECODER.decode(found)
    except (ValueError, RecursionError):
        return found


def _member(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda value: value.get(name)


def _name(value: object, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise UnusableError(
            f"{name} is {shown(value)}; write a name of up to {LONGEST_NAME} characters in double quotes"
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnusableError(
                f"{name} holds half a surrogate pair, which is no character; write whole ones"
            ) from error
    return f"{KEY_PREFIX}..." if value.startswith(KEY_PREFIX) else value


def _flag(value: object, name: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    found = FLAGS.get(str(value).lower())
    if found is None:
        raise UnusableError(f"{name} is {shown(value)}; write true or false")
    return found
