"""The bounds against the truth of many small worlds, and what must hold whatever the truth is.

RECONCILE_TEST_SCALE=100 goes through a hundred times as many worlds.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import CALLS, NOTHING, SCALE, TOTALS, WIDE, Route, Traffic, a_world, dice, examples, seeds, window

from reconcile.attribution.attribute import attribute
from reconcile.minutes import joined
from reconcile.providers.base import Scope
from reconcile.usage import Usage, total

SNAPSHOT, OTHER = "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"
ROUTES = (Route("key_a", SNAPSHOT), Route("key_a", OTHER), Route("key_b", SNAPSHOT), Route("key_c", OTHER, "proj_2"))
SCOPES = (
    Traffic(Scope("openai", ("key_a",)), ROUTES[:2]),
    Traffic(Scope("openai", ("key_b",)), ROUTES[2:3]),
    Traffic(Scope("openai", ("key_a", "key_b")), ROUTES[:3]),
    Traffic(Scope("openai", ("key_a",), (), ("gpt-4o",)), ROUTES[:1]),
    Traffic(Scope("openai", (), ("proj_2",)), ROUTES[3:]),
    Traffic(Scope("openai", ("key_c",)), ROUTES[3:]),
)
KINDS_OF_WORLDS = {
    "nothing but the runs": {},
    "unlogged retries": {"retries": 3},
    "foreign traffic in the runs' minutes": {"inside": 3, "outside": 2},
    "retries and foreign traffic": {"retries": 2, "inside": 2, "outside": 1},
    "several scopes": {"traffics": SCOPES, "retries": 1},
    "several scopes and foreign traffic": {"traffics": SCOPES, "inside": 2, "outside": 3},
}
every_kind = pytest.mark.parametrize("traits", [pytest.param(t, id=name) for name, t in KINDS_OF_WORLDS.items()])


def worlds(count, **traits):
    for seed in seeds(count):
        yield a_world(dice(seed), **traits)


def shares(world, covered=(WIDE,)):
    result = attribute(world.claims(), world.buckets(), covered)
    return {key.run_id: share for key, share in result.by_run.items()}


def parts(share):
    return list(zip(share.bounds.low.parts, share.bounds.high.parts, strict=True))


def within(inner, outer):
    return all(low <= a and b <= high for (a, b), (low, high) in zip(parts(inner), parts(outer), strict=True))


def believes_in_a_closed_key(world, names, found):
    """Whether someone's calls are unknown there, and no usage beside the windows speaks against a closed key."""
    lives = [life for life in world.lives if life.name in names]
    unknown = any(life.records == NOTHING for life in lives) or len({life.traffic.scope for life in lives}) > 1
    return unknown and not any(found[name].guard.requests for name in names)


def check_truth(world):
    found = shares(world)
    for names in world.clusters():
        if believes_in_a_closed_key(world, names, found) and world.foreign_in(names):
            continue  # the assumption is false here, and the verdict says that it was made
        for name in names:
            truth, share = world.truth(name), found[name]
            assert share.bounds is not None, f"{name} waits for calls that are all reported in {world}"
            assert not share.mismatched, f"{name} recorded the truth in {world}"
            for kind, (low, high) in zip(truth.parts, parts(share), strict=True):
                assert low <= kind <= high, f"{name} used {truth}, bounds are {share.bounds} in {world}"


# ---------------------------------------------------------------------------------------------- the truth


@every_kind
def test_the_truth_lies_inside_the_bounds(traits):
    for world in worlds(120, **traits):
        check_truth(world)


@examples(600)
@given(rng=st.randoms(use_true_random=False))
def test_the_truth_lies_inside_the_bounds_of_worlds_that_hypothesis_thinks_of(rng):
    check_truth(a_world(rng, runs=4, retries=2, inside=2, outside=1, traffics=rng.choice((SCOPES, SCOPES[:1]))))


def test_an_exact_figure_is_the_truth_and_worlds_do_have_them():
    exact = 0
    for world in worlds(120, records=(CALLS, TOTALS)):
        for name, share in shares(world).items():
            if share.exact:
                exact += 1
                assert share.figure == world.truth(name)
    assert exact > 100 * SCALE


def test_with_all_totals_known_and_nothing_foreign_every_figure_is_exact():
    for world in worlds(60, records=(TOTALS,)):
        assert {name: share.figure for name, share in shares(world).items() if share.exact} == {
            life.name: world.truth(life.name) for life in world.lives
        }


def test_a_read_of_some_minutes_bounds_the_runs_it_holds_whole_and_no_others():
    """A neighbour that was read in part may have used any of the shared minutes, whatever it recorded."""
    for seed in seeds(150):
        rng = dice(seed)
        world = a_world(rng, retries=1)
        start = rng.randint(-2, 10)
        covered = window(start, start + rng.randint(1, 20))
        seen = [b for b in world.buckets() if covered.start <= b.minute < covered.end]
        result = attribute(world.claims(), seen, [covered])
        assert set(result.by_run) == {c.run for c in world.claims() if covered.holds(c.window)}
        for key, share in result.by_run.items():
            truth = world.truth(key.run_id)
            assert all(low <= kind <= high for kind, (low, high) in zip(truth.parts, parts(share), strict=True)), (
                f"{key} used {truth}, bounds are {share.bounds} after {covered} of {world}"
            )


# ------------------------------------------------------------------------------------------- conservation


@every_kind
def test_lows_and_highs_enclose_what_was_reported(traits):
    for world in worlds(60, **traits):
        result = attribute(world.claims(), world.buckets(), [WIDE])
        admitted = [b for b in world.buckets() if any(c.scope.admits(b) for c in world.claims())]
        reported, rest = total(b.usage for b in admitted), total(b.usage for b in result.unattributed)
        low = total(share.bounds.low for share in result.by_run.values()) + rest
        high = total(share.bounds.high for share in result.by_run.values()) + rest
        for least, kind, most in zip(low.parts, reported.parts, high.parts, strict=True):
            assert least <= kind <= most, world


@every_kind
def test_every_admitted_row_is_some_claims_or_unattributed_and_never_both(traits):
    for world in worlds(60, **traits):
        result = attribute(world.claims(), world.buckets(), [WIDE])
        claimed = {row for share in result.by_run.values() for row in share.rows}
        admitted = {b for b in world.buckets() if any(c.scope.admits(b) for c in world.claims())}
        assert claimed | set(result.unattributed) == admitted, world
        assert not claimed & set(result.unattributed), world


@every_kind
def test_rows_of_a_claim_are_those_of_its_window_and_scope_but_what_another_record_says_all_of(traits):
    """Minutes that hold just what some runs recorded are theirs alone."""
    for world in worlds(60, **traits):
        found = shares(world).values()
        for share in found:
            claim, match = share.claim, share.component.match
            taken = [
                other.component.match.window
                for other in found
                if other.component.match and other.component is not share.component and other.claim.scope == claim.scope
            ]
            expected = {
                b
                for b in world.buckets()
                if b.minute in claim.window
                and claim.scope.admits(b)
                and (b.minute in match.window if match else not any(b.minute in window for window in taken))
            }
            assert set(share.rows) == expected, world
            assert len(share.rows) == len(expected), world


# --------------------------------------------------------------------------------------------- invariance


@every_kind
def test_the_order_of_rows_and_claims_changes_nothing(traits):
    for seed, world in enumerate(worlds(40, **traits)):
        claims, buckets = world.claims(), world.buckets()
        before = attribute(claims, buckets, [WIDE])
        dice(seed).shuffle(claims)
        dice(seed).shuffle(buckets)
        assert attribute(claims, buckets, [WIDE]) == before, world


def test_rows_of_one_minute_that_differ_in_batch_and_tier_alone_keep_one_order():
    world = a_world(dice(3), runs=1, records=(CALLS,))
    row = world.buckets()[0]
    rows = [replace(row, batch=batch, service_tier=tier) for batch in (None, True, False) for tier in (None, "flex")]
    claims = world.claims()
    assert attribute(claims, rows, [WIDE]) == attribute(claims, rows[::-1], [WIDE])


@every_kind
def test_a_row_in_several_parts_is_the_row(traits):
    for seed, world in enumerate(worlds(40, **traits)):
        rng, parts = dice(seed), []
        for bucket in world.buckets():
            some = Usage(*(rng.randint(0, part) for part in bucket.usage.parts))
            parts += [replace(bucket, usage=some), replace(bucket, usage=bucket.usage - some)]
        assert attribute(world.claims(), parts, [WIDE]) == attribute(world.claims(), world.buckets(), [WIDE]), world


def test_the_number_of_reads_that_cover_the_minutes_changes_nothing():
    for world in worlds(30):
        halves = [window(-600, 3), window(3, 600)]
        assert joined(halves) == [WIDE]
        assert attribute(world.claims(), world.buckets(), halves) == attribute(world.claims(), world.buckets(), [WIDE])


# -------------------------------------------------------------------------------------- more and less known


@pytest.mark.parametrize("traits", [{}, {"retries": 2, "inside": 2}], ids=["clean", "retries and foreign traffic"])
def test_merging_models_never_narrows(traits):
    for world in worlds(80, **traits):
        fine, claims = shares(world), world.claims()
        merged = [replace(bucket, model=None) for bucket in world.buckets()]
        coarse = {key.run_id: share for key, share in attribute(claims, merged, [WIDE]).by_run.items()}
        for name, share in fine.items():
            assert within(share, coarse[name]), f"{name}: {share.bounds} alone, {coarse[name].bounds} merged in {world}"


@pytest.mark.parametrize(
    "traits",
    [
        pytest.param({}, id="under a closed key that is closed"),
        pytest.param({"retries": 2, "inside": 2, "outside": 2}, id="where usage beside the runs was seen"),
    ],
)
def test_a_fact_more_never_widens(traits):
    """Where the key's being closed is disproved either way, or is so."""
    for seed, world in enumerate(worlds(150, **traits)):
        before = shares(world)
        if traits and not all(share.guard.requests for share in before.values()):
            continue
        index = dice(seed).randrange(len(world.lives))
        knows_more = {NOTHING: CALLS, CALLS: TOTALS, TOTALS: TOTALS}[world.lives[index].records]
        lives = list(world.lives)
        lives[index] = replace(lives[index], records=knows_more)
        for name, share in shares(replace(world, lives=tuple(lives))).items():
            assert within(share, before[name]), (
                f"{name}: {before[name].bounds}, then {lives[index].name} tells {knows_more}: {share.bounds} in {world}"
            )


# --------------------------------------------------------------------------------------------- lost calls


def test_every_run_that_lost_a_call_waits_and_the_others_stay_right():
    """All calls are recorded and nothing is foreign; then each late call is seen, whoever's minutes it is in."""
    waiting = going_on = 0
    for world in worlds(300, records=(CALLS, TOTALS), late=3):
        found = shares(world)
        short = {name for name, share in found.items() if share.bounds is None}
        assert world.lost() <= short, world
        waiting += len(short)
        for name in set(found) - short:
            going_on += bool(short)
            truth = world.truth(name)
            assert all(a <= kind <= b for kind, (a, b) in zip(truth.parts, parts(found[name]), strict=True)), world
    assert waiting > 100 * SCALE
    assert going_on > 100 * SCALE


def test_nobody_waits_once_everything_is_reported():
    for world in worlds(100, records=(CALLS, TOTALS), late=3):
        complete = replace(world, requests=tuple(replace(each, late=False) for each in world.requests))
        assert all(share.bounds for share in shares(complete).values()), world
