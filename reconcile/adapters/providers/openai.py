"""OpenAI's organization usage API: completions by the minute, which chat and responses traffic both are.

Responsible for asking for every page, for accepting only an answer that is complete and means one thing, and for
telling a refusal in words that say what to do. Contract: github.com/openai/openai-openapi (2026-08). Fields that are
not read here are ignored: the service runs ahead of its specification.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlencode

from reconcile.adapters.http import Answer, Http, Patience
from reconcile.core.model import MINUTE, Bucket, Fetched, Query, Usage, Window, instant, minutes_of
from reconcile.errors import ProviderError

BASE_URL = "https://api.openai.com/v1"
PATH = "/organization/usage/completions"
MOST_BUCKETS = 1440
GROUP_BY = ("project_id", "api_key_id", "model", "batch", "service_tier")
FIGURES = ("input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests")

MOST_COUNT = 10**10
"""More than the whole service handles in a minute. A run of 31 days of it still fits in its file, which holds 10^15."""

MOST_SKEW = timedelta(minutes=5)
"""How far the two clocks may be apart. What a proxy keeps for a while is no answer either."""

PATIENCE = Patience()
ADMIN_KEYS = "platform.openai.com/settings/organization/admin-keys"
TEXT = (str, type(None))
FLAG = (bool, type(None))


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
        self._http = Http(_endpoint(base_url), admin_key, patience)
        self._now = now
        self._on_progress = on_progress

    def fetch(self, query: Query) -> Fetched:
        """Every row of every minute of the query, or ProviderError.

        Rows of a minute that agree in every dimension stay buckets of their own: each is usage, none a repetition.
        """
        _check_past(query.window, self._now or datetime.now(UTC))
        buckets: list[Bucket] = []
        answered: set[int] = set()
        cursors: list[str] = []
        more, pages, retries = True, 0, 0
        while more:
            answer = self._http.get([*_params(query), *(("page", cursor) for cursor in cursors[-1:])])
            if self._now is None:
                _check_clock(answer.served_at, datetime.now(UTC))
            if answer.status != HTTPStatus.OK:
                raise _refusal(self._http, answer)
            page = self._http.json_object(answer.body)
            buckets += _buckets(page, query.window, answered)
            more = _goes_on(page, cursors)
            pages, retries = pages + 1, retries + answer.retries
            if self._on_progress:
                self._on_progress(len(answered), query.window.minutes)
        _check_answered(query.window, answered)
        return Fetched(query, tuple(buckets), pages, retries)


def curl_line(query: Query, base_url: str = BASE_URL) -> str:
    """The first request of `fetch` for a shell that has the key in OPENAI_ADMIN_KEY."""
    url = f"{_endpoint(base_url)}?{urlencode(_params(query))}"
    return f'curl --silent --show-error --header "Authorization: Bearer $OPENAI_ADMIN_KEY" {shlex.quote(url)}'


# ---------------------------------------------------------------------------------------------- the request


def _endpoint(base_url: str) -> str:
    return base_url.rstrip("/") + PATH


def _params(query: Query) -> list[tuple[str, str]]:
    """Lists are spelled as repeated names. Without `limit` an hour is all that one-minute buckets would answer."""
    return [
        ("start_time", str(query.window.start)),
        ("end_time", str(query.window.end)),
        ("bucket_width", "1m"),
        ("limit", str(MOST_BUCKETS)),
        *(("group_by", name) for name in GROUP_BY if query.grouped),
        *(("api_key_ids", key) for key in query.api_key_ids),
    ]


def _check_clock(served_at: datetime | None, now: datetime) -> None:
    """Ages, and the time between two reads, are taken from this machine's clock: where that is wrong, so are they."""
    if served_at and abs(served_at - now) > MOST_SKEW:
        raise ProviderError(
            f"this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}, the provider's {served_at:%Y-%m-%dT%H:%M:%SZ}",
            code="clock_wrong",
            remedy="set the clock and the time zone of this machine, then run again",
        )


def _check_past(window: Window, now: datetime) -> None:
    """The service refuses a future end, and one cut to now would leave minutes of the query unanswered."""
    if window.end > now.timestamp():
        raise ProviderError(
            f"the query ends at {_spelled(window.end)}, and now is {_spelled(now.timestamp())}",
            code="query_in_future",
            remedy="check the clock of this machine and the times of the runs",
        )


# ------------------------------------------------------------------------------------------------ the answer


def _buckets(page: dict[str, Any], window: Window, answered: set[int]) -> list[Bucket]:
    """The rows of a page. Adds its minutes to `answered`."""
    data = page.get("data")
    if page.get("object") != "page" or type(data) is not list or not data:
        _refuse("unexpected_shape", "a page is not an object 'page' with a list of buckets as its data")
    buckets = []
    for entry in data:
        minute = _minute(entry, window)
        if minute in answered:
            _refuse("minute_answered_twice", f"{_spelled(minute)} is answered twice")
        answered.add(minute)
        buckets += [_bucket(minute, row) for row in entry["results"]]
    return buckets


def _minute(entry: Any, window: Window) -> int:  # noqa: ANN401 (anything that JSON can be)
    """The minute a bucket is about. The first and the last of an aligned query are as whole as the others."""
    if type(entry) is not dict or entry.get("object") != "bucket" or type(entry.get("results")) is not list:
        _refuse("unexpected_shape", "an element of data is not an object 'bucket' with a list of results")
    start, end = entry.get("start_time"), entry.get("end_time")
    if type(start) is not int or type(end) is not int or end - start != MINUTE or start % MINUTE:
        _refuse("bucket_not_a_minute", f"a bucket from {start!r:.40} to {end!r:.40} is not one UTC minute")
    if not window.start <= start < window.end:
        asked = f"{_spelled(window.start)} to {_spelled(window.end)}"
        _refuse("bucket_outside_query", f"a bucket at {start!r:.40} answers a query for {asked}")
    return start


def _bucket(minute: int, row: Any) -> Bucket:  # noqa: ANN401 (anything that JSON can be)
    if type(row) is not dict or row.get("object") != "organization.usage.completions.result":
        _refuse("unexpected_shape", f"a result at {_spelled(minute)} is not one of completions")
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
        _refuse("invalid_count", f"{_spelled(minute)} has a count that cannot be: {shown}")
    project, key, model, batch, tier = map(field, GROUP_BY)
    texts = type(project) in TEXT and type(key) in TEXT and type(model) in TEXT and type(tier) in TEXT
    if not (texts and type(batch) in FLAG):
        shown = ", ".join(f"{name} {row.get(name)!r:.40}" for name in GROUP_BY)
        _refuse("unexpected_shape", f"{_spelled(minute)} has a dimension of another type: {shown}")
    return Bucket(minute, Usage(tokens_in, tokens_out, cached, calls), key, model, project, batch, tier)


def _cached_by_difference(row: dict[str, Any]) -> Any:  # noqa: ANN401 (checked with the other figures)
    """Cached input of a row that leaves it out, as the specification lets it: the input that is nothing else.

    A row that splits its input in no way has none to tell of.
    """
    if row.get("input_uncached_tokens") is None:
        return 0
    parts = (row.get("input_tokens"), row["input_uncached_tokens"], row.get("input_cache_write_tokens") or 0)
    return parts[0] - parts[1] - parts[2] if all(type(part) is int for part in parts) else None


def _goes_on(page: dict[str, Any], cursors: list[str]) -> bool:
    """Whether a page follows; its cursor is then added to `cursors`."""
    has_more, cursor = page.get("has_more"), page.get("next_page")
    if type(has_more) is not bool:
        _refuse("unexpected_shape", f"has_more is {has_more!r:.40}, neither true nor false")
    if not has_more:
        return False
    if type(cursor) is not str or not cursor:
        _refuse("cursor_missing", f"page {len(cursors) + 1} says that more follow and not where")
    if cursor in cursors:
        _refuse("cursor_repeated", f"page {len(cursors) + 1} leads back to page {cursors.index(cursor) + 2}")
    cursors.append(cursor)
    return True


def _check_answered(window: Window, answered: set[int]) -> None:
    left = [minute for minute in minutes_of(window) if minute not in answered]
    if left:
        missing = f"{len(left)} of {window.minutes} minutes, the first {_spelled(left[0])}"
        _refuse("minute_unanswered", f"{missing}, are left unanswered")


def _refuse(code: str, problem: str) -> NoReturn:
    raise ProviderError(
        f"the usage API's answer cannot be trusted: {problem}",
        code=code,
        remedy="run again; if it repeats, see the raw answer with the curl line of `reconcile explain`",
    )


def _spelled(seconds: float) -> str:
    return f"{instant(seconds):%Y-%m-%dT%H:%M:%SZ}"


# ----------------------------------------------------------------------------------------------- the refusal


def _refusal(http: Http, answer: Answer) -> ProviderError:
    said, error_code = _said(answer.body)
    code, remedy = _meaning(answer.status, said, error_code)
    message = f"the usage API answered {answer.status}: {http.quoted(said) or 'an empty body'}"
    return ProviderError(message, code=code, remedy=remedy)


def _meaning(status: int, said: str, error_code: str | None) -> tuple[str, str]:
    """Code and remedy of a refusal. A missing scope is known by its text, because it comes as 401 and as 403."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if "Missing scopes" in said:
            return "missing_scope", f"use an admin key with the scope api.usage.read, not a project key: {ADMIN_KEYS}"
        if error_code == "invalid_api_key":
            return "invalid_api_key", f"copy the admin key (sk-admin-...) again or create one: {ADMIN_KEYS}"
        return "access_denied", f"check that the key is an admin key of the right organization: {ADMIN_KEYS}"
    if status == HTTPStatus.NOT_FOUND:
        return "not_found", f"check the base URL (usually {BASE_URL}); else it is an outage: run again later"
    if status == HTTPStatus.BAD_REQUEST:
        return "request_refused", "this is a defect of the tool or a change of the API: report it with the message"
    return "unexpected_status", "check the base URL, and what stands between this machine and the provider"


def _said(body: bytes) -> tuple[str, str | None]:
    """The text and the code of an error, which comes as an object or as a bare string; else the body as it is."""
    text = body.decode(errors="replace")
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return text, None
    if isinstance(error, dict):
        param = f"{error['param']}: " if error.get("param") else ""
        return f"{param}{error.get('message')}", error.get("code")
    return str(error), None
