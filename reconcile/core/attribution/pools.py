"""Claims and reported usage sorted into pools, and in each the components that are attributed one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconcile.core.attribution.components import Component, Match, Member, Rules, components, meeting, seen, summed
from reconcile.core.attribution.matching import matches
from reconcile.core.model import EXCLUDED, INCLUDED, MINUTE, Bucket, Claim, Scope, Window, any_meets, joined


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
