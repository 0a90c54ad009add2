"""How near a provider books calls to their own second, against providers whose ways are known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.worlds import dice

from reconcile.attribution.booking import LEARNT_BOOKING, UNKNOWN_BOOKING, booking_slack, shift_of
from reconcile.attribution.claims import claims_of
from reconcile.minutes import Clock, Window, instant
from reconcile.providers.base import Scope
from reconcile.runs.run import CallLog, Generation, LoggedCall, Run, RunKey
from reconcile.runs.state import Policy, State, Status
from reconcile.usage import Bucket, Usage

START = 1_767_700_800
CALL = Usage(100, 10, 0, 1)

PROVIDERS = {
    "as they end": lambda random, call: call.end,
    "as they start": lambda random, call: call.start,
    "up to eight seconds after": lambda random, call: call.end + random.uniform(0, 8),
    "four seconds after": lambda random, call: call.end + 4,
    "a minute after": lambda random, call: call.end + 60,
}


def run(name, start, **members):
    """Five minutes from that many after the first."""
    begins = START + 60 * start
    spans = ((begins + 10.0, begins + 290.0),)
    window = Window(begins, begins + 300)
    return Run(
        key=RunKey("chatdev", name),
        path=f"runs/chatdev/{name}/metrics.json",
        generation=Generation.V2,
        started_at=instant(spans[0][0]),
        ended_at=instant(spans[0][1]),
        window=window,
        spans=spans,
        steps=(),
        **members,
    )


def logged(random, number, booked, *, calls, clock=1.0):
    """A verified run whose calls, one after the other, were booked so, on a machine whose clock was measured."""
    begins, made = START + 3600 * number + random.uniform(0, 60), []
    for _ in range(calls):
        begins += random.uniform(0.2, 2)
        made.append(LoggedCall(begins, begins := begins + random.uniform(1, 9), CALL, 1))
    off = random.uniform(-clock, clock)
    seen = tuple(replace(call, start=call.start + off, end=call.end + off) for call in made)
    minutes = [int(booked(random, call)) // 60 * 60 for call in made]
    rows = [Bucket(minute, Usage(*(part * minutes.count(minute) for part in CALL.parts))) for minute in set(minutes)]
    total = Usage(*(part * calls for part in CALL.parts))
    shift = shift_of(CallLog(digest="a" * 64, complete=True, calls=seen, total=total), rows)
    state = State(status=Status.VERIFIED, figure=total, shift=shift, reach_seconds=10.0)
    return replace(run(f"l{number}", 60 * number), clock=Clock(0.0, clock, "date_headers"), state=state)


def history(seed, way, *, runs=20, calls=40, **members):
    random = dice(seed)
    return [logged(random, number, PROVIDERS[way], calls=calls, **members) for number in range(runs)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("way", PROVIDERS)
def test_two_seconds_are_enough_only_where_nothing_is_booked_later(way, seed):
    near = way in {"as they end", "as they start"}
    assert booking_slack(history(seed, way)) == (LEARNT_BOOKING if near else UNKNOWN_BOOKING)


def test_a_few_calls_teach_nothing():
    assert booking_slack(history(1, "as they end", runs=4)) == UNKNOWN_BOOKING


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param(lambda each: replace(each, clock=None), id="their clocks were not measured"),
        pytest.param(lambda each: replace(each, state=None), id="they were not read"),
        pytest.param(lambda each: replace(each, state=replace(each.state, shift=None)), id="no log tells of them"),
        pytest.param(lambda each: replace(each, state=replace(each.state, status=Status.WARNING)), id="not verified"),
    ],
)
def test_runs_that_tell_nothing_teach_nothing(spoilt):
    assert booking_slack(map(spoilt, history(1, "as they end"))) == UNKNOWN_BOOKING


MEASURED = Clock(0.0, 0.5, "date_headers")
BEFORE = State(status=Status.PENDING, window=run("r", 0).window, reach_seconds=10.0)


@pytest.mark.parametrize(
    ("one", "policy", "seconds"),
    [
        pytest.param(run("r", 0, clock=MEASURED), Policy(), 2.0, id="measured"),
        pytest.param(run("r", 0, clock=Clock(0.0, 4.5, "date_headers")), Policy(), 4.5, id="measured at more"),
        pytest.param(run("r", 0), Policy(clock_uncertainty=timedelta(seconds=1)), 2.0, id="stated"),
        pytest.param(run("r", 0), Policy(), 60.0, id="nothing is known of it"),
        pytest.param(run("r", 0, clock=MEASURED, state=BEFORE), Policy(), 10.0, id="first read before that was learnt"),
    ],
)
def test_what_was_learnt_narrows_the_reach_of_runs_whose_clock_is_known(one, policy, seconds):
    claims = claims_of([one, *history(1, "as they end")], {"chatdev": Scope("openai", ("key_a",))}, policy)
    assert claims[one.key].clock.uncertainty == seconds
