"""Made-up calls of runs, whose truth is known: the same for the same seed, on every machine.

A feed says when calls show in the usage API. Nothing here knows of files, frameworks or verdicts. Traffic is made up
for runs that exist too: anyone can try a pass over their own runs without a provider account. What a run recorded of
itself is believed: as many calls, and the tokens scaled to its totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain, count, islice
from math import ceil, log, nextafter
from random import Random
from typing import TypeAlias

from reconcile.minutes import MINUTE
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall
from reconcile.simulator.faults import Fault
from reconcile.usage import Recorded

HOUR = 60 * MINUTE
MODEL = "gpt-4o-mini-2024-07-18"
SECONDS_PER_CALL = 8
"""Runs of GenAI-DevBench, October 2025: 18 calls in two and a half minutes."""
SLOW, CACHED = 0.04, 0.3
"""Shares of calls: of those that show late in a slow tail, and of those that find a part of their prompt cached."""


def _seeded(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311 (chance that can be repeated, nothing secret)


# ------------------------------------------------------------------------------------- feeds: when calls show

Feed: TypeAlias = Callable[[Random, float], float]
"""From when on a call made at an instant is counted. Unix seconds."""


def at_once(_: Random, at: float) -> float:
    return at


def clean(random: Random, at: float) -> float:
    """Six minutes later in the median, and then with the next batch, which comes every five minutes."""
    return _batch(at + random.lognormvariate(log(6 * MINUTE), 0.5))


def slow_tail(random: Random, at: float) -> float:
    """Clean, but for one call in 25, which takes about 45 minutes."""
    return _batch(at + random.lognormvariate(log(45 * MINUTE), 0.2)) if random.random() < SLOW else clean(random, at)


def stalling(seed: int, chance: float = 0.1) -> Feed:
    """Clean, but with that chance an hour begins a freeze of 40 to 150 minutes in which nothing new shows."""

    @cache
    def freeze(hour: int) -> tuple[float, float]:
        random = _seeded(f"{seed}/{hour}")
        begin = (hour + random.random()) * HOUR
        return begin, begin + (random.uniform(40, 150) * MINUTE if random.random() < chance else 0)

    def feed(random: Random, at: float) -> float:
        shown = clean(random, at)
        hour = int(shown // HOUR) - 3  # the earliest whose freeze can last until then
        while hour * HOUR <= shown:
            begin, end = freeze(hour)
            shown = end if begin <= shown < end else shown
            hour += 1
        return shown

    return feed


def _batch(ready: float) -> float:
    return ceil(ready / (5 * MINUTE)) * 5.0 * MINUTE


# --------------------------------------------------------------------------------------------- calls of a run


def calls_for(
    name: str, start: float, end: float, api_key_id: str, model: str, feed: Feed = at_once
) -> tuple[BilledCall, ...]:
    """The calls that a run of that name makes in `[start, end)`, in order: made up, and always the same."""
    random = _seeded(name)
    often = max(1, round((end - start) / SECONDS_PER_CALL * random.uniform(0.7, 1.3)))
    return tuple(_call(random, at, api_key_id, model, feed) for at in sorted(_instants(random, often, start, end)))


def _instants(random: Random, often: int, start: float, end: float) -> list[float]:
    """Never the end, which is not the run's any more and which rounding can reach."""
    last = nextafter(end, start)
    return [min(random.uniform(start, end), last) for _ in range(often)]


def _call(random: Random, at: float, api_key_id: str, model: str, feed: Feed) -> BilledCall:
    tokens_in = int(random.lognormvariate(7.3, 0.6))
    reused = tokens_in // 256 * 128 if random.random() < CACHED else 0  # a cache holds prompts in steps of 128 tokens
    return BilledCall(
        at=at,
        tokens_in=tokens_in,
        tokens_out=int(random.lognormvariate(6.0, 0.5)),
        cached_tokens=reused,
        api_key_id=api_key_id,
        model=model,
        visible_at=feed(random, at),
    )


WEATHER = (faults.rate_limited("1"), faults.transient_zero, faults.dip)


def weather(seed: int, replies: int, chance: float = 0.1) -> tuple[Fault | None, ...]:
    """A script in which, with that chance, a reply is a 429, a transient zero or a partial read."""
    random = _seeded(seed)
    return tuple(random.choice(WEATHER) if random.random() < chance else None for _ in range(replies))


def imitate(
    name: str, start: float, end: float, api_key_id: str, recorded: Recorded, feed: Feed = clean
) -> tuple[BilledCall, ...]:
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


def _more(name: str, start: float, end: float, api_key_id: str, feed: Feed) -> Iterator[tuple[BilledCall, ...]]:
    return (calls_for(f"{name}/{number}", start, end, api_key_id, MODEL, feed) for number in count(1))


def _scaled(values: Sequence[int], wanted: int | None) -> list[int]:
    """The values in proportion, their sum as wanted. The last takes what rounding leaves."""
    whole = sum(values)
    if wanted is None or whole == wanted or not values:
        return list(values)
    shares = [value * wanted // whole if whole else 0 for value in values]
    shares[-1] += wanted - sum(shares)
    return shares
