"""What a workflow asked the Action to do, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconcile.attribution.claims import Asked
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
