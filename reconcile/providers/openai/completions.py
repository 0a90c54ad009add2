"""Completions by the minute, which chat and responses traffic both are: what runs are reconciled with.

Beside it the service for other topics: every page of a query, every row of them read, within a budget of requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from reconcile.errors import ProviderError
from reconcile.providers.base import Fetched, Query
from reconcile.providers.openai.asking import BASE_URL, FLAG, TEXT, Asker, Budget, Untrusted, check_past, curl, spelled
from reconcile.providers.openai.paging import MINUTES, Reading, Span
from reconcile.providers.openai.topics import Topic
from reconcile.providers.transport import TOO_LARGE, Http, Params, Patience
from reconcile.usage import Bucket, OddRow, Usage

PATH = "/organization/usage/completions"
GROUP_BY = ("project_id", "api_key_id", "model", "batch", "service_tier")
FIGURES = ("input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests")
RESULT = "organization.usage.completions.result"

MOST_COUNT = 10**10
"""More than the whole service handles in a minute. A run of 31 days of it still fits in its file, which holds 10^15."""

PATIENCE = Patience()
REMEDY = "run again; if it repeats, see the raw answer with the curl line of `reconcile explain`"


class OpenAIUsage:
    """A `UsageProvider`. A key that cannot be one is a ConfigurationError here, before any request.

    `now` keeps queries out of the future (default: the clock). `on_progress` hears after each page how many minutes
    of the query are answered, and how many it has.
    """

    def __init__(
        self,
        admin_key: str,
        base_url: str = BASE_URL,
        *,
        patience: Patience = PATIENCE,
        now: datetime | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._asker = Asker(Http(_endpoint(base_url), admin_key, patience), now)
        self._on_progress = on_progress

    def fetch(self, query: Query) -> Fetched:
        """Every row of every minute of the query, or ProviderError.

        Rows of a minute that agree in every dimension stay buckets of their own: each is usage, none a repetition.
        """
        check_past(query.window.end, self._asker.now, "the times of the runs")
        try:
            return replace(self._whole(query, _span(query)), query=query)
        except Untrusted as answer:
            raise answer.error("the usage API's answer", REMEDY) from answer

    def _whole(self, query: Query, span: Span) -> Fetched:
        """The span in one reading; in two halves where an answer to it is too large."""
        try:
            return self._read(query, span)
        except ProviderError as error:
            if error.code != TOO_LARGE or not span.halves:
                raise
        first, second = (self._whole(query, half) for half in span.halves)
        retries = first.retries + second.retries + 1  # the one that was too large
        pages = first.pages + second.pages
        return Fetched(query, first.buckets + second.buckets, pages, retries, second.date, first.odd + second.odd)

    def _read(self, query: Query, span: Span) -> Fetched:
        reading = Reading(span)
        before = (span.start - query.window.start) // MINUTES.seconds
        buckets: list[Bucket] = []
        odd: list[OddRow] = []
        pages, retries, date = 0, 0, None
        while reading.more:
            page = self._asker.page([*_params(query, span), *reading.cursor])
            for minute, rows in reading.take(page.value):
                for row in rows:
                    found = _row(minute, row, query)
                    (odd if isinstance(found, OddRow) else buckets).append(found)  # type: ignore[arg-type]
            pages, retries, date = pages + 1, retries + page.retries, page.served_at
            if self._on_progress:
                self._on_progress(before + reading.answered, query.window.minutes)
        reading.check_whole()
        return Fetched(query, tuple(buckets), pages, retries, date, tuple(odd))


def curl_line(query: Query, base_url: str = BASE_URL) -> str:
    """The first request of `fetch` for a shell that has the key in OPENAI_ADMIN_KEY."""
    return curl(_endpoint(base_url), _params(query, _span(query)))


def _endpoint(base_url: str) -> str:
    return base_url.rstrip("/") + PATH


def _span(query: Query) -> Span:
    return Span(query.window.start, query.window.end, MINUTES)


def _params(query: Query, span: Span) -> Params:
    """Lists are spelled as repeated names."""
    return [
        *span.params,
        *(("group_by", name) for name in GROUP_BY if query.grouped),
        *(("api_key_ids", key) for key in query.api_key_ids),
    ]


def _row(minute: int, row: Any, query: Query) -> Bucket | OddRow:  # noqa: ANN401 (anything that JSON can be)
    """The row; or what can be read of one that cannot be true, where no scope of the query can admit that.

    Usage of others may be as odd as it likes. In a control total all usage is one row, which is everybody's.
    """
    try:
        return _bucket(minute, row)
    except Untrusted:
        odd = _odd(minute, row) if query.grouped and query.scopes else None
        if odd is None or any(scope.may_admit(odd) for scope in query.scopes):
            raise
        return odd


def _odd(minute: int, row: Any) -> OddRow | None:  # noqa: ANN401 (anything that JSON can be)
    """What can be read of a row; None where it is no row of completions at all."""
    if type(row) is not dict or row.get("object") != RESULT:
        return None
    named = {name: row.get(name) for name in ("api_key_id", "model", "project_id")}
    counts = [row.get(name) for name in FIGURES]
    tokens_in, tokens_out, cached, calls = (n if type(n) is int and 0 <= n <= MOST_COUNT else None for n in counts)
    if cached is not None and tokens_in is not None and cached > tokens_in:
        tokens_in = cached = None  # one of the two is wrong
    return OddRow(
        minute=minute,
        parts=(tokens_in, tokens_out, cached, calls),
        unreadable=frozenset(name for name, value in named.items() if type(value) not in TEXT),
        **{name: value for name, value in named.items() if type(value) in TEXT},
    )


def _bucket(minute: int, row: Any) -> Bucket:  # noqa: ANN401 (anything that JSON can be)
    if type(row) is not dict or row.get("object") != RESULT:
        raise Untrusted("unexpected_shape", f"a result at {spelled(minute)} is not one of completions")
    field: Callable[[str], Any] = row.get
    tokens_in, tokens_out, cached, calls = map(field, FIGURES)
    if cached is None:
        cached = _cached_by_difference(row)
    whole = type(tokens_in) is type(tokens_out) is type(cached) is type(calls) is int  # true and 1.0 are no counts
    if not (
        whole
        and 0 <= cached <= tokens_in
        and min(tokens_out, calls) >= 0
        and max(tokens_in, tokens_out, calls) <= MOST_COUNT
    ):
        shown = ", ".join(f"{name} {row.get(name)!r:.40}" for name in FIGURES)
        raise Untrusted("invalid_count", f"{spelled(minute)} has a count that cannot be: {shown}")
    project, key, model, batch, tier = map(field, GROUP_BY)
    texts = type(project) in TEXT and type(key) in TEXT and type(model) in TEXT and type(tier) in TEXT
    if not (texts and type(batch) in FLAG):
        shown = ", ".join(f"{name} {row.get(name)!r:.40}" for name in GROUP_BY)
        raise Untrusted("unexpected_shape", f"{spelled(minute)} has a dimension of another type: {shown}")
    usage = Usage(tokens_in, tokens_out, cached, calls)
    return Bucket(minute, usage, key, model, project, batch, tier, _written(row, tokens_in - cached))


def _written(row: dict[str, Any], most: int) -> int | None:
    """What the row says that was written to a cache; None where it does not say, or says what cannot be.

    No figure rests on it but a price: a row is not refused for it, and without it what has a price of its own has none.
    """
    written = row.get("input_cache_write_tokens")
    return written if type(written) is int and 0 <= written <= most else None


def _cached_by_difference(row: dict[str, Any]) -> Any:  # noqa: ANN401 (checked with the other figures)
    """Cached input of a row that leaves it out, as the specification lets it: the input that is nothing else.

    A row that splits its input in no way has none to tell of.
    """
    if row.get("input_uncached_tokens") is None:
        return 0
    parts = (row.get("input_tokens"), row["input_uncached_tokens"], row.get("input_cache_write_tokens") or 0)
    return parts[0] - parts[1] - parts[2] if all(type(part) is int for part in parts) else None


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowRead(Generic[T]):
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

    def ask(self, topic: Topic[T], span: Span, budget: Budget) -> tuple[Topic[T], list[RowRead[T]]]:
        """Every row of the span, and the topic that was asked in the end. Raises ProviderError."""
        try:
            return topic, self._whole(topic, span, budget)
        except ProviderError as error:
            if topic.less is None or not _refuses_keys(error):
                raise
            return topic.less, self._whole(topic.less, span, budget)

    def _whole(self, topic: Topic[T], span: Span, budget: Budget) -> list[RowRead[T]]:
        """The span in one reading; in two halves where an answer to it is too large."""
        try:
            return self._ask(topic, span, budget)
        except ProviderError as error:
            if error.code != TOO_LARGE or not span.halves:
                raise
        return [read for half in span.halves for read in self._whole(topic, half, budget)]

    def _ask(self, topic: Topic[T], span: Span, budget: Budget) -> list[RowRead[T]]:
        url, params, reading = self.base_url + topic.path, topic.params(span), Reading(span)
        found: list[RowRead[T]] = []
        try:
            while reading.more:
                http = Http(url, self.key, budget.spend(self.patience))
                asker = Asker(http, self.now, topic.whose, topic.parse_float)
                page = asker.page([*params, *reading.cursor]).value
                found += [RowRead(at, row, topic.read(at, row)) for at, rows in reading.take(page) for row in rows]
            reading.check_whole()
        except Untrusted as answer:
            remedy = f"run again; if it repeats, see the raw answer: {curl(url, params)}"
            raise answer.error(f"{topic.whose}'s answer about {topic.name}", remedy) from answer
        return found


def _refuses_keys(error: ProviderError) -> bool:
    """Whether the service does not tell costs apart by key for this time."""
    return error.code == "request_refused" and "api_key_id" in error.message
