"""The pages of one query: every stretch of its time answered once, and none that was not asked for.

Knows the shape that all endpoints share, and nothing of what a row says. Days that a cache has are left out of the
stretches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconcile.providers.openai.asking import Untrusted, spelled
from reconcile.providers.transport import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """A width of buckets, and the codes of what can be wrong with them."""

    noun: str
    seconds: int
    width: str
    most: int
    """Buckets that the service puts on one page at the most; without `limit` it puts far fewer."""
    misfit: str
    twice: str
    unanswered: str


MINUTES = Grain(
    noun="minute",
    seconds=60,
    width="1m",
    most=1440,
    misfit="bucket_not_a_minute",
    twice="minute_answered_twice",
    unanswered="minute_unanswered",
)
HOURS = Grain(
    noun="hour",
    seconds=3600,
    width="1h",
    most=168,
    misfit="bucket_not_an_hour",
    twice="hour_answered_twice",
    unanswered="hour_unanswered",
)
DAYS = Grain(
    noun="day",
    seconds=86400,
    width="1d",
    most=31,
    misfit="bucket_not_a_day",
    twice="day_answered_twice",
    unanswered="day_unanswered",
)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[start, end)` in Unix seconds, both of them multiples of the grain."""

    start: int
    end: int
    grain: Grain

    @property
    def buckets(self) -> int:
        return (self.end - self.start) // self.grain.seconds

    @property
    def halves(self) -> tuple[Span, ...]:
        """Two spans that make up this one; none where it is a single bucket."""
        middle = self.start + self.buckets // 2 * self.grain.seconds
        return (Span(self.start, middle, self.grain), Span(middle, self.end, self.grain)) if self.buckets > 1 else ()

    @property
    def params(self) -> Params:
        return [
            ("start_time", str(self.start)),
            ("end_time", str(self.end)),
            ("bucket_width", self.grain.width),
            ("limit", str(self.grain.most)),
        ]


class Reading:
    """What has been answered of a span, page by page. Raises Untrusted."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._answered: set[int] = set()
        self._cursors: list[str] = []
        self.more = True
        """Whether a page is still to be asked for."""

    @property
    def cursor(self) -> Params:
        """The parameter that names the next page; none names the first."""
        return [("page", cursor) for cursor in self._cursors[-1:]]

    @property
    def answered(self) -> int:
        return len(self._answered)

    def take(self, page: dict[str, Any]) -> list[tuple[int, list[Any]]]:
        """The rows of a page by the start of their bucket."""
        data = page.get("data")
        if page.get("object") != "page" or type(data) is not list or not data:
            raise Untrusted("unexpected_shape", "a page is not an object 'page' with a list of buckets as its data")
        found = [(self._start(bucket), bucket["results"]) for bucket in data]
        self.more = self._goes_on(page)
        return found

    def check_whole(self) -> None:
        """After the last page: nothing may be left out."""
        span, grain = self._span, self._span.grain
        left = [start for start in range(span.start, span.end, grain.seconds) if start not in self._answered]
        if left:
            missing = f"{len(left)} of {span.buckets} {grain.noun}s, the first {spelled(left[0])}"
            raise Untrusted(grain.unanswered, f"{missing}, are left unanswered")

    def _start(self, bucket: Any) -> int:  # noqa: ANN401 (anything that JSON can be)
        """When a bucket starts. The first and the last of an aligned query are as whole as the others."""
        span, grain = self._span, self._span.grain
        if type(bucket) is not dict or bucket.get("object") != "bucket" or type(bucket.get("results")) is not list:
            raise Untrusted("unexpected_shape", "an element of data is not an object 'bucket' with a list of results")
        start, end = bucket.get("start_time"), bucket.get("end_time")
        if type(start) is not int or type(end) is not int or end - start != grain.seconds or start % grain.seconds:
            raise Untrusted(grain.misfit, f"a bucket from {start!r:.40} to {end!r:.40} is not one UTC {grain.noun}")
        if not span.start <= start < span.end:
            asked = f"{spelled(span.start)} to {spelled(span.end)}"
            raise Untrusted("bucket_outside_query", f"a bucket at {start!r:.40} answers a query for {asked}")
        if start in self._answered:
            raise Untrusted(grain.twice, f"{spelled(start)} is answered twice")
        self._answered.add(start)
        return start

    def _goes_on(self, page: dict[str, Any]) -> bool:
        """Whether a page follows; its cursor is kept.

        Once the whole span is answered none does, whatever the service says: a bucket more could only be one that was
        not asked for, or one that is answered twice. Rows of usage that were held back all the
        same are missed by the control totals.
        """
        has_more, cursor, cursors = page.get("has_more"), page.get("next_page"), self._cursors
        if type(has_more) is not bool:
            raise Untrusted("unexpected_shape", f"has_more is {has_more!r:.40}, neither true nor false")
        if not has_more or len(self._answered) == self._span.buckets:
            return False
        if type(cursor) is not str or not cursor:
            raise Untrusted("cursor_missing", f"page {len(cursors) + 1} says that more follow and not where")
        if cursor in cursors:
            raise Untrusted(
                "cursor_repeated", f"page {len(cursors) + 1} leads back to page {cursors.index(cursor) + 2}"
            )
        cursors.append(cursor)
        return True


DAY = DAYS.seconds


def days_of(start: int, end: int) -> range:
    """The first seconds of the days that `[start, end)` reaches into; the start is the first second of one."""
    return range(start, end, DAY)


def spans(days: Iterable[int], end: int, grain: Grain) -> list[Span]:
    """The days as queries of one page each: whole days, but for one that `end` cuts, and never beyond it.

    One query a page, not one query of many pages: what an answered one said stands when a later one fails.
    """
    most = grain.most * grain.seconds
    stretches: list[Span] = []
    for day in days:
        until = min(day + DAY, end)
        last = stretches[-1] if stretches else None
        if last and last.end == day and until - last.start <= most:
            stretches[-1] = Span(last.start, until, grain)
        else:
            stretches.append(Span(day, until, grain))
    return stretches
