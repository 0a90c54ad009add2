"""The stages of a job, from its inputs to its exit code: open, preflight, read, land, publish, end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconcile.action.branches import BranchState, read_branch
from reconcile.action.check import check
from reconcile.action.comment import (
    Shown,
    bringers,
    comment_on,
    files_of,
    of_interest,
    runs_of,
    sticky_issue,
    uncommented,
)
from reconcile.action.end import Acted, Report, ended
from reconcile.action.job import Action, Clients
from reconcile.action.pool import Visited, pool_of, visit
from reconcile.action.preflight import base_branch, clients_of, preflight
from reconcile.action.products import comparison_of, page_of
from reconcile.action.proposal import propose, started
from reconcile.action.request import CommentPolicy, Mode, mode_of
from reconcile.action.target import Landed, Pooled, PushedBranch, land
from reconcile.errors import GitHubError, ReconcileError
from reconcile.passes.containing import attempted
from reconcile.passes.summary import Summary, narrowed
from reconcile.passes.tree import Workspace
from reconcile.report.markdown import Links

NO_COMPARISON = "`compare: true` does nothing in mode check, which asks the provider nothing"
MOST_LOOKUPS = 100
"""Files whose pull request is looked for in one pass: the job's token has a thousand requests an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A job that may go on to read and to land: its base branch, what asks the provider, and what is to be noticed."""

    action: Action
    mode: Mode
    base: BranchState
    clients: Clients
    notices: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Course(Report):
    """A job under way: what it has, beside what it has done."""

    action: Action


def act(action: Action) -> Acted:
    """Do what the workflow asked for. Raises where nothing could be done at all."""
    mode = mode_of(action.request.mode, action.job.event)
    course = _checked(action) if mode is Mode.CHECK else _passed(_opened(action, mode))
    return _ended(course)


def _checked(action: Action) -> Course:
    """The whole of mode check, which reads no usage and lands nowhere."""
    checked = check(action)
    action = action.with_clients(action.clients(checked.settings.vouched().base_url))
    root, event = PurePosixPath(checked.settings.runs.as_posix()), action.job.pull_request
    course = Course(action=action, summary=checked.summary, root=root, tip=(event and event.head_sha) or None)
    course.notices += _passed_over(checked.summary)
    course.notices += [NO_COMPARISON] if action.request.compare else []
    course.step("the page", lambda: _page(course, checked.workspace))
    number = action.request.pr_number or (event.number if event else None)
    if number is not None:
        _comment(course, number, course)
    return course


def _opened(action: Action, mode: Mode) -> Opened:
    """Open and preflight."""
    base = read_branch(action, base_branch(action, mode))
    clients = clients_of(action, base)
    action = action.with_clients(clients)
    notices = (*clients.notices, *preflight(action, base, mode))
    return Opened(action=action, mode=mode, base=base, clients=clients, notices=notices)


def _passed(opened: Opened) -> Course:
    """Read, land and publish. Raises why nothing landed on the base, where nothing did anywhere."""
    start = started(opened.action, opened.base) if opened.mode is Mode.PULL_REQUEST else opened.base
    pool = pool_of(opened.action, start, opened.clients.provider)
    visited = visit(opened.action, pool)
    landed = _landed(opened, start, pool.pooled)
    if not isinstance(landed, ReconcileError):
        course = _course(opened.action, landed, opened.notices)
        _make(course, landed.state, opened.clients)
    elif any(each.landed for each in visited):
        course = _without_base(opened, landed)
    else:
        raise landed
    _publish(course, visited)
    return course


def _landed(opened: Opened, start: BranchState, pooled: Pooled) -> Landed | ReconcileError:
    if opened.mode is Mode.PULL_REQUEST:
        return attempted(opened.action.request.pr_branch, lambda: propose(opened.action, start, pooled))
    target = PushedBranch(action=opened.action, asked=opened.action.request.asked)
    return attempted(start.branch, lambda: land(target, start, pooled))


def _course(action: Action, landed: Landed, notices: Iterable[str] = ()) -> Course:
    """The job once a pass has landed."""
    return Course(
        action=action,
        summary=replace(landed.summary, errors=(*landed.summary.errors, *landed.errors)),
        root=landed.state.store.root,
        tip=landed.pushed.tip,
        landed=landed,
        notices=[*notices, *_passed_over(landed.summary)],
    )


def _without_base(opened: Opened, error: ReconcileError) -> Course:
    """The job whose pass has landed on branches of open pull requests alone."""
    policy = opened.base.workspace.policy
    summary = Summary(now=opened.action.now, policy=policy, discovered=0, runs=(), errors=(error,))
    return Course(action=opened.action, summary=summary, root=opened.base.store.root)


def _passed_over(summary: Summary) -> list[str]:
    return [summary.census.line] if summary.census.line else []


# ---------------------------------------------------------------------------------------------- beside the pass


def _make(course: Course, state: BranchState, clients: Clients) -> None:
    """What is made of a pass that has landed. Whatever fails here, it is told as landed."""
    course.step("the comparison", lambda: _compare(course, state, clients))
    course.step("the page", lambda: _page(course, state.workspace))


def _compare(course: Course, state: BranchState, clients: Clients) -> None:
    if course.action.request.compare:
        course.comparison = comparison_of(course.action, state, clients)


def _page(course: Course, workspace: Workspace) -> None:
    if course.action.request.report is not None:
        course.page = page_of(course.action, workspace, course.comparison)


# ------------------------------------------------------------------------------------------------ comments


def _publish(course: Course, visited: Iterable[Visited]) -> None:
    """A comment on the Action's own pull request, on those that were visited, and on those that the pass is about."""
    if course.proposed.number is not None:
        _comment(course, course.proposed.number, course)
    for each in visited:
        for error in each.errors:
            course.fail(error)
        if each.landed:
            _comment(course, each.number, _course(course.action, each.landed))
    if course.landed and not course.landed.proposed:
        for number in _concerned(course, course.landed):
            _comment(course, number, course)


def _concerned(course: Course, landed: Landed) -> list[int]:
    """The pull request that the workflow names, else those that brought in the runs of this pass, and files that are
    not valid."""
    request = course.action.request
    if request.pr_number is not None:
        return [request.pr_number]
    if request.comment is CommentPolicy.OFF:
        return []
    paths = [*landed.runs, *dict.fromkeys(finding.path for finding in landed.summary.findings)]
    found = attempted(
        "the pull requests that brought the runs",
        lambda: bringers(course.action, landed.state.branch, paths, MOST_LOOKUPS),
    )
    if not isinstance(found, ReconcileError):
        return found
    if isinstance(found, GitHubError):
        course.notices.append(uncommented(None, found))
    else:
        course.fail(found)
    return []


def _comment(course: Course, number: int, of: Report) -> None:
    """The comment of one pull request, or one more error of the job. `of`: the pass over its branch."""
    course.step(f"the comment on #{number}", lambda: _commented(course, number, of))


def _commented(course: Course, number: int, of: Report) -> None:
    """The comment of one pull request: its own runs and what is wrong with its files; on one that was named every run
    of interest and all that is wrong, and on the Action's own what it brings and all that is wrong."""
    request = course.action.request
    if request.comment is CommentPolicy.OFF or request.dry_run:
        return  # what writes nothing asks for no right
    named = request.pr_number == number
    try:
        files = () if named else files_of(course.action, number)
    except GitHubError as error:
        course.notices.append(uncommented(number, error))
        return
    keys = of_interest(of.summary) if named else runs_of(files, of.root)
    summary = narrowed(of.summary, keys, None if named or number == course.proposed.number else files)
    shown = Shown(summary=summary, comparison=course.comparison, links=course.action.job.links(of.tip, of.commit))
    done = comment_on(course.action, number, shown, changed=bool(of.changed))
    course.notices += [done.notice] if done.notice else []
    if course.published.identifier is None:
        course.published = done


# ----------------------------------------------------------------------------------------------------- the end


def _ended(course: Course) -> Acted:
    request, links = course.action.request, course.action.job.links
    course.step("the issue", lambda: _issue(course))
    made = attempted("the summary", lambda: ended(request, course, links(course.tip, course.commit)))
    if not isinstance(made, ReconcileError):
        return made
    course.summary = replace(course.summary, discovered=0, runs=(), findings=(), unattributed=(), errors=(made,))
    course.comparison = None
    return ended(request, course, Links())


def _issue(course: Course) -> None:
    request, landed = course.action.request, course.landed
    if request.open_issue and landed and not request.dry_run:
        issue = sticky_issue(course.action, landed)
        course.notices += [issue.notice] if issue.notice else []
