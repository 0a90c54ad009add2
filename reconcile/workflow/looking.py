"""Commands that look and write nothing: list, validate, explain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from reconcile.adapters.providers import openai
from reconcile.core.account import Account
from reconcile.core.claims import claims_of, missing_key_id
from reconcile.core.model import Claim, Finding, Query, Run, RunFile, RunKey, Scope
from reconcile.core.planning import plan
from reconcile.core.plateau import plateau_of
from reconcile.core.selection import EVERYTHING, Asked
from reconcile.core.summary import RunReport, Summary
from reconcile.errors import StoreError, UsageError
from reconcile.workflow.tree import Workspace, check_file, read_tree


def list_runs(workspace: Workspace, asked: Asked = EVERYTHING) -> Summary:
    """Every run with where it stands and what a pass would do with it. Asks the provider nothing."""
    tree = read_tree(workspace)
    selected = tree.selected(workspace, asked)
    return Summary(
        now=workspace.now,
        policy=workspace.policy,
        discovered=tree.discovered,
        runs=tuple(RunReport(run=each.run, selection=each.selection, due_at=each.due_at) for each in selected),
        findings=tree.findings,
        errors=(*tree.errors, *tree.scopeless(selected)),
        dry_run=True,
    )


def validate(workspace: Workspace, paths: Sequence[Path] = ()) -> tuple[int, tuple[Finding, ...]]:
    """How many files were looked at, and every defect of each. No paths: the whole folder of runs."""
    files, misplaced = workspace.store.discover()
    if paths:
        wanted = {path.resolve() for path in paths}
        files = [file for file in files if wanted & _leading_to(Path(file.path))]
        misplaced = [finding for finding in misplaced if wanted & _leading_to(Path(finding.path))]
        if not files and not misplaced:
            raise _nothing_below(paths)
    findings = list(misplaced)
    for file in files:
        findings += _defects(workspace, file)
    return len(files) + len(misplaced), tuple(findings)


def _defects(workspace: Workspace, file: RunFile) -> tuple[Finding, ...]:
    """What is wrong with one file; that it cannot be read is one more defect, and stops no other file."""
    try:
        document = check_file(workspace, file)
    except StoreError as error:
        said = error.message.removeprefix(f"{file.path}: ")
        return (Finding(file.path, 1, 1, "", f"{said}; check the permissions of the file and its folder"),)
    return document if isinstance(document, tuple) else ()


def _nothing_below(paths: Sequence[Path]) -> UsageError:
    return UsageError(
        f"{', '.join(map(str, paths))}: no run's file below",
        code="nothing_to_validate",
        remedy="name files or folders of the folder of runs, or another folder of runs with --runs",
    )


def _leading_to(path: Path) -> set[Path]:
    return {path.absolute(), *path.absolute().parents, path.resolve(), *path.resolve().parents}


def explain(workspace: Workspace, key: RunKey, curl_line: Callable[[Query], str] = openai.curl_line) -> Account:
    """How the run's figure came about, from its file and those of the runs beside it."""
    asked = Asked(framework=key.framework, run_id=key.run_id)
    tree = read_tree(workspace)
    (selected,) = [each for each in tree.selected(workspace, asked) if each.run.key == key]
    run = selected.run
    claim = tree.claims.get(key)
    queries = plan([run.window], [], [claim.scope], workspace.now) if claim else ()
    return Account(
        report=RunReport(run=run, selection=selected.selection, due_at=selected.due_at),
        claim=claim,
        neighbours=tree.neighbours.get(key, ()),
        plateau=plateau_of(run.state.observations, workspace.policy) if run.state else None,
        policy=workspace.policy,
        now=workspace.now,
        requests=tuple(curl_line(query) for query in queries),
        problem=None if claim else missing_key_id(key.framework, 1),
    )


def claims(workspace: Workspace) -> tuple[tuple[Run, Claim], ...]:
    """Every run with its claim, for what imitates their traffic. A framework without a scope gets a made-up key."""
    tree = read_tree(workspace)
    made_up = {run.key.framework: Scope("openai", (f"key_simulated_{run.key.framework}",)) for run in tree.runs}
    found = {**claims_of(tree.runs, made_up), **tree.claims}
    return tuple((run, found[run.key]) for run in tree.runs)
