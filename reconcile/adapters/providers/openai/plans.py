"""Plans and their carrying out: what is known of the days of a topic, and the queries for all others, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconcile.adapters.providers.openai.budget import Budget
from reconcile.adapters.providers.openai.control import Totals, differing, totals
from reconcile.adapters.providers.openai.days import DAY, days_of, spans
from reconcile.adapters.providers.openai.keeping import Keeping
from reconcile.adapters.providers.openai.paging import DAYS, Span
from reconcile.adapters.providers.openai.querying import Read, Service
from reconcile.adapters.providers.openai.topics import Topic

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
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


def plan(topic: Topic[T], start: int, end: int, keeping: Keeping) -> Plan[T]:
    """Days of `[start, end)` that the cache does not have become queries."""
    found = {day: keeping.find(topic, day) for day in days_of(start, end)}
    known = {day: values for day, values in found.items() if values is not None}
    return Plan(topic, known, spans((day for day in found if day not in known), end, topic.grain))


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

    def expect(self, plans: Iterable[Plan[Any]]) -> None:
        """Before anything is asked: raises ConfigurationError where the plans take too many requests."""
        self._queries = sum(len(plan.missing) + len(plan.controls) for plan in plans)
        self.budget.check(self._queries)

    def values(self, plans: Sequence[Plan[T]]) -> tuple[T, ...]:
        """Plan by plan in order of time."""
        return tuple(value for plan in plans for value in self._values(plan))

    def _values(self, plan: Plan[T]) -> list[T]:
        control: Totals = {}
        for span in plan.controls:
            control |= self._totals(plan.topic, span)
        found = dict(plan.known)
        for span in plan.missing:
            topic, reads = self._read(plan.topic, span, control)
            self._keeping.keep(topic, span, reads)
            found[span.start] = [read.value for read in sorted(reads, key=lambda read: read.start)]
        return [value for start in sorted(found) for value in found[start]]

    def _read(self, topic: Topic[T], span: Span, control: Totals) -> tuple[Topic[T], list[Read[T]]]:
        """Rows whose days add up to their control totals. One difference may be usage that came in between."""
        first = self._ask(topic, span)
        days = days_of(span.start, span.end)
        if topic.total is None or not differing(totals(first[1], days), control):
            return first
        again = Plan(topic, {}, [span]).controls
        self._queries += len(again) + 1
        control = {day: of for each in again for day, of in self._totals(topic, each).items()}
        second = self._ask(topic, span)
        if problem := differing(totals(second[1], days), control):
            raise problem
        return second

    def _totals(self, topic: Topic[Any], span: Span) -> Totals:
        return totals(self._ask(topic.total, span)[1], days_of(span.start, span.end)) if topic.total else {}

    def _ask(self, topic: Topic[T], span: Span) -> tuple[Topic[T], list[Read[T]]]:
        answer = self._service.ask(topic, span, self.budget)
        self._answered += 1
        if self._on_progress:
            self._on_progress(self._answered, self._queries)
        return answer


def _whole_days(span: Span) -> range:
    return days_of(span.start, span.end // DAY * DAY)
