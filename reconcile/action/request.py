"""What a workflow asked the Action to do, as values; and how that ends: its status and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconcile.attribution.claims import Asked
from reconcile.ledger.comparison import ComparisonVerdict
from reconcile.passes.summary import Summary, standing
from reconcile.runs.state import Proof

BEFORE_A_MERGE = frozenset(
    {
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "pull_request_review_comment",
        "merge_group",
    }
)
"""Events of what is not on the branch yet. Nothing may be pushed for them, and the key is not needed."""


class Mode(StrEnum):
    AUTO = "auto"
    CHECK = "check"
    """Validate what is checked out. Needs no key, works for forks."""
    COMMIT = "commit"
    """One commit on the branch."""
    PULL_REQUEST = "pull-request"
    """One pull request from a branch of the Action's own."""


class Sign(StrEnum):
    GIT = "git"
    API = "api"
    """Commits made by GitHub, which signs them."""


class CommentPolicy(StrEnum):
    AUTO = "auto"
    CHANGES = "changes"
    """Only where this pass changed a file."""
    OFF = "off"


class FailOn(StrEnum):
    ERRORS = "errors"
    WARNINGS = "warnings"
    NEVER = "never"


class JobOutcome(StrEnum):
    """How a pass ended, worst first in the order that counts."""

    ERRORS = "errors"
    WARNINGS = "warnings"
    WAITING = "waiting"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """The inputs that are no secrets and no settings."""

    mode: Mode = Mode.AUTO
    asked: Asked = Asked()  # noqa: RUF009  a frozen value
    dry_run: bool = False
    branch: str | None = None
    pr_branch: str = "reconcile/usage"
    open_pull_requests: bool = False
    open_issue: bool = False
    require_verified: Proof | None = None
    """The least grade that every run must be verified with; None where nothing is wanted."""
    commit_message: str = "Reconcile LLM usage"
    push_attempts: int = 10
    sign: Sign = Sign.GIT
    comment: CommentPolicy = CommentPolicy.AUTO
    comment_key: str = "default"
    pr_number: int | None = None
    fail_on: FailOn = FailOn.ERRORS
    compare: bool = False
    """Whether a log, or the committed runs, are held against the provider and the bill after the pass."""
    logs: tuple[str, ...] = ()
    """`GLOB` or `ENVIRONMENT=GLOB`; where there are none, what the configuration says."""
    tolerance: str | None = None
    report: str | None = None
    """The folder that the dashboard is written into; None for no dashboard."""
    report_hash_keys: bool = False


def mode_of(asked: Mode, event: str) -> Mode:
    """`auto` checks what is about to be merged, and commits on every other event: schedule, push, by hand, by API.

    A workflow that another calls sees the event of its caller.
    """
    if asked is not Mode.AUTO:
        return asked
    return Mode.CHECK if event in BEFORE_A_MERGE else Mode.COMMIT


def outcome(summary: Summary, *, unverified: bool = False, compared: ComparisonVerdict | None = None) -> JobOutcome:
    """How the pass ended. `unverified`: a gate that wants every run verified stays shut. `compared`: what the
    comparison after it came to."""
    moved = {standing(report.run) for report in summary.runs if report.moved}
    if summary.findings or summary.errors or "failed" in moved or unverified or compared is ComparisonVerdict.MISMATCH:
        return JobOutcome.ERRORS
    if "warning" in moved or compared is ComparisonVerdict.NO_DATA:
        return JobOutcome.WARNINGS
    counts = summary.counts
    return (
        JobOutcome.WAITING
        if counts["pending"] or counts["data_not_available"] or counts["skipped"]
        else JobOutcome.CLEAN
    )


def exit_code(summary: Summary, ended: JobOutcome, fail_on: FailOn) -> int:
    """0, 1 for what somebody has to mend or look at, 3 where the provider, git or GitHub could not be reached."""
    failing = {
        FailOn.ERRORS: {JobOutcome.ERRORS},
        FailOn.WARNINGS: {JobOutcome.ERRORS, JobOutcome.WARNINGS},
        FailOn.NEVER: set(),
    }
    if ended not in failing[fail_on]:
        return 0
    return max([1, *(error.exit_code for error in summary.errors)])
