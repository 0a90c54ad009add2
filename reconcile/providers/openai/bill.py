"""All that the service says of whole days: model calls by the hour, everything else and the costs by the day.

Asks for no more than is needed: closed days that the cache has are taken from there, as rows that are read again; what
is missing is asked in stretches, one request at a time and within a budget. Complete or nothing: a page that fails is
a ProviderError, and no figure of it goes anywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from reconcile.errors import ProviderError
from reconcile.money.entry import HOUR, KEYS_SINCE, Cost, Official, Period
from reconcile.providers.cache import PeriodCache, Rows, Shelf
from reconcile.providers.openai import MOST_REQUESTS
from reconcile.providers.openai.asking import BASE_URL, Budget, Untrusted, check_past
from reconcile.providers.openai.completions import RowRead, Service
from reconcile.providers.openai.day_totals import Totals, differing_days, totals
from reconcile.providers.openai.paging import DAY, DAYS, Span, days_of, spans
from reconcile.providers.openai.topics import CALLS, COSTS, COSTS_BY_KEY, MEASURED, Topic
from reconcile.providers.transport import Http, Patience

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

    def keep(self, topic: Topic[T], span: Span, found: list[RowRead[T]]) -> None:
        """The closed days of a query that was answered whole, those without a row too unless rows may come yet."""
        if self.shelf is None:
            return
        rows: defaultdict[int, Rows] = defaultdict(list)
        for read in found:
            rows[read.start // DAY * DAY].append((read.start, topic.row(read.row)))
        for day in days_of(span.start, span.end):
            if day + DAY <= self.closed and (rows[day] or not topic.late):
                self.shelf.put(topic.name, topic.version, day, rows[day])


@dataclass(frozen=True, slots=True)
class DayPlan(Generic[T]):
    """What is known of a topic's days, and the queries for all others."""

    topic: Topic[T]
    known: dict[int, list[T]]
    missing: list[Span]

    @property
    def controls(self) -> list[Span]:
        """The queries for control totals of the missing days: by the day, and of one that is cut by the hour."""
        if self.topic.total is None or not self.missing:
            return []
        end = self.missing[-1].end
        whole = spans((day for span in self.missing for day in _whole_days(span)), end, DAYS)
        return whole + [Span(end // DAY * DAY, end, self.topic.grain)] * (end % DAY > 0)


def plan(topic: Topic[T], start: int, end: int, keeping: Keeping) -> DayPlan[T]:
    """Days of `[start, end)` that the cache does not have become queries."""
    found = {day: keeping.find(topic, day) for day in days_of(start, end)}
    known = {day: values for day, values in found.items() if values is not None}
    return DayPlan(topic, known, spans((day for day in found if day not in known), end, topic.grain))


class Fetching:
    """Carries out plans. `on_progress` hears after each query how many are answered, and how many there are."""

    def __init__(
        self, service: Service, keeping: Keeping, budget: Budget, on_progress: Callable[[int, int], None] | None
    ) -> None:
        self.budget = budget
        self._service = service
        self._keeping = keeping
        self._on_progress = on_progress
        self._answered = self._queries = 0

    def expect(self, plans: Iterable[DayPlan[Any]]) -> None:
        """Before anything is asked: raises ConfigurationError where the plans take too many requests."""
        self._queries = sum(len(plan.missing) + len(plan.controls) for plan in plans)
        self.budget.check(self._queries)

    def values(self, plans: Sequence[DayPlan[T]]) -> tuple[T, ...]:
        """Plan by plan in order of time."""
        return tuple(value for plan in plans for value in self._values(plan))

    def _values(self, plan: DayPlan[T]) -> list[T]:
        control: Totals = {}
        for span in plan.controls:
            control |= self._totals(plan.topic, span)
        found = dict(plan.known)
        for span in plan.missing:
            topic, reads = self._read(plan.topic, span, control)
            self._keeping.keep(topic, span, reads)
            found[span.start] = [read.value for read in sorted(reads, key=lambda read: read.start)]
        return [value for start in sorted(found) for value in found[start]]

    def _read(self, topic: Topic[T], span: Span, control: Totals) -> tuple[Topic[T], list[RowRead[T]]]:
        """Rows whose days add up to their control totals. One difference may be usage that came in between."""
        first = self._ask(topic, span)
        days = days_of(span.start, span.end)
        if topic.total is None or not differing_days(totals(first[1], days), control):
            return first
        again = DayPlan(topic, {}, [span]).controls
        self._queries += len(again) + 1
        control = {day: of for each in again for day, of in self._totals(topic, each).items()}
        second = self._ask(topic, span)
        if problem := differing_days(totals(second[1], days), control):
            raise problem
        return second

    def _totals(self, topic: Topic[Any], span: Span) -> Totals:
        return totals(self._ask(topic.total, span)[1], days_of(span.start, span.end)) if topic.total else {}

    def _ask(self, topic: Topic[T], span: Span) -> tuple[Topic[T], list[RowRead[T]]]:
        answer = self._service.ask(topic, span, self.budget)
        self._answered += 1
        if self._on_progress:
            self._on_progress(self._answered, self._queries)
        return answer


def _whole_days(span: Span) -> range:
    return days_of(span.start, span.end // DAY * DAY)


PATIENCE = Patience()


class OpenAIBilling:
    """Usage and costs of whole UTC days. A key that cannot be one is a ConfigurationError here.

    `now` keeps queries out of the future (default: the clock). `on_progress` hears after each query how many are
    answered, and how many there are. `cache` keeps closed days; with None every day is asked for. A `fetch` makes at
    most `max_requests` requests; None is no limit.
    """

    def __init__(  # noqa: PLR0913 (what a caller may set, each with a default)
        self,
        admin_key: str,
        base_url: str = BASE_URL,
        *,
        patience: Patience = PATIENCE,
        now: datetime | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        cache: PeriodCache | None = None,
        max_requests: int | None = MOST_REQUESTS,
    ) -> None:
        base_url = base_url.rstrip("/")
        Http(base_url, admin_key, patience)  # refuses a key or an address that no request can be made with
        self._service = Service(key=admin_key, base_url=base_url, patience=patience, now=now)
        self._shelf = cache.shelf(base_url, admin_key) if cache else None
        self._on_progress = on_progress
        self._max_requests = max_requests

    def fetch(
        self, period: Period, *, until: int, closed_before: int | None = None, costs: bool, other: bool
    ) -> Official:
        """All that is settled of the period, or ProviderError; ConfigurationError where it takes too many requests.

        `until` (Unix seconds) is the instant up to which usage is settled: model calls are read for the whole hours
        before it, everything else for the whole days. Costs are None where no day of the period is whole.
        `closed_before`: days that ended by then are final; these alone are looked up in the cache, and kept there.
        """
        end = min(until, period.end)
        check_past(end, self._service.now, "the period")
        hours, days, start = end // HOUR * HOUR, end // DAY * DAY, period.start
        keeping = Keeping(self._shelf, min(closed_before or 0, days))
        calls = [plan(topic, start, hours, keeping) for topic in CALLS]
        others = [plan(topic, start, days, keeping) for topic in MEASURED if other]
        bills = _bills(start, days, keeping) if costs and start < days else None
        fetching = Fetching(self._service, keeping, Budget(self._max_requests), self._on_progress)
        every: list[DayPlan[Any]] = [*calls, *others, *(bills or ())]
        fetching.expect(every)
        return Official(
            usage=fetching.values(calls),
            other=fetching.values(others),
            costs=None if bills is None else _of_one_currency(fetching.values(bills)),
            requests=fetching.budget.made,
            cached=sum(len(each.known) for each in every),
        )


def _bills(start: int, end: int, keeping: Keeping) -> list[DayPlan[Cost]]:
    """Costs by key, as far back as the service tells keys apart."""
    turn = min(max(start, KEYS_SINCE), end)
    return [plan(COSTS, start, turn, keeping), plan(COSTS_BY_KEY, turn, end, keeping)]


def _of_one_currency(costs: tuple[Cost, ...]) -> tuple[Cost, ...]:
    """The same costs, which can be added up. Raises ProviderError where they cannot."""
    currencies = sorted({cost.currency for cost in costs})
    if len(currencies) > 1:
        raise ProviderError(
            f"the costs of the period are in {' and '.join(currencies)}, and amounts of two currencies have no sum",
            code="currency_mixed",
            remedy="compare a period whose costs are in one currency, or usage without costs",
        )
    return costs
