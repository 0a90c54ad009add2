"""The one comment on a pull request and the one open issue: how they are found again, and whether they have to change.

The first line of either is a hidden marker with a key, so that several jobs can each have their own, and a digest of
what is shown: figures, statuses, findings, a comparison. Times and links are not in the digest, nor is how much was
read, so a pass that learnt nothing edits nothing. What GitHub does not let be written is a notice, never a failure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePosixPath

from reconcile.action.job import Action
from reconcile.action.request import CommentPolicy
from reconcile.action.target import Landed
from reconcile.errors import GitHubError
from reconcile.github.client import GitHub
from reconcile.github.values import Comment as WrittenComment
from reconcile.github.values import Issue
from reconcile.ledger.comparison import Comparison
from reconcile.ledger.comparison_json import comparison_json
from reconcile.passes.summary import RunReport, Summary, error_json, finding_json, graded, narrowed, standing
from reconcile.report.compared_as import published_markdown
from reconcile.report.markdown import Links, summary_markdown
from reconcile.runs.metrics import bounds_json, usage_json
from reconcile.runs.run import Json, RunKey
from reconcile.runs.tree_store import EVIDENCE_NAME, FILE_NAME, LOG_NAME

MOST_CHARACTERS = 64_000
"""GitHub refuses the body of a comment above 65,536 characters."""

RIGHT = "pull-requests: write"
DENIED = {"missing_permission", "forbidden", "not_found"}
"""Codes of errors that a right may mend. Without one, what is asked for is hidden, or its reading is refused."""

READING = ("log", "api")
"""Of a comparison, what grows from hour to hour and is no figure: lines that were read, requests that were made."""

MARKER = re.compile(r"<!-- llm-usage-reconcile key=([A-Za-z0-9_.-]{1,64}) digest=([0-9a-f]{16}) -->(?:\r?\n|\Z)")


class CommentStep(Enum):
    """What is to be done."""

    CREATE = auto()
    UPDATE = auto()
    KEEP = auto()


@dataclass(frozen=True, slots=True)
class FoundComment:
    """A comment by one of ours, with the number it has."""

    number: int
    digest: str


def marker(key: str, digest: str) -> str:
    return f"<!-- llm-usage-reconcile key={key} digest={digest} -->\n"


def find(comments: Iterable[tuple[int, str]], key: str) -> FoundComment | None:
    """The oldest of the comments (number and body, by a bot) whose very first line is the marker of this key."""
    for number, body in comments:
        match = MARKER.match(body)
        if match and match[1] == key:
            return FoundComment(number, match[2])
    return None


def next_step(found: FoundComment | None, digest: str) -> CommentStep:
    if found is None:
        return CommentStep.CREATE
    return CommentStep.KEEP if found.digest == digest else CommentStep.UPDATE


def content_digest(summary: Summary, comparison: Comparison | None = None) -> str:
    """Of what the comment shows, without the times it was shown at."""
    shown: dict[str, Json] = {
        "runs": [_run(report) for report in summary.runs],
        "invalid": [finding_json(finding) for finding in sorted(summary.findings)],
        "errors": [error_json(error) for error in summary.errors],
    }
    if comparison:
        shown["comparison"] = _compared(comparison)
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def _run(report: RunReport) -> Json:
    state = report.run.state
    return {
        "run": str(report.run.key),
        "status": standing(report.run),
        "proof": graded(report.run),
        "reasons": list(state.reasons) if state else [],
        "completeness": state.completeness if state else None,
        "assumes": list(state.assumes) if state else [],
        "figure": usage_json(state.figure, state.unknown) if state else None,
        "bounds": bounds_json(state.bounds) if state and state.bounds else None,
    }


def _compared(comparison: Comparison) -> Json:
    return {name: value for name, value in comparison_json(comparison).items() if name not in READING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a comment or an issue: its number and address, or why there is none."""

    identifier: int | None = None
    url: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a comment shows."""

    summary: Summary
    comparison: Comparison | None
    links: Links


def comment_on(action: Action, number: int, shown: Shown, *, changed: bool) -> Published:
    """The comment of this pull request, created or updated in place; untouched where it would show the same."""
    wanted = action.request.comment
    if action.github is None or wanted is CommentPolicy.OFF or (wanted is CommentPolicy.CHANGES and not changed):
        return Published()
    try:
        ours = _own(action.github)
        written = [(each.id, each.body) for each in action.github.comments(number) if ours(each)]
        found = find(written, action.request.comment_key)
        digest = content_digest(shown.summary, shown.comparison)
        step = next_step(found, digest)
        if step is CommentStep.KEEP and found:
            page = f"{action.job.page}/pull/{number}#issuecomment-{found.number}"
            return Published(identifier=found.number, url=page)
        lead = marker(action.request.comment_key, digest)
        body = published_markdown(shown.summary, shown.comparison, shown.links, MOST_CHARACTERS, lead)
        github = action.github
        made = github.update_comment(found.number, body) if found else github.create_comment(number, body)
        return Published(identifier=made.id, url=made.url)
    except GitHubError as error:
        return Published(notice=uncommented(number, error))


def uncommented(number: int | None, error: GitHubError) -> str:
    """Why there is no comment, or none at all, and what would let it be written: more than reading takes."""
    remedy = error.remedy.replace("pull-requests: read", RIGHT)
    if error.code in DENIED and RIGHT not in remedy:
        remedy += f"; the comment takes `{RIGHT}` in the job's `permissions:`"
    return f"{'no comments' if number is None else f'no comment on #{number}'}: {error.message}. {remedy}"


def _own(github: GitHub) -> Callable[[WrittenComment | Issue], bool]:
    """Tells what this token wrote: that of its person, else that of a bot, whose name it is not told."""
    login = github.login()
    return lambda each: each.author == login if login else each.author_is_bot


def files_of(action: Action, number: int) -> frozenset[str]:
    """The files that a pull request touches. Raises GitHubError."""
    return frozenset(action.github.pull_request_files(number)) if action.github else frozenset()


def runs_of(files: Iterable[str], root: PurePosixPath) -> frozenset[RunKey]:
    """The runs whose files, call logs or evidence are among these."""
    found = set()
    for path in files:
        parts = PurePosixPath(path).parts
        below = parts[len(root.parts) :] if parts[: len(root.parts)] == root.parts else ()
        if len(below) == 3 and below[2] in {FILE_NAME, LOG_NAME, EVIDENCE_NAME}:  # noqa: PLR2004  framework, run, file
            found.add(RunKey(below[0], below[1]))
    return frozenset(found)


def of_interest(summary: Summary) -> frozenset[RunKey]:
    """The runs that a standing comment shows: open ones, those to look at, and those still inside the cutoff."""
    return frozenset(report.run.key for report in summary.runs if _of_interest(report, summary))


def _of_interest(report: RunReport, summary: Summary) -> bool:
    young = summary.now - report.run.ended_at <= summary.policy.max_age
    return young or standing(report.run) not in {"verified", "inherited"}


def sticky_issue(action: Action, landed: Landed) -> Published:
    """One issue for as long as something is broken: opened, kept up to date, closed when nothing is left."""
    if action.github is None:
        return Published()
    breaks = frozenset(r.run.key for r in landed.summary.runs if standing(r.run) in {"warning", "failed"})
    summary = narrowed(landed.summary, breaks, None)
    broken = bool(breaks or summary.findings)
    try:
        ours = _own(action.github)
        issues = [(each.number, each.body) for each in action.github.open_issues() if ours(each)]
        found = find(issues, action.request.comment_key)
        digest = content_digest(summary)
        if not broken:
            if found:
                action.github.update_issue(found.number, state="closed")
            return Published()
        body = summary_markdown(
            summary,
            action.job.links(landed.pushed.tip, landed.pushed.commit),
            MOST_CHARACTERS,
            marker(action.request.comment_key, digest),
        )
        if found is None:
            made = action.github.create_issue("LLM usage: runs to look at", body)
            return Published(identifier=made.number, url=made.url)
        if found.digest != digest:
            action.github.update_issue(found.number, body=body)
        return Published(identifier=found.number)
    except GitHubError as error:
        return Published(notice=f"no issue: {error.message}. {error.remedy}")


def bringers(action: Action, branch: str, paths: Iterable[str], most: int) -> list[int]:
    """The pull requests that brought files to the branch, found by the oldest commit of each path."""
    if action.github is None:
        return []
    commits = {action.github.first_commit_of_path(path, branch) for path in list(paths)[:most]}
    found = {pull.number for commit in commits if commit for pull in action.github.pull_requests_of_commit(commit)}
    return sorted(found)
