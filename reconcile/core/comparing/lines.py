"""From one line of a log to the request it tells of. A line that cannot count says why."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from reconcile.core.comparing.formats import NAMES, LogFormat, Shape, column, steps
from reconcile.core.comparing.moments import Clock
from reconcile.core.comparing.parts import Counts, Parts, amount_of, count_of, parts_of
from reconcile.core.comparing.unusable import UnusableError
from reconcile.core.defects import KEY_PREFIX, shown

LONGEST_NAME = 200
"""Characters of the name of a model, a key, a project or a tier."""

FLAGS = {"true": True, "false": False, "1": True, "0": False}

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


def _refused(text: str) -> NoReturn:
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


def cells_of(line: bytes) -> list[str]:
    """The cells of a line of CSV. Raises UnusableError."""
    try:
        return next(csv.reader([text_of(line)], strict=True), [])
    except csv.Error as error:
        raise UnusableError(
            "the line is not CSV; quote cells that hold quotes, and let no cell go over a line"
        ) from error


class LineParser:
    """Reads the lines of one file; `header` are the columns of a CSV."""

    def __init__(self, log_format: LogFormat, header: Sequence[str] = ()) -> None:
        if log_format.fields is None:
            raise ValueError("a format has fields once it is recognised")
        self.format = log_format
        self.tells_attempts = bool(log_format.fields.attempt)
        csv = log_format.shape is Shape.CSV
        self._header = tuple(header)
        self._clock = Clock(log_format)
        self._answers = bool(log_format.fields.output_tokens)
        self._find = {name: _finder(getattr(log_format.fields, name), csv=csv) for name in NAMES}
        self._said = tuple(name for name in NAMES if getattr(log_format.fields, name))
        self.value_of = self._row if csv else object_of
        """All that a line says. Raises UnusableError."""

    def parse(self, line: bytes, *, first: bool = False) -> Record | str | None:
        """The record of a line, why it is none, or None where it tells of no request; `first` in its file."""
        try:
            value = self.value_of(line)
        except UnusableError as error:
            return str(error)
        return self.judge(value, first=first)

    def judge(self, value: Mapping[str, Any], *, first: bool = False) -> Record | str | None:
        """The same of all that a line says."""
        try:
            if self.format.statement in value:
                if first:
                    return None
                raise UnusableError(f"{self.format.statement} does not belong here; only the first line may say it")
            return self._record({name: self._find[name](value) for name in self._said}.get)
        except UnusableError as error:
            return str(error)

    def _row(self, line: bytes) -> Mapping[str, Any]:
        cells = cells_of(line)
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

    def _counts(self, said: Callable[[str], Any]) -> Counts:
        units = self.format.units
        given, answered, total = said("input_tokens"), said("output_tokens"), said("total_tokens")
        cached, written = said("cached_tokens"), said("cache_write_tokens")
        reasoning = said("reasoning_tokens")
        if given is None:
            raise self._missing("input_tokens")
        if answered is None and not self._answers:
            answered = 0
        return Counts(
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
    ways = [(column(path),) if csv else steps(path) for path in paths]
    if len(ways) == 1 and len(ways[0]) == 1:
        return _member(ways[0][0])

    def find(value: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever a log holds
        for way in ways:
            found: Any = value
            for name in way:
                found = found.get(name) if isinstance(found, dict) else None
            if found is not None:
                return found
        return None

    return find


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
