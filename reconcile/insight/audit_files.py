"""Audit: every verdict held against its evidence, offline or against a fresh read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconcile import schemas
from reconcile.attribution.attribute import Attribution, attribute
from reconcile.attribution.evidence import Evidence, belongs, read_evidence
from reconcile.errors import StoreError
from reconcile.insight.audit import Audit, Audited, AuditOutcome, AuditResult, Beside, Subject, audit
from reconcile.insight.differences import differing_read, named_evidence
from reconcile.minutes import any_holds, joined, spelled
from reconcile.passes.containing import contained
from reconcile.passes.fetch import Read, Sources, by_provider, read_claims
from reconcile.passes.tree import Tree, Workspace, read_tree
from reconcile.runs.metrics import BLOCK, read_run
from reconcile.runs.run import Claim, Finding, Run, RunKey
from reconcile.runs.text import Obstacle, text_of, value_of
from reconcile.runs.validation import Document, located
from reconcile.verdict.judgement import late_claims

Versions = Callable[[Sequence[str]], Mapping[str, Sequence[tuple[str, bytes]]]]
"""By path, what earlier commits had there: the commit, shortened, and the bytes; the newest first."""


def audit_runs(workspace: Workspace, paths: Sequence[Path] = (), versions: Versions | None = None) -> Audit:
    """Every run below the paths, or all: its figure, bounds and verdict computed again. Nothing is written.

    `versions`: where a repository is at hand, what its commits had; a file that lacks a read of theirs is a difference.
    """
    return audit_tree(workspace, read_tree(workspace), paths, versions)


def audit_tree(workspace: Workspace, tree: Tree, paths: Sequence[Path] = (), versions: Versions | None = None) -> Audit:
    """The same of a folder that was read already."""
    subjects: list[tuple[Subject, str]] = []
    errors = list(tree.errors)
    met: list[Finding] = []
    for run in tree.runs:
        try:
            found = contained(run.path, lambda run=run: _subject(workspace, tree, run))  # type: ignore[misc]
        except StoreError as error:
            errors.append(error)
            continue
        if isinstance(found, Finding):
            met.append(found)
        else:
            subjects.append(found)
    subjects = _with_history(workspace, subjects, versions)
    beside = _beside(workspace, [subject for subject, _ in subjects])
    asked = {path.resolve() for path in paths}
    runs = [
        contained(subject.run.path, lambda s=subject, t=text: _audited(s, t, beside, required=workspace.evidence))  # type: ignore[misc]
        for subject, text in subjects
        if _is_asked(subject.run.path, asked)
    ]
    met += [each for each in runs if isinstance(each, Finding)]
    return Audit(
        runs=tuple(each for each in runs if not isinstance(each, Finding)),
        invalid=tuple(finding for finding in (*tree.findings, *met) if _is_asked(finding.path, asked)),
        errors=tuple(errors),
    )


def differences_of_run(workspace: Workspace, tree: Tree, run: Run) -> tuple[Finding, ...]:
    """What one run's file says that does not follow from its evidence. Reads no more than the runs around it.

    Raises StoreError where its file cannot be read any more.
    """
    subject, text = _subject(workspace, tree, run)
    logs = {each.key: each.log for each in tree.runs if each.log}
    if subject.evidence and run.log:
        logs[subject.evidence.own.claim.run] = run.log
    beside = Beside(known=_known_around(workspace, tree, subject), logs=logs, policy=workspace.policy)
    return _audited(subject, text, beside, required=workspace.evidence).findings


def _beside(workspace: Workspace, subjects: Sequence[Subject]) -> Beside:
    """Evidence and logs by the name in the evidence; where two files have that of one name, the one at its path."""
    ordered = sorted(subjects, key=lambda each: _named(each) == each.run.key)
    return Beside(
        known={_named(each): each.evidence for each in ordered if each.evidence},
        logs={_named(each): each.run.log for each in ordered if each.run.log},
        policy=workspace.policy,
    )


def _named(subject: Subject) -> RunKey:
    return subject.evidence.own.claim.run if subject.evidence else subject.run.key


def _with_history(
    workspace: Workspace, subjects: list[tuple[Subject, str]], versions: Versions | None
) -> list[tuple[Subject, str]]:
    """The subjects with what earlier commits knew of them and their files do not."""
    if versions is None:
        return subjects
    before = versions([subject.run.path for subject, _ in subjects])
    return [
        (replace(subject, lost=_lost(workspace, subject.run, before.get(subject.run.path, ()))), text)
        for subject, text in subjects
    ]


def _lost(workspace: Workspace, run: Run, before: Iterable[tuple[str, bytes]]) -> str | None:
    """A read that an earlier commit had of these very minutes, and that the file lacks."""
    here = {each.at for each in run.state.observations} if run.state else set()
    for commit, data in before:
        document = workspace.checker.check(run.path, run.key, data)
        if not isinstance(document, Document) or BLOCK not in document.value:
            continue
        then = read_run(run.key, run.path, document.value, document.generation)
        reads = {each.at for each in then.state.observations} if then.state and then.state.ours else set()
        if then.window == run.window and reads - here:
            read = spelled(min(reads - here))
            return (
                f"lacks the read of {read}, which it had in commit {commit}: its verdict was rolled back or taken out"
            )
    return None


def _known_around(workspace: Workspace, tree: Tree, subject: Subject) -> Mapping[RunKey, Evidence]:
    """The evidence of the run, of those it names, of those they name, and so on."""
    there = {run.key for run in tree.runs}
    known: dict[RunKey, Evidence] = {}
    ahead = [subject.run.key]
    if subject.evidence and subject.moved:
        known[subject.evidence.own.claim.run] = subject.evidence
        ahead = [witness.claim.run for witness in subject.evidence.neighbours]
    while ahead:
        key = ahead.pop()
        place = key if key in there else tree.renamed.get(str(key), key)
        evidence = _evidence(_data(workspace, place)) if place in there and key not in known else None
        if evidence:
            known[key] = evidence
            ahead += [witness.claim.run for witness in evidence.neighbours]
    return known


def _is_asked(path: str, asked: set[Path]) -> bool:
    whole = Path(path).resolve()
    return not asked or bool(asked & {whole, *whole.parents})


def refetched(workspace: Workspace, done: Audit, provider: Sources) -> Audit:
    """The audit held against a fresh read, which differs from what was forged coherently, or restated since."""
    claims = [each.evidence.own.claim for each in done.runs if each.evidence]
    read = read_claims(workspace, claims, provider)
    around: dict[RunKey, Attribution] = {}
    for name, some in by_provider(read_tree(workspace).everyone).items():
        answered = read.of(name)
        around |= attribute(some, answered.buckets, answered.covered).by_run
    after = tuple(_reread(each, read, around.get(each.run.key)) for each in done.runs)
    return replace(done, runs=after, errors=(*done.errors, *read.errors))


def _reread(each: Audited, read: Read, around: Attribution | None) -> Audited:
    if each.evidence is None or each.found.outcome is AuditOutcome.DIFFERENT:
        return each
    claim = each.evidence.own.claim
    read = read.of(claim.scope.provider)
    if not (all(any_holds(joined(read.covered), part) for part in claim.reach) and read.asked_for(claim)):
        return replace(
            each, found=AuditResult(outcome=AuditOutcome.UNAUDITED, why="its minutes could not be read again")
        )
    if around is None or around.claim.reach != claim.reach:
        return replace(
            each, found=AuditResult(outcome=AuditOutcome.UNAUDITED, why="its minutes are claimed otherwise today")
        )
    watched = around.guard.minutes == each.evidence.guard.minutes
    difference = differing_read(each.evidence, around.rows, around.guard if watched else None)
    if difference is None:
        return each
    found = AuditResult(outcome=AuditOutcome.DIFFERENT, differences=(difference,))
    return replace(each, found=found, findings=(Finding(each.run.path, 1, 1, "", difference[1]),))


def evidence_of_run(workspace: Workspace, run: Run) -> Evidence | None:
    """The evidence of the figure that the run's file had when it was read; None where there is none, or another's."""
    named = run.state.evidence if run.state and run.state.ours else None
    data = _data(workspace, run.key) if named else None
    found = _evidence(data) if data else None
    return found if data and belongs(named, data, found) else None


def _subject(workspace: Workspace, tree: Tree, run: Run) -> tuple[Subject, str]:
    """The run with its document and its evidence. A file that changed meanwhile is taken as it is now."""
    document = workspace.checker.check(run.path, run.key, workspace.store.read(run.key))
    if not isinstance(document, Document):
        return Subject(run=replace(run, state=None), value={}, data=None, evidence=None), ""
    data = _data(workspace, run.key)
    cut_off = data is not None and _cut_off(workspace, run, document, data)
    evidence = _evidence(data)
    claim = tree.claims.get(run.key)
    subject = Subject(
        run=run,
        value=document.value,
        data=data,
        evidence=evidence,
        cut_off=cut_off,
        moved=evidence is not None and evidence.own.claim.run not in tree.present,
        scope=claim.scope if claim else None,
        rivals=_rivals(tree, run),
    )
    return subject, document.text


def _rivals(tree: Tree, run: Run) -> tuple[Claim, ...]:
    """Claims of other settled runs over minutes that the run's verdict holds without knowing of them."""
    settled = {each.key for each in tree.runs if each.settled}
    others = [claim for claim in tree.neighbours.get(run.key, ()) if claim.run in settled]
    return late_claims(run, others)


def _cut_off(workspace: Workspace, run: Run, document: Document, data: bytes) -> bool:
    """Whether the evidence belongs to a file that a killed writer has left behind, and not to the one in its place."""
    found = _evidence(data)
    if BLOCK in document.value and belongs(named_evidence(document.value), data, found):
        return False
    checked = (workspace.checker.check(run.path, run.key, left) for left in workspace.store.leftovers(run.key))
    left = [each.value for each in checked if isinstance(each, Document) and BLOCK in each.value]
    return any(belongs(named_evidence(value), data, found) for value in left)


def _data(workspace: Workspace, key: RunKey) -> bytes | None:
    try:
        return workspace.store.read_evidence(key)
    except StoreError:
        return None


def _evidence(data: bytes | None) -> Evidence | None:
    """The evidence in these bytes, if they hold any."""
    text = text_of(data) if data is not None else None
    if text is None or isinstance(text, Obstacle):
        return None
    try:
        value: Any = value_of(text)
        return read_evidence(value) if _schema().is_valid(value) else None
    except (ValueError, RecursionError):
        return None


@cache
def _schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schemas.load("evidence"))


def _audited(subject: Subject, text: str, beside: Beside, *, required: bool) -> Audited:
    found = audit(subject, beside, required=required)
    differing = found.outcome is AuditOutcome.DIFFERENT
    findings = located(subject.run.path, text, found.differences) if differing else ()
    return Audited(run=subject.run, found=found, findings=findings, evidence=subject.evidence)
