"""What lies around a component: usage that nobody claims, and how far the provider's figures are.

Usage that nobody claims tells that somebody else uses the key. Only unclaimed minutes are counted, the nearest
`GUARD_MINUTES` of them on either side, so that a chain of runs looks past its neighbours. Minutes that a run may only
reach, because its clock may be off, are unclaimed as long as nothing shows that their usage is its own. Minutes that
were not read are not watched.

A provider may be hours late with one key or one model while the others are up to date. Then its newest minute lags
behind, and what a run used of it cannot be told from nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconcile.attribution.components import Component
from reconcile.attribution.serving import Pool, accounted
from reconcile.minutes import GUARD_MINUTES, MINUTE, Window, hull, joined
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim
from reconcile.runs.state import Guard
from reconcile.usage import Bucket


def guards(pool: Pool, covered: Sequence[Window]) -> list[Guard]:
    """The guard of each component of the pool, in its order."""
    owned = [_owned(component) for component in pool.components]
    gaps: dict[frozenset[Scope], list[Window]] = {}
    result = []
    for component, own in zip(pool.components, owned, strict=True):
        scopes = component.scopes
        if scopes not in gaps:
            gaps[scopes] = list(_gaps(_claimed(owned, scopes), covered))
        windows = _nearest(gaps[scopes], hull([window for _, window in own]))
        result.append(Guard(sum(window.minutes for window in windows), _requests(pool, scopes, windows)))
    return result


Owned = list[tuple[Scope, Window]]


def _owned(component: Component) -> Owned:
    """The minutes whose usage is that of these claims, as far as their records tell, with the scope of each."""
    if component.match:
        matched = [(scope, component.match.window) for scope in component.scopes]
        return [*matched, *((m.claim.scope, window) for m in component.members for window in m.claim.minutes)]
    known = accounted(component)
    return [
        (member.claim.scope, window)
        for member in component.members
        for window in (member.claim.reach if known else member.claim.minutes)
    ]


def _claimed(owned: Iterable[Owned], scopes: Iterable[Scope]) -> list[Window]:
    """Minutes in which some claim admits usage that one of the scopes admits too, sorted and apart."""
    return joined(window for each in owned for scope, window in each if any(scope.meets(other) for other in scopes))


def _gaps(claimed: Sequence[Window], covered: Iterable[Window]) -> Iterable[Window]:
    """Covered minutes that are not claimed. Both lists are sorted and their windows apart."""
    for part in covered:
        first = bisect_right(claimed, part.start, key=lambda window: window.end)
        last = bisect_left(claimed, part.end, key=lambda window: window.start)
        start = part.start
        for window in claimed[first:last]:
            if window.start > start:
                yield Window(start, window.start)
            start = window.end
        if start < part.end:
            yield Window(start, part.end)


def _nearest(gaps: Sequence[Window], window: Window) -> list[Window]:
    """The gaps on either side of the window, up to the `GUARD_MINUTES` nearest to it."""
    after = bisect_left(gaps, window.end, key=lambda gap: gap.start)
    left = _taken(gaps[i] for i in range(after - 1, -1, -1))
    right = _taken(gaps[i] for i in range(after, len(gaps)))
    return [
        *(Window(gap.end - count * MINUTE, gap.end) for gap, count in left),
        *(Window(gap.start, gap.start + count * MINUTE) for gap, count in right),
    ]


def _taken(gaps: Iterable[Window]) -> Iterable[tuple[Window, int]]:
    """Gaps and how many minutes to take of each, until there are enough."""
    wanted = GUARD_MINUTES
    for gap in gaps:
        count = min(wanted, gap.minutes)
        yield gap, count
        wanted -= count
        if not wanted:
            return


def _requests(pool: Pool, scopes: Iterable[Scope], windows: Iterable[Window]) -> int:
    """Requests in these windows that one of the scopes admits and nobody claims; tokens without any count as one."""
    requests = 0
    for window in windows:
        first = bisect_left(pool.rows, window.start, key=lambda row: row.minute)
        last = bisect_left(pool.rows, window.end, key=lambda row: row.minute)
        for row in pool.rows[first:last]:
            if any(scope.admits(row) for scope in scopes):
                requests += max(row.usage.api_calls, 1)
    return requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The newest minutes that hold usage, as one run is concerned."""

    newest: int | None = None
    """Of all that was read."""
    own: int | None = None
    """Of the run's own traffic."""
    silent: tuple[str, ...] = ()
    """Models of its traffic that were used before the run, and of which nothing has been reported since."""

    def stalled(self, claim: Claim) -> bool:
        """Whether the run's traffic ends before its last two minutes, though others are further."""
        ahead = self.newest is not None and self.newest >= claim.window.end
        return ahead and self.own is not None and self.own < claim.window.end - 2 * MINUTE


UNWATCHED = Feed()


class Feeds:
    """The feeds of the claims of one pool."""

    def __init__(self, rows: Iterable[Bucket], newest: int | None) -> None:
        self._rows = list(rows)
        self._newest = newest
        self._models: dict[Scope, dict[str | None, int]] = {}

    def of(self, claim: Claim) -> Feed:
        """What was seen of the claim's traffic."""
        models = self._of(claim.scope)
        ahead = self._newest is not None and self._newest >= claim.window.end
        silent = (model for model, minute in models.items() if model and minute < claim.span.start) if ahead else ()
        return Feed(newest=self._newest, own=max(models.values(), default=None), silent=tuple(sorted(silent)))

    def _of(self, scope: Scope) -> dict[str | None, int]:
        """By model, the newest minute with usage that the scope admits."""
        if scope not in self._models:
            found: dict[str | None, int] = {}
            for row in self._rows:
                if scope.admits(row) and not row.usage.is_zero:
                    found[row.model] = max(found.get(row.model, 0), row.minute)
            self._models[scope] = found
        return self._models[scope]
