"""Validate and audit what a pull request would merge: no key, no network but GitHub's own, nothing written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconcile.adapters.run_store import RunStore
from reconcile.core.summary import Summary
from reconcile.workflow.acting.branches import Action, Configuration, configuration_at, workspace_over
from reconcile.workflow.auditing import audit_tree
from reconcile.workflow.looking import list_tree
from reconcile.workflow.tree import read_tree


def check(action: Action) -> tuple[Summary, Configuration]:
    """The files as they are checked out, by the configuration of the base branch."""
    base = action.job.base_branch or action.request.branch or action.job.branch
    settings: Configuration = action.source.settings("")
    if base:
        settings = configuration_at(action, action.repository.remote.fetch(base))
    workspace = workspace_over(action, RunStore(Path(settings.runs)), settings)
    tree = read_tree(workspace)
    summary = list_tree(workspace, tree, action.request.asked)
    errors = tuple(error for error in summary.errors if error.code != "missing_key_id")
    differences = [finding for each in audit_tree(workspace, tree).runs for finding in each.findings]
    return replace(summary, findings=(*summary.findings, *differences), errors=errors), settings
