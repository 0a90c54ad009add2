"""Files for people: the dashboard, written into a folder, and a comparison line by line for a dispute.

The page is all that files say; its parts ship with the package, and the chart library is used only as it was chosen.
Asks no provider and changes no run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from reconcile import __version__, schemas
from reconcile.attribution.claims import EVERYTHING
from reconcile.errors import StoreError, UsageError
from reconcile.files import write_whole
from reconcile.insight.audit_files import audit_tree
from reconcile.insight.dashboard import Dashboard
from reconcile.insight.survey import account_of, lag_tree, list_tree
from reconcile.ledger.comparison import Comparison
from reconcile.ledger.comparison_json import comparison_json
from reconcile.passes.containing import contained
from reconcile.passes.tree import Tree, Workspace, read_tree
from reconcile.report.compared_as import costs_csv, entries_csv
from reconcile.report.page import dashboard_json, page, with_hashed_keys
from reconcile.runs.run import Finding, Json

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
    schema = jsonschema_rs.Draft202012Validator(schemas.load("comparison"))
    if not schema.is_valid(found):
        raise UsageError(
            f"{path}: no comparison",
            code="no_comparison",
            remedy="save one with `reconcile compare --json > comparison.json` and name that; one of a later version "
            "needs that version here too",
        )
    document: Json = found
    return document


def export(comparison: Comparison, folder: Path) -> None:
    """Write both data sets line by line, the bill and the comparison. Raises StoreError."""
    cut = comparison.cut
    files = {
        "local.csv": entries_csv((*cut.local, *cut.apart_local)),
        "official.csv": entries_csv((*cut.official, *cut.apart_official)),
        "costs.csv": costs_csv((*(cut.costs or ()), *comparison.other_costs)),
        "comparison.json": json.dumps(comparison_json(comparison), indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(folder / name, text.encode(), READABLE)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror})", code="unwritable", remedy="name a folder of your own"
        ) from error


FOLDER = Path(__file__).parent.parent / "dashboard"
LIBRARY = FOLDER / "vendor" / "chart.umd.min.js"
LIBRARY_SHA256 = "87364cc2b2a76a6684929e7d6b80b18a897794db38400caff1fcf1791c6925d2"
"""Of Chart.js 4.6.1 as its package on npm has it: dist/chart.umd.min.js."""

SCRIPTS = (
    *("data", "base", "address", "period", "table", "saving", "inks", "drawing", "charts", "signs"),
    *("decimals", "tally", "amounts", "lag", "compared"),
    *("board", "runs", "run", "timeline", "usage", "timing", "gap", "comparisons"),
    "main",
)
"""In the order in which they build on each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a page is put together from, data aside."""

    frame: str
    style: str
    library: str
    script: str


def parts() -> Parts:
    """Raises StoreError where the installation is damaged."""
    try:
        library = LIBRARY.read_bytes()
        if hashlib.sha256(library).hexdigest() != LIBRARY_SHA256:
            raise OSError(0, "it is not the file that was shipped")
        scripts = [(FOLDER / "scripts" / f"{name}.js").read_text("utf-8") for name in SCRIPTS]
        return Parts(
            frame=(FOLDER / "index.html").read_text("utf-8"),
            style=(FOLDER / "style.css").read_text("utf-8"),
            library=library.decode(),
            script="\n".join(['(() => {\n"use strict";', *scripts, "})();"]),
        )
    except OSError as error:
        raise StoreError(
            f"{error.filename or LIBRARY}: cannot be read ({error.strerror})",
            code="damaged_installation",
            remedy="install the package again",
        ) from error
