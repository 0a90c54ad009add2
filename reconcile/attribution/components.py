"""Which claims have to be looked at together, and which reported usage lies in front of them.

Claims that share minutes form a component, where their scopes can admit the same bucket (at first or second hand).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import TypeVar

from reconcile.minutes import Window, any_holds, hull, joined
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, RunKey
from reconcile.usage import KINDS, Bucket, Recorded, cache_writes, total

T = TypeVar("T")

CALLS = KINDS.index("api_calls")
"""The position of calls among the parts of a usage figure; the three before it are tokens."""


class Rules(Enum):
    """What a figure was made by: evidence is held against the rules of its own time."""

    WINDOWS_FIRST = auto()
    """Version one: whose a request is, its minute tells; and records that differ are the recorder's fault."""
    RECORDS_FIRST = auto()
    """Records that say it all come before any placement, and usage that they lack is waited for."""


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
    cut_off: bool = False
    """Whether calls without an answer are among those it is said to have made: its totals lack their tokens."""
    fringe: frozenset[int] = frozenset()
    """Those of its cells that lie outside its own minutes, where they may be a stranger's."""

    @property
    def open(self) -> bool:
        """Whether requests of its minutes may be recorded ones of its own."""
        return self.calls != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Members of a component, by position, and the minutes that hold what they recorded and nothing else."""

    members: range
    window: Window
    whole: bool
    """Whether calls and all tokens were recorded; else only tokens, of at least input and output, of one run."""


@dataclass(frozen=True)
class Component:
    """Claims that share minutes, and the cells they admit: buckets by minute, those of the same dimensions summed."""

    members: tuple[Member, ...]
    cells: tuple[Bucket, ...]
    window: Window
    """From the first minute that one of them reaches to the last."""
    rules: Rules
    match: Match | None = None
    """Where these minutes hold just what these claims recorded: how that was found."""

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

    @cached_property
    def own_minutes(self) -> list[Window]:
        """The minutes that are some claim's own, sorted and apart."""
        return joined(window for member in self.members for window in member.claim.minutes)

    @property
    def plain(self) -> bool:
        """Whether each request can be told to be of these claims by its minute alone: one scope, and no run that was
        interrupted while another went on."""
        return len(self.scopes) == 1 and (len(self.members) == 1 or all(len(m.claim.reach) == 1 for m in self.members))

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


def components(
    claims: Iterable[Claim], rows: Sequence[Bucket], covered: Sequence[Window], rules: Rules
) -> list[Component]:
    """Claims that share minutes, with the rows in these, which are sorted by minute. `covered` are the minutes that
    were read, sorted and apart."""
    minutes = [row.minute for row in rows]
    found = []
    for group in together(sorted(claims, key=lambda claim: (claim.span, claim.window, claim.run))):
        window = hull([claim.span for claim in group])
        span = _span(minutes, window)
        found.append(_component(group, rows[span.start : span.stop], window, covered, rules))
    return found


def _component(
    group: list[Claim], rows: Sequence[Bucket], window: Window, covered: Sequence[Window], rules: Rules
) -> Component:
    minutes = [row.minute for row in rows]
    admitted = [
        [i for part in claim.reach for i in _span(minutes, part) if claim.scope.admits(rows[i])] for claim in group
    ]
    kept = sorted({i for positions in admitted for i in positions})
    cell_of = {row: cell for cell, row in enumerate(kept)}
    read = [all(any_holds(covered, part) for part in claim.reach) for claim in group]
    recorded = stated = [claim.known for claim in group]
    if len(group) == 1 and rules is Rules.RECORDS_FIRST:
        recorded = [_with_cut_off(recorded[0], sum(rows[i].usage.api_calls for i in kept))]
    known = _known_calls(group, recorded, read)
    members = (
        Member(
            claim,
            tuple(cell_of[i] for i in positions),
            whole,
            calls,
            said.tokens,
            stated=said.api_calls,
            cut_off=said.api_calls != told.api_calls,
            fringe=frozenset(cell_of[i] for i in outside(claim, positions, minutes)),
        )
        for claim, positions, whole, calls, said, told in zip(
            group, admitted, read, known, recorded, stated, strict=True
        )
    )
    return Component(tuple(members), tuple(rows[i] for i in kept), window, rules)


def _with_cut_off(recorded: Recorded, requests: int) -> Recorded:
    """Where a run is alone: with as many of the calls whose answer was cut off as were billed, by the requests."""
    if recorded.api_calls is None:
        return recorded
    most = recorded.api_calls + recorded.aborted + recorded.unknown
    return replace(recorded, api_calls=min(max(requests, recorded.api_calls), most))


def outside(claim: Claim, positions: Iterable[int], minutes: Sequence[int]) -> list[int]:
    """The positions whose minutes are not the claim's own."""
    if not claim.reached:
        return []
    own = claim.minutes
    return [i for i in positions if not any(window.start <= minutes[i] < window.end for window in own)]


def _facts(claim: Claim) -> tuple[object, ...]:
    """What a claim brings to an attribution; of its log the digest, which stands for all of it."""
    scope = claim.scope
    named = (scope.provider, scope.api_key_ids, scope.project_ids, scope.models)
    digest = claim.log.digest if claim.log else None
    facts = (str(claim.run), claim.window.start, claim.window.end, named, claim.recorded.parts, digest)
    return facts + _further_facts(claim)


def _further_facts(claim: Claim) -> tuple[object, ...]:
    """What version one did not know of."""
    recorded = claim.recorded
    noted = (recorded.aborted, recorded.unknown, recorded.others, recorded.every_attempt)
    clock = (claim.clock.offset, claim.clock.uncertainty)
    further = (
        ("reach", claim.reached, claim.sessions) if claim.reached or claim.sessions else (),
        ("clock", clock) if any(clock) else (),
        ("noted", noted) if any(noted) else (),
    )
    return tuple(each for each in further if each)


def _known_calls(group: list[Claim], recorded: list[Recorded], read: list[bool]) -> list[int | None]:
    """By claim. Where scopes differ, or a run was interrupted while another went on, no count says anything."""
    if len({claim.scope for claim in group}) > 1:
        return [None] * len(group)
    if len(group) > 1 and any(len(claim.reach) > 1 for claim in group):
        return [None] * len(group)
    return believed([said.api_calls if whole else None for said, whole in zip(recorded, read, strict=True)])


def believed(calls: list[int | None]) -> list[int | None]:
    """Recorded calls of claims that share minutes. A zero beside an unknown count is as good as unknown: a retry that
    was not recorded may be its own, and where not all calls are known, no surplus tells that there was one."""
    return [count or None for count in calls] if None in calls else calls


def _span(minutes: Sequence[int], window: Window) -> range:
    return range(bisect_left(minutes, window.start), bisect_left(minutes, window.end))


def summed(buckets: Iterable[Bucket]) -> dict[str | None, list[Bucket]]:
    """Buckets by key, those of the same dimensions added: a provider may split a row, never repeat it."""
    parts: defaultdict[tuple[object, ...], list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        if not bucket.usage.is_zero:
            parts[_dimensions(bucket)].append(bucket)
    by_key: defaultdict[str | None, list[Bucket]] = defaultdict(list)
    for same in parts.values():
        cell = same[0]
        if len(same) > 1:
            cell = replace(cell, usage=total(part.usage for part in same), cache_write=cache_writes(same))
        by_key[cell.api_key_id].append(cell)
    return by_key


def _dimensions(cell: Bucket) -> tuple[object, ...]:
    return (cell.minute, cell.project_id, cell.api_key_id, cell.model, cell.batch, cell.service_tier)


def seen(scopes: Collection[Scope], cells: Mapping[str | None, list[Bucket]]) -> list[Bucket]:
    """The cells of the keys, projects and models of one of the scopes, by minute; rows of batch jobs are among them."""
    named = all(scope.api_key_ids for scope in scopes)
    keys = {key for scope in scopes for key in scope.api_key_ids} if named else cells.keys()
    rows = (cell for key in keys for cell in cells.get(key, ()) if any(scope.sees(cell) for scope in scopes))
    return sorted(rows, key=lambda cell: (cell.minute, str(_dimensions(cell))))


def meeting(scopes: Iterable[Scope]) -> list[list[Scope]]:
    """The scopes that can admit the same bucket (at first or second hand) together."""
    groups: list[list[Scope]] = []
    for scope in scopes:
        touching = [group for group in groups if any(scope.meets(other) for other in group)]
        apart = [group for group in groups if group not in touching]
        groups = [*apart, [scope, *(other for group in touching for other in group)]]
    return groups


def together(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Claims, sorted by span, in groups that share no minute."""
    if all(len(claim.reach) == 1 for claim in claims):
        return overlapping(claims, lambda claim: claim.span)
    parts = sorted(((part, i) for i, claim in enumerate(claims) for part in claim.reach))
    group_of = list(range(len(claims)))
    for group in overlapping(parts, lambda part: part[0]):
        merged = {group_of[i] for _, i in group}
        group_of = [min(merged) if each in merged else each for each in group_of]
    return [[claims[i] for i, each in enumerate(group_of) if each == first] for first in sorted(set(group_of))]


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
