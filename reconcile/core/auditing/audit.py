"""The audit of one run: which checks apply, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconcile.core.auditing.again import Made, attributed_again
from reconcile.core.auditing.differences import (
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
from reconcile.core.decoding import POINTED
from reconcile.core.evidence import Evidence
from reconcile.core.model import CallLog, Claim, Finding, Json, Policy, Run, RunKey, Scope, State, is_lfs_pointer
from reconcile.core.reading import BLOCK
from reconcile.core.seal import EVIDENCE, seal
from reconcile.core.summary import SCHEMA_VERSION, error_json, finding_json
from reconcile.errors import ReconcileError


class Outcome(StrEnum):
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
class Found:
    """What the audit of a run came to. `why` says what was not computed again."""

    outcome: Outcome
    why: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A run with the outcome, its differences as findings."""

    run: Run
    found: Found
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


def audit(subject: Subject, beside: Beside, *, required: bool) -> Found:
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


def _against(subject: Subject, state: State, beside: Beside) -> Found:
    """The audit against evidence. What it was made with is looked at first: else nothing can be computed from it."""
    evidence = subject.evidence
    if evidence is None:
        return _different([((BLOCK, EVIDENCE), f"usage_evidence.json {_lacking(subject.data)}")])
    if subject.cut_off and seal(subject.value) == subject.value[BLOCK][EVIDENCE]["seal"]:
        return Found(outcome=Outcome.UNAUDITED, why="a writer was killed in the middle of it; the next pass mends it")
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
        return _different(changed) if changed else Found(outcome=Outcome.UNAUDITED, why=again.why_not)
    differences = [
        *differing_rows(evidence, again.attribution),
        *differing_figures(subject.run, state, subject.value, again.attribution, evidence),
        *differing_verdict(subject.run, state, again.attribution, state.policy, evidence),
        *differing_settings(state, evidence, subject.scope, beside.policy),
        *differing_log(subject.run, state),
        *differing_neighbours(state, subject.rivals),
        *changed,  # behind the place of the edit, where that can be told
    ]
    return _different(differences) if differences else Found(outcome=Outcome.SOUND)


def _lacking(data: bytes | None) -> str:
    """Why there is no evidence in these bytes, and the remedy."""
    if data is not None and is_lfs_pointer(data):
        return POINTED
    return f"{'is not there' if data is None else 'is no evidence'}; {RESTORE}"


def audit_json(done: Audit) -> dict[str, Json]:
    """The audit as one document."""
    counts = {outcome.value: sum(each.found.outcome is outcome for each in done.runs) for outcome in Outcome}
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


def _unread(subject: Subject) -> Found:
    """A file without a verdict. Evidence beside it shows that one was taken out, or is left of another run."""
    if subject.data is not None and not subject.cut_off:
        return _without_verdict()
    return Found(outcome=Outcome.UNREAD)


def _theirs(subject: Subject) -> Found:
    """A verdict that is not ours, unless evidence shows that there was one of ours."""
    if subject.evidence and _taken_out(subject, subject.evidence):
        return _without_verdict()
    return Found(outcome=Outcome.UNAUDITED, why="another tool read it, and left no evidence")


def _taken_out(subject: Subject, evidence: Evidence) -> bool:
    """Whether evidence is left of this very run that no killed writer put there. A run made again has other times."""
    return evidence.own.claim.window == subject.run.window and not subject.cut_off


def _without_verdict() -> Found:
    left = "says no verdict, and usage_evidence.json beside it was written for one"
    return _different([((), f"{left}; {RESTORE}; if the run was made again, delete usage_evidence.json")])


def _without(*, required: bool) -> Found:
    if required:
        return _different([((BLOCK,), f"names no evidence; {RESTORE}, or set evidence: off in reconcile.yml")])
    return Found(outcome=Outcome.UNAUDITED, why="evidence is off")


def _different(differences: list[Difference]) -> Found:
    return Found(outcome=Outcome.DIFFERENT, differences=tuple(differences))
