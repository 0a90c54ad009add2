"""One query of a topic: every page of it, every row of them read, within a budget of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from reconcile.adapters.http import TOO_LARGE, Http, Patience
from reconcile.adapters.providers.openai.asking import Asker, curl
from reconcile.adapters.providers.openai.budget import Budget
from reconcile.adapters.providers.openai.paging import Reading, Span
from reconcile.adapters.providers.openai.topics import Topic
from reconcile.adapters.providers.openai.trust import Untrusted
from reconcile.errors import ProviderError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A row: the start of its bucket, what was answered, and what that means."""

    start: int
    row: Any
    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where to ask, with which key, how patiently; `now` as in `Asker`."""

    key: str = field(repr=False)
    base_url: str
    patience: Patience
    now: datetime | None

    def ask(self, topic: Topic[T], span: Span, budget: Budget) -> tuple[Topic[T], list[Read[T]]]:
        """Every row of the span, and the topic that was asked in the end. Raises ProviderError."""
        try:
            return topic, self._whole(topic, span, budget)
        except ProviderError as error:
            if topic.less is None or not _refuses_keys(error):
                raise
            return topic.less, self._whole(topic.less, span, budget)

    def _whole(self, topic: Topic[T], span: Span, budget: Budget) -> list[Read[T]]:
        """The span in one reading; in two halves where an answer to it is too large."""
        try:
            return self._ask(topic, span, budget)
        except ProviderError as error:
            if error.code != TOO_LARGE or not span.halves:
                raise
        return [read for half in span.halves for read in self._whole(topic, half, budget)]

    def _ask(self, topic: Topic[T], span: Span, budget: Budget) -> list[Read[T]]:
        url, params, reading = self.base_url + topic.path, topic.params(span), Reading(span)
        found: list[Read[T]] = []
        try:
            while reading.more:
                http = Http(url, self.key, budget.spend(self.patience))
                asker = Asker(http, self.now, topic.whose, topic.parse_float)
                page = asker.page([*params, *reading.cursor]).value
                found += [Read(at, row, topic.read(at, row)) for at, rows in reading.take(page) for row in rows]
            reading.check_whole()
        except Untrusted as answer:
            remedy = f"run again; if it repeats, see the raw answer: {curl(url, params)}"
            raise answer.error(f"{topic.whose}'s answer about {topic.name}", remedy) from answer
        return found


def _refuses_keys(error: ProviderError) -> bool:
    """Whether the service does not tell costs apart by key for this time."""
    return error.code == "request_refused" and "api_key_id" in error.message
