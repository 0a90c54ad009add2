"""Sets a folder up: settings, the hourly workflow, what git ignores, and a place for the first runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconcile.adapters.project_files import ProjectFiles, workflow_template
from reconcile.core.starting import (
    IGNORE,
    SETTINGS,
    WORKFLOW,
    Beginning,
    key_ids,
    readme_text,
    settings_text,
    to_ignore,
)
from reconcile.errors import UsageError
from reconcile.reports.started import started_text

__all__ = ["Beginning", "key_ids", "start", "started_text"]


def start(root: Path, beginning: Beginning) -> tuple[str, ...]:
    """Write what is missing, all of it or nothing. Returns the files that were created or added to.

    No file that is there is overwritten; a folder of runs that has something in it already is left as it is. Raises
    UsageError or StoreError.
    """
    project = ProjectFiles(root)
    files = {SETTINGS: settings_text(beginning).encode()}
    if beginning.workflow:
        _refuse_elsewhere(project)
        files[WORKFLOW] = workflow_template()
    if not project.holds_something(beginning.folder):
        files[beginning.readme] = readme_text(beginning).encode()
    before = project.text(IGNORE)
    ignored = to_ignore(before or b"")
    appended: Mapping[str, bytes] = {IGNORE: ignored} if ignored and before is not None else {}
    if before is None:
        files[IGNORE] = ignored
    project.create(files, appended)
    return (*files, *appended)


def _refuse_elsewhere(project: ProjectFiles) -> None:
    """GitHub runs the workflows of a repository's root, and says nothing of others."""
    root = project.repository()
    if root is not None and root != project.root.resolve():
        raise UsageError(
            f"this folder is not the root of its repository, which is {root}: GitHub would not find the workflow here",
            code="not_the_root",
            remedy="go there, or leave the workflow out with --no-workflow; nothing was written",
        )
