"""Which claims have to be looked at together, and which reported usage lies in front of them.

Claims that share minutes form a component, where their scopes can admit the same bucket (at first or second hand).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from reconcile.core.model import KINDS, Bucket, Claim, Recorded, RunKey, Scope, Window, any_holds, total

T = TypeVar("T")

CALLS = KINDS.index("api_calls")
"""The position of calls among the parts of a usage figure; the three before it are tokens."""


@dataclass(frozen=True, slots=True)
class Member:
    """A claim of a component, with the positions of its cells among the component's."""

    claim: Claim
    cells: tuple[int, ...]
    read: bool
    """Whether its window was read whole."""
    calls: int | None
    """Its recorded calls. Unknown where the run did not record them, where its window was not read whole, and where
    scopes differ: the matching of calls to requests is exact for one scope only."""
    totals: tuple[int | None, int | None, int | None]
    """Its recorded tokens by kind: it used as many or more."""
    stated: int | None = None
    """Its recorded calls, whether these prove anything here or not."""
    settled: bool = False
    """Whether it made just these calls, with just these tokens: logged calls of which only the minute is open."""

    @property
    def open(self) -> bool:
        """Whether requests of its minutes may be recorded ones of its own."""
        return self.calls != 0


@dataclass(frozen=True)
class Component:
    """Claims that share minutes, and the cells they admit: buckets by minute, those of the same dimensions summed."""

    members: tuple[Member, ...]
    cells: tuple[Bucket, ...]
    window: Window

    @cached_property
    def by_run(self) -> Mapping[RunKey, Member]:
        return {member.claim.run: member for member in self.members}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that an attribution of these claims follows from, whatever order it came in."""
        members = sorted(repr((_facts(member.claim), member.read)) for member in self.members)
        cells = sorted(repr((_dimensions(cell), cell.usage.parts)) for cell in self.cells)
        return hashlib.sha256("\n".join([*members, *cells]).encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def values(self) -> tuple[list[int], ...]:
        """What was reported, by kind and then by cell."""
        return tuple(map(list, zip(*(cell.usage.parts for cell in self.cells), strict=True))) or ([], [], [], [])

    @cached_property
    def scopes(self) -> frozenset[Scope]:
        return frozenset(member.claim.scope for member in self.members)

    @property
    def counted(self) -> bool:
        """Whether the calls of every run that reaches into it are known."""
        return all(member.calls is not None for member in self.members)

    def open_claims(self) -> list[int]:
        """By cell, how many claims it may belong to."""
        counts = [0] * len(self.cells)
        for member in self.members:
            if member.open:
                for cell in member.cells:
                    counts[cell] += 1
        return counts


@dataclass(frozen=True, slots=True)
class Pool:
    """Scopes that can admit the same bucket: their claims by component, and what they admit but nobody claims."""

    components: tuple[Component, ...]
    unclaimed: tuple[Bucket, ...]


def pools(claims: Iterable[Claim], buckets: Iterable[Bucket], covered: Sequence[Window]) -> list[Pool]:
    """Claims and buckets sorted into pools. `covered` are the minutes that were read, sorted and apart."""
    by_scope: defaultdict[Scope, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_scope[claim.scope].append(claim)
    cells = _summed(buckets)
    return [
        _pool([claim for scope in scopes for claim in by_scope[scope]], _admitted(scopes, cells), covered)
        for scopes in _meeting(sorted(by_scope, key=str))
    ]


def _pool(claims: Iterable[Claim], rows: Sequence[Bucket], covered: Sequence[Window]) -> Pool:
    minutes = [row.minute for row in rows]
    components = []
    for group in overlapping(sorted(claims, key=lambda claim: (claim.window, claim.run)), lambda claim: claim.window):
        window = Window(group[0].window.start, max(claim.window.end for claim in group))
        span = _span(minutes, window)
        components.append(_component(group, rows[span.start : span.stop], window, covered))
    claimed = {id(cell) for component in components for cell in component.cells}
    return Pool(tuple(components), tuple(row for row in rows if id(row) not in claimed))


def _component(group: list[Claim], rows: Sequence[Bucket], window: Window, covered: Sequence[Window]) -> Component:
    minutes = [row.minute for row in rows]
    admitted = [[i for i in _span(minutes, claim.window) if claim.scope.admits(rows[i])] for claim in group]
    kept = sorted({i for positions in admitted for i in positions})
    cell_of = {row: cell for cell, row in enumerate(kept)}
    read = [any_holds(covered, claim.window) for claim in group]
    recorded = [claim.known for claim in group]
    known = _known_calls(group, recorded, read)
    members = (
        Member(claim, tuple(cell_of[i] for i in positions), whole, calls, said.tokens, stated=said.api_calls)
        for claim, positions, whole, calls, said in zip(group, admitted, read, known, recorded, strict=True)
    )
    return Component(tuple(members), tuple(rows[i] for i in kept), window)


def _facts(claim: Claim) -> tuple[object, ...]:
    """What a claim brings to an attribution; of its log the digest, which stands for all of it."""
    scope = claim.scope
    named = (scope.provider, scope.api_key_ids, scope.project_ids, scope.models)
    digest = claim.log.digest if claim.log else None
    return (str(claim.run), claim.window.start, claim.window.end, named, claim.recorded.parts, digest)


def _known_calls(group: list[Claim], recorded: list[Recorded], read: list[bool]) -> list[int | None]:
    """By claim."""
    if len({claim.scope for claim in group}) > 1:
        return [None] * len(group)
    return believed([said.api_calls if whole else None for said, whole in zip(recorded, read, strict=True)])


def believed(calls: list[int | None]) -> list[int | None]:
    """Recorded calls of claims that share minutes. A zero beside an unknown count is as good as unknown: a retry that
    was not recorded may be its own, and where not all calls are known, no surplus tells that there was one."""
    return [count or None for count in calls] if None in calls else calls


def _span(minutes: Sequence[int], window: Window) -> range:
    return range(bisect_left(minutes, window.start), bisect_left(minutes, window.end))


def _summed(buckets: Iterable[Bucket]) -> dict[str | None, list[Bucket]]:
    """Buckets by key, those of the same dimensions added: a provider may split a row, never repeat it."""
    parts: defaultdict[tuple[object, ...], list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        if not bucket.usage.is_zero:
            parts[_dimensions(bucket)].append(bucket)
    by_key: defaultdict[str | None, list[Bucket]] = defaultdict(list)
    for same in parts.values():
        cell = same[0] if len(same) == 1 else replace(same[0], usage=total(part.usage for part in same))
        by_key[cell.api_key_id].append(cell)
    return by_key


def _dimensions(cell: Bucket) -> tuple[object, ...]:
    return (cell.minute, cell.project_id, cell.api_key_id, cell.model, cell.batch, cell.service_tier)


def _admitted(scopes: Collection[Scope], cells: Mapping[str | None, list[Bucket]]) -> list[Bucket]:
    """The cells that one of the scopes admits, by minute."""
    named = all(scope.api_key_ids for scope in scopes)
    keys = {key for scope in scopes for key in scope.api_key_ids} if named else cells.keys()
    rows = (cell for key in keys for cell in cells.get(key, ()) if any(scope.admits(cell) for scope in scopes))
    return sorted(rows, key=lambda cell: (cell.minute, str(_dimensions(cell))))


def _meeting(scopes: Iterable[Scope]) -> list[list[Scope]]:
    """The scopes that can admit the same bucket (at first or second hand) together."""
    groups: list[list[Scope]] = []
    for scope in scopes:
        touching = [group for group in groups if any(scope.meets(other) for other in group)]
        apart = [group for group in groups if group not in touching]
        groups = [*apart, [scope, *(other for group in touching for other in group)]]
    return groups


def overlapping(items: Iterable[T], window_of: Callable[[T], Window]) -> list[list[T]]:
    """What is sorted by start, cut wherever one starts after all before it have ended."""
    groups: list[list[T]] = []
    end = 0
    for item in items:
        window = window_of(item)
        if groups and window.start < end:
            groups[-1].append(item)
        else:
            groups.append([item])
        end = max(end, window.end)
    return groups
