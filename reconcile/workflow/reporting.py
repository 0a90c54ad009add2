"""The dashboard: one page of all that files say, written into a folder. Asks no provider and changes no run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconcile import __version__, schema_files
from reconcile.adapters.dashboard_files import parts
from reconcile.adapters.whole_file import write_whole
from reconcile.core.dashboard import Dashboard
from reconcile.core.model import Finding, Json
from reconcile.core.selection import EVERYTHING
from reconcile.core.summary import SCHEMA_VERSION
from reconcile.core.wire import plural
from reconcile.errors import ReconcileError, StoreError, UsageError
from reconcile.reports.dashboard import page
from reconcile.reports.dashboard_data import dashboard_json, with_hashed_keys
from reconcile.reports.words import printable
from reconcile.workflow.answering import Answer
from reconcile.workflow.auditing import audit_tree
from reconcile.workflow.containing import contained
from reconcile.workflow.learning import lag_tree
from reconcile.workflow.looking import account_of, list_tree
from reconcile.workflow.tree import Tree, Workspace, read_tree

PAGE = "index.html"
MARK = b"<title>LLM usage, reconciled</title>"
"""In the head of every page, which is all that is read of one."""
HEAD_BYTES = 4_096
READABLE = 0o644
MAX_BYTES = 20_000_000
"""Of a saved comparison."""

Saved = tuple[str, Json]
"""A name, and a document as `compare --json` prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A page that was written."""

    path: Path
    size: int
    """Bytes."""
    dashboard: Dashboard
    hashed: bool


def report(workspace: Workspace, folder: Path, *, comparisons: Sequence[Saved] = (), hash_keys: bool = False) -> Made:
    """Write `folder`/index.html from the runs of the workspace. `comparisons`: names, and what `compare --json` says.

    Raises StoreError, also where another page lies there, and ConfigurationError.
    """
    return report_tree(workspace, read_tree(workspace), folder, comparisons=comparisons, hash_keys=hash_keys)


def report_tree(
    workspace: Workspace, tree: Tree, folder: Path, *, comparisons: Sequence[Saved] = (), hash_keys: bool = False
) -> Made:
    """The same of a folder that was read already."""
    dashboard = dashboard_of(workspace, tree, comparisons)
    document = dashboard_json(dashboard, program=__version__)
    shipped = parts()
    text = page(
        with_hashed_keys(document, dashboard) if hash_keys else document,
        frame=shipped.frame,
        style=shipped.style,
        library=shipped.library,
        script=shipped.script,
    ).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_another(folder / PAGE)
        write_whole(folder / PAGE, text, READABLE)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror})", code="unwritable", remedy="name a folder of your own"
        ) from error
    return Made(path=folder / PAGE, size=len(text), dashboard=dashboard, hashed=hash_keys)


def _refuse_another(path: Path) -> None:
    """A page that is none of ours is somebody's work."""
    if not path.is_file():
        return  # a link or a pipe is replaced, a folder cannot be
    with path.open("rb") as stream:
        if MARK in stream.read(HEAD_BYTES):
            return
    raise StoreError(
        f"{path}: is there already and no dashboard", code="another_page", remedy="name another folder, or move it away"
    )


def dashboard_of(workspace: Workspace, tree: Tree, comparisons: Sequence[Saved] = ()) -> Dashboard:
    """All that the page shows. A run that meets a bug is a finding of the page, and stops no other."""
    summary, audited = list_tree(workspace, tree, EVERYTHING), audit_tree(workspace, tree)
    accounts = [
        contained(each.run.path, lambda each=each: account_of(workspace, tree, each))  # type: ignore[misc]
        for each in tree.selected(workspace, EVERYTHING)
    ]
    met = {*audited.invalid, *(each for each in accounts if isinstance(each, Finding))} - {*summary.findings}
    return Dashboard(
        summary=replace(summary, findings=(*summary.findings, *sorted(met))),
        accounts=tuple(each for each in accounts if not isinstance(each, Finding)),
        lag=lag_tree(workspace, tree, EVERYTHING),
        differences=tuple(each for run in audited.runs for each in run.findings),
        comparisons=tuple(comparisons),
    )


def saved_comparisons(paths: Iterable[Path]) -> tuple[Saved, ...]:
    """Files that `compare --json` was saved to. Raises UsageError for one that is none, StoreError."""
    return tuple((path.name, _comparison(path)) for path in paths)


def _comparison(path: Path) -> Json:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror})",
            code="unreadable_comparison",
            remedy="check its name and its permissions",
        ) from error
    try:
        found: Any = json.loads(data) if len(data) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    schema = jsonschema_rs.Draft202012Validator(schema_files.load("comparison"))
    if not schema.is_valid(found):
        raise UsageError(
            f"{path}: no comparison",
            code="no_comparison",
            remedy="save one with `reconcile compare --json > comparison.json` and name that; one of a later version "
            "needs that version here too",
        )
    document: Json = found
    return document


def answer_report(made: Made) -> Answer:
    """Where the page is and what is in it."""
    summary = made.dashboard.summary
    inside = [plural(len(summary.runs), "run"), plural(len(made.dashboard.comparisons), "comparison")]
    size = f"{made.size / 1_000_000:.2f} MB"
    keys = "ids of keys are hashed" if made.hashed else "ids of keys are in it: --hash-keys replaces them"
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "page": str(made.path),
        "bytes": made.size,
        "runs": len(summary.runs),
        "comparisons": len(made.dashboard.comparisons),
        "hashed_keys": made.hashed,
    }
    return Answer(
        text=f"{printable(str(made.path))}: {', '.join(inside)}, {size}; {keys}.",
        document=document,
        exit_code=_worst(summary.errors),
    )


def _worst(errors: Iterable[ReconcileError]) -> int:
    """A page that lacks what could not be read says so, and so does its exit code. A missing key id lacks nothing."""
    return max((error.exit_code for error in errors if error.code != "missing_key_id"), default=0)
