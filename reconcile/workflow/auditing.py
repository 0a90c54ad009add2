"""Audit: every verdict held against its evidence, offline or against a fresh read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconcile import schema_files
from reconcile.core.auditing import (
    Audit,
    Audited,
    Beside,
    Found,
    Outcome,
    Subject,
    audit,
    differing_read,
    named_evidence,
)
from reconcile.core.decoding import Obstacle, text_of, value_of
from reconcile.core.evidence import Evidence, belongs, read_evidence
from reconcile.core.model import Finding, Run, RunKey, any_holds, joined
from reconcile.core.reading import BLOCK
from reconcile.core.validation import Document, located
from reconcile.errors import StoreError
from reconcile.workflow.reading import Provider, Read, read_claims
from reconcile.workflow.tree import Tree, Workspace, read_tree


def audit_runs(workspace: Workspace, paths: Sequence[Path] = ()) -> Audit:
    """Every run below the paths, or all: its figure, bounds and verdict computed again. Nothing is written."""
    return audit_tree(workspace, read_tree(workspace), paths)


def audit_tree(workspace: Workspace, tree: Tree, paths: Sequence[Path] = ()) -> Audit:
    """The same of a folder that was read already."""
    subjects: list[tuple[Subject, str]] = []
    errors = list(tree.errors)
    for run in tree.runs:
        try:
            subjects.append(_subject(workspace, run))
        except StoreError as error:
            errors.append(error)
    known = {subject.run.key: subject.evidence for subject, _ in subjects if subject.evidence}
    beside = Beside(known=known, logs={run.key: run.log for run in tree.runs if run.log})
    asked = {path.resolve() for path in paths}
    return Audit(
        runs=tuple(
            _located(subject, text, audit(subject, beside, required=workspace.evidence))
            for subject, text in subjects
            if _is_asked(subject.run.path, asked)
        ),
        invalid=tuple(finding for finding in tree.findings if _is_asked(finding.path, asked)),
        errors=tuple(errors),
    )


def differences_of_run(workspace: Workspace, tree: Tree, run: Run) -> tuple[Finding, ...]:
    """What one run's file says that does not follow from its evidence. Reads no more than the runs around it.

    Raises StoreError where its file cannot be read any more.
    """
    subject, text = _subject(workspace, run)
    beside = Beside(
        known=_known_around(workspace, tree, subject), logs={each.key: each.log for each in tree.runs if each.log}
    )
    return _located(subject, text, audit(subject, beside, required=workspace.evidence)).findings


def _known_around(workspace: Workspace, tree: Tree, subject: Subject) -> Mapping[RunKey, Evidence]:
    """The evidence of the run, of those it names, of those they name, and so on."""
    there = {run.key for run in tree.runs}
    known: dict[RunKey, Evidence] = {}
    ahead = [subject.run.key]
    while ahead:
        key = ahead.pop()
        evidence = _evidence(_data(workspace, key)) if key in there and key not in known else None
        if evidence:
            known[key] = evidence
            ahead += [witness.claim.run for witness in evidence.neighbours]
    return known


def _is_asked(path: str, asked: set[Path]) -> bool:
    whole = Path(path).resolve()
    return not asked or bool(asked & {whole, *whole.parents})


def refetched(workspace: Workspace, done: Audit, provider: Provider) -> Audit:
    """The audit held against a fresh read, which differs from what was forged coherently, or restated since."""
    read = read_claims(workspace, [each.evidence.own.claim for each in done.runs if each.evidence], provider)
    after = tuple(_reread(each, read) for each in done.runs)
    return replace(done, runs=after, errors=(*done.errors, *read.errors))


def _reread(each: Audited, read: Read) -> Audited:
    if each.evidence is None or each.found.outcome is Outcome.DIFFERENT:
        return each
    claim = each.evidence.own.claim
    if not (any_holds(joined(read.covered), claim.window) and read.asked_for(claim)):
        return replace(each, found=Found(outcome=Outcome.UNAUDITED, why="its minutes could not be read again"))
    rows = [
        row for row in read.buckets if claim.window.start <= row.minute < claim.window.end and claim.scope.admits(row)
    ]
    difference = differing_read(each.evidence, rows)
    if difference is None:
        return each
    found = Found(outcome=Outcome.DIFFERENT, differences=(difference,))
    return replace(each, found=found, findings=(Finding(each.run.path, 1, 1, "", difference[1]),))


def evidence_of_run(workspace: Workspace, run: Run) -> Evidence | None:
    """The evidence of the figure that the run's file had when it was read; None where there is none, or another's."""
    named = run.state.evidence if run.state and run.state.ours else None
    data = _data(workspace, run.key) if named else None
    found = _evidence(data) if data else None
    return found if data and belongs(named, data, found) else None


def _subject(workspace: Workspace, run: Run) -> tuple[Subject, str]:
    """The run with its document and its evidence. A file that changed meanwhile is taken as it is now."""
    document = workspace.checker.check(run.path, run.key, workspace.store.read(run.key))
    if not isinstance(document, Document):
        return Subject(run=replace(run, state=None), value={}, data=None, evidence=None), ""
    data = _data(workspace, run.key)
    cut_off = data is not None and _cut_off(workspace, run, document, data)
    return Subject(run=run, value=document.value, data=data, evidence=_evidence(data), cut_off=cut_off), document.text


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
    return jsonschema_rs.Draft202012Validator(schema_files.load("evidence"))


def _located(subject: Subject, text: str, found: Found) -> Audited:
    findings: list[Finding] = []
    if found.outcome is Outcome.DIFFERENT:
        findings = [located(subject.run.path, text, pointer, message) for pointer, message in found.differences]
    return Audited(run=subject.run, found=found, findings=tuple(findings), evidence=subject.evidence)
