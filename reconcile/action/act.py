"""The job from its inputs to its exit code: one function a mode, and what all modes publish."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from reconcile.action.branches import Action, BranchState, Clients, clients_of, read_branch, target_branch
from reconcile.action.check import check, comparison_of, page_of, preflight
from reconcile.action.comment import (
    bringers,
    comment_on,
    files_of,
    links,
    of_interest,
    runs_of,
    sticky_issue,
    uncommented,
)
from reconcile.action.job import Acted, Report, ended
from reconcile.action.land import BranchPool, Landed, Visited, land, pooled, visit
from reconcile.action.proposal import propose, started
from reconcile.action.request import CommentPolicy, Mode, mode_of
from reconcile.errors import GitHubError, ReconcileError
from reconcile.ledger.comparison import Comparison
from reconcile.passes.containing import attempted
from reconcile.passes.fetch import Read, read_usage
from reconcile.passes.summary import Summary, narrowed
from reconcile.passes.tree import Workspace
from reconcile.report.exports import Made
from reconcile.report.markdown import Links

NO_COMPARISON = "`compare: true` does nothing in mode check, which asks the provider nothing"
MOST_LOOKUPS = 100
"""Files whose pull request is looked for in one pass: the job's token has a thousand requests an hour."""


def act(action: Action) -> Acted:
    """Do what the workflow asked for. Raises where nothing could be done at all."""
    match mode_of(action.request.mode, action.job.event):
        case Mode.CHECK:
            report = _check(action)
        case Mode.PULL_REQUEST:
            report = _propose(action)
        case _:
            report = _commit(action)
    return _acted(action, report)


def _check(action: Action) -> Report:
    checked = check(action)
    if action.clients(checked.settings.vouched().base_url).rehearsal:
        action = replace(action, request=replace(action.request, dry_run=True))
    report = Report(summary=checked.summary, root=PurePosixPath(checked.settings.runs.as_posix()))
    report.notices += _passed_over(checked.summary)
    report.notices += [NO_COMPARISON] if action.request.compare else []
    event = action.job.pull_request
    if event and event.head_sha:
        report.tip = event.head_sha
    _then(report, "the page", lambda: _page(action, report, checked.workspace))
    number = action.request.pr_number or (event.number if event else None)
    if number is not None:
        _comment(action, report, number)
    return report


def _commit(action: Action) -> Report:
    base = read_branch(action, target_branch(action))
    action, clients = clients_of(action, base)
    notices = [*clients.notices, *preflight(action, base, Mode.COMMIT)]
    pool, read = _read(action, base, clients)
    visited = visit(action, pool, read)
    landed = attempted(base.branch, lambda: land(action, base, read, action.request.asked, pool.tree.claims))
    if isinstance(landed, ReconcileError):
        return _only_visited(action, base, visited, landed)
    report = _landed(landed, notices)
    _beside(action, report, landed.state, clients)
    _tell(action, report, visited)
    if action.request.pr_number is not None:
        _comment(action, report, action.request.pr_number)
    elif action.request.comment is not CommentPolicy.OFF:
        for number in _bringers(action, landed, report):
            _comment(action, report, number)
    return report


def _only_visited(action: Action, base: BranchState, visited: Iterable[Visited], error: ReconcileError) -> Report:
    """What landed on the branches of open pull requests, where nothing did on the base. Raises why, where nothing did
    anywhere."""
    if not any(each.landed for each in visited):
        raise error
    summary = Summary(now=action.now, policy=base.workspace.policy, discovered=0, runs=(), errors=(error,))
    report = Report(summary=summary, root=base.store.root)
    _tell(action, report, visited)
    return report


def _propose(action: Action) -> Report:
    base = read_branch(action, action.request.branch or action.job.branch or action.repository.remote.default_branch())
    action, clients = clients_of(action, base)
    notices = [*clients.notices, *preflight(action, base, Mode.PULL_REQUEST)]
    start = started(action, base)
    pool, read = _read(action, start, clients)
    visited = visit(action, pool, read)
    proposed = attempted(action.request.pr_branch, lambda: propose(action, start, read, pool.tree.claims))
    if isinstance(proposed, ReconcileError):
        return _only_visited(action, base, visited, proposed)
    report = _landed(proposed.landed, notices)
    for error in proposed.errors:
        _fail(report, error)
    _beside(action, report, proposed.landed.state, clients)
    report.operation, report.number, report.url = proposed.operation, proposed.number, proposed.url
    if proposed.number is not None:
        _comment(action, report, proposed.number)
    _tell(action, report, visited)
    return report


def _read(action: Action, base: BranchState, clients: Clients) -> tuple[BranchPool, Read]:
    """Usage is read once, for the base and for every open pull request that is to be visited."""
    pool = pooled(action, base)
    return pool, read_usage(base.workspace, pool.tree, clients.provider, action.request.asked)


def _beside(action: Action, report: Report, state: BranchState, clients: Clients) -> None:
    """What is made beside a pass that has landed. Whatever fails here, it is told as landed."""
    _then(report, "the comparison", lambda: _compare(action, report, state, clients))
    _then(report, "the page", lambda: _page(action, report, state.workspace))


def _then(report: Report, what: str, step: Callable[[], None]) -> None:
    """One more step of the job. What keeps it from being done is one more error of the job."""
    done = attempted(what, step)
    if isinstance(done, ReconcileError):
        _fail(report, done)


def _compare(action: Action, report: Report, state: BranchState, clients: Clients) -> None:
    """The comparison beside a pass that has landed. What keeps it from being made is one more error of the job."""
    if not action.request.compare:
        return
    found = comparison_of(action, state, clients)
    if isinstance(found, Comparison):
        report.comparison = found
    else:
        _fail(report, found)


def _page(action: Action, report: Report, workspace: Workspace) -> None:
    """The dashboard of the branch as it is now."""
    if action.request.report is None:
        return
    made = page_of(action, workspace, report.comparison)
    if isinstance(made, Made):
        report.page = made.path
    else:
        _fail(report, made)


def _fail(report: Report, error: ReconcileError) -> None:
    """One more error of the job, said once."""
    if (error.code, error.message) not in {(each.code, each.message) for each in report.summary.errors}:
        report.summary = replace(report.summary, errors=(*report.summary.errors, error))


def _tell(action: Action, report: Report, visited: Iterable[Visited]) -> None:
    """What became of open pull requests: a comment on each, and its errors in the summary."""
    for each in visited:
        for error in each.errors:
            _fail(report, error)
        if each.landed:
            _comment(action, report, each.number, _landed(each.landed, []))


def _landed(landed: Landed, notices: list[str]) -> Report:
    return Report(
        summary=replace(landed.summary, errors=(*landed.summary.errors, *landed.errors)),
        tip=landed.tip,
        commit=landed.commit,
        changed=len(landed.runs),
        root=landed.state.store.root,
        notices=[*notices, *_passed_over(landed.summary)],
        landed=landed,
    )


def _passed_over(summary: Summary) -> list[str]:
    return [summary.census.line] if summary.census.line else []


# ------------------------------------------------------------------------------------------------ comments


def _comment(action: Action, report: Report, number: int, of: Report | None = None) -> None:
    """The comment of one pull request, or one more error of the job."""
    _then(report, f"the comment on #{number}", lambda: _commented(action, report, number, of))


def _commented(action: Action, report: Report, number: int, of: Report | None) -> None:
    """The comment of one pull request: its own runs and what is wrong with its files; on one that was named every run
    of interest and all that is wrong, and on the Action's own what it brings and all that is wrong."""
    if action.request.comment is CommentPolicy.OFF or action.request.dry_run:
        return  # what writes nothing asks for no right
    shown = of or report
    named = action.request.pr_number == number
    try:
        files = () if named else files_of(action, number)
    except GitHubError as error:
        report.notices.append(uncommented(number, error))
        return
    keys = of_interest(shown.summary) if named else runs_of(files, shown.root)
    summary = narrowed(shown.summary, keys, None if named or number == report.number else files)
    address = links(action, shown.tip, shown.commit)
    done = comment_on(action, number, summary, report.comparison, address, changed=bool(shown.changed))
    report.notices += [done.notice] if done.notice else []
    if report.published.identifier is None:
        report.published = done


def _bringers(action: Action, landed: Landed, report: Report) -> list[int]:
    """The pull requests that brought in the runs of this pass, and files that are not valid."""
    broken = dict.fromkeys(finding.path for finding in landed.summary.findings)
    found = attempted(
        "the pull requests that brought the runs",
        lambda: bringers(action, landed.state.branch, [*landed.runs, *broken], MOST_LOOKUPS),
    )
    if isinstance(found, GitHubError):
        report.notices.append(uncommented(None, found))
    elif isinstance(found, ReconcileError):
        _fail(report, found)
    return [] if isinstance(found, ReconcileError) else found


# ----------------------------------------------------------------------------------------------------- the end


def _acted(action: Action, report: Report) -> Acted:
    _then(report, "the issue", lambda: _issue(action, report))
    made = attempted("the summary", lambda: ended(action.request, report, links(action, report.tip, report.commit)))
    if not isinstance(made, ReconcileError):
        return made
    report.summary = replace(report.summary, discovered=0, runs=(), findings=(), unattributed=(), errors=(made,))
    report.comparison = None
    return ended(action.request, report, Links())


def _issue(action: Action, report: Report) -> None:
    if action.request.open_issue and report.landed and not action.request.dry_run:
        issue = sticky_issue(action, report.landed)
        report.notices += [issue.notice] if issue.notice else []
