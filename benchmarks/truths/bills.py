"""What the provider shows: what each call adds to which minute, from when on; and how a read may go wrong.

A posting adds usage to a minute from an instant on, for good. A call is one posting, or two where its tokens come after
its request or its figure is raised later. What a run really used is the sum of all postings of its calls.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import ceil, log
from random import Random
from typing import TypeAlias

from benchmarks.truths.runs import HOUR, MINUTE, SECOND_MODEL, Call
from reconcile.providers.base import Fetched, Query
from reconcile.usage import Bucket, Usage

Amount: TypeAlias = tuple[int, int, int, int]
"""Input, output, cached input, requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    minute: int
    amount: Amount
    since: float
    key: str
    model: str
    batch: bool


# ------------------------------------------------------------------------------- booking: the second a call counts in

Booking: TypeAlias = Callable[[Call], float]


def by_end(call: Call) -> float:
    return call.ended


def by_start(call: Call) -> float:
    return call.began


def after_answer(call: Call) -> float:
    """Up to 8 seconds after it."""
    return call.ended + (call.ended * 1000) % 8


# ------------------------------------------------------------------------------------ feeds: when what is booked shows

Feed: TypeAlias = Callable[[str, Random, Call, float], float]
"""From when on a call shows: from the block's seed, its own dice, the call and the second it is booked in."""

CLEAN, TAIL, STALLS = "clean", "slow tail", "stalls"
STALL_CHANCE = 0.3
"""That an hour begins a freeze of the feed: often enough that every block has some."""
SLOW, LATE = 0.04, 1 / 200


def prompt(_: str, random: Random, __: Call, at: float) -> float:
    """Before anything is read."""
    return at + random.uniform(1, 8) * MINUTE


def clean(_: str, random: Random, __: Call, at: float) -> float:
    """Six minutes later in the median, and then with the next batch, which comes every five minutes."""
    return _with_batch(at + random.lognormvariate(log(6 * MINUTE), 0.5))


def slow_tail(seed: str, random: Random, call: Call, at: float) -> float:
    """Clean, but for one call in 25, which takes about 45 minutes."""
    slow = random.random() < SLOW
    return _with_batch(at + random.lognormvariate(log(45 * MINUTE), 0.2)) if slow else clean(seed, random, call, at)


def stalling(seed: str, random: Random, call: Call, at: float) -> float:
    """Clean, but in three hours of ten begins a freeze of 40 to 150 minutes in which nothing new shows."""
    shown = clean(seed, random, call, at)
    for hour in range(int(shown // HOUR) - 3, int(shown // HOUR) + 4):
        dice = _dice(f"{seed}/freeze/{hour}")
        begin = (hour + dice.random()) * HOUR
        end = begin + (dice.uniform(40, 150) * MINUTE if dice.random() < STALL_CHANCE else 0)
        shown = end if begin <= shown < end else shown
    return shown


def some_late(feed: Feed) -> Feed:
    """That feed, but one call in 200 shows only 1 to 30 hours after it was booked."""

    def late(seed: str, random: Random, call: Call, at: float) -> float:
        shown, hours = feed(seed, random, call, at), random.uniform(1, 30)
        return at + hours * HOUR if random.random() < LATE else shown

    return late


def out_of_order(seed: str, random: Random, call: Call, at: float) -> float:
    """Three minutes in ten come up to two and a half hours later than those around them."""
    dice = _dice(f"{seed}/{call.key}/{at // MINUTE}")
    return prompt(seed, random, call, at) + (dice.uniform(0.5, 2.5) * HOUR if dice.random() < 0.3 else 0)  # noqa: PLR2004


def model_late(seed: str, random: Random, call: Call, at: float) -> float:
    """All of the second model three hours late."""
    return prompt(seed, random, call, at) + (3 * HOUR if call.model == SECOND_MODEL else 0)


def all_late(seed: str, random: Random, call: Call, at: float) -> float:
    """Two and a half hours."""
    return prompt(seed, random, call, at) + 2.5 * HOUR


def _with_batch(ready: float) -> float:
    return ceil(ready / (5 * MINUTE)) * 5 * MINUTE


def _dice(seed: str) -> Random:
    return Random(seed)  # noqa: S311  a benchmark's dice


# ------------------------------------------------------------------------------------------- posting: what a call adds

Posted: TypeAlias = Callable[[Random, Posting], tuple[Posting, ...]]


def at_once(_: Random, whole: Posting) -> tuple[Posting, ...]:
    return (whole,)


def tokens_later(random: Random, whole: Posting) -> tuple[Posting, ...]:
    """The tokens of three calls in ten show three hours after their request."""
    if random.random() >= 0.3:  # noqa: PLR2004
        return (whole,)
    tokens_in, tokens_out, cached, requests = whole.amount
    later = replace(whole, amount=(tokens_in, tokens_out, cached, 0), since=whole.since + 3 * HOUR)
    return (replace(whole, amount=(0, 0, 0, requests)), later)


def raised_later(random: Random, whole: Posting) -> tuple[Posting, ...]:
    """One call in a hundred has a tenth more tokens some hours later, for good."""
    if random.random() >= 0.01:  # noqa: PLR2004
        return (whole,)
    more = (whole.amount[0] // 10 + 1, whole.amount[1] // 10, 0, 0)
    return (whole, replace(whole, amount=more, since=whole.since + random.uniform(3, 12) * HOUR))


def summed(amounts: Iterable[Amount]) -> Amount:
    """What they add up to, kind by kind."""
    tokens_in, tokens_out, cached, requests = 0, 0, 0, 0
    for each in amounts:
        tokens_in, tokens_out, cached, requests = (
            tokens_in + each[0],
            tokens_out + each[1],
            cached + each[2],
            requests + each[3],
        )
    return tokens_in, tokens_out, cached, requests


def posting(call: Call, at: float, since: float) -> Posting:
    return Posting(
        minute=int(at // MINUTE) * MINUTE,
        amount=(*call.tokens, 1),
        since=since,
        key=call.key,
        model=call.model,
        batch=call.batch,
    )


# ------------------------------------------------------------------------------------------ reading it at an instant

NOTHING, HALF, HALF_AT_FIRST, TWICE = "nothing", "half", "half at first", "twice"
"""What may come over a pass: every answer is empty; every other minute of it is; that of its first answer only; in
one pass of the block every request is shown twice."""


class Bill:
    """All postings, to be read at any instant."""

    def __init__(self, postings: Iterable[Posting]) -> None:
        self._postings = sorted(postings, key=lambda each: each.minute)
        self.changes = {each.since for each in self._postings}

    def shown(self, start: int, end: int, now: float) -> Iterator[Posting]:
        first = bisect_left(self._postings, start, key=lambda each: each.minute)
        last = bisect_left(self._postings, end, key=lambda each: each.minute)
        return (each for each in self._postings[first:last] if each.since <= now)

    def rows(self, start: int, end: int, now: float) -> list[Bucket]:
        """A bucket a minute, key, model and batch flag, as the usage API groups them."""
        groups: defaultdict[tuple[int, str, str, bool], list[Amount]] = defaultdict(list)
        for each in self.shown(start, end, now):
            groups[each.minute, each.key, each.model, each.batch].append(each.amount)
        return [
            Bucket(minute, Usage(*summed(amounts)), key, model, "proj_truth", batch, "default")
            for (minute, key, model, batch), amounts in groups.items()
        ]


@dataclass(kw_only=True)
class Reader:
    """The usage API without HTTP: a bill at an instant, under the sky of a pass."""

    bill: Bill
    now: float
    sky: str | None = None
    answers: int = field(default=0)

    def fetch(self, query: Query) -> Fetched:
        self.answers += 1
        kept = [
            row
            for row in self.rows(query.window.start, query.window.end)
            if not query.api_key_ids or row.api_key_id in query.api_key_ids
        ]
        return Fetched(query, tuple(kept if query.grouped else _by_minute(kept)))

    def rows(self, start: int, end: int) -> list[Bucket]:
        return self._under_the_sky(self.bill.rows(start, end, self.now))

    def _under_the_sky(self, rows: list[Bucket]) -> list[Bucket]:
        if self.sky == TWICE:
            return [replace(row, usage=Usage(*(2 * part for part in row.usage.parts))) for row in rows]
        if self.sky is None or (self.sky == HALF_AT_FIRST and self.answers > 1):
            return rows
        gone = set(sorted({row.minute for row in rows})[:: 1 if self.sky == NOTHING else 2])
        return [row for row in rows if row.minute not in gone]


def _by_minute(rows: Iterable[Bucket]) -> Iterator[Bucket]:
    minutes: defaultdict[int, list[Amount]] = defaultdict(list)
    for row in rows:
        minutes[row.minute].append(row.usage.parts)
    return (Bucket(minute, Usage(*summed(amounts))) for minute, amounts in minutes.items())
