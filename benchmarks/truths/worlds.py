"""The catalogue of worlds: in each of them something is so that a verdict may wrongly take to be otherwise.

A world says which assumptions it breaks. What a verdict of a grade rests on stands in `fates`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from benchmarks.truths import bills, twists
from benchmarks.truths.bills import Booking, Feed, Posted
from benchmarks.truths.twists import Stranger, Twist


class Assumption(StrEnum):
    """What a verdict may rest on. The first ones are words of the product."""

    CLOSED_KEY = "closed_key"
    """Nobody else uses the key in the run's minutes."""
    NO_UNRECORDED_RETRIES = "no_unrecorded_retries"
    SCOPE_COMPLETE = "scope_complete"
    """All of the run's traffic is in its scope."""
    CLOCK = "clock"
    """The machine's clock is at most `TRUSTED` seconds off, or as far as the file states."""
    USAGE_COMPLETE = "usage_complete"
    """All requests show when the run is first read."""
    TOKENS_IN_TIME = "tokens_in_time"
    """A request shows with its tokens."""
    FEED_IN_ORDER = "feed_in_order"
    """What shows is complete up to some minute, of every model."""
    FIGURES_FINAL = "figures_final"
    """What shows is not changed later."""
    READS_RIGHT = "reads_right"
    """No read shows more than there is."""
    CALLS_IN_SESSION = "calls_in_session"
    """All calls lie in the times that the file gives."""
    RECORDED_IS_BILLED = "recorded_is_billed"
    RECORDER_RIGHT = "recorder_right"
    """What the file says of calls and tokens is so."""


TRUSTED = 60.0
"""Seconds that a clock may be off: what a verdict allows for where the file does not say how far its clock is off."""


SEEN_AHEAD = 2
"""Hours of local time ahead of UTC from which on every file is first seen before the end that it gives."""


class Pen(StrEnum):
    """How a run's file is written, but for what is recorded."""

    PLAIN = "plain"
    NEW_START = "new start"
    """Of a resumed run only the last session is kept."""
    ZEROS = "zeros"
    """What was recorded is not filled in yet: zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    name: str
    family: str
    """Worlds of a family live through the same runs."""
    breaks: frozenset[Assumption] = frozenset()
    skew: float = 0.0
    """Seconds that each machine is off by, all its runs to the same side."""
    hours: int = 0
    """By which local time, written as UTC, is off."""
    booked: Booking = bills.by_end
    feed: Feed = bills.prompt
    posted: Posted = bills.at_once
    befalls: tuple[Twist, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    skies: tuple[str, ...] = ()
    pen: Pen = Pen.PLAIN


CALM = World(name="calm", family="skew")
SKEWS = (2, 5, 15, 30, 60)
FEEDS: dict[str, Feed] = {bills.CLEAN: bills.clean, bills.TAIL: bills.slow_tail, bills.STALLS: bills.stalling}
LAG = "lag"
WEATHER = (bills.NOTHING, bills.HALF, bills.HALF_AT_FIRST)


def skewed() -> Iterator[World]:
    """Clocks off by some seconds, and calls booked at either end."""
    yield CALM
    for skew in SKEWS:
        yield replace(CALM, name=f"skew {skew}", skew=float(skew))
    yield replace(CALM, name="booked at start", booked=bills.by_start)
    yield replace(CALM, name="booked at start, skew 15", booked=bills.by_start, skew=15.0)
    yield replace(CALM, name="booked later", booked=bills.after_answer)


def strange() -> Iterator[World]:
    """Others use the key."""
    closed = frozenset({Assumption.CLOSED_KEY})
    yield World(name="foreign beside", family="foreign", breaks=closed, strangers=(twists.beside,))
    yield from _next_minute()
    yield World(name="foreign beside, skew 5", family="foreign", breaks=closed, strangers=(twists.beside,), skew=5.0)
    yield World(name="foreign 0.1", family="foreign", breaks=closed, strangers=(twists.traffic,))
    yield World(name="foreign 0.1, skew 5", family="foreign", breaks=closed, strangers=(twists.traffic,), skew=5.0)
    yield World(name="foreign 0.1, skew 30", family="foreign", breaks=closed, strangers=(twists.traffic,), skew=30.0)
    yield World(name="unlisted run", family="unlisted", breaks=closed, strangers=(twists.unlisted,))
    yield World(name="foreign batch", family="batch", strangers=(twists.batched,))


def _next_minute() -> Iterator[World]:
    """That somebody else uses the key can be seen here: nothing has to be assumed of it."""
    seen = World(name="foreign in the next minute", family="next", strangers=(twists.next_minute,))
    yield seen
    yield replace(
        seen,
        name=f"{seen.name}, late calls",
        breaks=frozenset({Assumption.USAGE_COMPLETE}),
        feed=bills.some_late(bills.prompt),
    )


def unrecorded() -> Iterator[World]:
    """Files that do not tell all, or more than all."""
    retries, outside = frozenset({Assumption.NO_UNRECORDED_RETRIES}), frozenset({Assumption.CALLS_IN_SESSION})
    yield World(name="hidden retries", family="retries", breaks=retries, befalls=(twists.retried_unseen,))
    yield World(
        name="hidden retries, late calls",
        family="retries",
        breaks=retries | {Assumption.USAGE_COMPLETE},
        befalls=(twists.retried_unseen,),
        feed=bills.some_late(bills.prompt),
    )
    yield World(name="background calls", family="background", breaks=outside, befalls=(twists.in_background,))
    # while a run is interrupted it has no file yet, and others of its key do not know of its first session
    alone = frozenset({Assumption.CLOSED_KEY})
    yield World(name="resumed, sessions kept", family="resumed", breaks=alone, befalls=(twists.resumed,))
    yield World(
        name="resumed, new start kept", family="resumed", breaks=outside, befalls=(twists.resumed,), pen=Pen.NEW_START
    )
    yield World(
        name="ghost calls",
        family="ghosts",
        breaks=frozenset({Assumption.RECORDED_IS_BILLED}),
        befalls=(twists.never_billed,),
    )
    yield World(
        name="zeros first, usage late",
        family="zeros",
        breaks=frozenset({Assumption.RECORDER_RIGHT, Assumption.USAGE_COMPLETE}),
        feed=bills.all_late,
        pen=Pen.ZEROS,
    )
    yield World(
        name="key rotated",
        family="rotated",
        breaks=frozenset({Assumption.SCOPE_COMPLETE}),
        befalls=(twists.rotated,),
    )
    for hours in (1, 2, -5):
        unseen = frozenset({Assumption.CLOCK} if hours < SEEN_AHEAD else ())
        yield World(name=f"local time, UTC{hours:+}", family="hours", breaks=unseen, hours=hours)


def untimely() -> Iterator[World]:
    """Usage that shows late, changed or twice."""
    order, late = frozenset({Assumption.FEED_IN_ORDER}), frozenset({Assumption.USAGE_COMPLETE})
    yield World(name="over-reads", family="over", breaks=frozenset({Assumption.READS_RIGHT}), skies=(bills.TWICE,))
    yield World(
        name="restatements", family="restated", breaks=frozenset({Assumption.FIGURES_FINAL}), posted=bills.raised_later
    )
    yield World(name="minutes out of order", family="order", breaks=order | late, feed=bills.out_of_order)
    yield World(
        name="one model late",
        family="models",
        breaks=order | late,
        feed=bills.model_late,
        befalls=(twists.of_two_models,),
    )
    yield World(
        name="tokens late", family="tokens", breaks=frozenset({Assumption.TOKENS_IN_TIME}), posted=bills.tokens_later
    )


def lagging() -> Iterator[World]:
    """Feeds of the three kinds, quiet keys and others, fair weather and foul, all calls in time and some late."""
    for (lag, feed), foreign, weather, late in product(FEEDS.items(), (False, True), (False, True), (False, True)):
        closed = frozenset({Assumption.CLOSED_KEY} if foreign else ())
        yield World(
            name=lag_name(lag, foreign=foreign, weather=weather, late=late),
            family=lag_name(lag, foreign=foreign, weather=weather, late=late),
            breaks=closed | {Assumption.USAGE_COMPLETE},
            feed=bills.some_late(feed) if late else feed,
            strangers=(twists.traffic,) if foreign else (),
            skies=WEATHER if weather else (),
        )


def lag_name(lag: str, *, foreign: bool, weather: bool, late: bool) -> str:
    signs = {"foreign": foreign, "weather": weather, "late calls": late}
    return ", ".join([f"{LAG}: {lag}", *(name for name, holds in signs.items() if holds)])


WORLDS = {world.name: world for part in (skewed, strange, unrecorded, untimely, lagging) for world in part()}
