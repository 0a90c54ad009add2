"""The closed days of a topic in the cache: found again as values, kept as rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeVar

from reconcile.adapters.period_cache import Rows, Shelf
from reconcile.adapters.providers.openai.days import DAY, days_of
from reconcile.adapters.providers.openai.paging import Span
from reconcile.adapters.providers.openai.querying import Read
from reconcile.adapters.providers.openai.topics import Topic
from reconcile.adapters.providers.openai.trust import Untrusted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days that ended by `closed` (Unix seconds), on a shelf; without one nothing is found and nothing kept."""

    shelf: Shelf | None
    closed: int

    def find(self, topic: Topic[T], day: int) -> list[T] | None:
        """What was answered for a day. Rows are read as if they came from the service: what fails is asked again."""
        if self.shelf is None or day + DAY > self.closed:
            return None
        rows = self.shelf.get(topic.name, topic.version, day)
        if rows is None:
            return self.find(topic.less, day) if topic.less else None
        starts = range(day, day + DAY, topic.grain.seconds)
        if not all(type(start) is int and start in starts for start, _ in rows):
            return None
        try:
            return [topic.read(start, row) for start, row in rows]
        except Untrusted:
            return None

    def keep(self, topic: Topic[T], span: Span, found: list[Read[T]]) -> None:
        """The closed days of a query that was answered whole, those without a row too unless rows may come yet."""
        if self.shelf is None:
            return
        rows: defaultdict[int, Rows] = defaultdict(list)
        for read in found:
            rows[read.start // DAY * DAY].append((read.start, topic.row(read.row)))
        for day in days_of(span.start, span.end):
            if day + DAY <= self.closed and (rows[day] or not topic.late):
                self.shelf.put(topic.name, topic.version, day, rows[day])
