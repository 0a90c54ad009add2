"""The least number of requests that read every minute a pass needs.

A page holds a day of one-minute buckets, with any number of runs, keys and models in them, so what costs is minutes.
Taking the leftmost minute that is still needed as the start of the next page is optimal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconcile.minutes import GUARD_MINUTES, MINUTE, Window, joined
from reconcile.providers import abilities
from reconcile.providers.base import Query, Scope

PAGE_MINUTES = 1440
"""The most one-minute buckets that a provider returns at once."""

MOST_KEY_FILTERS = 100
"""With more key ids than this the filter is left out, so that the address stays well below common limits."""

MOST_KEY_CHARACTERS = 4_000
"""The same where ids are long."""

ANNOUNCED_REQUESTS = 10
"""A pass that needs more requests than this says so before it makes them."""


def plan(
    needed: Iterable[Window], wished: Iterable[Window], scopes: Sequence[Scope], now: datetime
) -> tuple[Query, ...]:
    """Queries that cover all `needed` windows with their guard minutes, and the `wished` ones that fit beside them.
    The scopes are of one provider.

    Nothing after the last whole minute before `now` is asked for: a provider refuses a future end, and the running
    minute is not complete.
    """
    horizon = int(now.timestamp()) // MINUTE * MINUTE
    wanted = joined(
        Window(window.start - GUARD_MINUTES * MINUTE, min(window.end + GUARD_MINUTES * MINUTE, horizon))
        for window in needed
        if window.end <= horizon
    )
    if not wanted:
        return ()
    keys, asked = _key_filter(scopes), scopes[0].provider
    most = abilities(asked).page_minutes
    pages = _with_room_used(_pages(wanted, most), sorted(wished), horizon, most)
    return tuple(Query(asked, page, keys) for page in pages)


def _pages(wanted: Sequence[Window], most: int) -> list[Window]:
    pages: list[Window] = []
    for window in wanted:
        start = max(window.start, pages[-1].start + most * MINUTE) if pages else window.start
        if pages and window.start < start:
            pages[-1] = Window(pages[-1].start, min(window.end, start))
        while start < window.end:
            pages.append(Window(start, min(start + most * MINUTE, window.end)))
            start += most * MINUTE
    return pages


def _with_room_used(pages: Sequence[Window], wished: Sequence[Window], horizon: int, most: int) -> list[Window]:
    """Pages made longer, up to their limit and to each other, wherever that brings in a wished window whole."""
    limits = [*(page.start for page in pages), horizon]
    result: list[Window] = []
    for page, latest in zip(pages, limits[1:], strict=True):
        result.append(_grown(page, Window(result[-1].end if result else 0, latest), wished, most))
    return result


def _grown(page: Window, limits: Window, wished: Iterable[Window], most: int) -> Window:
    start, end = page.start, page.end
    for window in wished:
        grown = Window(min(start, window.start), max(end, window.end))
        if limits.holds(grown) and grown.minutes <= most:
            start, end = grown.start, grown.end
    return Window(start, end)


def _key_filter(scopes: Sequence[Scope]) -> tuple[str, ...]:
    """The key ids in play, where every scope names keys; else none, which asks for all."""
    if not all(scope.api_key_ids for scope in scopes):
        return ()
    keys = sorted({key for scope in scopes for key in scope.api_key_ids})
    fits = len(keys) <= MOST_KEY_FILTERS and sum(map(len, keys)) <= MOST_KEY_CHARACTERS
    return tuple(keys) if fits else ()
