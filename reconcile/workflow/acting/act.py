"""The job from its inputs to its exit code: one function a mode, and what all modes publish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from reconcile.adapters.actions_runtime import SUMMARY_BYTES, unheeded
from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.wire import comparison_json
from reconcile.core.model import Json, Policy
from reconcile.core.request import Comment, Mode, Outcome, Request, exit_code, mode_of, outcome
from reconcile.core.selection import Selection
from reconcile.core.summary import Summary, as_json, narrowed, standing
from reconcile.errors import GitHubError, ReconcileError
from reconcile.reports.annotations import comparison_annotation, job_annotations, surplus
from reconcile.reports.compared import compared_text
from reconcile.reports.markdown import Links
from reconcile.reports.published import published_markdown
from reconcile.reports.text import summary_text
from reconcile.reports.words import painter
from reconcile.workflow.acting.branches import Action, State, read_branch, target_branch
from reconcile.workflow.acting.checking import check
from reconcile.workflow.acting.comparing import comparison_of
from reconcile.workflow.acting.landing import Landed, land
from reconcile.workflow.acting.preflight import preflight
from reconcile.workflow.acting.proposing import propose, started
from reconcile.workflow.acting.publishing import (
    Published,
    bringers,
    comment_on,
    links,
    of_interest,
    runs_of,
    sticky_issue,
)
from reconcile.workflow.acting.visiting import Pool, Visited, pooled, visit
from reconcile.workflow.reading import Read, read_usage

WIDTH = 120
REST = "the file that the output summary-json names has all of them"
NO_COMPARISON = "`compare: true` does nothing in mode check, which asks the provider nothing"
MOST_LOOKUPS = 100
"""Files whose pull request is looked for in one pass: the job's token has a thousand requests an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What the job prints, and writes for the steps after it."""

    log: str
    annotations: str
    markdown: str
    outputs: Mapping[str, str]
    document: Json
    exit_code: int


@dataclass(slots=True, kw_only=True)
class _Report:
    """What has been done so far."""

    summary: Summary
    tip: str | None = None
    commit: str | None = None
    changed: int = 0
    root: PurePosixPath
    notices: list[str] = field(default_factory=list)
    published: Published = field(default_factory=Published)
    landed: Landed | None = None
    comparison: Comparison | None = None
    operation: str = ""
    number: int | None = None
    url: str | None = None


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


def _check(action: Action) -> _Report:
    summary, settings = check(action)
    report = _Report(summary=summary, root=PurePosixPath(settings.runs.as_posix()))
    report.notices += [NO_COMPARISON] if action.request.compare else []
    event = action.job.pull_request
    if event and event.head_sha:
        report.tip = event.head_sha
    number = action.request.pr_number or (event.number if event else None)
    if number is not None:
        _comment(action, report, number)
    return report


def _commit(action: Action) -> _Report:
    base = read_branch(action, target_branch(action))
    notices = preflight(action, base, Mode.COMMIT)
    pool, read = _read(action, base)
    visited = visit(action, pool, read)
    landed = land(action, base, read, action.request.asked, pool.tree.claims)
    report = _landed(landed, notices)
    _compare(action, report, landed.state)
    _tell(action, report, visited)
    if action.request.pr_number is not None:
        _comment(action, report, action.request.pr_number)
    elif action.request.comment is not Comment.OFF:
        for number in _bringers(action, landed, report):
            _comment(action, report, number)
    return report


def _propose(action: Action) -> _Report:
    base = read_branch(action, action.request.branch or action.job.branch or action.repository.remote.default_branch())
    notices = preflight(action, base, Mode.PULL_REQUEST)
    start = started(action, base)
    pool, read = _read(action, start)
    visited = visit(action, pool, read)
    proposed = propose(action, start, read, pool.tree.claims)
    report = _landed(proposed.landed, notices)
    _compare(action, report, proposed.landed.state)
    report.operation, report.number, report.url = proposed.operation, proposed.number, proposed.url
    if proposed.number is not None:
        _comment(action, report, proposed.number)
    _tell(action, report, visited)
    return report


def _read(action: Action, base: State) -> tuple[Pool, Read]:
    """Usage is read once, for the base and for every open pull request that is to be visited."""
    pool = pooled(action, base)
    return pool, read_usage(base.workspace, pool.tree, action.provider, action.request.asked)


def _compare(action: Action, report: _Report, state: State) -> None:
    """The comparison beside a pass that has landed. What keeps it from being made is one more error of the job."""
    if not action.request.compare:
        return
    found = comparison_of(action, state)
    if isinstance(found, Comparison):
        report.comparison = found
    elif (found.code, found.message) not in {(error.code, error.message) for error in report.summary.errors}:
        report.summary = replace(report.summary, errors=(*report.summary.errors, found))


def _tell(action: Action, report: _Report, visited: Iterable[Visited]) -> None:
    """What became of open pull requests: a comment on each, and its errors in the summary."""
    for each in visited:
        report.summary = replace(report.summary, errors=(*report.summary.errors, *each.errors))
        if each.landed:
            _comment(action, report, each.number, _landed(each.landed, []))


def _landed(landed: Landed, notices: list[str]) -> _Report:
    return _Report(
        summary=landed.summary,
        tip=landed.tip,
        commit=landed.commit,
        changed=len(landed.runs),
        root=landed.state.store.root,
        notices=notices,
        landed=landed,
    )


def not_acted(request: Request, error: ReconcileError) -> Acted:
    """The end of a job that could do nothing: why, for the steps after it and for whoever reads the log."""
    now = datetime.now(UTC).replace(microsecond=0)
    summary = Summary(now=now, policy=Policy(), discovered=0, runs=(), errors=(error,))
    return _ended(request, _Report(summary=summary, root=PurePosixPath()), Links())


# ------------------------------------------------------------------------------------------------ comments


def _comment(action: Action, report: _Report, number: int, of: _Report | None = None) -> None:
    """The comment of one pull request: its own runs, or every run of interest on one that was named."""
    if action.request.comment is Comment.OFF or action.request.dry_run:
        return  # what writes nothing asks for no right
    shown = of or report
    named = action.request.pr_number == number
    try:
        keys = of_interest(shown.summary) if named else runs_of(action, number, shown.root)
    except GitHubError as error:
        report.notices.append(f"no comment on #{number}: {error.message}. {error.remedy}")
        return
    summary = narrowed(shown.summary, keys)
    address = links(action, shown.tip, shown.commit)
    done = comment_on(action, number, summary, report.comparison, address, changed=bool(shown.changed))
    report.notices += [done.notice] if done.notice else []
    if report.published.identifier is None:
        report.published = done


def _bringers(action: Action, landed: Landed, report: _Report) -> list[int]:
    """The pull requests that brought in the runs of this pass."""
    try:
        return bringers(action, landed.state.branch, landed.runs, MOST_LOOKUPS)
    except GitHubError as error:
        report.notices.append(f"no comments: {error.message}. {error.remedy}")
        return []


# ----------------------------------------------------------------------------------------------------- the end


def _acted(action: Action, report: _Report) -> Acted:
    if action.request.open_issue and report.landed and not action.request.dry_run:
        issue = sticky_issue(action, report.landed)
        report.notices += [issue.notice] if issue.notice else []
    return _ended(action.request, report, links(action, report.tip, report.commit))


def _ended(request: Request, report: _Report, shown: Links) -> Acted:
    """Log, annotations, summary, outputs and exit code."""
    summary, comparison = report.summary, report.comparison
    unverified = request.require_verified and _unverified(summary)
    ended = outcome(summary, unverified=unverified, compared=comparison.verdict if comparison else None)
    plain = painter(colour=False)
    log = [summary_text(summary, plain, WIDTH), *([compared_text(comparison, plain, WIDTH)] if comparison else [])]
    notes = job_annotations(summary.findings, summary.errors, report.notices) + comparison_annotation(comparison)
    document = as_json(summary, shown=summary.runs)
    return Acted(
        log=unheeded("\n\n".join(log) + "\n" + surplus(report.notices)),
        annotations=notes,
        markdown=published_markdown(summary, comparison, shown, SUMMARY_BYTES // 4, rest=REST),
        outputs=_outputs(report, ended),
        document=document | ({"comparison": comparison_json(comparison)} if comparison else {}),
        exit_code=exit_code(summary, ended, request.fail_on),
    )


def _unverified(summary: Summary) -> bool:
    asked = [report for report in summary.runs if report.selection is not Selection.NOT_ASKED]
    return any(standing(report.run) != "verified" for report in asked)


def _outputs(report: _Report, ended: Outcome) -> dict[str, str]:
    counts = report.summary.counts
    names = {"warnings": "warning"}
    numbers = ("discovered", "due", "verified", "pending", "warnings", "failed", "invalid")
    return {
        "status": ended,
        **{name: str(counts[names.get(name, name)]) for name in numbers},
        "changed": str(report.changed),
        "commit-sha": report.commit or "",
        "pushed": str(report.commit is not None).lower(),
        "pr-number": str(report.number or ""),
        "pr-url": report.url or "",
        "pr-operation": report.operation,
        "comment-id": str(report.published.identifier or ""),
        "comment-url": report.published.url or "",
        "comparison": report.comparison.verdict if report.comparison else "",
    }
