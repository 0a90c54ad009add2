"""Both sides as rows of plain numbers, and how far apart they are hour by hour: what a hypothesis is tried on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from reconcile.core.comparing.cutting import Cut
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import DAY, HOUR, Dimensions, Entry, UsageLog

Counts = tuple[int, int, int, int, int, int]
"""Requests, uncached input, cache reads, cache writes, output; and reasoning, which is within the output."""

REQUESTS, UNCACHED, READ, WRITE, OUTPUT, REASONING = range(6)
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


class Row(NamedTuple):
    """Usage of one stretch of time; a NamedTuple, because a month has ten thousands and a hypothesis makes all anew."""

    start: int
    who: Dimensions
    counts: Counts


Cells = dict[tuple[int, str | None], list[int]]
"""By hour and, where it is told, model."""


@dataclass(frozen=True)
class Side:
    """Rows of one side. Without slots, so that their cells are summed only once, however many hypotheses keep them."""

    rows: tuple[Row, ...]
    by_model: bool = False

    @cached_property
    def cells(self) -> Cells:
        cells: Cells = {}
        for start, who, (requests, uncached, read, write, output, _) in self.rows:
            key = (start // HOUR, who.model if self.by_model else None)
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


@dataclass(frozen=True, kw_only=True)
class View:
    """Both sides as a hypothesis would have them. What one step explained, the next no longer sees."""

    start: int
    until: int
    log: Side
    """With the margin around the period."""
    provider: Side
    repeated: tuple[Row, ...] = ()
    unlogged: int = 0
    weights: tuple[float, float] = (0.0, 0.0)
    """Of a request and of a token, so that all of the provider's count one each. For ranking only."""

    @property
    def local(self) -> tuple[Row, ...]:
        """With the margin around the period."""
        return self.log.rows

    @property
    def official(self) -> tuple[Row, ...]:
        return self.provider.rows

    @property
    def by_model(self) -> bool:
        return self.log.by_model

    @cached_property
    def local_cells(self) -> Cells:
        first, last = self.start // HOUR, self.until // HOUR
        return {key: counts for key, counts in self.log.cells.items() if first <= key[0] < last}

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

    def cells(self, rows: Iterable[Row]) -> Cells:
        return Side(tuple(rows), self.by_model).cells

    def with_local(self, rows: tuple[Row, ...]) -> View:
        return replace(self, log=Side(rows, self.by_model))

    def with_official(self, rows: tuple[Row, ...]) -> View:
        return replace(self, provider=Side(rows, self.by_model))

    def mapped(self, change: Callable[[Row], Row]) -> View:
        """The same with every line of the log changed, the repeated ones too."""
        changed = self.with_local(tuple(change(row) for row in self.local))
        return replace(changed, repeated=tuple(change(row) for row in self.repeated))


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
    for (hour, model), counts in cells.items():
        day = days.setdefault((hour * HOUR // DAY, model), [0] * len(COMPARED))
        for part in COMPARED:
            day[part] += counts[part]
    return days


def view_of(log: UsageLog, cut: Cut) -> View:
    """Both sides at the start. Kinds of input that the log never tells apart are one on the provider's side too."""
    tells = tuple(any(getattr(entry.tokens, part) for entry in cut.log) for part in ("cache_read", "cache_write"))
    official = tuple(_folded(_row(entry), tells) for entry in cut.official)
    totals = [sum(row.counts[part] for row in official) for part in COMPARED]
    view = View(
        start=cut.start,
        until=cut.until,
        log=Side(_rows(cut.log)),
        provider=Side(official),
        repeated=_rows(cut.models.entries(log.repeated)),
        unlogged=log.unlogged_attempts,
        weights=(1 / max(totals[REQUESTS], 1), 1 / max(sum(totals[1:]), 1)),
    )
    by_model = replace(view, log=Side(view.local, by_model=True), provider=Side(official, by_model=True))
    return by_model if _models_agree(view, by_model, cut) else view


def _models_agree(plain: View, by_model: View, cut: Cut) -> bool:
    """Whether models can be held against each other: a log that calls all of them by one name says nothing of them."""
    models = {entry.who.model for entry in cut.local}
    if None in models or not models <= {entry.who.model for entry in cut.official}:
        return False
    return plain.distance >= by_model.distance / 2


def _rows(entries: Iterable[Entry]) -> tuple[Row, ...]:
    """One row for each stretch of time and whose it is, wherever it was written: what is halved must not be rounded."""
    merged: dict[tuple[int, Dimensions], Counts] = {}
    for entry in entries:
        start, who, counts = _row(entry)
        old = merged.get((start, who))
        merged[start, who] = counts if old is None else _added(old, counts)
    return tuple(Row(start, who, counts) for (start, who), counts in merged.items())


def _added(one: Counts, other: Counts) -> Counts:
    requests, uncached, read, write, output, reasoning = (a + b for a, b in zip(one, other, strict=True))
    return (requests, uncached, read, write, output, reasoning)


def _row(entry: Entry) -> Row:
    return Row(entry.start, entry.who, (entry.requests, *entry.tokens.parts, entry.reasoning))


def _folded(row: Row, tells: tuple[bool, ...]) -> Row:
    requests, uncached, read, write, output, reasoning = row.counts
    if not tells[0]:
        uncached, read = uncached + read, 0
    if not tells[1]:
        uncached, write = uncached + write, 0
    return Row(row.start, row.who, (requests, uncached, read, write, output, reasoning))
