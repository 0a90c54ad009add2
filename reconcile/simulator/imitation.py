"""Made-up traffic for runs that exist: lets anyone try a pass over their own runs without a provider account.

What a run recorded of itself is believed: as many calls, and the tokens scaled to its totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice

from reconcile.core.model import Recorded
from reconcile.simulator.ledger import Call
from reconcile.simulator.scenarios import MODEL, Feed, calls_for, clean


def imitate(
    name: str, start: float, end: float, api_key_id: str, recorded: Recorded, feed: Feed = clean
) -> tuple[Call, ...]:
    """Calls that a run of that name and those times might have made: always the same ones. Unix seconds."""
    calls = calls_for(name, start, end, api_key_id, MODEL, feed)
    if recorded.api_calls is not None:
        more = _more(name, start, end, api_key_id, feed)
        calls = tuple(islice((call for batch in (calls, *more) for call in batch), recorded.api_calls))
    tokens_in = _scaled([call.tokens_in for call in calls], recorded.tokens_in)
    tokens_out = _scaled([call.tokens_out for call in calls], recorded.tokens_out)
    cached = _scaled([call.cached_tokens for call in calls], recorded.cached_tokens)
    return tuple(
        replace(call, tokens_in=fed, tokens_out=given, cached_tokens=min(reused, fed))
        for call, fed, given, reused in zip(calls, tokens_in, tokens_out, cached, strict=True)
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
