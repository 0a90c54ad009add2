"""Commands that look at what files say: list, validate, explain, lag, backtest and status.

They ask the provider nothing and write nothing.

read the runs -> stand -> report
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from reconcile.attribution.claims import EVERYTHING, Asked, claims_of, missing_key_id, unknown_key_id
from reconcile.errors import StoreError, UsageError
from reconcile.insight.account import Account
from reconcile.insight.audit_files import differences_of_run, evidence_of_run
from reconcile.insight.board import Board, board_of
from reconcile.insight.expectation import candidates, models_of
from reconcile.insight.lag import Lag, lag_of
from reconcile.insight.situation import Situation, situation_of
from reconcile.insight.trial import Backtest, backtest_of
from reconcile.passes.containing import contained, of_the_sound
from reconcile.passes.planning import plan
from reconcile.passes.selection import Selected, Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.passes.tree import Tree, Workspace, check_file, check_log, read_tree
from reconcile.providers import DEFAULT, provider
from reconcile.providers.base import Query, Scope
from reconcile.runs.metrics import read_run
from reconcile.runs.run import Claim, Finding, Run, RunFile, RunKey
from reconcile.runs.state import Policy
from reconcile.runs.validation import Document
from reconcile.verdict.judgement import contests
from reconcile.verdict.plateau import plateau_of

Spelling = Callable[[Query], str]
"""What spells a query as a curl line; to the provider's own address where none is given."""


def list_runs(workspace: Workspace, asked: Asked = EVERYTHING) -> Summary:
    """Every run with where it stands and what a pass would do with it. Asks the provider nothing."""
    return list_tree(workspace, read_tree(workspace), asked)


def list_tree(workspace: Workspace, tree: Tree, asked: Asked) -> Summary:
    """The same of a folder that was read already."""
    selected = tree.selected(workspace, asked)
    return Summary(
        now=workspace.now,
        policy=workspace.policy,
        discovered=tree.discovered,
        runs=tuple(_looked_at(tree, each) for each in selected),
        findings=tree.findings,
        errors=(*tree.errors, *tree.scopeless(selected)),
        dry_run=True,
        looked=True,
        census=tree.census,
        unreadable=tree.unreadable,
    )


def _looked_at(tree: Tree, each: Selected) -> RunReport:
    found = contests(each.run, tree.neighbours.get(each.run.key, ()))
    return RunReport(run=each.run, selection=each.selection, due_at=each.due_at, contests=found)


def validate(workspace: Workspace, paths: Sequence[Path] = ()) -> tuple[int, tuple[Finding, ...]]:
    """How many files were looked at, and every defect of each. No paths: the whole folder of runs."""
    files, misplaced = workspace.store.discover()
    wanted = {path.resolve() for path in paths}
    looked_at, findings = 0, []
    for finding in misplaced:
        if _is_wanted(finding.path, wanted):
            looked_at += 1
            findings.append(finding)
    for file in files:
        log = workspace.store.log(file.key)
        wants_log = log is not None and _is_wanted(log.path, wanted)
        if not wants_log and not _is_wanted(file.path, wanted):
            continue
        document = _checked(workspace, file)
        if _is_wanted(file.path, wanted):
            looked_at += 1
            findings += () if isinstance(document, Document) else document
        if wants_log and log is not None:
            looked_at += 1
            findings += _log_findings(workspace, file, log, document)
    if paths and not looked_at:
        raise _nothing_below(paths)
    return looked_at, tuple(findings)


def _log_findings(
    workspace: Workspace, file: RunFile, log: RunFile | Finding, document: Document | tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """The defects of a call log. Where its run's file is not valid, there is no window to hold it to."""
    if isinstance(log, Finding):
        return (log,)
    run = isinstance(document, Document) and read_run(file.key, file.path, document.value, document.generation)
    try:
        found = contained(log.path, lambda: check_log(workspace, log, run or None)[1])
    except StoreError as error:
        return (_unreadable(log, error),)
    return (found,) if isinstance(found, Finding) else found


def _is_wanted(path: str, wanted: set[Path]) -> bool:
    return not wanted or bool(wanted & _leading_to(Path(path)))


def _checked(workspace: Workspace, file: RunFile) -> Document | tuple[Finding, ...]:
    """One file, validated; that it cannot be read is one more defect, and stops no other file."""
    try:
        found = contained(file.path, lambda: _read(workspace, file))
    except StoreError as error:
        return (_unreadable(file, error),)
    return (found,) if isinstance(found, Finding) else found


def _read(workspace: Workspace, file: RunFile) -> Document | tuple[Finding, ...]:
    """One file, validated and read as every command reads it."""
    document = check_file(workspace, file)
    if isinstance(document, Document):
        read_run(file.key, file.path, document.value, document.generation)
    return document


def _unreadable(file: RunFile, error: StoreError) -> Finding:
    said = error.message.removeprefix(f"{file.path}: ")
    return Finding(file.path, 1, 1, "", f"{said}; check the permissions of the file and its folder")


def _nothing_below(paths: Sequence[Path]) -> UsageError:
    return UsageError(
        f"{', '.join(map(str, paths))}: no run's file below",
        code="nothing_to_validate",
        remedy="name files or folders of the folder of runs, or another folder of runs with --runs",
    )


def _leading_to(path: Path) -> set[Path]:
    return {path.absolute(), *path.absolute().parents, path.resolve(), *path.resolve().parents}


def explain(workspace: Workspace, key: RunKey, curl_line: Spelling | None = None) -> Account:
    """How the run's figure came about, from its file and those of the runs beside it."""
    return explain_tree(workspace, read_tree(workspace), key, curl_line)


def explain_tree(workspace: Workspace, tree: Tree, key: RunKey, curl_line: Spelling | None) -> Account:
    """The same of a folder that was read already."""
    asked = Asked(framework=key.framework, run_id=key.run_id)
    (selected,) = [each for each in tree.selected(workspace, asked) if each.run.key == key]
    claim = tree.claims.get(key)
    queries = plan(claim.reach, [], [claim.scope], workspace.now) if claim else ()
    return account_of(workspace, tree, selected, tuple(map(curl_line or _curl_line, queries)))


def _curl_line(query: Query) -> str:
    return provider(query.provider).spelled(query)


def account_of(workspace: Workspace, tree: Tree, selected: Selected, requests: Sequence[str] = ()) -> Account:
    """The same of a run in a folder that was read already. `requests`: curl lines that would read it again."""
    run = selected.run
    claim = tree.claims.get(run.key)
    unknown = missing_key_id(run.key.framework, 1) if selected.due else unknown_key_id(run.key.framework)
    return Account(
        report=_looked_at(tree, selected),
        claim=claim,
        neighbours=tree.neighbours.get(run.key, ()),
        plateau=plateau_of(run.state.observations, workspace.policy) if run.state else None,
        policy=workspace.policy,
        now=workspace.now,
        requests=tuple(requests),
        evidence=evidence_of_run(workspace, run),
        problem=None if claim else unknown,
    )


def claims(workspace: Workspace) -> tuple[tuple[Run, Claim], ...]:
    """Every run with its claim, for what imitates their traffic. A framework without a scope gets a made-up key."""
    tree = read_tree(workspace)
    made_up = {run.key.framework: Scope(DEFAULT, (f"key_simulated_{run.key.framework}",)) for run in tree.runs}
    found = {**claims_of(tree.runs, made_up, workspace.policy), **tree.claims}
    return tuple((run, found[run.key]) for run in tree.runs)


def lag(workspace: Workspace, asked: Asked = EVERYTHING) -> Lag:
    """How long after a run's window its figure is complete."""
    return lag_tree(workspace, read_tree(workspace), asked)


def lag_tree(workspace: Workspace, tree: Tree, asked: Asked) -> Lag:
    """The same of a folder that was read already."""
    runs = _asked(workspace, tree, asked)
    found, met = of_the_sound(runs, lambda some: lag_of(some, workspace.policy, workspace.now))
    return replace(found, invalid=_invalid(tree, met), errors=_unread(tree))


def backtest(workspace: Workspace, tried: Policy) -> Backtest:
    """What `tried` would have made of the kept reads, beside the workspace's policy.

    Raises UsageError where they cannot answer it.
    """
    tree = read_tree(workspace)
    found, met = of_the_sound(tree.runs, lambda some: backtest_of(some, workspace.policy, tried, workspace.now))
    return replace(found, invalid=_invalid(tree, met), errors=_unread(tree))


def _asked(workspace: Workspace, tree: Tree, asked: Asked) -> list[Run]:
    selected = tree.selected(workspace, asked)
    return [each.run for each in selected if each.selection is not Selection.NOT_ASKED]


def _invalid(tree: Tree, met: Iterable[Finding]) -> int:
    return len({finding.path for finding in (*tree.findings, *met)})


def _unread(tree: Tree) -> tuple[StoreError, ...]:
    """What could not be read. A scope that is missing matters to a pass only."""
    return tuple(error for error in tree.errors if isinstance(error, StoreError))


def board(workspace: Workspace, asked: Asked = EVERYTHING) -> Board:
    """How all runs stand, or those of one framework. Raises UsageError where there is no such framework."""
    return board_of(list_runs(workspace, asked), asked.framework)


def situation(workspace: Workspace, key: RunKey, curl_line: Spelling | None = None) -> Situation:
    """How one run stands, and what runs like it let expect. Raises UsageError where there is no such run."""
    tree = read_tree(workspace)
    account = explain_tree(workspace, tree, key, curl_line)
    others = candidates(account.report.run, tree.runs)
    models = {run.key: models_of(run, evidence_of_run(workspace, run)) for run in others}
    return situation_of(account, others, models, differences_of_run(workspace, tree, account.report.run))
