"""A log record by record, for programs: everything a line says, of as many lines as fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from reconcile.adapters.usage_logs.files import LogFile, find
from reconcile.adapters.usage_logs.streaming import format_of, lines_of, parser_of
from reconcile.core.comparing.formats import LogFormat, Shape
from reconcile.core.comparing.lines import LineParser, Record
from reconcile.core.comparing.scroll import MOST_BYTES
from reconcile.core.comparing.sides import BadLine
from reconcile.core.comparing.unusable import UnusableError


@dataclass(frozen=True, slots=True)
class Line:
    """A line that counts: what it tells, and all that it says."""

    record: Record
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """What a log holds of some time."""

    inside: tuple[Line, ...]
    """Of lines that are versions of one call the last."""
    sound: int
    """Lines that count, of whatever time."""
    bad: tuple[BadLine, ...]


def lines_of_logs(path: str, log_format: LogFormat, start: float, end: float) -> Lines:
    """The lines of `[start, end)` (Unix seconds) in a file, in those that match a pattern, or in a folder's logs.

    Raises as `read_logs` does.
    """
    kept: dict[object, Line] = {}
    bad: list[BadLine] = []
    sound = 0
    for file in find([(None, path)]):
        shaped = format_of(file, log_format)
        parser = parser_of(file, shaped)
        for number, value, found in _parsed(file, parser):
            if isinstance(found, str):
                bad.append(BadLine(file=file.path, line=number, why=found))
                continue
            sound += 1
            call = found.request_id if shaped.latest_wins else None
            kept.pop(call, None)
            if start <= found.quarter < end and not found.aborted:
                kept[call or (file.path, number, len(kept))] = Line(found, value)
    return Lines(tuple(kept.values()), sound, tuple(bad))


def _parsed(file: LogFile, parser: LineParser) -> Iterator[tuple[int, Mapping[str, Any], Record | str]]:
    """Every call that lines tell of or should: the line's number, all that it says, and its record or why it has
    none."""
    header = parser.format.shape is Shape.CSV
    with closing(lines_of(file, csv=header)) as lines:
        for number, line in enumerate(lines, 1):
            if line is None:
                yield number, {}, f"the line has more than {MOST_BYTES:,} bytes; log no prompts"
            elif not (header and number == 1) and line and not line.isspace():
                yield from _of_line(parser, line, number)


def _of_line(parser: LineParser, line: bytes, number: int) -> Iterator[tuple[int, Mapping[str, Any], Record | str]]:
    try:
        calls = parser.calls_of(line)
    except UnusableError as error:
        yield number, {}, str(error)
        return
    for value in calls:
        found = parser.judge(value, first=number == 1)
        if found is not None:
            yield number, value, found
