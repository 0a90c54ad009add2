"""How much of each kind a run used, as an interval that holds the truth.

A request lies in one cell and may hold any share of the cell's tokens, so `k` requests hold at most the sum of the
`k` fullest cells. From the recorded calls follows how many requests of a window need not be the run's own, and how
many can be; recorded totals raise the lower ends; and what several runs hold together is known exactly. All of it is
integers, each kind is bounded by itself, and a bound may be wider than the sharpest one but never narrower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconcile.attribution.components import CALLS, Component, Member
from reconcile.usage import KINDS, Bounds, Usage

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ComponentFacts:
    """A component and what is known of it besides its cells."""

    component: Component
    surplus: int
    """Reported requests that served no recorded call."""
    closed: bool
    """Whether the surplus is presumed to be of these runs: nobody else uses the key. Only where calls are unknown."""
    short: frozenset[int]
    """Members that lack data, by position. They get no bounds, and no sum over the component holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """A component's cells as one kind of usage sees them."""

    kind: int
    values: list[int]
    reached: list[tuple[int, int]]
    """By member, the requests of its own cells and of all that it reaches. Tokens that came without a request count as
    one that nobody recorded, for they may be anybody's."""
    surplus: int
    closed: bool


def bounded(facts: ComponentFacts) -> tuple[list[Bounds | None], frozenset[int]]:
    """Bounds by member, and the members whose recorded totals contradict what was reported."""
    reach = _reach(facts.component)
    kinds = [_intervals(facts, view, reach) for view in _views(facts, reach)]
    contradicted = set[int]().union(*(members for _, members in kinds))
    bounds: list[Bounds | None] = []
    for position, each in enumerate(zip(*(intervals for intervals, _ in kinds), strict=True)):
        lows, highs = zip(*each, strict=True)
        made = coherent(Usage(*lows), Usage(*highs))
        short = position in facts.short
        if not short and is_empty(made):  # recorded totals can contradict each other across kinds
            contradicted.add(position)
            made = Bounds(Usage(), made.high)
        bounds.append(None if short else made)
    return bounds, frozenset(contradicted)


def coherent(low: Usage, high: Usage) -> Bounds:
    """Cached input is input: what bounds the one bounds the other."""
    if low.cached_tokens > low.tokens_in:
        low = replace(low, tokens_in=low.cached_tokens)
    if high.cached_tokens > high.tokens_in:
        high = replace(high, cached_tokens=high.tokens_in)
    return Bounds(low, high)


def is_empty(bounds: Bounds) -> bool:
    """Whether no figure lies inside, because something that was believed is not true."""
    return any(low > high for low, high in zip(bounds.low.parts, bounds.high.parts, strict=True))


def _reach(component: Component) -> list[tuple[list[int], list[int]]]:
    """By member, its own cells, which no other open claim reaches into, and those that it shares.

    A run of unknown calls shares what lies outside its own minutes with a stranger.
    """
    open_claims = component.open_claims()
    found = []
    for member in component.members:
        itself = int(member.open)
        strangers = member.fringe if member.calls is None else frozenset()
        own = [i for i in member.cells if open_claims[i] == itself and i not in strangers]
        found.append((own, [i for i in member.cells if open_claims[i] > itself or i in strangers]))
    return found


def _intervals(
    facts: ComponentFacts, view: KindView, reach: Sequence[tuple[list[int], list[int]]]
) -> tuple[list[Interval], set[int]]:
    """By member: what follows from its window and count, then from recorded totals, then from the sum of all."""
    kind = view.kind
    pairs = zip(facts.component.members, reach, view.reached, strict=True)
    alone = [_alone(view, member.calls or 0, cells, requests) for member, cells, requests in pairs]
    totals = {} if kind == CALLS else _totals(facts, kind)
    contradicted = _contradicted(facts, view, alone, totals)
    floors = [0 if i in contradicted else totals.get(i, 0) for i in range(len(alone))]
    raised = [(max(low, floor), high) for (low, high), floor in zip(alone, floors, strict=True)]
    raised = [
        (total, total) if (total := _settled(member, kind)) is not None else interval
        for member, interval in zip(facts.component.members, raised, strict=True)
    ]
    return (raised if facts.short else _conserved(view, raised)), contradicted


def _settled(member: Member, kind: int) -> int | None:
    """What it is known to have used, where that is known to the last token."""
    return (*member.totals, member.calls)[kind] if member.settled else None


def _views(facts: ComponentFacts, reach: Sequence[tuple[list[int], list[int]]]) -> list[KindView]:
    """One for each kind."""
    values = facts.component.values
    reported, counted = values[CALLS], [max(count, 1) for count in values[CALLS]]
    by_calls = _reached(reported, reach)
    by_tokens = by_calls if counted == reported else _reached(counted, reach)
    beyond = facts.surplus + sum(counted) - sum(reported)
    return [
        KindView(
            kind=kind,
            values=values[kind],
            reached=by_calls if kind == CALLS else by_tokens,
            surplus=facts.surplus if kind == CALLS else beyond,
            closed=facts.closed,
        )
        for kind in range(len(KINDS))
    ]


def _reached(requests: Sequence[int], reach: Sequence[tuple[list[int], list[int]]]) -> list[tuple[int, int]]:
    found = []
    for own, shared in reach:
        sure = sum([requests[i] for i in own])
        found.append((sure, sure + sum([requests[i] for i in shared])))
    return found


def _alone(view: KindView, calls: int, cells: tuple[list[int], list[int]], requests: tuple[int, int]) -> Interval:
    """Bounds from a member's own window and count: how many of its requests need not, or may, be its own.

    The requests of its own cells never outnumber its calls and the surplus together, for nobody else's calls are
    served there.
    """
    sure, room = requests
    reach = min(room, calls + view.surplus)
    spare = max(0, room - calls)
    free = 0 if view.closed else min(view.surplus, spare)
    if view.kind == CALLS:
        return (max(calls, sure - free), reach)
    own, shared = ([view.values[i] for i in of] for of in cells)
    whole = sum(own)
    others = _top(spare, [*sorted(own, reverse=True)[:free], *shared] if free else shared)
    return (whole + sum(shared) - others, whole + _top(reach - sure, shared))


def _totals(facts: ComponentFacts, kind: int) -> dict[int, int]:
    """Recorded token totals by member, of those whose every minute was read and is complete.

    A run that made no calls recorded no tokens, whether it says so or not.
    """
    found = {}
    for index, member in enumerate(facts.component.members):
        recorded = member.totals[kind]
        total = recorded if member.open else recorded or 0
        if total is not None and member.read and index not in facts.short:
            found[index] = total
    return found


def _contradicted(facts: ComponentFacts, view: KindView, alone: list[Interval], totals: dict[int, int]) -> set[int]:
    """Members whose totals cannot be true: above what the run may have used, or not adding up with those of others.

    Where it is known that a run used its very total, others are to blame.
    """
    above = {i for i, total in totals.items() if total > alone[i][1]}
    above |= {i for i, total in totals.items() if total < alone[i][0] and facts.component.members[i].settled}
    if facts.short:
        return above
    whole = sum(view.values)
    least = sum(max(low, 0 if i in above else totals.get(i, 0)) for i, (low, _) in enumerate(alone))
    whole_records = len(totals) == len(alone) and not any(member.cut_off for member in facts.component.members)
    complete = whole_records and view.surplus == 0
    if least > whole or (complete and sum(totals.values()) != whole):
        return {i for i, total in totals.items() if alone[i] != (total, total)}
    return above


def _conserved(view: KindView, bounds: list[Interval]) -> list[Interval]:
    """What several runs hold together is the whole, less what may be nobody's."""
    whole = sum(view.values)
    foreign = 0 if view.closed else view.surplus if view.kind == CALLS else _top(view.surplus, view.values)
    lows, highs = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    return [(max(low, whole - foreign - (highs - high)), min(high, whole - (lows - low))) for low, high in bounds]


def _top(requests: int, values: Sequence[int]) -> int:
    """The most tokens that so many requests can hold: one in each of the fullest cells."""
    if not requests:
        return 0
    return sum(values) if requests >= len(values) else sum(sorted(values, reverse=True)[:requests])
