"""Adds up a large log with embedded DuckDB (the extra `logs`), exactly as reading it line by line would.

What the expression cannot prove to count the same comes back as lines and is read here. Where the files themselves
are odd (not UTF-8, a carriage return, a line that is too long), or DuckDB objects to anything, nothing of its answer is
used.
"""

from __future__ import annotations

import codecs
import glob
import importlib.util
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from reconcile.ledger.cells import quarter_of
from reconcile.ledger.expression import BLANK, COLUMNS, ODD, SOUND, SUMMED, expressible, expression, numbered
from reconcile.ledger.formats import LogFormat, Shape
from reconcile.ledger.lines import BYTE_ORDER_MARK, LineParser
from reconcile.ledger.readers.log_files import LogFile, blocks
from reconcile.ledger.readers.stream import QUOTE, columns_of, delimiter_of, is_wrapped
from reconcile.ledger.scroll import Scroll
from reconcile.ledger.tally import Sums, TallyKey
from reconcile.money.entry import LOGGED_GRAIN

if TYPE_CHECKING:
    import duckdb

LARGE = 64_000_000
"""Bytes of logs from which on it is worth while."""

UNPACKED = 8
"""How many times larger than its gzip a log is, about."""

MEMORY = "500MB"
SEPARATOR = "\x1f"
"""Stands in no line, so that every line is one column."""

READ = (
    "read_csv($files, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, "
    f"delim = '{SEPARATOR}', quote = '', escape = '', max_line_size = 2000000)"
)
SOURCE = f"(SELECT file_index AS part, line FROM {READ})"  # noqa: S608  constants
ODD_BYTES = (b"\r", b"\x00", SEPARATOR.encode())
OBJECT, MEMBER = "\x1e", "\x1f"
"""What parts the names of members in the answer of the expression."""

MOST_KNOWN = 12
"""Lists of members that a line is compared with."""

FETCHED = 2_000
TRIED = 5_000
"""Lines at the head by which it is seen whether the expression can count most."""

MOSTLY = 10
"""One odd line in so many is too many: then most of the work would be done twice."""
HEAD = f"(SELECT part, line FROM {SOURCE} LIMIT {TRIED})"  # noqa: S608  constants


def available() -> bool:
    """Whether DuckDB is installed."""
    return importlib.util.find_spec("duckdb") is not None


def large(files: Sequence[LogFile]) -> bool:
    return sum(file.size * (UNPACKED if file.zipped else 1) for file in files) >= LARGE


def summed(files: Sequence[LogFile], formats: Sequence[LogFormat], start: int, end: int) -> Scroll | None:
    """The log as `streaming.stream` would have read it; None where that is not certain."""
    header = columns_of(files[0]) if formats[0].shape is Shape.CSV else ()
    if not _provable(files, formats, header):
        return None
    counts = [lines_in(file, csv=bool(header)) for file in files]
    if None in counts:
        return None
    ends = list(accumulate(count or 0 for count in counts))
    import duckdb  # noqa: PLC0415  an extra, and only large logs need it

    try:
        with tempfile.TemporaryDirectory() as folder, duckdb.connect(config=_limits(folder)) as connection:
            answer = _Answer(connection, files, formats[0], header, ends)
            if not answer.worthwhile():
                return None
            return answer.scroll(start, end) or answer.scroll(start, end, careful=True)
    except duckdb.Error:
        return None


def _provable(files: Sequence[LogFile], formats: Sequence[LogFormat], header: tuple[str, ...]) -> bool:
    """Whether all files are of one format that the expression can read, and their names mean themselves."""
    same = all(each == formats[0] for each in formats) and expressible(formats[0], header)
    names = all(not glob.has_magic(file.path) and file.zipped == file.path.endswith(".gz") for file in files)
    commas = not header or all(delimiter_of(file) == "," for file in files)
    return same and names and commas and (not header or all(columns_of(file) == header for file in files))


def lines_in(file: LogFile, *, csv: bool = False) -> int | None:
    """How many lines a file has; None where DuckDB may see other lines in it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    count, last = 0, b"\n"
    for block in blocks(file):
        if any(odd in block for odd in ODD_BYTES) or (not count and block.startswith(BYTE_ORDER_MARK)):
            return None
        if (not count and not csv and is_wrapped(block)) or (csv and _goes_over_lines(block)):
            return None
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return None
        count += block.count(b"\n")
        last = block[-1:]
    return None if decoder.getstate()[0] else count + (last != b"\n")


def _goes_over_lines(block: bytes) -> bool:
    """Whether a cell may hold a line break, or the block ends in a quoted one."""
    return QUOTE in block and any(line.count(QUOTE) % 2 for line in block.split(b"\n"))


def _limits(folder: str) -> dict[str, str | bool | int | float | list[str]]:
    """What DuckDB may use, and that it keeps the order of lines and fetches nothing from anywhere."""
    return {
        "memory_limit": MEMORY,
        "temp_directory": folder,
        "preserve_insertion_order": True,
        "autoinstall_known_extensions": False,
    }


class _Answer:
    """What DuckDB makes of the files; `ends` are the numbers of their last lines."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        files: Sequence[LogFile],
        log_format: LogFormat,
        header: tuple[str, ...],
        ends: list[int],
    ) -> None:
        self._connection = connection
        self._files, self._format, self._header, self._ends = files, log_format, header, ends
        self._known: set[tuple[str, ...]] = set()

    def worthwhile(self) -> bool:
        """Whether few of the first lines are odd."""
        seen = {SOUND: 0, ODD: 0, BLANK: 0}
        for row in self._rows(HEAD, careful=False):
            seen[row["kind"]] += row["lines"]
            if row["kind"] == SOUND and not row["doubled"]:
                self._known |= {tuple(names.split(MEMBER)) for names in row["shape"].split(OBJECT) if names}
        return seen[ODD] * MOSTLY <= seen[SOUND]

    def scroll(self, start: int, end: int, *, careful: bool = False) -> Scroll | None:
        """All lines, or None where members are there twice, most would be left to Python, or lines are missing."""
        scroll, seen = Scroll(start, end), 0
        odd: dict[str, int] = {}
        for row in self._rows(SOURCE, careful=careful):
            seen += row["lines"]
            if row["doubled"] or len(odd) * MOSTLY > max(seen, TRIED):
                return None
            if row["kind"] == SOUND:
                scroll.lines += row["lines"]
                scroll.tally.add(self._key(row), self._sums(row), repeated=False)
            elif row["kind"] == ODD:
                odd[row["odd"]] = odd.get(row["odd"], 0) + row["lines"]
        whole = seen == self._ends[-1] and self._place(scroll, odd)
        return scroll if whole else None

    def _place(self, scroll: Scroll, odd: dict[str, int]) -> bool:
        """Read the lines that are odd, and find those that repeat. Whether all odd ones were there."""
        opened = found = taken = 0
        answer = self._connection.execute(numbered(SOURCE), {"files": self._paths, "odd": list(odd)})
        while rows := answer.fetchmany(FETCHED):
            taken += len(rows)
            if taken * MOSTLY > max(self._ends[-1], TRIED):
                return False
            for place, text in rows:
                opened = self._open(scroll, opened, bisect_left(self._ends, place) + 1)
                first = self._ends[opened - 2] if opened > 1 else 0
                header = bool(self._header) and place - first == 1
                scroll.revisit(text.encode(), place, place - first, summed=text not in odd, header=header)
                found += text in odd
        self._open(scroll, opened, len(self._files))
        return found == sum(odd.values())

    def _open(self, scroll: Scroll, opened: int, wanted: int) -> int:
        for file in self._files[opened:wanted]:
            scroll.open(file.path, file.framework, LineParser(self._format, self._header))
        return max(opened, wanted)

    def _rows(self, source: str, *, careful: bool) -> Iterator[dict[str, Any]]:
        fields = self._format.fields
        if fields is None:
            return
        known = sorted(self._known)[:MOST_KNOWN]
        query = expression(self._format, fields, self._header, source, known=known, careful=careful)
        answer = self._connection.execute(query, {"files": self._paths})
        while rows := answer.fetchmany(FETCHED):
            for row in rows:
                yield dict(zip(COLUMNS, row, strict=True))

    @property
    def _paths(self) -> list[str]:
        return [file.path for file in self._files]

    def _key(self, row: dict[str, Any]) -> TallyKey:
        return TallyKey(
            quarter=self._quarter(row["quarter"] * LOGGED_GRAIN, row["zone"]),
            model=_name(row["model"]),
            api_key_id=_name(row["api_key_id"]),
            project_id=_name(row["project_id"]),
            batch={"true": True, "false": False}.get(row["batch"]),
            service_tier=_name(row["service_tier"]),
            framework=self._files[row["part"]].framework,
            priced=bool(row["priced"]),
        )

    def _quarter(self, seconds: int, zone: str) -> int:
        if zone in {"U", "Z"}:
            return seconds
        clock = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
        return quarter_of(datetime.fromisoformat(f"{clock.isoformat()}{zone}"), self._format.time_zone)

    def _sums(self, row: dict[str, Any]) -> Sums:
        counts = (int(row[name]) for name in SUMMED)
        uncached, read, written, output, requests, reasoning = counts
        cost = row["cost"] or Decimal(0)
        return Sums((uncached, read, written, output), requests, reasoning, row["lines"], cost)


def _name(spelled: str | None) -> str | None:
    """A name without its quotes."""
    return spelled[1:-1] or None if spelled is not None else None
