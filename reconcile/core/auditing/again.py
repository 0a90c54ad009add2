"""An attribution made once more, from the evidence of a run and of all claims around it. No provider is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconcile.core.attribution import Attribution, Feed, attribute_again
from reconcile.core.evidence import Evidence
from reconcile.core.model import MINUTE, Bucket, CallLog, Claim, Guard, RunKey, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The attribution as it follows from the evidence; or why it cannot be had from it."""

    attribution: Attribution | None
    why_not: str = ""


Made = dict[tuple[str, Guard, Feed | None, bool], Mapping[RunKey, Attribution]]
"""Attributions that were made again, by what they follow from: those of a component are made at once."""


def attributed_again(
    evidence: Evidence, known: Mapping[RunKey, Evidence], logs: Mapping[RunKey, CallLog], made: Made | None = None
) -> Again:
    """The run's attribution, from its own evidence and that of all claims around it.

    `made`: what was made before, which is added to. It is taken where the run's own claim and rows are in it as they
    stand in its evidence; the fingerprint holds all the others.
    """
    made = {} if made is None else made
    given = (evidence.fingerprint, evidence.guard, evidence.feed, evidence.surplus_nearby)
    before = made.get(given, {}).get(evidence.own.claim.run)
    if before and before.rows == evidence.rows and before.claim == _with_log(evidence, logs):
        return Again(attribution=_as_reported(before, evidence))
    around = _around(evidence, known)
    if isinstance(around, RunKey):
        return Again(attribution=None, why_not=f"it rests on {around} too, which has no evidence")
    named = [_with_log(each, logs) for each in around]
    if None in named:
        return Again(attribution=None, why_not="a call log beside it is not the one it was made with")
    rows = _rows(around)
    if rows is None:
        return Again(attribution=None, why_not="usage of minutes that it shares has changed since")
    run = evidence.own.claim.run
    for claims in _spellings([claim for claim in named if claim], logs):
        attributions = attribute_again(
            claims, rows, run, evidence.guard, evidence.feed, surplus_nearby=evidence.surplus_nearby
        )
        again = attributions[run]
        if again.component.fingerprint == evidence.fingerprint:
            break
    if again.component.fingerprint != evidence.fingerprint and evidence.runs > 1:
        return Again(attribution=None, why_not="claims or usage around it have changed since")
    if again.component.fingerprint == evidence.fingerprint:
        made[given] = attributions
    return Again(attribution=_as_reported(again, evidence))


def _as_reported(attribution: Attribution, evidence: Evidence) -> Attribution:
    """With all that was reported in its reach. Rows of others that were told apart there are not in the evidence."""
    return replace(attribution, reported=evidence.reported) if evidence.reported else attribution


def _around(evidence: Evidence, known: Mapping[RunKey, Evidence]) -> list[Evidence] | RunKey:
    """The evidence of every claim that is met at first or second hand, its own first; or the run that has none.

    Evidence that is newer may know claims of runs that had not ended when this figure was read. They are left out.
    """
    found = {evidence.own.claim.run: evidence}
    open_ = [witness.claim.run for witness in evidence.neighbours]
    while open_:
        run = open_.pop()
        if run in found:
            continue
        if run not in known:
            return run
        found[run] = known[run]
        beside = (witness.claim for witness in known[run].neighbours)
        open_ += [claim.run for claim in beside if claim.window.end - MINUTE < evidence.read_at.timestamp()]
    return list(found.values())


def _with_log(evidence: Evidence, logs: Mapping[RunKey, CallLog]) -> Claim | None:
    """The claim with its call log, if that is the one that was read; without one that came later."""
    claim, wanted = evidence.own.claim, evidence.own.log_digest
    log = logs.get(claim.run) if wanted else None
    if wanted is None:
        return replace(claim, log=None)
    return replace(claim, log=replace(log, digest=wanted)) if log and log.is_named(wanted) else None


def _spellings(claims: list[Claim], logs: Mapping[RunKey, CallLog]) -> list[list[Claim]]:
    """The claims with the digests by which each run's own evidence names its log, then with those of one version for
    all: evidence from before an upgrade may lie beside newer, and the fingerprint of each is of its own time."""
    names = {claim.run: logs[claim.run].names for claim in claims if claim.log}
    most = max(map(len, names.values()), default=0)
    found = [claims, *([_spelled(claim, names.get(claim.run, ()), place) for claim in claims] for place in range(most))]
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _spelled(claim: Claim, names: tuple[str, ...], place: int) -> Claim:
    """The claim with its log under the digest at that place, or the last there is."""
    return replace(claim, log=replace(claim.log, digest=names[min(place, len(names) - 1)])) if claim.log else claim


def _rows(around: Iterable[Evidence]) -> list[Bucket] | None:
    """The rows of all of them, a shared one once; None where two know different usage of the same."""
    cells: dict[Bucket, Usage] = {}
    for evidence in around:
        for row in evidence.rows:
            if cells.setdefault(replace(row, usage=Usage()), row.usage) != row.usage:
                return None
    return [replace(cell, usage=usage) for cell, usage in cells.items()]
