"""Claims and reported usage sorted into pools of components, and which recorded calls no reported request can serve.

Each recorded call needs a request of its own inside its run's window. Giving the requests of each minute to the
window that ends earliest serves as many calls as can be served at all, because windows are runs of consecutive
minutes (Glover's rule). A call that is still left over proves that usage is late; comparing each window with its own
count would not see it where windows share requests.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconcile.attribution.components import CALLS, Component, Match, Member, Rules, components, meeting, seen, summed
from reconcile.attribution.matching import matches
from reconcile.minutes import MINUTE, Window, any_meets, joined
from reconcile.providers.base import EXCLUDED, INCLUDED, Scope
from reconcile.runs.run import Claim
from reconcile.usage import Bucket


@dataclass(frozen=True, slots=True)
class Pool:
    """Scopes that can admit the same bucket."""

    claims: tuple[Claim, ...]
    components: tuple[Component, ...]
    rows: tuple[Bucket, ...]
    """All usage of their keys, projects and models, by minute."""
    unclaimed: tuple[Bucket, ...]
    """What of it no claim reaches or admits."""


def pools(
    claims: Iterable[Claim],
    buckets: Iterable[Bucket],
    covered: Sequence[Window],
    rules: Rules = Rules.RECORDS_FIRST,
) -> list[Pool]:
    """Claims and buckets sorted into pools. `covered` are the minutes that were read, sorted and apart."""
    buckets = list(buckets)
    batches = any(bucket.batch for bucket in buckets)
    by_scope: defaultdict[Scope, list[Claim]] = defaultdict(list)
    for claim in claims:
        each = claim if batches else _without_batches(claim)
        by_scope[each.scope].append(each)
    cells = summed(buckets)
    return [
        _pool([claim for scope in scopes for claim in by_scope[scope]], seen(scopes, cells), covered, rules)
        for scopes in meeting(sorted(by_scope, key=str))
    ]


def _without_batches(claim: Claim) -> Claim:
    """Where no batch job was reported, claims that admit them and claims that do not are alike."""
    return replace(claim, scope=replace(claim.scope, batch=EXCLUDED)) if claim.scope.batch == INCLUDED else claim


def _pool(claims: Sequence[Claim], rows: Sequence[Bucket], covered: Sequence[Window], rules: Rules) -> Pool:
    found = [part for each in components(claims, rows, covered, rules) for part in _apart(each, covered)]
    claimed = {id(cell) for component in found for cell in component.cells}
    return Pool(tuple(claims), tuple(found), tuple(rows), tuple(row for row in rows if id(row) not in claimed))


def _apart(component: Component, covered: Sequence[Window]) -> Iterator[Component]:
    """The component without the runs whose records say it all, and each group of these."""
    found = matches(component) if component.rules is Rules.RECORDS_FIRST else []
    if not found:
        yield component
        return
    matched = {position for match in found for position in match.members}
    taken = joined(match.window for match in found)
    rows = [cell for cell in component.cells if not any_meets(taken, Window(cell.minute, cell.minute + MINUTE))]
    for match in found:
        yield _matched(component, match)
    left = [member.claim for i, member in enumerate(component.members) if i not in matched]
    yield from components(left, rows, covered, component.rules)


def _matched(component: Component, match: Match) -> Component:
    minutes = [cell.minute for cell in component.cells]
    first, last = bisect_left(minutes, match.window.start), bisect_left(minutes, match.window.end)
    members = [_cut(component.members[i], first, last) for i in match.members]
    return Component(tuple(members), component.cells[first:last], match.window, component.rules, match)


def _cut(member: Member, first: int, last: int) -> Member:
    """The member with those of its cells that lie in the minutes of its match."""
    cells = tuple(i - first for i in member.cells if first <= i < last)
    return replace(member, cells=cells, fringe=frozenset(i - first for i in member.fringe if first <= i < last))


def serve(component: Component) -> tuple[frozenset[int], int]:
    """The members that lack data or may, by position, and the surplus: requests that served no recorded call."""
    if not component.plain:
        return _compared(component, sum(component.values[CALLS]))
    tight, surplus = match(component)
    return within_minutes(component, tight), surplus


def accounted(component: Component) -> bool:
    """Whether everyone's calls are known, and just as many requests were reported."""
    return component.plain and component.counted and serve(component) == (frozenset(), 0)


def match(component: Component) -> tuple[list[Window], int]:
    """The minutes that lack data or may, for claims of one scope, and the surplus."""
    unserved, served = _earliest_end_first(component)
    requests = sum(component.values[CALLS])
    tight = joined(_extended(component, member, served) for member in unserved)
    return tight, requests - sum(count for _, _, count in served)


def within_minutes(component: Component, tight: Sequence[Window]) -> frozenset[int]:
    """The members, by position, whose window meets one of these minutes, which are sorted and apart."""
    return frozenset(i for i, member in enumerate(component.members) if any_meets(tight, member.claim.span))


def _earliest_end_first(component: Component) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Members with calls left over, and who was served: (minute, member, calls), by minute."""
    left = [member.calls or 0 for member in component.members]
    windows = [member.claim.span for member in component.members]
    supply: defaultdict[int, int] = defaultdict(int)
    for cell, requests in zip(component.cells, component.values[CALLS], strict=True):
        supply[cell.minute] += requests
    waiting: list[tuple[int, int]] = []
    served: list[tuple[int, int, int]] = []
    arrivals = iter(range(len(windows)))  # members are sorted by start
    upcoming = next(arrivals, None)
    for minute in sorted(supply):
        while upcoming is not None and windows[upcoming].start <= minute:
            heapq.heappush(waiting, (windows[upcoming].end, upcoming))
            upcoming = next(arrivals, None)
        free = supply[minute]
        while waiting and free:
            end, member = waiting[0]
            count = min(free, left[member]) if end > minute else 0
            if count:
                served.append((minute, member, count))
                left[member] -= count
                free -= count
            if free or not left[member]:
                heapq.heappop(waiting)
    return [member for member, calls in enumerate(left) if calls], served


def _extended(component: Component, member: int, served: list[tuple[int, int, int]]) -> Window:
    """The tight interval of an unserved call: its window, and to the left over every call served inside it."""
    window = component.members[member].claim.span
    start = window.start
    position = bisect_left(served, (window.end,)) - 1
    while position >= 0 and served[position][0] >= start:
        start = min(start, component.members[served[position][1]].claim.span.start)
        position -= 1
    return Window(start, window.end)


def _compared(component: Component, requests: int) -> tuple[frozenset[int], int]:
    """The same by counts alone, where minutes do not tell whose a request is: one run short makes all of them wait.

    What two of them may share is exact only where recorded tokens add up, and a call that this misses breaks that.
    """
    wanted = [(member.stated or 0) if member.read else 0 for member in component.members]
    room = [sum(component.values[CALLS][i] for i in member.cells) for member in component.members]
    short = sum(wanted) > requests or any(calls > most for calls, most in zip(wanted, room, strict=True))
    return frozenset(range(len(component.members)) if short else ()), requests
