"""Puts the parts together: components, guard minutes and what their members get become one attribution a claim."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconcile.attribution.booking import Shift, elsewhere, shift_of
from reconcile.attribution.claims import neighbours
from reconcile.attribution.components import Component, Member, Rules
from reconcile.attribution.guard import UNWATCHED, Feed, Feeds, guards
from reconcile.attribution.serving import Pool, pools
from reconcile.attribution.shares import Share, holding_its_record, shares
from reconcile.attribution.uncounted import UNTOLD, at_most, seen, untold, untold_bounds, without_calls
from reconcile.minutes import GUARD_MINUTES, MINUTE, Window, any_meets, joined
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Completeness, Guard
from reconcile.usage import Bounds, Bucket, Usage, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What one claim gets, from a complete read of its window."""

    claim: Claim
    component: Component = field(repr=False, compare=False)
    """What it was attributed in."""
    rows: tuple[Bucket, ...]
    """The reported buckets that the claim admits, by minute."""
    reported: Usage
    """All usage of its reach and scope, whoever it belongs to, or what was recorded where that says it all: what
    stability is judged on, so that no neighbour moves it that appears, leaves or is told apart."""
    bounds: Bounds | None
    """None where recorded calls or tokens were not reported yet: nothing can be said before they are."""
    completeness: Completeness
    neighbours: tuple[Claim, ...] = ()
    """The other claims that share minutes with it, whether these hold usage or not."""
    shared: tuple[int, ...] = ()
    """The minutes that hold usage which another claim may own as well."""
    surplus: int = 0
    """Requests beyond the recorded calls that may lie in its minutes; 0 where a neighbour's calls are unknown."""
    surplus_nearby: bool = False
    """Whether requests that nobody recorded were reported within the guard minutes around it."""
    extra: bool = False
    """Whether more was reported in its minutes than it, or anyone else who may be there, recorded."""
    mismatched: bool = False
    """Whether what it recorded, or its call log, cannot be true beside what was reported."""
    lacking: bool = False
    """Whether fewer tokens were reported than it recorded."""
    beyond: tuple[int, ...] = ()
    """The minutes outside its own, and of no other run that it was attributed with, that hold usage of its reach."""
    shift: Shift | None = None
    """By how much its log must be shifted to lie in the reported minutes, where it is complete and can be made to."""
    misplaced: int | None = None
    """By how many minutes its window must be shifted to hold just what it recorded, in minutes that nobody claims."""
    feed: Feed
    guard: Guard

    @property
    def unknown(self) -> frozenset[str]:
        """The kinds that its provider does not tell: they are 0 in every figure here."""
        return frozenset() if self.claim.scope.counted else UNTOLD

    @property
    def exact(self) -> bool:
        return self.bounds is not None and self.bounds.exact

    @property
    def log_matched(self) -> bool:
        """Whether this read is all that the run's complete log holds, call for call and token for token.

        Then no later read can add to it. An aborted call could, for it may be billed late.
        """
        log = self.claim.log
        return (
            log is not None
            and log.complete
            and not self.claim.known.unknown
            and log.total.api_calls > 0
            and not log.aborted
            and not self.mismatched
            and not self.surplus
            and self.completeness is Completeness.CALLS_AND_TOKENS_MATCHED
            and self.bounds == Bounds(log.total, log.total)
        )

    @property
    def aborted_billed(self) -> int:
        """Requests beyond the recorded calls that are calls whose answer was cut off, or that nobody understood."""
        known = self.claim.known
        if known.api_calls is None or self.neighbours:
            return 0
        beyond = self.reported.api_calls - known.api_calls
        return beyond if 0 < beyond <= known.aborted + known.unknown else 0

    @property
    def record_matched(self) -> bool:
        """Whether this read is what the run recorded, calls and all tokens, and none of it may be another's."""
        recorded = self.claim.known.parts
        return (
            self.completeness is Completeness.CALLS_AND_TOKENS_MATCHED
            and not self.mismatched
            and bool(recorded[-1])
            and self.bounds is not None
            and self.bounds.exact
            and self.bounds.high.parts == recorded
        )

    @property
    def figure(self) -> Usage:
        """The point figure: the high bound, and all that may be its own where there are no bounds."""
        return self.bounds.high if self.bounds else total(row.usage for row in self.rows)


@dataclass(frozen=True, slots=True)
class Attributed:
    """The outcome for all claims whose window was read whole, and the usage of their scopes that no claim covers."""

    by_run: dict[RunKey, Attribution]
    unattributed: tuple[Bucket, ...]


def attribute(claims: Sequence[Claim], buckets: Iterable[Bucket], covered: Iterable[Window]) -> Attributed:
    """Share the reported `buckets` out among all claims.

    `covered` are the minutes that were read completely. A claim that was read in part takes part with its calls
    unknown; one that lies outside does not take part at all; neither gets an attribution.
    """
    read = joined(covered)
    made = {claim.run: claim for claim in claims}
    claims, buckets = _as_told(claims, buckets)
    newest = max((bucket.minute for bucket in buckets), default=None)
    found = pools([claim for claim in claims if any_meets(read, claim.span)], buckets, read)
    shared_out = (attribution for pool in found for attribution in _pool(pool, read, newest))
    return Attributed(_as_claimed(shared_out, made), tuple(row for pool in found for row in pool.unclaimed))


def _as_told(claims: Sequence[Claim], buckets: Iterable[Bucket]) -> tuple[Sequence[Claim], list[Bucket]]:
    """Claims of one provider and its rows, as the rules take them."""
    if all(claim.scope.counted for claim in claims):
        return claims, list(buckets)
    return [without_calls(claim) for claim in claims], at_most(buckets)


def attribute_again(
    claims: Sequence[Claim],
    buckets: Iterable[Bucket],
    run: RunKey,
    guard: Guard,
    feed: Feed | None,
    *,
    surplus_nearby: bool,
) -> dict[RunKey, Attribution]:
    """The attributions of a run's component from what they followed from before; all that a claim reaches was read.

    What lies around these claims is not looked at but given: the guard minutes, how far the feed was, and whether a
    surplus is near. Nobody looked at the feed in version one, whose rules are then taken.
    """
    rules = Rules.WINDOWS_FIRST if feed is None else Rules.RECORDS_FIRST
    made = {claim.run: claim for claim in claims}
    claims, buckets = _as_told(claims, buckets)
    found = pools(claims, buckets, joined(window for claim in claims for window in claim.reach), rules)
    component = next(part for pool in found for part in pool.components if run in part.by_run)
    given = shares(component, quiet=guard.requests == 0).by_member
    again = _component(component, guard, given, surplus_nearby=surplus_nearby)
    return _as_claimed((replace(attribution, feed=feed or UNWATCHED) for attribution in again), made)


def _as_claimed(found: Iterable[Attribution], made: Mapping[RunKey, Claim]) -> dict[RunKey, Attribution]:
    """By run, with the claims as they were made: what they admit is more than what was there to be admitted."""
    by_run = {}
    for attribution in found:
        claim = made[attribution.claim.run]
        if attribution.claim != claim:
            attribution = replace(attribution, claim=claim)  # noqa: PLW2901
        by_run[claim.run] = attribution if claim.scope.counted else _untold(attribution, made)
    return by_run


def _untold(attribution: Attribution, made: Mapping[RunKey, Claim]) -> Attribution:
    """Without the calls that nobody told, and beside claims that say all that they recorded."""
    return replace(
        attribution,
        neighbours=tuple(made[claim.run] for claim in attribution.neighbours),
        rows=tuple(replace(row, usage=untold(row.usage)) for row in attribution.rows),
        reported=untold(attribution.reported),
        bounds=untold_bounds(attribution.bounds),
        guard=seen(attribution.guard),
    )


def _pool(pool: Pool, covered: Sequence[Window], newest: int | None) -> Iterable[Attribution]:
    watched = guards(pool, covered)
    found = [shares(part, quiet=guard.requests == 0) for part, guard in zip(pool.components, watched, strict=True)]
    surplus = joined(window.widened(GUARD_MINUTES) for each in found for window in each.surplus)
    beside = neighbours(pool.claims)
    feeds = Feeds(pool.rows, newest)
    for component, guard, each in zip(pool.components, watched, found, strict=True):
        nearby = any_meets(surplus, component.window)
        for attribution in _component(component, guard, each.by_member, surplus_nearby=nearby):
            claim = attribution.claim
            misplaced = _misplaced(attribution, pool)
            reported = attribution.reported if component.match else _reported_to(claim, pool)
            yield replace(
                attribution,
                neighbours=beside.get(claim.run, ()),
                feed=feeds.of(claim),
                misplaced=misplaced,
                reported=reported,
            )


def _component(
    component: Component, guard: Guard, given: Sequence[Share], *, surplus_nearby: bool
) -> Iterable[Attribution]:
    beside = neighbours(member.claim for member in component.members)
    outside = [_beyond(component, member) for member in component.members]
    if guard.requests or surplus_nearby or any(outside):
        pairs = zip(component.members, given, strict=True)
        given = [holding_its_record(share, member.claim.known) for member, share in pairs]
    for member, share, beyond in zip(component.members, given, outside, strict=True):
        if not member.read:
            continue
        yield Attribution(
            claim=member.claim,
            component=component,
            rows=tuple([component.cells[i] for i in member.cells]),
            reported=_reported(component, member, share),
            bounds=share.bounds,
            completeness=share.completeness,
            neighbours=beside.get(member.claim.run, ()),
            shared=share.shared,
            surplus=share.surplus,
            surplus_nearby=surplus_nearby,
            extra=share.extra,
            mismatched=share.mismatched,
            lacking=share.lacking,
            beyond=beyond,
            shift=_shift(component, member),
            feed=UNWATCHED,
            guard=guard,
        )


def _reported(component: Component, member: Member, share: Share) -> Usage:
    if component.match and share.bounds:
        return share.bounds.high
    return Usage(*[sum([values[i] for i in member.cells]) for values in component.values])


def _reported_to(claim: Claim, pool: Pool) -> Usage:
    """What was reported in its reach, of which others may have been told apart."""
    spans = (
        (bisect_left(pool.rows, part.start, key=_minute_of), bisect_left(pool.rows, part.end, key=_minute_of))
        for part in claim.reach
    )
    return total(row.usage for first, last in spans for row in pool.rows[first:last] if claim.scope.admits(row))


def _minute_of(row: Bucket) -> int:
    return row.minute


def _beyond(component: Component, member: Member) -> tuple[int, ...]:
    minutes = sorted({component.cells[i].minute for i in member.fringe})
    own = component.own_minutes if minutes else []
    return tuple(minute for minute in minutes if not any_meets(own, Window(minute, minute + MINUTE)))


def _shift(component: Component, member: Member) -> Shift | None:
    """Told where the run is alone in these minutes, so that each call there is its own."""
    log = member.claim.log
    if log is None or not log.complete or len(component.members) > 1 or member.claim.doubted:
        return None
    shift = shift_of(log, component.cells)
    offset = member.claim.clock.offset
    return (shift[0] - offset, shift[1] - offset) if shift else None


def _misplaced(attribution: Attribution, pool: Pool) -> int | None:
    """Looked for where the run's own minutes lack what it recorded."""
    recorded = attribution.claim.known.parts
    if attribution.bounds is not None or None in recorded or not recorded[-1]:
        return None
    figure = Usage(*(part or 0 for part in recorded))
    rows = [row for row in pool.unclaimed if attribution.claim.scope.admits(row)]
    rows = sorted([*rows, *attribution.rows], key=lambda row: row.minute)
    return elsewhere(figure, rows, attribution.claim.window, GUARD_MINUTES)
