"""What the members of a log's lines say against counting them: ids that are there twice, totals that run on, calls
that failed or were answered from a cache, spans around other spans.

It decides nothing: a doubt is one more thing that a comparison can try. Memory is bounded as that of the reader is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from reconcile.ledger.lines import Record
from reconcile.ledger.log import Doubt, Suspicion
from reconcile.ledger.tally import Book, Sums, TallyKey, key_of, sums_of, who_of
from reconcile.ledger.windows import Recent
from reconcile.money.entry import Entry, RefusedLines
from reconcile.usage import Tokens
from reconcile.words import plural

MOST_SINGLES = 50_000
"""Lines that are kept one by one."""

MOST_MEMBERS = 80
"""Of a line, that are looked at."""

DEEPEST = 3
"""Levels of objects."""

MOST_KINDS = 12
"""Words that a member holds before it is no kind of line."""

MOST_REFUSED = 10_000
"""Stretches of refused lines that are told apart."""


class Role(Enum):
    """What a member may say of its line, by its name."""

    ID = auto()
    PARENT = auto()
    THREAD = auto()
    KIND = auto()
    CACHE = auto()
    FAULT = auto()
    STATUS = auto()
    SUCCESS = auto()
    VOLATILE = auto()
    OTHER = auto()


NAMED: tuple[tuple[re.Pattern[str], Role], ...] = tuple(
    (re.compile(pattern), role)
    for pattern, role in (
        (r"parent.*", Role.PARENT),
        (r"(id|.*(request|response|call|generation|completion|message|span|event|observation)_?id|uuid)", Role.ID),
        (r".*(thread|session|conversation|chat|trace|rollout|run|agent)(_?id)?", Role.THREAD),
        (r".*(cache_?hit|from_?cache|cache_?status|is_?cached|served_?from).*|cached|cache", Role.CACHE),
        (r"(error|exception|failure)(_?(message|code|type|info))?|err|status_?message", Role.FAULT),
        (r".*(status|outcome|state|level)(_?code)?|result|http_?code", Role.STATUS),
        (r"success(ful)?|succeeded|ok", Role.SUCCESS),
        (r".*(kind|type|category|operation|event|object)", Role.KIND),
        (r".*(time|date|stamp|_at|ordinal|seq|index|offset|latency|duration).*|created|n|at|ts", Role.VOLATILE),
    )
)

HITS = ("true", "hit", "yes")
FAILED = ("fail", "error", "timeout", "timed_out", "cancel", "exception", "abort", "reject", "denied")
LEAST_FAULT = 400
"""Of a status of HTTP."""


@lru_cache(maxsize=4096)
def role_of(name: str) -> Role:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_").lower()
    return next((role for pattern, role in NAMED if pattern.fullmatch(plain)), Role.OTHER)


@dataclass(slots=True)
class _Sheet:
    """Sums of lines, and how many these are."""

    book: Book = field(default_factory=Book)
    lines: int = 0
    differ: int = 0
    """Of versions of one call: those that have other counts than the one before."""

    def add(self, key: TallyKey, sums: Sums) -> None:
        self.book.add(key, sums)
        self.lines += 1


@dataclass(frozen=True, slots=True)
class _Seen:
    record: Record
    framework: str | None


class Doubts:
    """Takes the lines that count, one after the other, and those that do not."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._versions: dict[str, Recent[_Seen]] = {}
        self._ids: dict[str, _Sheet] = {}
        self._running: dict[str, tuple[Recent[_Seen], _Sheet]] = {}
        self._marked: dict[tuple[Suspicion, str], _Sheet] = {}
        self._kinds: dict[str, dict[str, _Sheet]] = {}
        self._parents: set[str] = set()
        self._spans: dict[str, _Seen] = {}
        self._again = _Sheet()
        self._before: int | None = None
        self._singles: list[Entry] = []
        self._refused: list[list[int | None]] = []
        self._quarter: int | None = None
        self._open = False
        self._file = 0

    def new_file(self) -> None:
        self._before = self._quarter = None
        self._open = False
        self._file += 1

    def refuse(self) -> None:
        """The next line does not count."""
        if self._open:
            last = self._refused[-1]
            last[2] = (last[2] or 0) + 1
        elif len(self._refused) < MOST_REFUSED:
            self._refused.append([self._quarter, None, 1])
            self._open = True

    def take(
        self, record: Record, framework: str | None, value: Mapping[str, Any], place: int, *, repeated: bool
    ) -> None:
        """A line that counts, and all that it says."""
        if self._open:
            self._refused[-1][1] = record.quarter
            self._open = False
        self._quarter = record.quarter
        seen, key, sums = _Seen(record, framework), key_of(record, framework), sums_of(record)
        if self._start <= record.quarter < self._end and len(self._singles) <= MOST_SINGLES:
            self._singles.append(_single(key, sums))
        members = list(_members(value))
        self._run("", seen, place)
        self._same(members, key, sums, repeated=repeated)
        for path, found, role in members:
            match role:
                case Role.ID if not repeated:
                    self._identify(path, str(found), seen, place)
                case Role.PARENT:
                    self._note_parent(str(found))
                case Role.THREAD:
                    self._run(path, seen, place, str(found))
                case Role.KIND if isinstance(found, str):
                    self._sort(path, found, key, sums)
                case _:
                    self._mark(path, found, role, key, sums)

    def _same(self, members: list[tuple[str, Any, Role]], key: TallyKey, sums: Sums, *, repeated: bool) -> None:
        """A line that says what the one before says, but for its time."""
        passing = {Role.VOLATILE, Role.ID}
        lasting = hash(tuple((path, str(found)) for path, found, role in members if role not in passing))
        if lasting == self._before and not repeated:
            self._again.add(key, sums)
        self._before = lasting

    def _identify(self, path: str, found: str, seen: _Seen, place: int) -> None:
        versions = self._versions.setdefault(path, Recent())
        before = versions.get(found, place)
        versions.put(found, place, seen)
        if path.rsplit(".", 1)[-1] != "event_id":
            self._spans[found] = seen
        if before is not None:
            sheet = self._ids.setdefault(path, _Sheet())
            sheet.add(key_of(before.record, before.framework), sums_of(before.record))
            sheet.differ += before.record.parts != seen.record.parts

    def _note_parent(self, found: str) -> None:
        if len(self._parents) < MOST_SINGLES:
            self._parents.add(found)

    def _run(self, path: str, seen: _Seen, place: int, thread: str = "") -> None:
        """What the line before of a thread says is within what this one says, if no count went down."""
        threads, sheet = self._running.setdefault(path, (Recent(), _Sheet()))
        group = (thread if path else self._file, seen.record.model)
        before = threads.get(group, place)
        threads.put(group, place, seen)
        if before is not None and all(map(int.__le__, before.record.parts, seen.record.parts)):
            within = sums_of(before.record)._replace(requests=0, cost=sums_of(before.record).cost * 0)
            sheet.add(key_of(seen.record, seen.framework), within)

    def _sort(self, path: str, found: str, key: TallyKey, sums: Sums) -> None:
        kinds = self._kinds.setdefault(path, {})
        if found in kinds or len(kinds) <= MOST_KINDS:
            kinds.setdefault(found, _Sheet()).add(key, sums)

    def _mark(self, path: str, found: object, role: Role, key: TallyKey, sums: Sums) -> None:
        suspicion = _suspicion(role, found)
        if suspicion is not None:
            said = f"{path} {found}" if role is not Role.FAULT else path
            if (suspicion, said) in self._marked or len(self._marked) < MOST_KINDS:
                self._marked.setdefault((suspicion, said), _Sheet()).add(key, sums)

    def singles(self) -> tuple[Entry, ...]:
        """The lines of the period, or none where there are too many."""
        return tuple(self._singles) if len(self._singles) <= MOST_SINGLES else ()

    def refused(self) -> tuple[RefusedLines, ...]:
        return tuple(RefusedLines(since=since, until=until, lines=lines or 0) for since, until, lines in self._refused)

    def doubts(self) -> tuple[Doubt, ...]:
        return tuple(doubt for doubt in self._found() if doubt.surplus)

    def _found(self) -> Iterator[Doubt]:
        for (suspicion, said), sheet in self._marked.items():
            yield _doubt(suspicion, f"{plural(sheet.lines, 'line')} with {said}", sheet)
        for path, sheet in self._ids.items():
            chunks = sheet.differ * 2 > sheet.lines
            of = Suspicion.STREAMED_CHUNKS if chunks else Suspicion.REPEATED_IDS
            said = f"{plural(sheet.lines, 'line')} whose {path} comes again in a later one"
            yield _doubt(of, said, sheet)
            if chunks:
                yield _doubt(of, f"{said}, as requests of their own", sheet, tokens=False)
        for path, (_, sheet) in self._running.items():
            whose = f"of one {path}" if path else "of a file"
            yield _doubt(Suspicion.RUNNING_TOTALS, f"lines {whose} with the counts of the lines before in them", sheet)
        yield from self._nested()
        again = f"{plural(self._again.lines, 'line')} that say what the line before says but for the time"
        yield _doubt(Suspicion.DUPLICATE_LINES, again, self._again)

    def _nested(self) -> Iterator[Doubt]:
        for path, kinds in self._kinds.items():
            for found, sheet in kinds.items() if 1 < len(kinds) <= MOST_KINDS else ():
                yield _doubt(Suspicion.NESTED_SPANS, f"{plural(sheet.lines, 'line')} with {path} {found}", sheet)
        around = _Sheet()
        for span in self._parents & self._spans.keys():
            seen = self._spans[span]
            around.add(key_of(seen.record, seen.framework), sums_of(seen.record))
        yield _doubt(Suspicion.NESTED_SPANS, f"{plural(around.lines, 'line')} that other lines name as parent", around)


def _doubt(suspicion: Suspicion, said: str, sheet: _Sheet, *, tokens: bool = True) -> Doubt:
    surplus = tuple(sheet.book.entries())
    if not tokens:
        surplus = tuple(_only_requests(entry) for entry in surplus)
    return Doubt(suspicion=suspicion, said=said, lines=sheet.lines, surplus=surplus)


def _only_requests(entry: Entry) -> Entry:
    return Entry(start=entry.start, who=entry.who, tokens=Tokens(), requests=entry.requests)


def _single(key: TallyKey, sums: Sums) -> Entry:
    return Entry(start=key.quarter, who=who_of(key), tokens=Tokens(*sums.parts), requests=sums.requests)


def _suspicion(role: Role, found: object) -> Suspicion | None:
    word = str(found).lower()
    match role:
        case Role.CACHE if found is True or word in HITS:
            return Suspicion.CACHE_HITS
        case Role.FAULT if word not in {"", "false", "none", "null", "0"}:
            return Suspicion.FAILED_CALLS
        case Role.STATUS if any(bad in word for bad in FAILED) or _is_fault(found):
            return Suspicion.FAILED_CALLS
        case Role.SUCCESS if word in {"false", "0", "no"}:
            return Suspicion.FAILED_CALLS
        case _:
            return None


def _is_fault(found: object) -> bool:
    word = str(found)
    return word.isdecimal() and len(word) == len(str(LEAST_FAULT)) and int(word) >= LEAST_FAULT


def _members(value: Mapping[str, Any]) -> Iterator[tuple[str, Any, Role]]:
    """The plain members of an object and of those in it, with their places; of faults the objects too."""
    left = MOST_MEMBERS
    queue: list[tuple[str, int, Mapping[str, Any]]] = [("", 1, value)]
    while queue and left:
        above, depth, members = queue.pop(0)
        for name, found in members.items():
            role = role_of(name)
            if isinstance(found, Mapping):
                if depth < DEEPEST + 1:
                    queue.append((f"{above}{name}.", depth + 1, found))
                if role is Role.FAULT and found:
                    yield f"{above}{name}", True, role
            elif found is not None and not isinstance(found, list):
                left -= 1
                if left <= 0:
                    return
                yield f"{above}{name}", found, role
