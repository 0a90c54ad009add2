"""Completions usage of whole days as the service answered it, every page of it in one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconcile.errors import ProviderError, UsageError
from reconcile.money.entry import Entry, Period
from reconcile.providers.openai.asking import Asker, Untrusted, check_past
from reconcile.providers.openai.completions import GROUP_BY
from reconcile.providers.openai.paging import DAYS, HOURS, MINUTES, Reading, Span
from reconcile.providers.openai.rows import COMPLETIONS, entry
from reconcile.providers.transport import TOO_LARGE, Http, Patience

GRAINS = {grain.width: grain for grain in (MINUTES, HOURS, DAYS)}
REMEDY = "run again; if it repeats, look at the raw answer"
PATIENCE = Patience()
LAST = 4_102_444_800
"""Midnight of the year 2100, in Unix seconds."""


def raw_usage(
    admin_key: str, base_url: str, period: Period, width: str, *, until: int, now: datetime | None = None
) -> dict[str, Any]:
    """The buckets of the period that end by `until` (Unix seconds), grouped by every dimension.

    Raises UsageError for a width that there is none of, ConfigurationError and ProviderError.
    """
    grain = GRAINS.get(width)
    if grain is None:
        raise UsageError(
            f"bucket_width: {width!r} is no width of a bucket",
            code="bad_width",
            remedy=f"write one of {', '.join(GRAINS)}",
        )
    end = min(period.end, until // grain.seconds * grain.seconds)
    found: list[Any] = []
    if end > period.start:
        span = Span(period.start, end, grain)
        check_past(end, now, "the dates")
        asker = Asker(Http(f"{base_url.rstrip('/')}{COMPLETIONS.path}", admin_key, PATIENCE), now)
        try:
            found = _whole(asker, span)
        except Untrusted as answer:
            raise answer.error("the usage API's answer", REMEDY) from answer
    return {"object": "page", "data": found, "has_more": False, "next_page": None}


def _whole(asker: Asker, span: Span) -> list[Any]:
    """The buckets of the span, in one reading; in two halves where an answer to it is too large."""
    try:
        return _read(asker, span)
    except ProviderError as error:
        if error.code != TOO_LARGE or not span.halves:
            raise
    return [bucket for half in span.halves for bucket in _whole(asker, half)]


def _read(asker: Asker, span: Span) -> list[Any]:
    reading = Reading(span)
    params = [*span.params, *(("group_by", name) for name in GROUP_BY)]
    found: list[Any] = []
    while reading.more:
        page = asker.page([*params, *reading.cursor]).value
        reading.take(page)
        found += page["data"]
    reading.check_whole()
    return found


def entries_of_page(page: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The rows of an answer. Raises ProviderError where it is none, or is not whole."""
    try:
        if page.get("has_more"):
            raise Untrusted("page_missing", "it says that more pages follow")
        return tuple(entry(COMPLETIONS, _start(bucket), row) for bucket in page["data"] for row in bucket["results"])
    except Untrusted as answer:
        raise answer.error("the usage API's answer", REMEDY) from answer
    except (KeyError, TypeError, AttributeError) as error:
        raise ProviderError(
            "this is no answer of the usage API: it has no buckets with start_time and results",
            code="unexpected_shape",
            remedy="pass on what fetch_openai_usage returned",
        ) from error


def _start(bucket: Mapping[str, Any]) -> int:
    start = bucket["start_time"]
    if type(start) is not int or not 0 <= start < LAST:
        raise Untrusted("unexpected_shape", f"start_time is {start!r:.40}, and no instant in Unix seconds")
    return start
