"""Late data: which recorded calls no reported request can serve, against matchings found the plain way.

A call and a request are matched where the request's minute lies in the window of the call's run.
"""

from dataclasses import replace

import pytest
from support.worlds import NOON, WIDE, dice, seeds, window

from reconcile.attribution.attribute import attribute
from reconcile.minutes import Window, joined
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, RunKey
from reconcile.usage import Bucket, Recorded, Usage

SCOPE = Scope("openai", ("key_a",))


def claim(name, start, end, calls):
    return Claim(RunKey("chatdev", name), SCOPE, window(start, end), Recorded(api_calls=calls))


def bucket(minute, requests):
    return Bucket(NOON + 60 * minute, Usage(10 * requests, requests, 0, requests), "key_a")


def small(rng):
    """Up to five runs with up to three calls each, over minutes with up to three requests each."""
    spans = [(start, start + rng.randint(1, 5)) for start in (rng.randint(0, 8) for _ in range(rng.randint(1, 5)))]
    claims = [claim(f"run{i}", start, end, rng.randint(0, 3)) for i, (start, end) in enumerate(spans)]
    covered = {minute for start, end in spans for minute in range(start, end)}
    return claims, [bucket(minute, rng.randint(0, 3)) for minute in sorted(covered)]


def most_served(claims, buckets):
    """The size of a maximum matching of calls to requests, by augmenting paths."""
    calls = [c.window for c in claims for _ in range(c.recorded.api_calls)]
    requests = [b.minute for b in buckets for _ in range(b.usage.api_calls)]
    taken = {}

    def augmented(call, tried):
        for request, minute in enumerate(requests):
            if calls[call].start <= minute < calls[call].end and request not in tried:
                tried.add(request)
                if request not in taken or augmented(taken[request], tried):
                    taken[request] = call
                    return True
        return False

    return sum(augmented(call, set()) for call in range(len(calls)))


def one_less(claims, index):
    """The claims where the one at `index` recorded a call less."""
    less = replace(claims[index], recorded=Recorded(api_calls=claims[index].recorded.api_calls - 1))
    return [*claims[:index], less, *claims[index + 1 :]]


def may_lack_a_call(claims, buckets):
    """Windows of the runs of which some best matching leaves a call unserved: it serves as many without that call."""
    served = most_served(claims, buckets)
    return [
        c.window
        for i, c in enumerate(claims)
        if c.recorded.api_calls and most_served(one_less(claims, i), buckets) == served
    ]


def components(claims):
    """The windows of runs that share minutes, at first or second hand; those that only touch stay apart."""
    apart = []
    for each in sorted(c.window for c in claims):
        if apart and each.start < apart[-1].end:
            apart[-1] = Window(apart[-1].start, max(apart[-1].end, each.end))
        else:
            apart.append(each)
    return apart


def test_as_many_calls_are_served_as_can_be():
    for seed in seeds(150):
        claims, buckets = small(dice(seed))
        by_run = attribute(claims, buckets, [WIDE]).by_run
        surpluses = {next(w for w in components(claims) if w.holds(s.claim.window)): s.surplus for s in by_run.values()}
        reported = sum(each.usage.api_calls for each in buckets)
        assert sum(surpluses.values()) == reported - most_served(claims, buckets), (claims, buckets)


def test_just_the_runs_wait_that_meet_minutes_which_may_lack_a_call():
    waiting = 0
    for seed in seeds(150):
        claims, buckets = small(dice(seed))
        tight = joined(may_lack_a_call(claims, buckets))
        expected = {c.run for c in claims if any(c.window.meets(each) for each in tight)}
        found = attribute(claims, buckets, [WIDE]).by_run
        assert {run for run, share in found.items() if share.bounds is None} == expected, (claims, buckets)
        waiting += len(expected)
    assert waiting


@pytest.mark.parametrize(
    ("claims", "requests", "waiting"),
    [
        pytest.param([claim("a", 0, 2, 2)], {0: 2}, set(), id="all there"),
        pytest.param([claim("a", 0, 2, 2)], {0: 1}, {"a"}, id="one call late"),
        pytest.param([claim("a", 0, 2, 2)], {0: 1, 2: 1}, {"a"}, id="a request beside the window serves nobody"),
        pytest.param(
            [claim("a", 0, 2, 1), claim("b", 1, 3, 1)], {1: 1}, {"a", "b"}, id="each has enough by itself, not together"
        ),
        pytest.param(
            [claim("a", 0, 2, 1), claim("b", 1, 3, 2)],
            {0: 2, 2: 1},
            {"a", "b"},
            id="a surplus elsewhere is no help",
        ),
        pytest.param(
            [claim("a", 0, 3, 1), claim("b", 2, 5, 1), claim("c", 4, 7, 2)],
            {0: 1, 3: 1, 5: 1},
            {"b", "c"},
            id="only neighbours wait, not the whole chain",
        ),
        pytest.param(
            [claim("a", 0, 3, 1), claim("b", 2, 5, 2)],
            {2: 1, 3: 1},
            {"a", "b"},
            id="the call that was served in its place is looked for too",
        ),
        pytest.param([claim("a", 0, 2, 0)], {}, set(), id="no calls, no requests"),
    ],
)
def test_who_waits(claims, requests, waiting):
    found = attribute(claims, [bucket(minute, count) for minute, count in requests.items()], [WIDE]).by_run
    assert {run.run_id for run, share in found.items() if share.bounds is None} == waiting


def test_a_late_call_in_one_place_does_not_hold_up_a_day_of_runs_back_to_back():
    claims = [claim(f"run{i:02}", 4 * i, 4 * i + 5, 1) for i in range(50)]
    buckets = [bucket(4 * i + 2, 1) for i in range(50) if i != 20]
    found = attribute(claims, buckets, [WIDE]).by_run
    assert [run.run_id for run, share in found.items() if share.bounds is None] == ["run19", "run20", "run21"]
    assert sum(share.exact for share in found.values()) == 47
