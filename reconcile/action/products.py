"""What a workflow may ask for beside a pass: the comparison of the last seven whole UTC days, and the page.

Both are made after the pass has landed, and what keeps one from being made is one more error of the job. A comparison
reads, and never writes; nothing of it is kept on the runner's disk. Which logs it reads is said by the workflow or by
the configuration of the branch; where neither does, the runs of the branch stand in. The page shows how the runs stand
after the pass, in a folder that a later step publishes or keeps.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconcile.action.branches import BranchState
from reconcile.action.job import Action, Clients
from reconcile.errors import ConfigurationError, UsageError
from reconcile.ledger.comparison import Comparison
from reconcile.ledger.comparison_json import comparison_json
from reconcile.ledger.log import UsageLog
from reconcile.ledger.readers.log_files import Pattern, files_within, folder_named
from reconcile.ledger.usage_logs import compare_usage_log, known_prices, log_of_runs, read_usage_log, wanted
from reconcile.money.entry import Period
from reconcile.passes.tree import Workspace, read_tree
from reconcile.report.exports import report_tree

OF_THIS_JOB = "the comparison of this job"


def comparison_of(action: Action, state: BranchState, clients: Clients) -> Comparison:
    """The comparison. Raises ReconcileError where there is none to be had."""
    try:
        asked = wanted(now=action.now, tolerance=action.request.tolerance)
        return compare_usage_log(
            _log(action, state, asked.period),
            clients.billing,
            asked,
            policy=state.configuration.policy,
            now=action.now,
            price_of=known_prices(),
        )
    except UsageError as error:  # of a setting here, not of a command line
        raise ConfigurationError(error.message, code=error.code, remedy=error.remedy) from error


def _log(action: Action, state: BranchState, period: Period) -> UsageLog:
    """The logs that are named, each inside of where it may lie; else what the runs have come to in this pass.

    The configuration of the branch, which whoever may push can write, leads nowhere but into the workspace. The
    workflow, which has the key, may name any other folder of the machine. Links lead out of neither.
    """
    sources = state.configuration.log_files(action.request.logs)
    if not sources:
        return log_of_runs(state.workspace)
    return read_usage_log([(_files(action, patterns), log_format) for patterns, log_format in sources], period)


def _files(action: Action, patterns: Sequence[Pattern]) -> list[Pattern]:
    workspace, found = action.job.workspace, []
    for pattern in patterns:
        folder = folder_named(pattern, workspace) if action.request.logs else workspace
        found += files_within(pattern, folder)
    return found


def page_of(action: Action, workspace: Workspace, comparison: Comparison | None) -> Path:
    """The page that was written, of the branch as it is now. Raises ReconcileError where it cannot be."""
    saved = ((OF_THIS_JOB, comparison_json(comparison)),) if comparison else ()
    folder = _page_folder(action, action.request.report or "")
    made = report_tree(
        workspace, read_tree(workspace), folder, comparisons=saved, hash_keys=action.request.report_hash_keys
    )
    return made.path


def _page_folder(action: Action, named: str) -> Path:
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
