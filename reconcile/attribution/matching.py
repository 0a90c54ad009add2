"""Runs whose records say it all: their calls and tokens, added up, are just what was reported in some minutes.

Then it does not matter in which of these minutes a call was booked, what a log says of that, or whose minutes they are
by the clocks of the runs: the figure of each is what it recorded. Looked for are runs that follow each other and whole
minutes that they can reach, so that a stranger's request, or a call that was never billed, holds up only the runs
that it lies among.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from reconcile.attribution.components import CALLS, Component, Match, Member
from reconcile.minutes import MINUTE, Window, any_meets, joined
from reconcile.usage import KINDS

MOST_CUTS = 200_000
"""Places between two runs that are looked at in one component: more than a week of runs that overlap four deep has."""

Sums = tuple[int, ...]
ALL_KINDS = tuple(range(len(KINDS)))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A place between members: so many of them before it, and the minute at which it is."""

    members: int
    minute: int


def matches(component: Component) -> list[Match]:
    """Apart, and in the order of time. None where scopes differ: whose a request is then, its minute does not tell."""
    if len(component.scopes) > 1 or not component.cells:
        return []
    cuts = _Cuts(component)
    if cuts.count > MOST_CUTS:
        return []
    found = _without_leftovers(component, list(_whole(component, cuts)))
    taken = {position for match in found for position in match.members}
    alone = (position for position in range(len(component.members)) if position not in taken)
    found += [match for position in alone if (match := _tokens(component, cuts, position, found))]
    return sorted(found, key=lambda match: match.window)


def _without_leftovers(component: Component, found: list[Match]) -> list[Match]:
    """The matches in whose runs' own minutes all usage is matched: a request more, there, may be a retry that one of
    them made and did not record."""
    minutes = sorted({cell.minute for cell in component.cells})
    kept = found
    while True:
        taken = joined(match.window for match in kept)
        left = [minute for minute in minutes if not any_meets(taken, Window(minute, minute + MINUTE))]
        whole = [match for match in kept if not _own_any(component, match, left)]
        if len(whole) == len(kept):
            return kept
        kept = whole


def _own_any(component: Component, match: Match, minutes: Sequence[int]) -> bool:
    """Whether one of the minutes, which are sorted, is a matched run's own."""
    own = (window for i in match.members for window in component.members[i].claim.minutes)
    return any(bisect_left(minutes, window.start) < bisect_left(minutes, window.end) for window in own)


class _Cuts:
    """Where the usage of the members before a place may end and that of the others begin, and what lies before it."""

    def __init__(self, component: Component) -> None:
        members = [member.claim for member in component.members]
        self._minutes = [cell.minute for cell in component.cells]
        self._sums = [list(accumulate(values, initial=0)) for values in component.values]
        ends = list(accumulate((claim.window.end for claim in members), max))
        last = list(accumulate((claim.span.end for claim in members), max))
        starts = list(accumulate((claim.window.start for claim in reversed(members)), min))[::-1]
        first = list(accumulate((claim.span.start for claim in reversed(members)), min))[::-1]
        self._limits = [
            (first[0], starts[0]),
            *(
                (min(end, far), max(start, late))
                for end, late, start, far in zip(ends[:-1], last[:-1], starts[1:], first[1:], strict=True)
            ),
            (ends[-1], last[-1]),
        ]
        self.count = sum((high - low) // MINUTE + 1 for low, high in self._limits)

    def at(self, members: int) -> Iterator[_Cut]:
        """Minutes at which the members before may end: what they leave of their own is in the reach of the others."""
        low, high = self._limits[members]
        return (_Cut(members, minute) for minute in range(low, high + MINUTE, MINUTE))

    def before(self, cut: _Cut, kinds: Sequence[int]) -> Sums:
        """What was reported before the cut."""
        position = bisect_left(self._minutes, cut.minute)
        return tuple([self._sums[kind][position] for kind in kinds])


def record(member: Member) -> Sums | None:
    """Tokens and calls of the member as it recorded them; None where it did not record all, or was not read whole."""
    recorded = (*member.totals, member.stated)
    if not member.read or None in recorded or member.claim.known.unknown or len(member.claim.reach) > 1:
        return None
    return tuple(part or 0 for part in recorded)


def _whole(component: Component, cuts: _Cuts) -> Iterator[Match]:
    """Runs with whole records. Between two cuts lies what they recorded where reported and recorded sums before the
    cuts differ by as much."""
    recorded = [record(member) for member in component.members]
    nothing = (0,) * len(KINDS)
    said = list(accumulate((sums or nothing for sums in recorded), _plus, initial=nothing))
    open_: dict[Sums, _Cut] = {}
    for position in range(len(recorded) + 1):
        if position and recorded[position - 1] is None:
            open_ = {}
        here = [(_minus(cuts.before(cut, ALL_KINDS), said[position]), cut) for cut in cuts.at(position)]
        closed = [(open_[sums], cut) for sums, cut in here if sums in open_ and open_[sums].minute < cut.minute]
        closed = [pair for pair in closed if said[pair[1].members][CALLS] > said[pair[0].members][CALLS]]
        if closed:
            start, end = max(closed, key=lambda pair: pair[0].members)
            yield Match(members=range(start.members, end.members), window=Window(start.minute, end.minute), whole=True)
            open_ = {}
            here = [(sums, cut) for sums, cut in here if cut.minute >= end.minute]
        for sums, cut in here:
            open_.setdefault(sums, cut)
            if open_[sums].members < cut.members and said[open_[sums].members] == said[cut.members]:
                open_[sums] = cut


def _tokens(component: Component, cuts: _Cuts, position: int, found: Sequence[Match]) -> Match | None:
    """One run that recorded input and output, but not all: minutes that hold just that, its own if they do."""
    member = component.members[position]
    recorded = (*member.totals, member.stated)
    kinds = [kind for kind in ALL_KINDS if recorded[kind] is not None]
    if not member.read or not {0, 1}.issubset(kinds) or len(kinds) == len(KINDS) or len(member.claim.reach) > 1:
        return None
    wanted = tuple(recorded[kind] or 0 for kind in kinds)
    if not any(wanted):
        return None
    window = member.claim.window
    fits = [
        Window(start.minute, end.minute)
        for start in cuts.at(position)
        for end in cuts.at(position + 1)
        if start.minute < end.minute and _minus(cuts.before(end, kinds), cuts.before(start, kinds)) == wanted
    ]
    fits = [fit for fit in fits if not any(fit.meets(match.window) for match in found)]
    best = min(fits, key=lambda fit: abs(fit.start - window.start) + abs(fit.end - window.end), default=None)
    return Match(members=range(position, position + 1), window=best, whole=False) if best else None


def _plus(one: Sums, other: Sums) -> Sums:
    return tuple([a + b for a, b in zip(one, other, strict=True)])


def _minus(one: Sums, other: Sums) -> Sums:
    return tuple([a - b for a, b in zip(one, other, strict=True)])
