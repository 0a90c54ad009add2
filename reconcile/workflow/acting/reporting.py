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
    """The folder as the workflow names it. What a branch holds is its author's, and a later step publishes the folder:
    a link in its way could make that any other one, `.git` included."""
    workspace = action.job.workspace
    folder = Path(os.path.abspath(workspace / named))  # noqa: PTH100  `..` folded, links not followed
    below = Path(os.path.realpath(workspace))
    base = next((each for each in (workspace, below) if folder.is_relative_to(each)), None)
    # unlike Path.resolve, realpath takes a link that leads to itself
    if base and Path(os.path.realpath(folder)) != below / folder.relative_to(base):
        raise ConfigurationError(
            f"report: {named} is a link, or behind one, in {workspace}",
            code="report_outside",
            remedy="take the link out of the branch, or name another folder",
        )
    return folder
