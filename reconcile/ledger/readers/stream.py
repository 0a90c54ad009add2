"""Reads a log line by line, in memory that does not grow with it, from the bytes of its files to what counts.

UTF-16 is read as UTF-8, rows of CSV whose cells go over lines as one, and JSON that is one list or is written over many
lines as its values.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain, islice

from reconcile.errors import ConfigurationError
from reconcile.ledger.formats import BUILT_IN, SEEDS, LogFormat, Shape, recognised
from reconcile.ledger.lines import BYTE_ORDER_MARK, LineParser, cells_of, delimiter_of_line, object_of
from reconcile.ledger.log import UnusableError
from reconcile.ledger.readers.log_files import LogFile, blocks, head
from reconcile.ledger.scroll import MOST_BYTES, Scroll
from reconcile.runs.run import is_lfs_pointer

LOOKED_AT = 200
"""Lines at the head of a file by which its format is recognised."""


def stream(files: list[LogFile], formats: list[LogFormat], scroll: Scroll) -> None:
    """Read all lines of the files, each in its log_format."""
    for file, log_format in zip(files, formats, strict=True):
        with closing(lines_of(file, csv=log_format.shape is Shape.CSV)) as lines:
            scroll.open(file.path, file.framework, parser_of(file, log_format))
            if log_format.shape is Shape.CSV:
                scroll.skip(len(list(islice(lines, 1))))
            for line in lines:
                if line is None:
                    scroll.take_oversized()
                else:
                    scroll.take(line)


def lines_of(file: LogFile, *, csv: bool = False) -> Generator[bytes | None, None, None]:
    """The lines without their ends and without a byte order mark; None in the place of one that is too long. Rows of
    CSV whose cells go over lines are one, and of JSON over many lines or in a list each object is one."""
    with closing(_utf_8(file)) as found:
        first = next(found, b"")
        whole = chain([first], found)
        if is_wrapped(first) and not csv:
            yield from _unwrapped(whole)
        elif csv:
            yield from rows(_lines(whole))
        else:
            yield from _lines(whole)


def _utf_8(file: LogFile) -> Generator[bytes, None, None]:
    """What the file holds, in UTF-8 and without a byte order mark."""
    for number, block in enumerate(as_utf_8(blocks(file))):
        yield block if number else block.removeprefix(BYTE_ORDER_MARK)


def _unwrapped(whole: Iterable[bytes]) -> Iterator[bytes | None]:
    held: list[bytes] = []
    for block in (given := iter(whole)):
        held.append(block)
        if sum(map(len, held)) > MOST_JSON:
            yield from _lines(chain(held, given))
            return
    try:
        text = b"".join(held).decode()
    except UnicodeDecodeError:
        yield from _lines(held)
        return
    for value in values(text):
        yield None if len(value) > MOST_BYTES else value


def _lines(whole: Iterable[bytes]) -> Iterator[bytes | None]:
    held, dropping = b"", False
    for block in whole:
        parts = (held + block).split(b"\n")
        held = parts.pop()
        for line in parts:
            bare = line[:-1] if line.endswith(b"\r") else line
            yield None if dropping or len(bare) > MOST_BYTES else bare
            dropping = False
        if dropping or len(held) > MOST_BYTES + 1:
            held, dropping = b"", True
    if held or dropping:
        held = held.removesuffix(b"\r")
        yield None if dropping or len(held) > MOST_BYTES else held


def format_of(file: LogFile, log_format: LogFormat) -> LogFormat:
    """The format with the shape and the fields that this file has. Raises ConfigurationError where none is known, and
    where the file is only a pointer to one."""
    if is_lfs_pointer(head(file.path)):
        raise ConfigurationError(
            f"{file.path}: is a Git LFS pointer, not the log",
            code="lfs_pointer",
            remedy="fetch it with `git lfs pull` (`lfs: true` of actions/checkout), or keep logs out of LFS",
        )
    shaped = replace(log_format, shape=log_format.shape or (Shape.CSV if file.csv else Shape.NDJSON))
    if shaped.fields is not None:
        return shaped
    if shaped.shape is Shape.CSV:
        heads: list[Mapping[str, object]] = [dict.fromkeys(columns_of(file), "")]
        empty = not heads[0]
    else:
        first = list(_first(file, LOOKED_AT))
        heads = list(_objects(first))
        empty = not first
    found = recognised(replace(shaped, fields=SEEDS.fields) if empty else shaped, heads)
    if found is None:
        raise ConfigurationError(
            f"{file.path}: its first lines are of no format that is known: {', '.join(BUILT_IN)}",
            code="unknown_log_format",
            remedy="map its fields under `logs:` in reconcile.yml, as docs/usage-logs.md shows",
        )
    return found


def parser_of(file: LogFile, log_format: LogFormat) -> LineParser:
    """What reads the lines of this file. Raises ConfigurationError."""
    if log_format.shape is not Shape.CSV:
        return LineParser(log_format)
    return LineParser(log_format, columns_of(file), delimiter_of(file))


def delimiter_of(file: LogFile) -> str:
    """What parts the cells of a CSV. Raises ConfigurationError."""
    return next((_of_header(file, delimiter_of_line, line) for line in _first(file, 1)), ",")


def columns_of(file: LogFile) -> tuple[str, ...]:
    """The names in the header of a CSV; none of an empty file. Raises ConfigurationError."""
    for line in _first(file, 1):
        return tuple(name.strip() for name in cells_of(line, _of_header(file, delimiter_of_line, line)))
    return ()


def _of_header(file: LogFile, read: Callable[[bytes], str], line: bytes) -> str:
    try:
        return read(line)
    except UnusableError as error:
        raise ConfigurationError(
            f"{file.path}: its header cannot be read: {error}",
            code="unknown_log_format",
            remedy="begin the file with the names of its columns",
        ) from error


def _first(file: LogFile, count: int) -> Iterator[bytes]:
    """The lines at the head of a file, without blank and too long ones."""
    with closing(lines_of(file)) as lines:
        for line in islice(lines, count):
            if line and not line.isspace():
                yield line


def _objects(lines: Iterable[bytes]) -> Iterator[Mapping[str, object]]:
    for line in lines:
        with suppress(UnusableError):
            yield object_of(line)


LONGEST_ROW = 1_000_000
"""Bytes over which a quoted cell goes on, before its quote is taken for a stray one."""

MOST_LINES = 1_000

MOST_JSON = 256_000_000
"""Bytes of a list that is read whole."""

UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
QUOTE = b'"'


def as_utf_8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, in UTF-8 where a byte order mark says that they are UTF-16. A character that is none stays one."""
    decoder = None
    for number, block in enumerate(blocks):
        name = UTF_16.get(block[:2]) if not number else None
        if name:
            decoder = codecs.getincrementaldecoder(name)("replace")
            block = block[2:]  # noqa: PLW2901  what is left of it
        yield decoder.decode(block).encode("utf-8", "replace") if decoder else block
    if decoder and (rest := decoder.decode(b"", final=True)):
        yield rest.encode("utf-8", "replace")


def rows(lines: Iterable[bytes | None]) -> Iterator[bytes | None]:
    """Rows of CSV, each followed by as many blank lines as it went over: what is numbered are lines."""
    held: list[bytes] = []
    for line in lines:
        if line is None:
            yield from held
            held = []
            yield None
            continue
        held.append(line)
        if len(held) == 1 and not line.count(QUOTE) % 2:
            yield held.pop()
        elif len(held) > 1 and line.count(QUOTE) % 2:
            yield from _row(held)
            held = []
        elif len(held) > MOST_LINES or sum(map(len, held)) > LONGEST_ROW:
            yield from held
            held = []
    yield from held


def _row(lines: list[bytes]) -> Iterator[bytes]:
    """Lines as one row, if together they are one; else as they are, for a quote may stand in a cell by itself."""
    whole = b"\n".join(lines)
    try:
        cells_of(whole)
    except UnusableError:
        yield from lines
        return
    yield whole
    yield from [b""] * (len(lines) - 1)


def is_wrapped(first: bytes) -> bool:
    """Whether a file that begins so is JSON over many lines, or one list of objects."""
    bare = first.lstrip()
    is_list = bare.startswith(b"[") and bare[1:].lstrip().startswith(b"{")
    return is_list or bare.split(b"\n", 1)[0].strip() == b"{"


def values(text: str) -> Iterator[bytes]:
    """Every object of a list, or one after the other, as a line of its own; what is no JSON as it stands."""
    decoder, place = json.JSONDecoder(), 0
    while True:
        place = _skipped(text, place)
        if place >= len(text):
            return
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            yield from (line.encode("utf-8", "replace") for line in text[place:].splitlines())
            return
        yield text[place:end].replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")
        place = end


def _skipped(text: str, place: int) -> int:
    """Where the next value begins: past blanks, commas and the brackets of a list around all."""
    while place < len(text) and text[place] in " \t\r\n,[]":
        place += 1
    return place
