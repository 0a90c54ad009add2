"""Small worlds whose truth is known: runs, the requests they really made, and what of it anybody can see.

A world is drawn from dice: a seed names it (`dice(7)`), and hypothesis can shrink it (`st.randoms()`). Minutes are
small whole numbers counted from noon; `claims` and `buckets` are what the code under test gets to see. Call logs are
written and read as the files they are.
"""

import json
import os
from collections import defaultdict
from dataclasses import dataclass, replace
from random import Random

from hypothesis import settings

from reconcile import schemas
from reconcile.minutes import Clock, Window
from reconcile.providers.base import Scope
from reconcile.runs.call_log import LogChecker, held_to
from reconcile.runs.run import BOOKING_SLACK, CallLog, Claim, RunKey
from reconcile.usage import Bucket, Recorded, Usage, total

NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
SCALE = float(os.environ.get("RECONCILE_TEST_SCALE", "0.5"))
"""How many times the usual number of worlds the loops go through."""

LEAST = 10
"""Examples of a property in `make test`: fewer say little."""


def examples(count):
    """How many examples of a property are tried: `count` of them in `make prove`, a tenth where nothing is said."""
    return settings(max_examples=max(LEAST, int(count * SCALE / 10)), deadline=None)


SIZES = (0, 1, 10, 10, 100, 250, 1000)
NOTHING, CALLS, TOTALS = "nothing", "calls", "calls and tokens"
COMPLETE, PARTIAL = "complete log", "log with lines missing"

LOGS = LogChecker(schemas.load("calls"))


def dice(seed):
    return Random(seed)  # noqa: S311  dice, not secrets


def seeds(count):
    return range(max(1, int(count * SCALE)))


def window(start, end):
    return Window(NOON + 60 * start, NOON + 60 * end)


WIDE = window(-600, 600)
"""More than any world reaches, guard minutes included."""


@dataclass(frozen=True)
class Route:
    """The dimensions under which a request is reported."""

    key: str = "key_a"
    model: str = "gpt-4o-mini-2024-07-18"
    project: str = "proj_1"


@dataclass(frozen=True)
class Traffic:
    """A scope, and the routes that requests of a run with this scope take."""

    scope: Scope
    routes: tuple[Route, ...]


ONE_KEY = Traffic(Scope("openai", ("key_a",)), (Route(), Route(model="gpt-4o-2024-08-06")))


@dataclass(frozen=True)
class Life:
    """A run: `[start, end)` in minutes from noon, and what it writes down of its requests."""

    name: str
    start: int
    end: int
    records: str
    traffic: Traffic = ONE_KEY
    log: str | None = None
    """What its call log is, if it keeps one."""
    skew: float = 0.0
    """By how many seconds its machine's clock is ahead of the provider's."""
    doubt: float = 0.0
    """By how many seconds it is held to be off, at most."""

    @property
    def counts(self):
        """Whether it tells how many calls it made."""
        return self.records != NOTHING or self.log == COMPLETE


@dataclass(frozen=True)
class Request:
    minute: int
    usage: Usage
    route: Route
    owner: str | None
    """The run's name; None: somebody else's."""
    recorded: bool = True
    """Not so for a retry that the run's client hid from it."""
    late: bool = False
    """Not reported yet."""
    span: tuple[float, float] | None = None
    """When the run says that it was made, in seconds from noon."""
    logged: bool = True
    """Not so for a recorded call whose line is missing."""
    aborted: bool = False
    """A call that the run logs as cut off and does not count."""
    misread: Usage | None = None
    """What the log says it used, where that is wrong."""


@dataclass(frozen=True, repr=False)
class World:
    lives: tuple[Life, ...]
    requests: tuple[Request, ...]

    def __repr__(self):
        """`a [0, 5) knows calls: 0=100 3=250?`: minute and input tokens; `?`: not recorded, `!`: late."""
        owners = [
            (
                f"{life.name} [{life.start}, {life.end}) knows {life.records}{f', {life.log}' if life.log else ''}",
                life.name,
            )
            for life in self.lives
        ]
        lines = []
        for title, owner in [*owners, ("nobody's", None)]:
            own = sorted((each for each in self.requests if each.owner == owner), key=lambda each: each.minute)
            shown = (
                f"{r.minute}={r.usage.tokens_in}{'' if r.recorded else '?'}{'!' if r.late else ''}"
                f"{r.span if r.span and r.logged else ''}"
                for r in own
            )
            lines.append(f"{title}: {' '.join(shown)}")
        return "\n".join(["", *lines])

    def claims(self):
        return [self._claim(life) for life in self.lives]

    def _claim(self, life):
        own = total(each.usage for each in self.requests if each.owner == life.name and each.recorded)
        recorded = {NOTHING: Recorded(), CALLS: Recorded(api_calls=own.api_calls), TOTALS: Recorded(*own.parts)}
        span = (NOON + 60 * life.start + life.skew, NOON + 60 * life.end + life.skew)
        there, clock = Window.around(*span), Clock(0.0, life.doubt)
        return Claim(
            RunKey("chatdev", life.name),
            life.traffic.scope,
            there,
            recorded[life.records],
            self._log(life, there) if life.log else None,
            clock=clock,
            reached=(clock.around(*span),) if life.doubt else (),
        )

    def _log(self, life, there):
        """The log as it is read from its file: no call of it lies outside its run."""
        log = LOGS.check("calls.ndjson", "\n".join(map(json.dumps, self.lines(life))).encode())
        assert isinstance(log, CallLog), log
        log, strays = held_to("calls.ndjson", log, there)
        assert not strays, strays
        return log

    def lines(self, life):
        """The lines of a run's call log. One of no line at all says that it is not complete."""
        if life.log == COMPLETE:
            yield {"complete": True}
        mine = [r for r in self.requests if r.owner == life.name and r.span]
        kept = [r for r in mine if r.aborted or (r.recorded and r.logged)]
        if not kept and life.log == PARTIAL:
            yield {"complete": False}
        for number, each in enumerate(kept):
            said = each.misread or each.usage
            start, end = each.span
            yield {
                "started_at": NOON + start + life.skew,
                "ended_at": NOON + end + life.skew,
                "model": each.route.model,
                "input_tokens": said.tokens_in,
                "output_tokens": said.tokens_out,
                "cached_tokens": said.cached_tokens,
                "response_id": f"r{number}",
                **({"aborted": True} if each.aborted else {}),
            }

    def buckets(self):
        """What is reported: a bucket for each minute and route."""
        sums = defaultdict(Usage)
        for each in self.requests:
            if not each.late:
                sums[each.minute, each.route] += each.usage
        return [
            Bucket(NOON + 60 * minute, usage, route.key, route.model, route.project)
            for (minute, route), usage in sums.items()
        ]

    def truth(self, name):
        """All that the run really used, reported yet or not."""
        return total(each.usage for each in self.requests if each.owner == name)

    def lost(self):
        """The names of the runs of which a request is not reported yet."""
        return {each.owner for each in self.requests if each.late}

    def clusters(self):
        """Names of the runs that have to be looked at together: minutes and scopes meet, at first or second hand."""
        groups = [{life} for life in self.lives]
        for one in self.lives:
            for other in self.lives:
                if self._claim(one).shares_reach(self._claim(other)) and self._linked(one, other):
                    first = next(group for group in groups if one in group)
                    second = next(group for group in groups if other in group)
                    if first is not second:
                        first |= second
                        groups.remove(second)
        return [{life.name for life in group} for group in groups]

    def _linked(self, one, other):
        """Scopes meet, or a chain of meeting scopes of the world leads from one to the other."""
        reached = {one.traffic.scope}
        for _ in self.lives:
            reached |= {life.traffic.scope for life in self.lives if any(life.traffic.scope.meets(s) for s in reached)}
        return other.traffic.scope in reached

    def foreign_in(self, names):
        """Requests of nobody's that lie in the reach of these runs and that their scopes admit."""
        claims = [claim for claim in self.claims() if claim.run.run_id in names]
        return [
            bucket
            for bucket in replace(self, requests=tuple(r for r in self.requests if r.owner is None)).buckets()
            if any(bucket.minute in part and c.scope.admits(bucket) for c in claims for part in c.reach)
        ]


def a_world(
    rng, *, runs=6, traffics=(ONE_KEY,), records=(NOTHING, CALLS, TOTALS), retries=0, inside=0, outside=0, late=0
):
    """A world of one to `runs` runs.

    `retries`, `inside` (foreign requests in claimed minutes), `outside` (elsewhere) and `late` are the most of each.
    """
    lives = tuple(_lives(rng, rng.randint(1, runs), traffics, records))
    requests = [_request(rng, life, life.traffic) for life in lives for _ in range(rng.choice((0, 1, 1, 2, 3, 5)))]
    hidden = [_request(rng, life, life.traffic) for life in _some(rng, lives, retries)]
    foreign = [_request(rng, life, rng.choice(traffics)) for life in _some(rng, lives, inside)]
    requests += [replace(request, recorded=False) for request in hidden]
    requests += [replace(request, owner=None) for request in foreign]
    requests += [_elsewhere(rng, lives, rng.choice(traffics)) for _ in range(rng.randint(0, outside))]
    for _ in range(rng.randint(0, late) if requests else 0):
        index = rng.randrange(len(requests))
        requests[index] = replace(requests[index], late=requests[index].owner is not None)
    return World(lives, tuple(requests))


def _some(rng, lives, most):
    return [rng.choice(lives) for _ in range(rng.randint(0, most))]


def _lives(rng, count, traffics, records):
    end = 0
    for number in range(count):
        start = max(0, end + rng.choice((-4, -2, -1, -1, 0, 1, 3)))
        length = rng.choice((1, 1, 2, 3, 5, 8))
        yield Life(f"run{number}", start, start + length, rng.choice(records), rng.choice(traffics))
        end = max(end, start + length) if rng.random() < 0.7 else start + length


def _request(rng, life, traffic):
    tokens_in = rng.choice(SIZES) + rng.randint(0, 3)
    usage = Usage(tokens_in, rng.choice(SIZES), rng.randint(0, tokens_in), 1)
    return Request(rng.randrange(life.start, life.end), usage, rng.choice(traffic.routes), life.name)


def _elsewhere(rng, lives, traffic):
    quiet = [m for m in range(-30, 60) if not any(life.start <= m < life.end for life in lives)]
    minute = rng.choice(quiet)
    return Request(minute, Usage(rng.choice(SIZES), 1, 0, 1), rng.choice(traffic.routes), None)


def with_logs(rng, world, logs=(None, COMPLETE, COMPLETE, PARTIAL), *, straddling=0.3, lines_missing=0.3, aborted=0.0):
    """The same world, in which runs keep logs of these kinds. The numbers are chances.

    A request is reported in the minute in which its call began or in that in which it ended, by a clock that differs
    from the run's by two seconds at most.
    """
    lives = tuple(replace(life, log=rng.choice(logs)) for life in world.lives)
    by_name = {life.name: life for life in lives}
    return World(
        lives,
        tuple(
            _timed(rng, each, by_name[each.owner], straddling, lines_missing, aborted) if each.owner else each
            for each in world.requests
        ),
    )


def _timed(rng, request, life, straddling, lines_missing, aborted):
    timed = replace(request, span=_span(rng, request.minute, life, straddling))
    if not request.recorded:
        return replace(timed, aborted=rng.random() < aborted)
    return replace(timed, logged=life.log == COMPLETE or rng.random() >= lines_missing)


def _span(rng, minute, life, straddling):
    """A call inside its minute; one that began before or ended after it; or one whose clock was off."""
    second = 60 * minute
    if rng.random() >= straddling:
        start = second + rng.uniform(2, 40)
        return start, start + rng.uniform(0, 17)
    match rng.choice(("began", "ended", "clock")):
        case "began":
            return second + rng.uniform(2, 59), min(second + rng.uniform(60, 200), 60 * life.end)
        case "ended":
            return max(second - rng.uniform(1, 140), 60 * life.start), second + rng.uniform(0, 57)
        case _:
            start = second + rng.choice((-1.5, 58.5, 60.5))
            return start, start + rng.uniform(0, 1)


def with_skew(rng, world, doubt):
    """The same world, written down by a machine whose clock is off by `doubt` seconds at most, with what a provider may
    book a call beside it."""
    most = doubt - BOOKING_SLACK
    skew = rng.choice((-most, most, rng.uniform(-most, most)))
    return replace(world, lives=tuple(replace(life, skew=skew, doubt=doubt) for life in world.lives))
