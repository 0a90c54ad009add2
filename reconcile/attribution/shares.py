"""What each member of a component gets: by windows, counts and totals, and by call logs where there are some."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from reconcile.attribution.bounds import ComponentFacts, bounded, coherent, is_empty
from reconcile.attribution.components import CALLS, Component, Member, Rules
from reconcile.attribution.logs import Segment, authors, segments
from reconcile.attribution.serving import serve
from reconcile.minutes import Window, any_meets, joined
from reconcile.runs.state import Completeness
from reconcile.usage import Bounds, Recorded, Usage

NOTHING = Bounds(Usage(), Usage())


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one member gets, and what that rests on."""

    bounds: Bounds | None
    completeness: Completeness
    shared: tuple[int, ...]
    surplus: int
    extra: bool
    mismatched: bool
    lacking: bool = False
    """Whether fewer tokens were reported than it recorded: not all of them are in yet."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a component by member, and the minutes around which requests were seen that nobody recorded."""

    by_member: list[Share]
    surplus: list[Window]
    disputed: frozenset[int]
    """Members whose recorded totals or logged calls cannot be true."""


def shares(component: Component, *, quiet: bool) -> Shares:
    """`quiet`: no usage nearby speaks against a closed key, which is presumed where calls are unknown.

    A log that cannot be right beside what was reported is not used, and all is done again without it: its run keeps
    its calls, and its tokens prove nothing. Where that is not the end of it, no log of the component is used.
    """
    if component.match:
        return Shares([_matched(component, member) for member in component.members], [], frozenset())
    found = _shared_out(component, quiet=quiet)
    return _lacking(component, found) if component.rules is Rules.RECORDS_FIRST else found


def _matched(component: Component, member: Member) -> Share:
    """What a member gets whose record says it all: just that. Kinds that it did not record are as reported."""
    sums = (sum([values[i] for i in member.cells]) for values in component.values)
    recorded = (*member.totals, member.stated)
    figure = Usage(*(reported if said is None else said for said, reported in zip(recorded, sums, strict=True)))
    whole = component.match is not None and component.match.whole
    return Share(
        bounds=Bounds(figure, figure),
        completeness=Completeness.CALLS_AND_TOKENS_MATCHED if whole else Completeness.TOKENS_MATCHED,
        shared=(),
        surplus=0,
        extra=False,
        mismatched=member.claim.doubted,
    )


def _lacking(component: Component, found: Shares) -> Shares:
    """The shares without those of members that recorded more tokens than were reported. Late usage is not the only
    reason for that, but the one that has to be waited for."""
    reported = [sum(values) for values in component.values]
    recorded = list(zip(*(member.totals for member in component.members), strict=True))
    sums = (None if None in kind else sum(map(int, kind)) for kind in recorded)
    short = [told is not None and told > whole for told, whole in zip(sums, reported, strict=False)]
    pairs = zip(component.members, found.by_member, strict=True)
    shares = [_unless_lacking(component, member, share, together=any(short)) for member, share in pairs]
    return replace(found, by_member=shares)


def _unless_lacking(component: Component, member: Member, share: Share, *, together: bool) -> Share:
    if share.bounds is None or not member.read:
        return share
    pairs = list(zip(member.totals, component.values, strict=False))
    alone = any(said is not None and said > sum([values[i] for i in member.cells]) for said, values in pairs)
    figure = zip(member.totals, share.bounds.high.parts, strict=False)
    proven = share.bounds.exact and all(said is None or said == part for said, part in figure)
    if not alone and (proven or not together):
        return share
    return replace(share, bounds=None, lacking=True, mismatched=False, extra=False)


def _shared_out(component: Component, *, quiet: bool) -> Shares:
    trusted = _trusted(component)
    convicted: frozenset[int] = frozenset()
    while trusted - convicted:
        found = _by_logs(_without_totals(component, convicted), trusted - convicted, quiet=quiet)
        guilty = found.disputed & trusted
        if not guilty:
            return _marked(found, convicted)
        convicted = trusted if convicted else guilty
    return _marked(_by_counts(_without_totals(component, convicted), quiet=quiet), convicted)


def holding_its_record(share: Share, recorded: Recorded) -> Share:
    """The share with bounds that hold what was recorded: for where others use the key. A late call and a foreign one in
    its place agree in the count, so what follows from counts may not be so, and what was recorded may.
    """
    if share.bounds is None:
        return share
    low, high = _end(share.bounds.low, recorded, min), _end(share.bounds.high, recorded, max)
    return replace(share, bounds=coherent(low, high))


def _end(end: Usage, recorded: Recorded, pick: Callable[[int, int], int]) -> Usage:
    pairs = zip(end.parts, recorded.parts, strict=True)
    return Usage(*(part if said is None else pick(part, said) for part, said in pairs))


def _trusted(component: Component) -> frozenset[int]:
    """The members whose log is used. Where scopes differ no call can be told from those of others."""
    if not component.plain:
        return frozenset()
    members = enumerate(component.members)
    return frozenset(i for i, m in members if m.read and m.claim.log is not None and not m.claim.doubted)


def _without_totals(component: Component, convicted: Collection[int]) -> Component:
    if not convicted:
        return component
    members = enumerate(component.members)
    return replace(
        component,
        members=tuple(replace(m, totals=(None, None, None)) if i in convicted else m for i, m in members),
    )


def _marked(found: Shares, convicted: Collection[int]) -> Shares:
    marked = (replace(share, mismatched=True) if i in convicted else share for i, share in enumerate(found.by_member))
    return replace(found, by_member=list(marked)) if convicted else found


# ------------------------------------------------------------------------------- windows, counts and totals


def _by_counts(component: Component, *, quiet: bool) -> Shares:
    short, surplus = serve(component)
    facts = ComponentFacts(component, surplus, quiet and not component.counted, short)
    bounds, contradicted = bounded(facts)
    completeness = _completeness(facts, contradicted)
    open_claims = component.open_claims()
    return Shares(
        [
            _counted(facts, member, bounds[position], completeness, open_claims, mismatched=position in contradicted)
            for position, member in enumerate(component.members)
        ],
        [component.window] if surplus and component.counted else [],
        contradicted,
    )


def _counted(
    facts: ComponentFacts,
    member: Member,
    bounds: Bounds | None,
    completeness: Completeness,
    open_claims: Sequence[int],
    *,
    mismatched: bool,
) -> Share:
    cells, reported = facts.component.cells, facts.component.values[CALLS]
    shared = tuple(sorted({cells[i].minute for i in member.cells if open_claims[i] > member.open}))
    alone = [i for i in member.cells if cells[i].minute not in shared]
    inside = sum([reported[i] for i in alone if i not in member.fringe])
    beside = any(i in member.fringe for i in alone)
    calls = member.stated
    surplus = facts.surplus if completeness is not Completeness.ASSUMED else 0
    exact = bounds is not None and bounds.exact
    return Share(
        bounds=bounds,
        completeness=_proven(facts.component, member) or completeness,
        shared=shared,
        surplus=surplus,
        extra=calls is not None and (inside > calls or (surplus > 0 and not exact and not beside)),
        mismatched=mismatched or member.claim.doubted,
    )


def _proven(component: Component, member: Member) -> Completeness | None:
    """Whether its minutes hold just its recorded calls and tokens, whatever the others recorded."""
    recorded = (*member.totals, member.stated)
    matched = all(
        said == sum([values[i] for i in member.cells]) for said, values in zip(recorded, component.values, strict=True)
    )
    return Completeness.CALLS_AND_TOKENS_MATCHED if matched else None


def _completeness(facts: ComponentFacts, contradicted: frozenset[int]) -> Completeness:
    """What the component's figures rest on: everyone's calls and tokens, everyone's calls, or a closed key."""
    component = facts.component
    if not component.counted:
        return Completeness.ASSUMED
    recorded = zip(*((*member.totals, member.calls) for member in component.members), strict=True)
    sums = tuple(None if None in kind else sum(value or 0 for value in kind) for kind in recorded)
    reported = tuple(map(sum, component.values))
    if sums == reported and not facts.surplus and not contradicted:
        return Completeness.CALLS_AND_TOKENS_MATCHED
    return Completeness.CALLS_MATCHED


# ---------------------------------------------------------------------------------------------- call logs


def _by_logs(component: Component, trusted: frozenset[int], *, quiet: bool) -> Shares:
    """The shares as the logs have them; not to be used where one of the logs is disputed.

    What follows from windows and counts holds as well, where nothing is lacking: of both, the narrower ends.
    """
    found = segments(component, trusted, quiet=quiet)
    disputed = authors(component, trusted, (segment.window for segment in found if segment.disputed))
    disputed |= frozenset(run for segment in found for run in segment.blamed)
    tight = joined(minutes for segment in found for minutes in segment.tight)
    reach = [_reaching(found, member.claim.span) for member in component.members]
    bounds = [
        None if any_meets(tight, member.claim.span) else _summed(member, i, reach[i], logged=i in trusted)
        for i, member in enumerate(component.members)
    ]
    if not tight and not disputed & trusted and not all(segment.matched for segment in found):
        open_key = any(segment.counted and segment.surplus for segment in found)
        counts = _by_counts(component, quiet=quiet and not open_key)
        disputed |= counts.disputed
        pairs = zip(bounds, (share.bounds for share in counts.by_member), strict=True)
        bounds = [one and other and _narrower(one, other) for one, other in pairs]
        disputed |= trusted if any(each and is_empty(each) for each in bounds) else frozenset()
    given = [
        _logged(component, i, bounds[i], reach[i], mismatched=i in disputed) for i in range(len(component.members))
    ]
    surplus = [segment.window for segment in found if segment.counted and segment.surplus]
    return Shares(given, surplus, disputed)


def _reaching(found: Sequence[Segment], window: Window) -> Sequence[Segment]:
    """The segments that the window meets; they are apart and sorted by time."""
    first = bisect_right(found, window.start, key=lambda segment: segment.window.end)
    last = bisect_left(found, window.end, key=lambda segment: segment.window.start)
    return found[first:last]


def _summed(member: Member, position: int, reach: Sequence[Segment], *, logged: bool) -> Bounds:
    """Its logged calls, and what it used beside them in each segment."""
    log = member.claim.log
    low = high = log.total if log and logged else Usage()
    for segment in reach:
        rest = segment.rests.get(position, NOTHING)
        low, high = low + rest.low, high + rest.high
    return coherent(low, high)


def _narrower(one: Bounds, other: Bounds) -> Bounds:
    low = Usage(*map(max, one.low.parts, other.low.parts))
    return coherent(low, Usage(*map(min, one.high.parts, other.high.parts)))


def _logged(
    component: Component, position: int, bounds: Bounds | None, reach: Sequence[Segment], *, mismatched: bool
) -> Share:
    member = component.members[position]
    counted = all(segment.counted for segment in reach)
    surplus = sum(segment.surplus for segment in reach) if counted else 0
    exact = bounds is not None and bounds.exact
    shared = tuple(minute for segment in reach for minute in segment.shared.get(position, ()))
    beside = any(component.cells[i].minute not in shared for i in member.fringe)
    completeness = Completeness.CALLS_MATCHED if counted else Completeness.ASSUMED
    if all(segment.matched for segment in reach):
        completeness = Completeness.CALLS_AND_TOKENS_MATCHED
    else:
        completeness = _proven(component, member) or completeness
    return Share(
        bounds=bounds,
        completeness=completeness,
        shared=shared,
        surplus=surplus,
        extra=any(position in segment.extra for segment in reach) or (surplus > 0 and not exact and not beside),
        mismatched=mismatched or member.claim.doubted,
    )
