"""Validate and audit what a pull request would merge: no key, no network but GitHub's own, nothing written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reconcile.action.branches import configuration_at, workspace_over
from reconcile.action.job import Action, Configuration
from reconcile.errors import ConfigurationError
from reconcile.insight.audit_files import audit_tree
from reconcile.insight.survey import list_tree
from reconcile.passes.summary import Summary
from reconcile.passes.tree import Workspace, read_tree
from reconcile.runs.run_store import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check looked at, and what it found."""

    summary: Summary
    settings: Configuration
    workspace: Workspace


def check(action: Action) -> Checked:
    """The files as they are checked out, by the configuration of the base branch."""
    base = action.job.base_branch or action.request.branch or action.job.branch
    settings: Configuration = action.source.settings("")
    tip = action.repository.remote.fetch(base) if base else None
    if tip:
        settings = configuration_at(action, tip)
    workspace = workspace_over(action, RunStore(_folder(settings.runs)), settings)
    workspace = replace(workspace, ignored=action.repository.ignored)
    tree = read_tree(workspace)
    summary = list_tree(workspace, tree, action.request.asked)
    errors = tuple(error for error in summary.errors if error.code != "missing_key_id")
    audited = audit_tree(workspace, tree, versions=lambda paths: action.repository.versions(paths, tip))
    differences = [finding for each in audited.runs for finding in each.findings]
    met = [finding for finding in audited.invalid if finding not in summary.findings]
    found = replace(summary, findings=(*summary.findings, *met, *differences), errors=errors)
    return Checked(summary=found, settings=settings, workspace=workspace)


def _folder(runs: Path) -> Path:
    """The folder of runs, where nothing on the way to it is a link: that could lead to any file of the machine."""
    links = [each for each in (runs, *runs.parents) if not each.is_absolute() and each.is_symlink()]
    if links:
        raise ConfigurationError(
            f"runs: {links[0]} is a symbolic link, and a check follows none",
            code="unreadable_runs",
            remedy="make it a folder of this repository, or name another one with `runs:` in reconcile.yml",
        )
    return runs
