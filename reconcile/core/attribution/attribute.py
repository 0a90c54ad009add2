"""Puts the parts together: components, late data, guard minutes and bounds become one attribution a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reconcile.core.attribution.bounds import Facts, bounded
from reconcile.core.attribution.components import Component, Pool, pools
from reconcile.core.attribution.guard import guards
from reconcile.core.attribution.serving import serve
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
    total,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What one claim gets, from a complete read of its window."""

    claim: Claim
    component: Component = field(repr=False, compare=False)
    """What it was attributed in."""
    rows: tuple[Bucket, ...]
    """The reported buckets that the claim admits, by minute."""
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
    mismatched: bool = False
    """Whether its recorded token totals cannot be true beside what was reported."""
    guard: Guard

    @property
    def reported(self) -> Usage:
        """All usage of window and scope, whoever it belongs to: what stability is judged on."""
        return total(row.usage for row in self.rows)

    @property
    def exact(self) -> bool:
        return self.bounds is not None and self.bounds.exact

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


def _pool(pool: Pool, covered: Sequence[Window]) -> Iterable[Attribution]:
    late = [serve(component) for component in pool.components]
    surplus = joined(
        component.window.widened(GUARD_MINUTES)
        for component, (_, extra) in zip(pool.components, late, strict=True)
        if extra and component.counted
    )
    for component, (short, extra), guard in zip(pool.components, late, guards(pool, covered), strict=True):
        closed = not component.counted and guard.requests == 0
        facts = Facts(component, extra, closed, short)
        yield from _component(facts, guard, any_meets(surplus, component.window))


def _component(facts: Facts, guard: Guard, surplus_nearby: bool) -> Iterable[Attribution]:
    component = facts.component
    bounds, contradicted = bounded(facts)
    completeness = _completeness(facts, contradicted)
    surplus = facts.surplus if completeness is not Completeness.ASSUMED else 0
    open_claims = component.open_claims()
    beside = neighbours(member.claim for member in component.members)
    for position, member in enumerate(component.members):
        if not member.read:
            continue
        cells = [component.cells[i] for i in member.cells]
        matched = member.claim.recorded.parts == total(cell.usage for cell in cells).parts
        yield Attribution(
            claim=member.claim,
            component=component,
            rows=tuple(cells),
            bounds=bounds[position],
            completeness=Completeness.CALLS_AND_TOKENS_MATCHED if matched else completeness,
            neighbours=beside.get(member.claim.run, ()),
            shared=tuple(sorted({component.cells[i].minute for i in member.cells if open_claims[i] > member.open})),
            surplus=surplus,
            surplus_nearby=surplus_nearby,
            mismatched=position in contradicted,
            guard=guard,
        )


def _completeness(facts: Facts, contradicted: frozenset[int]) -> Completeness:
    """What the component's figures rest on: everyone's calls and tokens, everyone's calls, or a closed key."""
    component = facts.component
    if not component.counted:
        return Completeness.ASSUMED
    recorded = zip(*(member.claim.recorded.parts for member in component.members), strict=True)
    sums = tuple(None if None in kind else sum(value or 0 for value in kind) for kind in recorded)
    reported = total(cell.usage for cell in component.cells).parts
    if sums == reported and not facts.surplus and not contradicted:
        return Completeness.CALLS_AND_TOKENS_MATCHED
    return Completeness.CALLS_MATCHED
