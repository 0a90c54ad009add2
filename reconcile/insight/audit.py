"""The audit of runs: which checks apply to one, and what they come to together. No provider is asked.

Its attribution is made once more, from the evidence of the run and of all claims around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from reconcile.attribution.attribute import Attribution, attribute_again
from reconcile.attribution.evidence import Evidence
from reconcile.attribution.guard import Feed
from reconcile.errors import ReconcileError
from reconcile.insight.differences import (
    RESTORE,
    Difference,
    differing_claim,
    differing_copies,
    differing_figures,
    differing_log,
    differing_neighbours,
    differing_rows,
    differing_settings,
    differing_values,
    differing_verdict,
    named_evidence,
)
from reconcile.minutes import MINUTE
from reconcile.passes.summary import SCHEMA_VERSION, error_json, finding_json
from reconcile.providers.base import Scope
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import CallLog, Claim, Finding, Json, Run, RunKey, is_lfs_pointer
from reconcile.runs.seal import EVIDENCE, seal
from reconcile.runs.state import Guard, Policy, State
from reconcile.runs.text import POINTED
from reconcile.usage import Bucket


class AuditOutcome(StrEnum):
    """How the audit of a run ended."""

    SOUND = "sound"
    """Everything was computed again and is as the file says."""
    DIFFERENT = "different"
    UNAUDITED = "unaudited"
    """Nothing contradicts it, and not everything could be computed again."""
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A run and what lies beside its file."""

    run: Run
    value: Mapping[str, Any]
    data: bytes | None
    """The bytes of its evidence; None where there is none."""
    evidence: Evidence | None
    """What they say; None where they say nothing that can be read."""
    cut_off: bool = False
    """Whether a writer was killed after it had put this evidence in its place and before its file."""
    moved: bool = False
    """Whether its evidence is of a run of another name that is not there any more: its folder was renamed."""
    scope: Scope | None = None
    """The traffic that the settings name for it today; None where they name none."""
    rivals: tuple[Claim, ...] = ()
    """Claims of settled runs over its minutes that its verdict does not name."""
    lost: str | None = None
    """What an earlier commit knew of it and its file does not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """What the audit of a run came to. `why` says what was not computed again."""

    outcome: AuditOutcome
    why: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A run with the outcome, its differences as findings."""

    run: Run
    found: AuditResult
    findings: tuple[Finding, ...] = ()
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Of all runs that were asked for."""

    runs: tuple[Audited, ...]
    invalid: tuple[Finding, ...] = ()
    """Of files that are no valid run, call logs included: nothing of them can be audited."""
    errors: tuple[ReconcileError, ...] = ()
    """What kept files, or usage, from being read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What an audit of several runs shares: the evidence and the logs of all, and what was computed again so far."""

    known: Mapping[RunKey, Evidence]
    """By the name of the run in the evidence, which a renamed folder leaves as it was."""
    logs: Mapping[RunKey, CallLog]
    policy: Policy
    """What the settings ask for today."""
    made: Made = field(default_factory=dict)


def audit(subject: Subject, beside: Beside, *, required: bool) -> AuditResult:
    """Compute the run's figure and verdict again. `required`: a verdict of ours without evidence is a difference."""
    state = subject.run.state
    if subject.lost:
        return _different([((BLOCK,), f"{subject.lost}; {RESTORE}")])
    if state is None:
        return _unread(subject)
    if named_evidence(subject.value) is not None:
        return _against(subject, state, beside)
    if not state.ours:
        return _theirs(subject)
    return _without(required=required)


def _against(subject: Subject, state: State, beside: Beside) -> AuditResult:
    """The audit against evidence. What it was made with is looked at first: else nothing can be computed from it."""
    evidence = subject.evidence
    if evidence is None:
        return _different([((BLOCK, EVIDENCE), f"usage_evidence.json {_lacking(subject.data)}")])
    if subject.cut_off and seal(subject.value) == subject.value[BLOCK][EVIDENCE]["seal"]:
        return AuditResult(
            outcome=AuditOutcome.UNAUDITED, why="a writer was killed in the middle of it; the next pass mends it"
        )
    changed = [
        *differing_values(subject.value, subject.data or b"", evidence),
        *differing_claim(subject.run, state, evidence, moved=subject.moved),
        *differing_copies(subject.value, state),
    ]
    if state.policy is None:
        changed.append(((BLOCK,), f"names evidence, and not the policy it was judged by; {RESTORE}"))
    if state.policy is None or any(pointer != (BLOCK, EVIDENCE, "seal") for pointer, _ in changed):
        return _different(changed)
    again = attributed_again(evidence, beside.known, beside.logs, beside.made)
    if again.attribution is None:
        return _different(changed) if changed else AuditResult(outcome=AuditOutcome.UNAUDITED, why=again.why_not)
    differences = [
        *differing_rows(evidence, again.attribution),
        *differing_figures(subject.run, state, subject.value, again.attribution, evidence),
        *differing_verdict(subject.run, state, again.attribution, state.policy, evidence),
        *differing_settings(state, evidence, subject.scope, beside.policy),
        *differing_log(subject.run, state),
        *differing_neighbours(state, subject.rivals),
        *changed,  # behind the place of the edit, where that can be told
    ]
    return _different(differences) if differences else AuditResult(outcome=AuditOutcome.SOUND)


def _lacking(data: bytes | None) -> str:
    """Why there is no evidence in these bytes, and the remedy."""
    if data is not None and is_lfs_pointer(data):
        return POINTED
    return f"{'is not there' if data is None else 'is no evidence'}; {RESTORE}"


def audit_json(done: Audit) -> dict[str, Json]:
    """The audit as one document."""
    counts = {outcome.value: sum(each.found.outcome is outcome for each in done.runs) for outcome in AuditOutcome}
    return {
        "schema_version": SCHEMA_VERSION,
        "counts": counts,
        "runs": [
            {
                "framework": each.run.key.framework,
                "run_id": each.run.key.run_id,
                "path": each.run.path,
                "outcome": each.found.outcome.value,
                "why": each.found.why or None,
                "differences": [finding_json(finding) for finding in each.findings],
            }
            for each in done.runs
        ],
        "invalid": [finding_json(finding) for finding in done.invalid],
        "errors": [error_json(error) for error in done.errors],
    }


def _unread(subject: Subject) -> AuditResult:
    """A file without a verdict. Evidence beside it shows that one was taken out, or is left of another run."""
    if subject.data is not None and not subject.cut_off:
        return _without_verdict()
    return AuditResult(outcome=AuditOutcome.UNREAD)


def _theirs(subject: Subject) -> AuditResult:
    """A verdict that is not ours, unless evidence shows that there was one of ours."""
    if subject.evidence and _taken_out(subject, subject.evidence):
        return _without_verdict()
    return AuditResult(outcome=AuditOutcome.UNAUDITED, why="another tool read it, and left no evidence")


def _taken_out(subject: Subject, evidence: Evidence) -> bool:
    """Whether evidence is left of this very run that no killed writer put there. A run made again has other times."""
    return evidence.own.claim.window == subject.run.window and not subject.cut_off


def _without_verdict() -> AuditResult:
    left = "says no verdict, and usage_evidence.json beside it was written for one"
    return _different([((), f"{left}; {RESTORE}; if the run was made again, delete usage_evidence.json")])


def _without(*, required: bool) -> AuditResult:
    if required:
        return _different([((BLOCK,), f"names no evidence; {RESTORE}, or set evidence: off in reconcile.yml")])
    return AuditResult(outcome=AuditOutcome.UNAUDITED, why="evidence is off")


def _different(differences: list[Difference]) -> AuditResult:
    return AuditResult(outcome=AuditOutcome.DIFFERENT, differences=tuple(differences))


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
    rows: dict[Bucket, Bucket] = {}
    for evidence in around:
        for row in evidence.rows:
            known = rows.setdefault(row.cell, row)
            if known.usage != row.usage:
                return None
            if known.cache_write is None:
                rows[row.cell] = row
    return list(rows.values())
