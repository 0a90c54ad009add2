"""Which days of a period have to be asked for: those that no cache has, in stretches that touch, page by page."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.adapters.providers.openai.paging import DAYS, Grain, Span

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
