"""The bounds against the sharpest ones there are, found by going through every way to share a tiny world's requests.

A way gives each reported request to a run whose window holds it, or to nobody. It fits what is known where every run
gets at least the calls and tokens it recorded: a request more may be a retry of any run, or foreign where the key is
not presumed to be closed.
"""

from collections import Counter
from itertools import chain, combinations, combinations_with_replacement, product

from support.worlds import NOTHING, SCALE, WIDE, a_world, dice

from reconcile.core.attribution import attribute

NOBODY = None
TOKENS = 3


def tiny_worlds(count):
    """At most three runs, five cells and six requests."""
    found, seed = 0, 0
    while found < max(1, int(count * SCALE)):
        world = a_world(dice(seed), runs=3, retries=seed % 2, inside=seed % 3)
        seed += 1
        if len(world.requests) <= 6 and 0 < len(world.buckets()) <= 5:
            found += 1
            yield world


def ways(cells, owners):
    """By cell, how many of its requests each owner has."""
    return product(
        *(
            [Counter(way) for way in combinations_with_replacement(owners[i], cell.usage.api_calls)]
            for i, cell in enumerate(cells)
        )
    )


def subsets(items):
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def held(cells, way, names, kind):
    """Tokens of the cells in which one of these has a request."""
    return sum(c.usage.parts[kind] for c, who in zip(cells, way, strict=True) if any(name in who for name in names))


def token_ends(cells, way, name, floors, kind):
    """The least and the most tokens of a run this way, or None where it does not fit the recorded totals.

    A cell's tokens are anyhow among those who have requests in it, so runs can have what they recorded just if no set
    of them recorded more than the cells they are in hold (Hall's condition, for flows).
    """
    if any(sum(floors[one] for one in some) > held(cells, way, some, kind) for some in subsets(list(floors))):
        return None
    others = [one for one in floors if one != name]
    most = min(held(cells, way, (name, *some), kind) - sum(floors[o] for o in some) for some in subsets(others))
    alone = sum(c.usage.parts[kind] for c, who in zip(cells, way, strict=True) if set(who) == {name})
    return max(alone, floors.get(name, 0)), most


def sharpest(world, *, closed):
    """By run: the least and the most of each kind over all ways that fit."""
    cells = world.buckets()
    claims = {claim.run.run_id: claim for claim in world.claims()}
    owners = [
        [n for n, c in claims.items() if c.window.start <= cell.minute < c.window.end] + [NOBODY] * (not closed)
        for cell in cells
    ]
    found = {name: [[] for _ in range(TOKENS + 1)] for name in claims}
    for way in ways(cells, owners):
        calls = sum(way, Counter())
        if all(calls[name] >= (claim.recorded.api_calls or 0) for name, claim in claims.items()):
            for name, kind in product(claims, range(TOKENS)):
                floors = {n: c.recorded.tokens[kind] for n, c in claims.items() if c.recorded.tokens[kind] is not None}
                found[name][kind] += token_ends(cells, way, name, floors, kind) or ()
            for name in claims:
                found[name][TOKENS].append(calls[name])
    return {name: [(min(ends), max(ends)) for ends in kinds] for name, kinds in found.items()}


def connected(world):
    """The world's clusters, each with its requests: what is known of one says nothing of another."""
    for names in world.clusters():
        lives = tuple(life for life in world.lives if life.name in names)
        inside = tuple(r for r in world.requests if any(life.start <= r.minute < life.end for life in lives))
        yield type(world)(lives, inside)


def test_no_bound_lies_inside_the_sharpest_and_most_figures_that_can_be_exact_are():
    can_be = are = 0
    for world in (part for whole in tiny_worlds(250) for part in connected(whole)):
        by_run = attribute(world.claims(), world.buckets(), [WIDE]).by_run
        sharp = sharpest(world, closed=any(life.records == NOTHING for life in world.lives))
        for key, share in by_run.items():
            ends = list(zip(share.bounds.low.parts, share.bounds.high.parts, strict=True))
            for (low, high), (least, most) in zip(ends, sharp[key.run_id], strict=True):
                assert low <= least, f"{key}: {ends} leaves out some of {sharp[key.run_id]} in {world}"
                assert most <= high, f"{key}: {ends} leaves out some of {sharp[key.run_id]} in {world}"
            can_be += all(least == most for least, most in sharp[key.run_id])
            are += share.exact
    assert are > 0.95 * can_be > 100 * SCALE
