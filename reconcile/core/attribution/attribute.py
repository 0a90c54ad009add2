"""Puts the parts together: components, guard minutes and what their members get become one attribution a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reconcile.core.attribution.components import Component, Pool, pools
from reconcile.core.attribution.guard import guards
from reconcile.core.attribution.shares import Share, holding_its_record, shares
from reconcile.core.claims import neighbours
from reconcile.core.model import (
    GUARD_MINUTES,
    Bounds,
    Bucket,
    Claim,
    Completeness,
    Guard,
    RunKey,
    Usage,
    Window,
    any_meets,
    joined,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What one claim gets, from a complete read of its window."""

    claim: Claim
    component: Component = field(repr=False, compare=False)
    """What it was attributed in."""
    rows: tuple[Bucket, ...]
    """The reported buckets that the claim admits, by minute."""
    reported: Usage
    """Their sum, whoever it belongs to: what stability is judged on."""
    bounds: Bounds | None
    """None where recorded calls have no reported request yet: nothing can be said before they do."""
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
    guard: Guard

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
            and log.total.api_calls > 0
            and not log.aborted
            and not self.mismatched
            and not self.surplus
            and self.completeness is Completeness.CALLS_AND_TOKENS_MATCHED
            and self.bounds == Bounds(log.total, log.total)
        )

    @property
    def figure(self) -> Usage:
        """The point figure: the high bound, and all that was reported where there are no bounds."""
        return self.bounds.high if self.bounds else self.reported


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
    found = pools([claim for claim in claims if any_meets(read, claim.window)], buckets, read)
    by_run = {attribution.claim.run: attribution for pool in found for attribution in _pool(pool, read)}
    return Attributed(by_run, tuple(row for pool in found for row in pool.unclaimed))


def attribute_again(
    claims: Sequence[Claim], buckets: Iterable[Bucket], run: RunKey, guard: Guard, *, surplus_nearby: bool
) -> dict[RunKey, Attribution]:
    """The attributions of a run's component from what they followed from before; every claim's window was read whole.

    What lies around these claims is not looked at but given: the guard minutes, and whether a surplus is near.
    """
    found = pools(claims, buckets, joined(claim.window for claim in claims))
    component = next(part for pool in found for part in pool.components if run in part.by_run)
    given = shares(component, quiet=guard.requests == 0).by_member
    again = _component(component, guard, given, surplus_nearby=surplus_nearby)
    return {attribution.claim.run: attribution for attribution in again}


def _pool(pool: Pool, covered: Sequence[Window]) -> Iterable[Attribution]:
    watched = guards(pool, covered)
    found = [shares(part, quiet=guard.requests == 0) for part, guard in zip(pool.components, watched, strict=True)]
    surplus = joined(window.widened(GUARD_MINUTES) for each in found for window in each.surplus)
    for component, guard, each in zip(pool.components, watched, found, strict=True):
        yield from _component(component, guard, each.by_member, surplus_nearby=any_meets(surplus, component.window))


def _component(
    component: Component, guard: Guard, given: Sequence[Share], *, surplus_nearby: bool
) -> Iterable[Attribution]:
    beside = neighbours(member.claim for member in component.members)
    if guard.requests or surplus_nearby:
        pairs = zip(component.members, given, strict=True)
        given = [holding_its_record(share, member.claim.known) for member, share in pairs]
    for member, share in zip(component.members, given, strict=True):
        if not member.read:
            continue
        yield Attribution(
            claim=member.claim,
            component=component,
            rows=tuple([component.cells[i] for i in member.cells]),
            reported=Usage(*[sum([values[i] for i in member.cells]) for values in component.values]),
            bounds=share.bounds,
            completeness=share.completeness,
            neighbours=beside.get(member.claim.run, ()),
            shared=share.shared,
            surplus=share.surplus,
            surplus_nearby=surplus_nearby,
            extra=share.extra,
            mismatched=share.mismatched,
            guard=guard,
        )
