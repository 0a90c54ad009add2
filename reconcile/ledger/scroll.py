"""A log as it is read, line after line through file after file: what counts, what repeats, what was not logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconcile.ledger.doubts import Doubts
from reconcile.ledger.lines import LineParser, Record
from reconcile.ledger.log import UnusableError, UsageLog
from reconcile.ledger.tally import Tally
from reconcile.ledger.windows import Attempts, Recent, Repeats

MOST_BYTES = 1_000_000
"""Of a line."""


class Scroll:
    """Takes lines and keeps sums. Lines are numbered through all files, blank ones too: that is how far apart they
    are."""

    _parser: LineParser

    def __init__(self, start: int, end: int, *, closely: bool = False) -> None:
        """`closely`: whether each line is looked into for what speaks against counting it."""
        self.doubts = Doubts(start, end) if closely else None
        self.tally = Tally(start, end)
        self.lines = 0
        """That were read, blank ones aside."""
        self._start, self._end = start, end
        self._place = 0
        self._first = 0
        """How many lines the files before this one have."""
        self._files: list[str] = []
        self._framework: str | None = None
        self._repeats = Repeats()
        self._attempts = Attempts()
        self._versions: Recent[tuple[Record, str | None]] = Recent()
        self._unlogged = 0

    def open(self, file: str, framework: str | None, parser: LineParser) -> None:
        """From here on lines are those of this file."""
        self._files.append(file)
        self._framework, self._parser, self._first = framework, parser, self._place
        if self.doubts is not None:
            self.doubts.new_file()

    def take(self, line: bytes) -> None:
        """The next line, without its end."""
        self._place += 1
        if not line or line.isspace():
            return
        self.judge(line, self._place - self._first, repeated=self._repeats.take(hash(line), self._place))

    def take_oversized(self, number: int | None = None) -> None:
        """A line, the next where none is said, of which nothing is known but that it is too long."""
        if number is None:
            self._place += 1
        self.lines += 1
        self._reject(
            number or self._place - self._first, f"the line has more than {MOST_BYTES:,} bytes; log no prompts"
        )

    def revisit(self, line: bytes, place: int, number: int, *, summed: bool, header: bool) -> None:
        """A line out of many, the others of which are counted and equal no other one. `place` is its number through all
        files. If it is `summed` it is counted too, and only whether it repeats one before is to be found out."""
        self._place = place
        if line.isspace() or header:
            return
        repeated = self._repeats.take(hash(line), place)
        if not summed:
            self.judge(line, number, repeated=repeated)
        elif repeated and isinstance(record := self._parser.parse(line), Record):
            self.tally.count(record, self._framework, repeated=True)
            self.tally.count(record, self._framework, sign=-1)

    def skip(self, lines: int) -> None:
        """So many lines that do not go through here."""
        self._place += lines

    def judge(self, line: bytes, number: int, *, repeated: bool) -> None:
        """Count what this line of the file tells, or note why it does not count."""
        if len(line) > MOST_BYTES:
            self.take_oversized(number)
            return
        self.lines += 1
        try:
            calls = self._parser.calls_of(line)
        except UnusableError as error:
            self._reject(number, str(error))
            return
        for value in calls:
            self._take(self._parser.judge(value, first=number == 1), value, number, repeated=repeated)

    def _take(self, record: Record | str | None, value: Mapping[str, Any], number: int, *, repeated: bool) -> None:
        if isinstance(record, str):
            self._reject(number, record)
        elif record is not None:
            self._count(record, repeated=repeated)
            if self.doubts is not None and not record.aborted and not self._parser.format.latest_wins:
                self.doubts.take(record, self._framework, value, self._place, repeated=repeated)

    def result(self) -> UsageLog:
        found = self.tally.result(lines=self.lines, files=tuple(self._files), unlogged_attempts=self._unlogged)
        if self.doubts is None:
            return found
        doubts = self.doubts
        return replace(found, refused=doubts.refused(), doubts=doubts.doubts(), singles=doubts.singles())

    def _count(self, record: Record, *, repeated: bool) -> None:
        versioned = self._parser.format.latest_wins and record.request_id is not None
        before = self._replaced(record) if versioned else None
        if self._parser.tells_attempts and before is None and not repeated:
            self._weigh(record, None if self._parser.format.latest_wins else record.request_id)
        if not record.aborted:
            self.tally.count(record, self._framework, repeated=repeated and not versioned)

    def _replaced(self, record: Record) -> Record | None:
        """The earlier version of the record, which counts no more."""
        before = self._versions.get(record.request_id, self._place)
        self._versions.put(record.request_id, self._place, (record, self._framework))
        if before is None:
            return None
        if not before[0].aborted:
            self.tally.count(*before, sign=-1)
        return before[0]

    def _weigh(self, record: Record, call: str | None) -> None:
        """Note the tries below this one that have no line."""
        who = record[1:6]
        whose = (who, sum(record.parts[:3])) if call is None else (call,)
        missing = self._attempts.take(whose, (who, None), record.attempt, self._place, aborted=record.aborted)
        if self._start <= record.quarter < self._end:
            self._unlogged += missing

    def _reject(self, number: int, why: str) -> None:
        self.tally.reject(self._files[-1], number, why)
        if self.doubts is not None:
            self.doubts.refuse()
