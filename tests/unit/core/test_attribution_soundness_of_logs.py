"""The bounds that call logs give against the truth of many small worlds, and what must hold whatever the truth is.

RECONCILE_TEST_SCALE=100 goes through a hundred times as many worlds.
"""

from dataclasses import replace

import pytest
from support.worlds import (
    CALLS,
    COMPLETE,
    NOTHING,
    PARTIAL,
    SCALE,
    TOTALS,
    WIDE,
    Route,
    Traffic,
    a_world,
    dice,
    seeds,
    window,
    with_logs,
)

from reconcile.attribution.attribute import attribute
from reconcile.providers.base import Scope
from reconcile.runs.state import Completeness
from reconcile.usage import Recorded, Usage, total

ROUTES = (Route("key_a", "gpt-4o-2024-08-06"), Route("key_a"), Route("key_b"))
SCOPES = (
    Traffic(Scope("openai", ("key_a",)), ROUTES[:2]),
    Traffic(Scope("openai", ("key_b",)), ROUTES[2:]),
    Traffic(Scope("openai", ("key_a", "key_b")), ROUTES),
)
KINDS_OF_WORLDS = {
    "nothing but the runs": {},
    "retries that no log has": {"retries": 3},
    "foreign traffic": {"inside": 3, "outside": 2},
    "retries and foreign traffic": {"retries": 2, "inside": 2, "outside": 1},
    "several scopes": {"traffics": SCOPES, "retries": 1},
}
every_kind = pytest.mark.parametrize("traits", [pytest.param(t, id=name) for name, t in KINDS_OF_WORLDS.items()])
BOTH = Completeness.CALLS_AND_TOKENS_MATCHED


def worlds(count, *, logs=(None, COMPLETE, COMPLETE, PARTIAL), straddling=0.3, aborted=0.3, **traits):
    for seed in seeds(count):
        rng = dice(seed)
        yield with_logs(rng, a_world(rng, **traits), logs, straddling=straddling, aborted=aborted)


def shares(world, covered=(WIDE,)):
    result = attribute(world.claims(), world.buckets(), covered)
    return {key.run_id: share for key, share in result.by_run.items()}


def parts(share):
    return list(zip(share.bounds.low.parts, share.bounds.high.parts, strict=True))


def within(inner, outer):
    return all(low <= a and b <= high for (a, b), (low, high) in zip(parts(inner), parts(outer), strict=True))


def holds(share, truth):
    return all(low <= kind <= high for kind, (low, high) in zip(truth.parts, parts(share), strict=True))


def believes_what_is_not_so(world, names, found):
    """Whether a closed key is presumed there, although somebody else used it."""
    lives = [life for life in world.lives if life.name in names]
    unknown = not all(life.counts for life in lives) or len({life.traffic.scope for life in lives}) > 1
    presumed = unknown and not any(found[name].guard.requests for name in names)
    return presumed and bool(world.foreign_in(names))


def judged(world):
    """Names and shares of the runs about which nothing false was presumed."""
    found = shares(world)
    for names in world.clusters():
        if not believes_what_is_not_so(world, names, found):
            yield from ((name, found[name]) for name in names)


# ---------------------------------------------------------------------------------------------- the truth


@every_kind
def test_the_truth_lies_inside_the_bounds(traits):
    for world in worlds(100, **traits):
        for name, share in judged(world):
            truth = world.truth(name)
            assert share.bounds is not None, f"{name} waits for calls that are all reported in {world}"
            assert not share.mismatched, f"{name} logged the truth in {world}"
            assert holds(share, truth), f"{name} used {truth}, bounds are {share.bounds} in {world}"
            assert not share.exact or share.figure == truth


@every_kind
def test_a_log_that_is_matched_is_the_truth(traits):
    matched = 0
    for world in worlds(60, logs=(COMPLETE,), **traits):
        for name, share in judged(world):
            matched += share.log_matched
            assert not share.log_matched or share.figure == world.truth(name), f"{name} in {world}"
    assert matched > 10 * SCALE


def test_with_all_logs_complete_and_nothing_foreign_every_figure_is_exact_and_matched():
    for world in worlds(60, logs=(COMPLETE,)):
        for life in world.lives:
            share, truth = shares(world)[life.name], world.truth(life.name)
            assert (share.figure, share.completeness) == (truth, BOTH), f"{life.name} in {world}"
            assert share.exact
            assert share.log_matched is (truth.api_calls > 0)


def test_a_read_of_some_minutes_bounds_the_runs_it_holds_whole():
    for seed in seeds(100):
        rng = dice(seed)
        world = with_logs(rng, a_world(rng, retries=1))
        start = rng.randint(-2, 10)
        covered = window(start, start + rng.randint(1, 20))
        seen = [b for b in world.buckets() if covered.start <= b.minute < covered.end]
        for key, share in attribute(world.claims(), seen, [covered]).by_run.items():
            assert holds(share, world.truth(key.run_id)), f"{key}: {share.bounds} after {covered} of {world}"


# ---------------------------------------------------------------------------- conservation and invariance


@every_kind
def test_lows_and_highs_enclose_what_was_reported(traits):
    for world in worlds(50, **traits):
        result = attribute(world.claims(), world.buckets(), [WIDE])
        admitted = [b for b in world.buckets() if any(c.scope.admits(b) for c in world.claims())]
        reported, rest = total(b.usage for b in admitted), total(b.usage for b in result.unattributed)
        low = total(share.bounds.low for share in result.by_run.values()) + rest
        high = total(share.bounds.high for share in result.by_run.values()) + rest
        for least, kind, most in zip(low.parts, reported.parts, high.parts, strict=True):
            assert least <= kind <= most, world


@every_kind
def test_the_order_of_rows_and_claims_changes_nothing(traits):
    for seed, world in enumerate(worlds(30, **traits)):
        claims, buckets = world.claims(), world.buckets()
        before = attribute(claims, buckets, [WIDE])
        dice(seed).shuffle(claims)
        dice(seed).shuffle(buckets)
        assert attribute(claims, buckets, [WIDE]) == before, world


def test_the_number_of_reads_that_cover_the_minutes_changes_nothing():
    for world in worlds(30):
        halves = [window(-600, 3), window(3, 600)]
        assert attribute(world.claims(), world.buckets(), halves) == attribute(world.claims(), world.buckets(), [WIDE])


def test_merging_models_never_narrows():
    for world in worlds(60, retries=2, inside=2):
        fine, claims = shares(world), world.claims()
        merged = [replace(bucket, model=None) for bucket in world.buckets()]
        coarse = {key.run_id: share for key, share in attribute(claims, merged, [WIDE]).by_run.items()}
        for name, share in fine.items():
            assert within(share, coarse[name]), f"{name}: {share.bounds}, {coarse[name].bounds} merged in {world}"


# -------------------------------------------------------------------------------------- more and less known


def knowing(world, index, **facts):
    lives = list(world.lives)
    lives[index] = replace(lives[index], **facts)
    return replace(world, lives=tuple(lives))


@pytest.mark.parametrize(
    "traits",
    [
        pytest.param({}, id="under a closed key that is closed"),
        pytest.param({"retries": 2, "inside": 2, "outside": 2}, id="where usage beside the runs was seen"),
    ],
)
def test_a_log_more_never_widens_where_its_minutes_are_certain(traits):
    for seed, world in enumerate(worlds(150, straddling=0, **traits)):
        index = dice(seed).randrange(len(world.lives))
        before = shares(knowing(world, index, log=None))
        if traits and not all(share.guard.requests for share in before.values()):
            continue
        for name, share in shares(world).items():
            assert within(share, before[name]), (
                f"{name}: {before[name].bounds}, then {index} shows its log: {share.bounds} in {world}"
            )


@pytest.mark.parametrize("traits", [{}, {"retries": 2, "inside": 2}], ids=["clean", "retries and foreign traffic"])
def test_logs_never_widen_what_counts_and_totals_say(traits):
    """With calls whose minute is open too: both are worked out, and what holds is what both say."""
    for world in worlds(120, records=(CALLS, TOTALS), **traits):
        without = shares(replace(world, lives=tuple(replace(life, log=None) for life in world.lives)))
        for name, share in shares(world).items():
            assert within(share, without[name]), f"{name}: {without[name].bounds}, {share.bounds} with logs in {world}"


# --------------------------------------------------------------------------------------------- lost calls


def test_every_run_that_lost_a_call_waits_and_the_others_stay_right():
    """All calls are recorded and nothing is foreign; then each late call is seen, whoever's minutes it is in."""
    waiting = going_on = 0
    for world in worlds(250, records=(CALLS, TOTALS), late=3):
        found = shares(world)
        short = {name for name, share in found.items() if share.bounds is None}
        assert world.lost() <= short, world
        waiting += len(short)
        for name in set(found) - short:
            going_on += bool(short)
            assert holds(found[name], world.truth(name)), f"{name}: {found[name].bounds} in {world}"
    assert waiting > 100 * SCALE
    assert going_on > 100 * SCALE


def test_a_late_call_is_seen_unless_a_foreign_one_is_its_very_image():
    """Both in one minute, with the same tokens of every kind. Then the figure is right all the same."""
    seen = hidden = 0
    for world in worlds(200, logs=(COMPLETE,), late=3, inside=3):
        for name, share in shares(world).items():
            if name in world.lost():
                seen += not share.log_matched
                hidden += share.log_matched
            assert not share.log_matched or share.figure == world.truth(name), f"{name} in {world}"
    assert seen > max(100 * SCALE, 1000 * hidden)


def test_the_truth_lies_inside_the_bounds_where_a_foreign_call_hides_a_late_one():
    """A surplus or the guard minutes tell that others use the key; then what a log says is inside, believed or not."""
    hidden = 0
    for world in worlds(600, logs=(COMPLETE,), aborted=0, late=3, inside=3, outside=3):
        for name, share in shares(world).items():
            if share.bounds and (share.guard.requests or share.surplus_nearby):
                hidden += share.mismatched
                assert holds(share, world.truth(name)), f"{name}: {share.bounds} in {world}"
    assert hidden > 30 * SCALE


# --------------------------------------------------------------------------------------------- wrong logs


def misreading(rng, world, *, above):
    """The world in which a complete log tells more tokens, or fewer, of some of its calls than they used; and the run
    that keeps it."""
    candidates = [r for r in world.requests if r.owner and r.recorded and r.span and (above or r.usage.tokens_in)]
    if not candidates:
        return None
    first = rng.choice(candidates)
    factor = rng.choice((2, 3))

    def said(used):
        if above:
            return Usage(used.tokens_in * factor + 1, used.tokens_out, used.cached_tokens, 1)
        tokens_in = used.tokens_in // factor
        return Usage(tokens_in, used.tokens_out, min(tokens_in, used.cached_tokens), 1)

    requests = [replace(r, misread=said(r.usage)) if r.owner == first.owner and r.span else r for r in world.requests]
    return replace(world, requests=tuple(requests)), first.owner


MISREAD = pytest.mark.parametrize("above", [True, False], ids=["more than was used", "less than was used"])


@MISREAD
@pytest.mark.parametrize("traits", [{}, {"retries": 2, "inside": 2}], ids=["clean", "retries and foreign traffic"])
def test_a_wrong_log_is_never_matched(traits, above):
    """One that tells more than was reported is waited for as if usage were late; one that tells less is named."""
    told = 0
    for seed, world in enumerate(worlds(150, logs=(COMPLETE,), records=(NOTHING, CALLS), **traits)):
        wrong = misreading(dice(seed), world, above=above)
        if wrong is None:
            continue
        share = shares(wrong[0])[wrong[1]]
        told += share.lacking if above else share.mismatched
        assert share.completeness is not BOTH, f"{wrong[1]} in {wrong[0]}"
        assert not share.log_matched
        assert not share.record_matched
        assert traits or (share.lacking if above else share.mismatched), f"{wrong[1]} in {wrong[0]}"
    assert told > 30 * SCALE


@MISREAD
def test_what_is_said_without_wrong_logs_is_still_the_truth(above):
    """Nothing is foreign, so every wrong log is found out; what is left rests on counts and right logs."""
    said = 0
    for seed, world in enumerate(worlds(150, logs=(COMPLETE,), records=(NOTHING, CALLS))):
        wrong = misreading(dice(seed), world, above=above)
        for name, share in shares(wrong[0]).items() if wrong else ():
            said += share.bounds is not None
            assert share.lacking or holds(share, world.truth(name)), f"{name}: {share.bounds} in {wrong[0]}"
    assert said > 50 * SCALE


def test_a_file_that_contradicts_its_complete_log_is_named_and_neither_is_believed():
    for world in worlds(60, logs=(COMPLETE,), records=(TOTALS,), aborted=0):
        claims = world.claims()
        first = claims[0]
        claims[0] = replace(first, recorded=Recorded(*(part + 1 for part in first.recorded.parts)))
        share = attribute(claims, world.buckets(), [WIDE]).by_run[first.run]
        assert share.mismatched
        assert not share.log_matched
