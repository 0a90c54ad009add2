"""Both sides as rows of plain numbers, and how far apart they are hour by hour: what a hypothesis is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from operator import add
from typing import NamedTuple

from reconcile.ledger.cut import Cut
from reconcile.ledger.figures import Metric
from reconcile.ledger.log import Suspicion, UsageLog
from reconcile.money.entry import DAY, HOUR, Dimensions, Entry, RefusedLines
from reconcile.usage import PARTS

REQUESTS, (UNCACHED, READ, WRITE, OUTPUT), REASONING = 0, range(1, 1 + len(PARTS)), 1 + len(PARTS)
COMPARED = (REQUESTS, UNCACHED, READ, WRITE, OUTPUT)
TOKENS = (UNCACHED, READ, WRITE, OUTPUT)

SUMMED: dict[Metric, tuple[int, ...]] = {
    Metric.REQUESTS: (REQUESTS,),
    Metric.INPUT: (UNCACHED, READ, WRITE),
    Metric.UNCACHED: (UNCACHED,),
    Metric.CACHED: (READ,),
    Metric.CACHE_WRITE: (WRITE,),
    Metric.OUTPUT: (OUTPUT,),
    Metric.TOTAL: TOKENS,
}


class ViewRow(NamedTuple):
    """Usage of one stretch of time; a NamedTuple, because a month has ten thousands and a hypothesis makes all anew."""

    start: int
    who: Dimensions
    counts: tuple[int, ...]
    """Requests, the tokens as `Tokens.parts` has them, and reasoning, which is within the output."""


Whose = tuple[str | None, str | None]
"""Model and key, each where both sides tell it."""

_NOTHING = (0, 0, 0, 0, 0)

Cells = dict[tuple[int, Whose], list[int]]
"""By hour, model and key."""


@dataclass(frozen=True)
class Side:
    """Rows of one side. Without slots, so that their cells are summed only once, however many hypotheses keep them."""

    rows: tuple[ViewRow, ...]
    by_model: bool = False
    by_key: bool = False

    def whose(self, who: Dimensions) -> Whose:
        return (who.model if self.by_model else None, who.api_key_id if self.by_key else None)

    @cached_property
    def cells(self) -> Cells:
        cells: Cells = {}
        for start, who, (requests, uncached, read, write, output, _) in self.rows:
            key = (start // HOUR, self.whose(who))
            cell = cells.get(key)
            if cell is None:
                cells[key] = [requests, uncached, read, write, output]
            else:
                cell[REQUESTS] += requests
                cell[UNCACHED] += uncached
                cell[READ] += read
                cell[WRITE] += write
                cell[OUTPUT] += output
        return cells


class Doubted(NamedTuple):
    """A doubt as rows."""

    suspicion: Suspicion
    said: str
    surplus: tuple[ViewRow, ...]

    def mapped(self, change: Callable[[ViewRow], ViewRow]) -> Doubted:
        return self._replace(surplus=tuple(change(row) for row in self.surplus))


@dataclass(frozen=True, kw_only=True)
class View:
    """Both sides as a hypothesis would have them. What one step explained, the next no longer sees."""

    start: int
    until: int
    log: Side
    """With the margin around the period."""
    provider: Side
    repeated: tuple[ViewRow, ...] = ()
    doubts: tuple[Doubted, ...] = ()
    unlogged: int = 0
    refused: int = 0
    """Lines that do not count."""
    refusals: tuple[RefusedLines, ...] = ()
    singles: tuple[ViewRow, ...] = ()
    """The lines of the log one by one, as they were read."""
    whole: tuple[ViewRow, ...] = ()
    """The provider's rows, with the kinds of input apart that the log does not tell apart."""
    weights: tuple[float, float] = (0.0, 0.0)
    """Of a request and of a token, so that all of the provider's count one each. For ranking only."""

    @property
    def local(self) -> tuple[ViewRow, ...]:
        """With the margin around the period."""
        return self.log.rows

    @property
    def official(self) -> tuple[ViewRow, ...]:
        return self.provider.rows

    @cached_property
    def local_cells(self) -> Cells:
        first, last = self.start // HOUR, self.until // HOUR
        return {key: counts for key, counts in self.log.cells.items() if first <= key[0] < last}

    def whose(self, row: ViewRow) -> Whose:
        """Which cell of its hour a row is in."""
        return self.log.whose(row.who)

    @property
    def official_cells(self) -> Cells:
        return self.provider.cells

    @cached_property
    def gaps(self) -> list[int]:
        """For each count, how much of it is in another hour than on the other side, or missing there."""
        return gaps(self.local_cells, self.official_cells)

    @cached_property
    def day_gaps(self) -> list[int]:
        """The same by the day: calls that one side has an hour later are hardly seen in it."""
        return gaps(_by_day(self.local_cells), _by_day(self.official_cells))

    @property
    def distance(self) -> float:
        return self.weigh(self.gaps)

    def weigh(self, gaps: list[int], counted: tuple[int, ...] = COMPARED) -> float:
        """One number for gaps: 0 where both sides are equal, 2 where one side is empty."""
        request, token = self.weights
        return sum(gaps[part] * (request if part == REQUESTS else token) for part in counted)

    def difference(self, metric: Metric) -> int:
        """Local less official, in the totals."""
        local = sum(counts[part] for counts in self.local_cells.values() for part in SUMMED[metric])
        return local - sum(counts[part] for counts in self.official_cells.values() for part in SUMMED[metric])

    @cached_property
    def lacking(self) -> Cells:
        """What the provider has and the log has not, cell by cell."""
        local = self.local_cells
        return {
            cell: [max(0, there - here) for there, here in zip(counts, local.get(cell, _NOTHING), strict=True)]
            for cell, counts in self.official_cells.items()
        }

    def filled(self, added: Cells) -> View:
        """The same with this in the log as well."""
        rows = tuple(
            ViewRow(
                hour * HOUR,
                Dimensions(model=whose[0], api_key_id=whose[1]),
                (requests, uncached, read, write, output, 0),
            )
            for (hour, whose), (requests, uncached, read, write, output) in added.items()
        )
        return self.with_local(self.local + rows)

    def cells(self, rows: Iterable[ViewRow]) -> Cells:
        return replace(self.log, rows=tuple(rows)).cells

    def with_local(self, rows: tuple[ViewRow, ...]) -> View:
        return replace(self, log=replace(self.log, rows=rows))

    def with_official(self, rows: tuple[ViewRow, ...]) -> View:
        return replace(self, provider=replace(self.provider, rows=rows))

    def mapped(self, change: Callable[[ViewRow], ViewRow]) -> View:
        """The same with every line of the log changed, the repeated ones too."""
        changed = self.with_local(tuple(change(row) for row in self.local))
        doubts = tuple(doubt.mapped(change) for doubt in self.doubts)
        return replace(changed, repeated=tuple(change(row) for row in self.repeated), doubts=doubts)


def gaps(local: Cells, official: Cells) -> list[int]:
    nothing = [0] * len(COMPARED)
    found = [0] * len(COMPARED)
    for key in local.keys() | official.keys():
        ours, theirs = local.get(key, nothing), official.get(key, nothing)
        if ours != theirs:
            for part in COMPARED:
                found[part] += abs(ours[part] - theirs[part])
    return found


def _by_day(cells: Cells) -> Cells:
    days: Cells = {}
    for (hour, whose), counts in cells.items():
        day = days.setdefault((hour * HOUR // DAY, whose), [0] * len(COMPARED))
        for part in COMPARED:
            day[part] += counts[part]
    return days


def view_of(log: UsageLog, cut: Cut) -> View:
    """Both sides at the start. Kinds of input that the log never tells apart are one on the provider's side too."""
    tells = any(entry.tokens.cache_read for entry in cut.log), any(entry.tokens.written for entry in cut.log)
    whole = _rows(cut.official)
    official = tuple(_folded(row, tells) for row in whole)
    totals = [sum(row.counts[part] for row in official) for part in COMPARED]
    view = View(
        start=cut.start,
        until=cut.until,
        log=Side(_rows(cut.log)),
        provider=Side(official),
        repeated=_rows(cut.models.entries(log.repeated)),
        doubts=tuple(
            Doubted(each.suspicion, each.said, _rows(cut.models.entries(each.surplus))) for each in log.doubts
        ),
        unlogged=log.unlogged_attempts,
        refused=log.bad_lines,
        refusals=log.refused,
        singles=tuple(_row(entry) for entry in cut.models.entries(log.singles)),
        whole=whole,
        weights=(1 / max(totals[REQUESTS], 1), 1 / max(sum(totals[1:]), 1)),
    )
    for name in ("model", "api_key_id"):
        finer = _finer(view, name)
        view = finer if _names_agree(view, finer, cut, name) else view
    return view


def _finer(view: View, name: str) -> View:
    """The same, with models or keys apart."""
    return replace(view, log=_split(view.log, name), provider=_split(view.provider, name))


def _split(side: Side, name: str) -> Side:
    return replace(side, by_model=True) if name == "model" else replace(side, by_key=True)


MOSTLY = 0.5
"""How far apart sides may be that agree on whose most of the usage is."""


def _names_agree(plain: View, finer: View, cut: Cut, name: str) -> bool:
    """Whether models or keys can be held against each other: a log that calls all by one name says nothing of them."""
    logged = {getattr(entry.who, name) for entry in cut.local}
    reported = {getattr(entry.who, name) for entry in cut.official}
    if None in logged or not logged <= reported:
        return False
    return plain.distance >= finer.distance / 2 or (logged == reported and finer.distance <= MOSTLY)


def _rows(entries: Iterable[Entry]) -> tuple[ViewRow, ...]:
    """One row for each stretch of time and whose it is, wherever it was written: what is halved must not be rounded."""
    merged: dict[tuple[int, Dimensions], tuple[int, ...]] = {}
    for entry in entries:
        start, who, counts = _row(entry)
        old = merged.get((start, who))
        merged[start, who] = counts if old is None else tuple(map(add, old, counts))
    return tuple(ViewRow(start, who, counts) for (start, who), counts in merged.items())


def _row(entry: Entry) -> ViewRow:
    return ViewRow(entry.start, entry.who, (entry.requests, *entry.tokens.parts, entry.reasoning))


def _folded(row: ViewRow, tells: tuple[bool, ...]) -> ViewRow:
    requests, uncached, read, write, output, reasoning = row.counts
    if not tells[0]:
        uncached, read = uncached + read, 0
    if not tells[1]:
        uncached, write = uncached + write, 0
    return ViewRow(row.start, row.who, (requests, uncached, read, write, output, reasoning))
