"""The page of a job: how the runs stand after it, in a folder that a later step publishes or keeps."""

from __future__ import annotations

import os
from pathlib import Path

from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.wire import comparison_json
from reconcile.errors import ConfigurationError, ReconcileError
from reconcile.workflow.acting.branches import Action
from reconcile.workflow.reporting import Made, report_tree
from reconcile.workflow.tree import Workspace, read_tree

OF_THIS_JOB = "the comparison of this job"


def page_of(action: Action, workspace: Workspace, comparison: Comparison | None) -> Made | ReconcileError:
    """The page that was written, or why there is none: that is one more error of the job, and the pass stands."""
    saved = ((OF_THIS_JOB, comparison_json(comparison)),) if comparison else ()
    try:
        folder = _folder(action, action.request.report or "")
        return report_tree(
            workspace, read_tree(workspace), folder, comparisons=saved, hash_keys=action.request.report_hash_keys
        )
    except ReconcileError as error:
        return error


def _folder(action: Action, named: str) -> Path:
    """The folder as the workflow names it. A link that the branch has in its way leads nowhere else."""
    workspace = action.job.workspace
    folder = Path(os.path.abspath(workspace / named))  # noqa: PTH100  `..` folded, links not followed
    led = Path(os.path.realpath(folder))  # unlike Path.resolve it takes a link that leads to itself
    if folder.is_relative_to(workspace) and not led.is_relative_to(workspace.resolve()):
        raise ConfigurationError(
            f"report: {named} is a link that leads out of {workspace}",
            code="report_outside",
            remedy="take the link out of the branch, or name another folder",
        )
    return folder
