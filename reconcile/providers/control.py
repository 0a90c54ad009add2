"""Control totals: the rows of a page must add up to what the provider reports without rows.

A provider that leaves out a group, or caps how many it lists, answers with a page that looks complete. Only minutes
that ended `min_age` ago are compared: usage of younger ones may come in between the two requests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconcile.errors import ProviderError
from reconcile.minutes import MINUTE, Window, instant
from reconcile.providers.base import Fetched, Query
from reconcile.usage import KINDS, Bucket, OddRow, Usage, total


def control_query(query: Query, now: datetime, min_age: timedelta) -> Query | None:
    """The same minutes in one row each, as far as they are old enough; None where none is."""
    latest = int((now - min_age).timestamp()) // MINUTE * MINUTE
    window = Window(query.window.start, min(query.window.end, latest))
    return replace(query, window=window, grouped=False) if window.start < window.end else None


def differing(rows: Fetched, control: Fetched) -> ProviderError | None:
    """The first minute whose rows do not add up to its control total, as the error it is if it stays so."""
    window = control.query.window
    listed, whole = _by_minute(rows.buckets, window), _by_minute(control.buckets, window)
    odd: defaultdict[int, list[OddRow]] = defaultdict(list)
    for row in rows.odd:
        odd[row.minute].append(row)
    for minute in sorted(listed.keys() | whole.keys()):
        found, all_ = listed.get(minute, Usage()), whole.get(minute, Usage())
        if not _adds_up(found, odd[minute], all_):
            return _not_adding_up(minute, found, all_)
    return None


def _adds_up(listed: Usage, odd: Sequence[OddRow], whole: Usage) -> bool:
    """Whether nothing is missing. Of a kind that an odd row of others does not tell, the total may hold more."""
    for place, (part, most) in enumerate(zip(listed.parts, whole.parts, strict=True)):
        told = [row.parts[place] for row in odd]
        known = part + sum(each or 0 for each in told)
        if known > most or (known < most and None not in told):
            return False
    return True


def _by_minute(buckets: Iterable[Bucket], window: Window) -> dict[int, Usage]:
    parts: defaultdict[int, list[Usage]] = defaultdict(list)
    for bucket in buckets:
        if window.start <= bucket.minute < window.end and not bucket.usage.is_zero:
            parts[bucket.minute].append(bucket.usage)
    return {minute: total(usages) for minute, usages in parts.items()}


def _not_adding_up(minute: int, listed: Usage, whole: Usage) -> ProviderError:
    pairs = zip(KINDS, listed.parts, whole.parts, strict=True)
    shown = ", ".join(f"{kind} {rows:,} of {all_:,}" for kind, rows, all_ in pairs if rows != all_)
    return ProviderError(
        f"the rows of {instant(minute):%Y-%m-%dT%H:%MZ} do not add up to its total, twice in a row: {shown}",
        code="control_total",
        remedy="nothing was taken from this page; run again later, and tell the provider if it repeats",
    )
