"""The bounds against the truth of many small worlds that were written down by a clock that is off.

No further than it is held to be; every run of a world ran on one machine.
RECONCILE_TEST_SCALE=100 goes through a hundred times as many worlds.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import (
    CALLS,
    COMPLETE,
    NOTHING,
    PARTIAL,
    SCALE,
    TOTALS,
    WIDE,
    a_world,
    dice,
    examples,
    seeds,
    with_logs,
    with_skew,
)

from reconcile.attribution.attribute import attribute

DOUBTS = (2, 10, 60, 150)
KINDS_OF_WORLDS = {
    "nothing but the runs": {},
    "unlogged retries": {"retries": 2},
    "foreign traffic": {"inside": 2, "outside": 3},
    "retries and foreign traffic": {"retries": 2, "inside": 2, "outside": 2},
}
every_kind = pytest.mark.parametrize("traits", [pytest.param(t, id=name) for name, t in KINDS_OF_WORLDS.items()])
LOGS = (None, COMPLETE, PARTIAL)


def a_skewed_world(rng, *, logs=(None,), **traits):
    world = a_world(rng, **traits)
    return with_skew(rng, with_logs(rng, world, logs) if any(logs) else world, rng.choice(DOUBTS))


def shares(world):
    result = attribute(world.claims(), world.buckets(), [WIDE])
    return {key.run_id: share for key, share in result.by_run.items()}


def believes_what_is_not_so(world, names, found):
    """Whether a closed key is presumed there, although somebody else used it; or a run that its record says all of, to
    have recorded every retry, although it did not. By its clock, that one may have lain outside its minutes."""
    hidden = {each.owner for each in world.requests if not each.recorded}
    if any(found[name].component.match and name in hidden for name in names):
        return True
    unknown = not all(life.counts for life in world.lives if life.name in names)
    return unknown and not any(found[name].guard.requests for name in names) and bool(world.foreign_in(names))


def judged(world):
    """Names and shares of the runs about which nothing false was presumed."""
    found = shares(world)
    for names in world.clusters():
        if not believes_what_is_not_so(world, names, found):
            yield from ((name, found[name]) for name in names)


def check_truth(world):
    for name, share in judged(world):
        truth = world.truth(name)
        assert share.bounds is not None, f"{name} waits for calls that are all reported in {world}"
        for kind, low, high in zip(truth.parts, share.bounds.low.parts, share.bounds.high.parts, strict=True):
            assert low <= kind <= high, f"{name} used {truth}, bounds are {share.bounds} in {world}"
        assert not share.record_matched or share.figure == truth


@every_kind
def test_the_truth_lies_inside_the_bounds(traits):
    for seed in seeds(150):
        check_truth(a_skewed_world(dice(seed), **traits))


@every_kind
def test_the_truth_lies_inside_the_bounds_with_call_logs(traits):
    for seed in seeds(100):
        check_truth(a_skewed_world(dice(seed), logs=LOGS, **traits))


@examples(600)
@given(rng=st.randoms(use_true_random=False), logs=st.sampled_from([(None,), LOGS]))
def test_the_truth_lies_inside_the_bounds_of_worlds_that_hypothesis_thinks_of(rng, logs):
    check_truth(a_skewed_world(rng, logs=logs, runs=4, retries=2, inside=2, outside=2))


def test_with_all_totals_known_and_nothing_foreign_every_figure_is_exact_whatever_the_clock():
    for seed in seeds(100):
        world = a_skewed_world(dice(seed), records=(TOTALS,))
        for life in world.lives:
            share = shares(world)[life.name]
            assert (share.exact, share.figure) == (True, world.truth(life.name)), f"{life.name} in {world}"


def test_with_all_logs_complete_and_nothing_foreign_every_log_is_matched_whatever_the_clock():
    for seed in seeds(100):
        world = a_skewed_world(dice(seed), logs=(COMPLETE,))
        for life in world.lives:
            share, truth = shares(world)[life.name], world.truth(life.name)
            assert (share.figure, share.log_matched) == (truth, truth.api_calls > 0), f"{life.name} in {world}"


def test_a_run_that_recorded_nothing_is_exact_only_at_the_truth_and_so_is_one_that_counted():
    exact = 0
    for seed in seeds(300):
        world = a_skewed_world(dice(seed), runs=2, records=(NOTHING, CALLS))
        for name, share in judged(world):
            exact += share.exact
            assert not share.exact or share.figure == world.truth(name), f"{name} in {world}"
    assert exact > 50 * SCALE


def test_every_run_that_lost_a_call_waits_and_the_others_stay_right():
    """All calls are recorded and nothing is foreign; then each late call is seen, whoever's minutes it is in."""
    waiting = 0
    for seed in seeds(200):
        world = a_skewed_world(dice(seed), records=(CALLS, TOTALS), late=3)
        found = shares(world)
        short = {name for name, share in found.items() if share.bounds is None}
        assert world.lost() <= short, world
        waiting += len(short)
        for name in set(found) - short:
            bounds, truth = found[name].bounds, world.truth(name)
            assert all(
                a <= kind <= b for kind, a, b in zip(truth.parts, bounds.low.parts, bounds.high.parts, strict=True)
            )
    assert waiting > 50 * SCALE
