"""Made-up traffic for runs that exist: lets anyone try a pass over their own runs without a provider account.

What a run recorded of itself is believed: as many calls, and the tokens scaled to its totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, count, islice

from reconcile.core.model import Recorded
from reconcile.simulator.ledger import Call
from reconcile.simulator.scenarios import MODEL, Feed, calls_for, clean


def imitate(
    name: str, start: float, end: float, api_key_id: str, recorded: Recorded, feed: Feed = clean
) -> tuple[Call, ...]:
    """Calls that a run of that name and those times might have made: always the same ones. Unix seconds."""
    calls = calls_for(name, start, end, api_key_id, MODEL, feed)
    if recorded.api_calls is not None:
        batches = chain([calls], _more(name, start, end, api_key_id, feed))
        calls = tuple(islice(chain.from_iterable(batches), recorded.api_calls))
    cached = recorded.cached_tokens if recorded.tokens_in is None else recorded.cached_tokens or 0
    fresh = None if recorded.tokens_in is None else recorded.tokens_in - (cached or 0)
    reused = _scaled([call.cached_tokens for call in calls], cached)
    uncached = _scaled([call.tokens_in - call.cached_tokens for call in calls], fresh)
    given = _scaled([call.tokens_out for call in calls], recorded.tokens_out)
    return tuple(
        replace(call, tokens_in=read + rest, tokens_out=out, cached_tokens=read)
        for call, read, rest, out in zip(calls, reused, uncached, given, strict=True)
    )


def _more(name: str, start: float, end: float, api_key_id: str, feed: Feed) -> Iterator[tuple[Call, ...]]:
    return (calls_for(f"{name}/{number}", start, end, api_key_id, MODEL, feed) for number in count(1))


def _scaled(values: Sequence[int], wanted: int | None) -> list[int]:
    """The values in proportion, their sum as wanted. The last takes what rounding leaves."""
    whole = sum(values)
    if wanted is None or whole == wanted or not values:
        return list(values)
    shares = [value * wanted // whole if whole else 0 for value in values]
    shares[-1] += wanted - sum(shares)
    return shares
