"""The bounds against the sharpest ones there are, found by going through every way to share a tiny world's requests.

A way gives each reported request to a run whose window holds it, or to nobody. It fits what is known where every run
gets at least the calls and tokens it recorded: a request more may be a retry of any run, or foreign where the key is
not presumed to be closed. Each logged call is one of the requests of its minutes, with its own tokens; what is left
of a minute is shared out among the rest.
"""

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations, combinations_with_replacement, product

from support.worlds import NOON, NOTHING, SCALE, WIDE, a_world, dice, with_logs

from reconcile.attribution.attribute import attribute
from reconcile.usage import total

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


# ------------------------------------------------------------------------------------------------ call logs


def tiny_worlds_with_logs(count):
    found, seed = 0, 0
    while found < max(1, int(count * SCALE)):
        rng = dice(seed)
        world = with_logs(rng, a_world(rng, runs=3, retries=seed % 2, inside=seed % 3), straddling=0.5)
        seed += 1
        if len(world.requests) <= 6 and 0 < len(world.buckets()) <= 5 and any(life.log for life in world.lives):
            found += 1
            yield world


def logged(world):
    """The calls that are in a log: whose they are, where they can lie, and what they used."""
    by_name = {life.name: life for life in world.lives}
    for each in world.requests:
        if each.owner and each.recorded and each.logged and each.span and by_name[each.owner].log:
            life = by_name[each.owner]
            yield life.name, [m for m in minutes_of_call(each.span) if life.start <= m < life.end], each.usage


def minutes_of_call(span):
    start, end = span
    return range(int((start - 2) // 60), int((end + 2) // 60) + 1)


def placements(world):
    """By way of giving each logged call a cell that can hold it: the cells with what is left of them."""
    cells = world.buckets()
    calls = list(logged(world))
    candidates = [[i for i, cell in enumerate(cells) if (cell.minute - NOON) // 60 in where] for _, where, _ in calls]
    for chosen in product(*candidates):
        left = [cell.usage for cell in cells]
        for i, (_, _, usage) in zip(chosen, calls, strict=True):
            left[i] -= usage
        if all(min(u.parts) >= 0 and (u.api_calls or not any(u.parts)) for u in left):
            yield [replace(cell, usage=usage) for cell, usage in zip(cells, left, strict=True) if usage.api_calls]


def sharpest_with_logs(world, *, closed):
    claims = {claim.run.run_id: claim for claim in world.claims()}
    mine = {name: total(usage for owner, _, usage in logged(world) if owner == name) for name in claims}
    missing = {name: max(0, (claim.known.api_calls or 0) - mine[name].api_calls) for name, claim in claims.items()}
    found = {name: [[] for _ in range(TOKENS + 1)] for name in claims}
    for cells in placements(world):
        owners = [
            [n for n, c in claims.items() if c.window.start <= cell.minute < c.window.end] + [NOBODY] * (not closed)
            for cell in cells
        ]
        for way in ways(cells, owners):
            calls = sum(way, Counter())
            if any(calls[name] < missing[name] for name in claims):
                continue
            for name, kind in product(claims, range(TOKENS)):
                known = {n: c.known.tokens[kind] for n, c in claims.items() if c.known.tokens[kind] is not None}
                floors = {n: tokens - mine[n].parts[kind] for n, tokens in known.items()}
                ends = token_ends(cells, way, name, floors, kind) or ()
                found[name][kind] += (end + mine[name].parts[kind] for end in ends)
            for name in claims:
                found[name][TOKENS].append(calls[name] + mine[name].api_calls)
    return {name: [(min(ends), max(ends)) for ends in kinds] for name, kinds in found.items()}


def test_no_bound_lies_inside_the_sharpest_that_logs_allow_and_most_figures_that_can_be_exact_are():
    can_be = are = 0
    for world in (part for whole in tiny_worlds_with_logs(250) for part in connected(whole)):
        by_run = attribute(world.claims(), world.buckets(), [WIDE]).by_run
        sharp = sharpest_with_logs(world, closed=not all(life.counts for life in world.lives))
        for key, share in by_run.items():
            ends = list(zip(share.bounds.low.parts, share.bounds.high.parts, strict=True))
            for (low, high), (least, most) in zip(ends, sharp[key.run_id], strict=True):
                assert low <= least, f"{key}: {ends} leaves out some of {sharp[key.run_id]} in {world}"
                assert most <= high, f"{key}: {ends} leaves out some of {sharp[key.run_id]} in {world}"
            can_be += all(least == most for least, most in sharp[key.run_id])
            are += share.exact
    assert are > 0.95 * can_be > 100 * SCALE
