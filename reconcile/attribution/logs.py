"""Takes the logged calls out of a component, so that what is left can be bounded by the same rules as before.

A logged call that can only have been reported in one minute leaves it, with its tokens. One that can have been
reported in several is a small claim of its own, over these minutes, whose calls and tokens are known. What a run made
beside its log is a claim over its window, with the calls and tokens that its log lacks. The component is cut wherever
none of these claims crosses the turn of a minute: a call too many on one side then says nothing about the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconcile.attribution.bounds import ComponentFacts, bounded
from reconcile.attribution.components import CALLS, Component, Member, Rules, believed, outside, overlapping
from reconcile.attribution.serving import match, within_minutes
from reconcile.minutes import MINUTE, Window, any_meets, joined
from reconcile.runs.run import Claim
from reconcile.usage import Bounds, Bucket, Usage, total

Totals = tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """A claim on what is left. `runs` are the members of the component, by position, whose calls these are."""

    runs: frozenset[int]
    claim: Claim
    read: bool
    calls: int | None
    totals: Totals
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Minutes that no claim on what is left crosses, and what follows for the runs that reach into them."""

    window: Window
    counted: bool
    """Whether the calls of every run that reaches into it are known."""
    surplus: int = 0
    """Requests that served no recorded call."""
    tight: tuple[Window, ...] = ()
    """Minutes that lack a call, or may."""
    matched: bool = False
    """Whether calls and tokens of all that was recorded here are what was reported."""
    rests: dict[int, Bounds]
    """By run, what it used here beside its log: nothing where it is not named, unless calls of its minutes lack."""
    shared: dict[int, tuple[int, ...]]
    """By run, the minutes in which others may own what is left."""
    extra: frozenset[int] = frozenset()
    """Runs in whose minutes more is left than they recorded, and nobody else recorded any there."""
    disputed: bool = False
    """Whether something that was recorded or logged here cannot be true."""
    blamed: frozenset[int] = frozenset()
    """Runs whose recorded totals that may be; `authors` are those whose log it may be."""


@dataclass(frozen=True, slots=True)
class _Left:
    """What was reported in each minute of a component and is no logged call of that minute."""

    cells: dict[int, list[int]]
    minutes: list[int]
    """Those in which anything is left."""
    lacking: list[Window]
    """Those with fewer requests than logged calls."""
    wrong: list[Window]
    """Those whose tokens cannot be those of the logged calls."""


def segments(component: Component, trusted: Collection[int], *, quiet: bool) -> list[Segment]:
    """The segments in which anything is left or lacking, by time. `trusted` are the members whose log is used.

    `quiet`: no usage nearby speaks against a closed key, which is presumed where calls are unknown.
    """
    fixed, open_calls = _placed(component, trusted)
    left = _left(component, fixed)
    rests = [_rest(component.members[i], i, i in trusted) for i in range(len(component.members))]
    spanning = [*open_calls, *(part for part in rests if part.calls != 0)]
    groups = _groups(spanning, [*(_minute(m) for m in left.minutes), *left.lacking, *left.wrong])
    beside = _Beside([part for part in rests if part.calls == 0])
    return [_segment(window, parts, beside, left, quiet=quiet) for window, parts in groups]


def authors(component: Component, trusted: Collection[int], windows: Iterable[Window]) -> frozenset[int]:
    """The members with logged calls that can have been reported in one of the windows."""
    apart = joined(windows)
    found = set()
    for position in trusted if apart else ():
        claim = component.members[position].claim
        placed = claim.log.placed(claim.clock) if claim.log else ()
        spans = (Window(calls.first, calls.last + MINUTE) for calls in placed)
        if any(any_meets(apart, span) for span in spans):
            found.add(position)
    return frozenset(found)


def _placed(component: Component, trusted: Collection[int]) -> tuple[dict[int, list[int]], list[SegmentPart]]:
    """The logged calls of one minute by that minute, and those of several as claims over these."""
    fixed: dict[int, list[int]] = {}
    several: dict[tuple[int, int], tuple[list[int], set[int]]] = {}
    for position in trusted:
        claim = component.members[position].claim
        window = claim.span
        for calls in claim.log.placed(claim.clock) if claim.log else ():
            first, last = max(calls.first, window.start), min(calls.last, window.end - MINUTE)
            if first == last:
                sums = fixed.setdefault(first, [0, 0, 0, 0])
            else:
                sums, runs = several.setdefault((first, last), ([0, 0, 0, 0], set()))
                runs.add(position)
            usage = calls.usage
            sums[0] += usage.tokens_in
            sums[1] += usage.tokens_out
            sums[2] += usage.cached_tokens
            sums[3] += usage.api_calls
    claim = component.members[0].claim
    return fixed, [
        SegmentPart(
            frozenset(runs),
            Claim(claim.run, claim.scope, Window(first, last + MINUTE)),
            True,
            sums[CALLS],
            (sums[0], sums[1], sums[2]),
            settled=True,
        )
        for (first, last), (sums, runs) in sorted(several.items())
    ]


def _left(component: Component, fixed: dict[int, list[int]]) -> _Left:
    """Cells of a minute are merged: which model a call was reported under is not asked."""
    cells: dict[int, list[int]] = {minute: [0, 0, 0, 0] for minute in fixed}
    for cell in component.cells:
        sums = cells.setdefault(cell.minute, [0, 0, 0, 0])
        for kind, value in enumerate(cell.usage.parts):
            sums[kind] += value
    lacking, wrong = [], []
    for minute, taken in fixed.items():
        sums = cells[minute] = [have - need for have, need in zip(cells[minute], taken, strict=True)]
        if sums[CALLS] < 0:
            lacking.append(_minute(minute))
            cells[minute] = [0, 0, 0, 0]
        elif min(sums) < 0 or (sums[CALLS] == 0 and any(sums)):
            wrong.append(_minute(minute))
            cells[minute] = [max(0, value) for value in sums]
    return _Left(cells, sorted(minute for minute, sums in cells.items() if any(sums)), sorted(lacking), sorted(wrong))


def _rest(member: Member, position: int, trusted: bool) -> SegmentPart:
    """What the member made beside its log: the calls and the tokens that the log lacks, as far as they are known."""
    log = member.claim.log
    calls = member.stated if member.read else None
    totals = member.totals
    if trusted and log:
        calls = None if calls is None else calls - log.total.api_calls
        tokens_in, tokens_out, cached = (
            None if said is None else said - logged
            for said, logged in zip(totals, log.total.parts[:CALLS], strict=True)
        )
        totals = (None, None, None) if member.cut_off else (tokens_in, tokens_out, cached)
    return SegmentPart(frozenset({position}), member.claim, member.read, calls, totals)


def _groups(spanning: Iterable[SegmentPart], minutes: Iterable[Window]) -> Iterator[tuple[Window, list[SegmentPart]]]:
    """Claims that overlap, with the window of all of them; and, alone, each minute that none of them covers."""
    ordered = sorted(spanning, key=lambda part: part.claim.span)
    groups = overlapping(ordered, lambda part: part.claim.span)
    found = [(Window(g[0].claim.span.start, max(part.claim.span.end for part in g)), g) for g in groups]
    covered = joined(window for window, _ in found)
    lone = {window for window in minutes if not any_meets(covered, window)}
    yield from sorted([*found, *((window, []) for window in lone)], key=lambda group: group[0])


def _segment(window: Window, parts: list[SegmentPart], beside: _Beside, left: _Left, *, quiet: bool) -> Segment:
    counted = all(part.calls is not None for part in parts)
    if _inside(left.wrong, window):  # a log is wrong, and all is done again without it
        return Segment(window=window, counted=counted, disputed=True, rests={}, shared={})
    lacking = _inside(left.lacking, window)
    component = _component(window, parts, left)
    tight, surplus = match(component)
    tight = joined([*tight, *lacking])
    if not tight and not surplus and parts and all(part.settled for part in parts):
        return _settled(window, component)
    parts = sorted([*parts, *beside.within(window)], key=lambda part: part.claim.span)
    component = _component(window, parts, left)
    facts = ComponentFacts(component, surplus, quiet and not counted, within_minutes(component, tight))
    bounds, disputed = bounded(facts)
    own = [(part, bound) for part, bound in zip(parts, bounds, strict=True) if not part.settled]
    rests = {run: bound for part, bound in own if bound for run in part.runs}
    shared = _shared(parts, component)
    return Segment(
        window=window,
        counted=counted,
        surplus=surplus,
        tight=tuple(tight),
        matched=counted and not surplus and not tight and not disputed and _adds_up(component),
        rests=rests,
        shared=shared,
        extra=frozenset(run for run in rests if _has_extra(run, parts, component, shared[run])),
        disputed=bool(disputed),
        blamed=frozenset(run for i in disputed for run in parts[i].runs),
    )


def _settled(window: Window, component: Component) -> Segment:
    """All that was recorded here was logged, and as many requests were reported."""
    matched = _adds_up(component)
    return Segment(
        window=window,
        counted=True,
        matched=matched,
        rests={},
        shared={},
        disputed=not matched,
    )


class _Beside:
    """Runs that recorded no call in a segment, though it lies in their window: a request more may be a retry of theirs.

    Segments have to be asked for by time.
    """

    def __init__(self, idle: Iterable[SegmentPart]) -> None:
        self._upcoming = sorted(idle, key=lambda part: part.claim.span, reverse=True)
        self._going: list[SegmentPart] = []

    def within(self, window: Window) -> Iterator[SegmentPart]:
        """Those whose window meets this one, cut to it."""
        while self._upcoming and self._upcoming[-1].claim.span.start < window.end:
            self._going.append(self._upcoming.pop())
        self._going = [part for part in self._going if part.claim.span.end > window.start]
        for part in self._going:
            claim = part.claim
            there = Window(max(claim.span.start, window.start), min(claim.span.end, window.end))
            cut = Claim(claim.run, claim.scope, claim.window, sessions=claim.sessions, reached=(there,))
            yield SegmentPart(part.runs, cut, part.read, part.calls, part.totals)


def _component(window: Window, parts: Sequence[SegmentPart], left: _Left) -> Component:
    minutes = left.minutes[slice(*_span(left.minutes, window))]
    cells = tuple(Bucket(minute, Usage(*left.cells[minute])) for minute in minutes)
    members = (
        Member(
            claim=part.claim,
            cells=tuple(range(*_span(minutes, part.claim.span))),
            read=part.read,
            calls=calls,
            totals=part.totals,
            settled=part.settled,
            fringe=frozenset(outside(part.claim, range(*_span(minutes, part.claim.span)), minutes)),
        )
        for part, calls in zip(parts, believed([part.calls for part in parts]), strict=True)
    )
    return Component(tuple(members), cells, window, Rules.RECORDS_FIRST)


def _adds_up(component: Component) -> bool:
    """Whether recorded tokens are known and their sums are what is left."""
    reported = total(cell.usage for cell in component.cells).parts
    for kind in range(CALLS):
        recorded = [member.totals[kind] if member.open else member.totals[kind] or 0 for member in component.members]
        if None in recorded or sum(value or 0 for value in recorded) != reported[kind]:
            return False
    return True


def _shared(parts: Sequence[SegmentPart], component: Component) -> dict[int, tuple[int, ...]]:
    """By run, the minutes of its window in which something is left that another run may own by what it recorded."""
    reached: list[set[int]] = [set() for _ in component.cells]
    for part, member in zip(parts, component.members, strict=True):
        if member.open:
            for cell in member.cells:
                reached[cell] |= part.runs
    return {
        run: tuple(component.cells[i].minute for i in member.cells if reached[i] - {run})
        for part, member in zip(parts, component.members, strict=True)
        if not part.settled
        for run in part.runs
    }


def _has_extra(run: int, parts: Sequence[SegmentPart], component: Component, shared: Collection[int]) -> bool:
    own = [part for part in parts if run in part.runs]
    calls = [part.calls for part in own]
    (rest,) = (m for part, m in zip(parts, component.members, strict=True) if run in part.runs and not part.settled)
    alone = sum(
        component.cells[i].usage.api_calls
        for i in rest.cells
        if i not in rest.fringe and component.cells[i].minute not in shared
    )
    return None not in calls and alone > sum(count or 0 for count in calls)


def _span(minutes: Sequence[int], window: Window) -> tuple[int, int]:
    return bisect_left(minutes, window.start), bisect_left(minutes, window.end)


def _inside(minutes: Sequence[Window], window: Window) -> Sequence[Window]:
    """Of these minutes, sorted, those inside the window."""
    first = bisect_left(minutes, window.start, key=lambda minute: minute.start)
    return minutes[first : bisect_left(minutes, window.end, key=lambda minute: minute.start)]


def _minute(minute: int) -> Window:
    return Window(minute, minute + MINUTE)
