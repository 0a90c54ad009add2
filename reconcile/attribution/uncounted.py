"""Usage of a provider that tells tokens and no requests, for rules that are made for requests.

How many requests a row is of is open, so it stands for as many as it has tokens: any part of it may then be anybody's,
which no bound forbids. What was recorded in calls is set aside, for nothing can be held against it. A match of tokens
is left, which supports a figure and proves none. In what comes out, calls are not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconcile.runs.run import Claim
from reconcile.runs.state import Guard
from reconcile.usage import Bounds, Bucket, Recorded, Usage

UNTOLD = frozenset({"api_calls"})
"""The kinds that such a provider does not tell."""


def without_calls(claim: Claim) -> Claim:
    """The claim with what it recorded in tokens."""
    known = claim.known
    recorded = Recorded(known.tokens_in, known.tokens_out, known.cached_tokens, None, known.source)
    return replace(claim, recorded=recorded, log=None)


def at_most(buckets: Iterable[Bucket]) -> list[Bucket]:
    """The rows with the most requests that they may be of."""
    return [replace(row, usage=replace(row.usage, api_calls=_tokens(row.usage))) for row in buckets]


def _tokens(usage: Usage) -> int:
    return usage.tokens_in + usage.tokens_out


def untold(usage: Usage) -> Usage:
    return replace(usage, api_calls=0)


def untold_bounds(bounds: Bounds | None) -> Bounds | None:
    return bounds and Bounds(untold(bounds.low), untold(bounds.high))


def seen(guard: Guard) -> Guard:
    """The guard with one request where there is usage: how many there were is not known, and one is enough."""
    return replace(guard, requests=min(guard.requests, 1))
