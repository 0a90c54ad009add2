"""From the bytes of a file to its records: UTF-16 as UTF-8, rows of CSV whose cells go over lines, and JSON that is one
list or is written over many lines."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator

from reconcile.core.comparing.lines import cells_of
from reconcile.core.comparing.unusable import UnusableError

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
