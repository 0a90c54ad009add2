"""Validate and audit what a pull request would merge: no key, no network but GitHub's own, nothing written.

The comparison of a job: the last seven whole UTC days, after the pass has landed. It reads, and never writes.

Which logs are read is said by the workflow or by the configuration of the branch; where neither does, the runs of the
branch stand in. Nothing is kept on the runner's disk.

What would keep a commit from landing, said before the provider is asked anything.

The page of a job: how the runs stand after it, in a folder that a later step publishes or keeps.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconcile.action.branches import Action, BranchState, Clients, Configuration, configuration_at, workspace_over
from reconcile.action.request import Mode, Sign
from reconcile.errors import ConfigurationError, GitHubError, ReconcileError, UsageError
from reconcile.git.remote import PUSH_REMEDY
from reconcile.insight.audit_files import audit_tree
from reconcile.insight.survey import list_tree
from reconcile.ledger.comparison import Comparison
from reconcile.ledger.comparison_json import comparison_json
from reconcile.ledger.log import UsageLog
from reconcile.ledger.readers.log_files import Pattern, files_within, folder_named
from reconcile.ledger.usage_logs import compare_usage_log, known_prices, log_of_runs, read_usage_log, wanted
from reconcile.money.entry import Period
from reconcile.passes.summary import Summary
from reconcile.passes.tree import Workspace, read_tree
from reconcile.report.exports import Made, report_tree
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


def comparison_of(action: Action, state: BranchState, clients: Clients) -> Comparison | ReconcileError:
    """The comparison, or why there is none: that is one more error of the job, and the pass stands."""
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
        return ConfigurationError(error.message, code=error.code, remedy=error.remedy)
    except ReconcileError as error:
        return error


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


CHECKS = "required_status_checks"
UNSIGNED = (
    "`sign: api` does not hold for the commit on {branch}, which git makes and nobody signs; what a merge on GitHub "
    "makes of it is signed. Leave the input out, or use `mode: commit`"
)


def preflight(action: Action, state: BranchState, mode: Mode) -> list[str]:
    """Notices. Raises where the push is refused: by the remote, or by rules that the job's own token cannot pass."""
    if action.request.dry_run:
        return []
    if mode is Mode.PULL_REQUEST:
        action.repository.remote.check_push(state.commit, action.request.pr_branch)
        return [UNSIGNED.format(branch=action.request.pr_branch)] if action.request.sign is Sign.API else []
    if action.request.sign is Sign.GIT:
        action.repository.remote.check_push(state.commit, state.branch)
    rules = _rules(action, state.branch)
    notices = [_forbidden(action, state.branch, rule) for rule in ("pull_request", "update") if rule in rules]
    if "required_signatures" in rules and action.request.sign is Sign.GIT:
        raise ConfigurationError(
            f"the rules of {state.branch} want signed commits",
            code="signature_required",
            remedy="set `sign: api`: GitHub makes and signs the commit then",
        )
    if CHECKS in rules and action.job.default_token:
        notices.append(
            f"{state.branch} requires checks, and pushes with the job's own token start none: if its pull requests "
            "wait for ever, pass the token of a GitHub App as `token`"
        )
    return notices


def _rules(action: Action, branch: str) -> set[str]:
    """The kinds of rules of the branch; none where GitHub does not say (older servers do not)."""
    if action.github is None:
        return set()
    try:
        return {rule.type for rule in action.github.rules(branch)}
    except GitHubError:
        return set()


def _forbidden(action: Action, branch: str, rule: str) -> str:
    what = "wants a pull request for every change" if rule == "pull_request" else "lets nobody push"
    if action.job.default_token:
        raise ConfigurationError(f"a rule of {branch} {what}", code="push_refused_by_rule", remedy=PUSH_REMEDY)
    return f"a rule of {branch} {what}: the push lands only if this token may bypass it; else {PUSH_REMEDY}"


OF_THIS_JOB = "the comparison of this job"


def page_of(action: Action, workspace: Workspace, comparison: Comparison | None) -> Made | ReconcileError:
    """The page that was written, or why there is none: that is one more error of the job, and the pass stands."""
    saved = ((OF_THIS_JOB, comparison_json(comparison)),) if comparison else ()
    try:
        folder = _page_folder(action, action.request.report or "")
        return report_tree(
            workspace, read_tree(workspace), folder, comparisons=saved, hash_keys=action.request.report_hash_keys
        )
    except ReconcileError as error:
        return error


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
