"""Reads logs, whatever their size: by line, or with embedded DuckDB where that can prove to do the same.

A program may have a log record by record instead: everything a line says, of as many lines as fit in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from reconcile.ledger.formats import LogFormat, Shape
from reconcile.ledger.lines import LineParser, Record
from reconcile.ledger.log import BadLine, UnusableError, UsageLog
from reconcile.ledger.readers import database
from reconcile.ledger.readers.log_files import LogFile, Pattern, find
from reconcile.ledger.readers.stream import format_of, lines_of, parser_of, stream
from reconcile.ledger.scroll import MOST_BYTES, Scroll


def read_logs(
    patterns: Sequence[Pattern], log_format: LogFormat | Sequence[LogFormat], start: int, end: int
) -> UsageLog:
    """All that the logs hold of the period from `start` to `end`, in Unix seconds, and MARGIN around it.

    The format is one for all patterns, or one for each.

    Raises UsageError where a pattern matches nothing, ConfigurationError where a format is not known, and StoreError
    where a file cannot be read whole: then nothing of it counts.
    """
    files = find(patterns)
    given = [log_format] * len(patterns) if isinstance(log_format, LogFormat) else log_format
    formats = [format_of(file, given[file.pattern]) for file in files]
    scroll = database.summed(files, formats, start, end) if database.large(files) and database.available() else None
    if scroll is None:
        scroll = Scroll(start, end, closely=not database.large(files))
        stream(files, formats, scroll)
    return scroll.result()


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that counts: what it tells, and all that it says."""

    record: Record
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLines:
    """What a log holds of some time."""

    inside: tuple[LogLine, ...]
    """Of lines that are versions of one call the last."""
    sound: int
    """Lines that count, of whatever time."""
    bad: tuple[BadLine, ...]


def lines_of_logs(path: str, log_format: LogFormat, start: float, end: float) -> LogLines:
    """The lines of `[start, end)` (Unix seconds) in a file, in those that match a pattern, or in a folder's logs.

    Raises as `read_logs` does.
    """
    kept: dict[object, LogLine] = {}
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
                kept[call or (file.path, number, len(kept))] = LogLine(found, value)
    return LogLines(tuple(kept.values()), sound, tuple(bad))


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
