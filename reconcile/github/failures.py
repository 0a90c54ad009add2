"""What a refusal by GitHub means: the code of the error, and what to set or to mend.

A refusal is known by its status and, where one status stands for several, by the words of its message, which GitHub
has kept for years: docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api (2026-11).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from reconcile.runs.run import Json

LEAST_PAUSE = 60.0
"""Seconds to wait, as GitHub's documentation asks, where it refuses for its rate limit and does not say how long."""

LIMITED = re.compile("rate limit|abuse detection", re.IGNORECASE)
RATE = ("rate_limited", "run again later, and look for what else uses this token so often")
RULE = (
    "push_refused_by_rule",
    "set `mode: pull-request`, or pass the token of a GitHub App that may bypass the rule",
)
UNAVAILABLE = ("github_unavailable", "run again later; www.githubstatus.com tells of outages")
NO_PERMISSION = (
    "missing_permission",
    "add `{permission}` to the job's `permissions:` (a pull request from a fork gets a token that may not write)",
)
NOT_FOUND = (
    "not_found",
    "check names and numbers, and that the job's `permissions:` grant `{permission}`: what is hidden is not found",
)

REFUSALS: tuple[tuple[int, str, str, str], ...] = (
    (401, "", "bad_token", "pass a valid `token`; the default one ends with its job"),
    (
        403,
        "not permitted to create or approve pull requests",
        "pull_requests_forbidden",
        "tick Settings > Actions > General > Allow GitHub Actions to create and approve pull requests, or use an App",
    ),
    (403, "Resource not accessible by", *NO_PERMISSION),
    (403, "is locked", "locked", "unlock the conversation, or leave this pull request without a comment"),
    (403, "", "forbidden", "see what GitHub says: the token, its owner or the repository may not do this"),
    (404, "", *NOT_FOUND),
    (409, "is empty", "repository_empty", "push a first commit"),
    (410, "", "gone", "it was deleted, or Issues are switched off under Settings > General > Features"),
    (422, "", "refused", "see what GitHub says: a rule of the repository, or a defect of this tool to be reported"),
)
"""Of a status and the words of a message, the first that fit: the code of the error, the remedy."""

STALE = re.compile("STALE_DATA|Expected branch to point to")

GRAPHQL: tuple[tuple[str, str, str], ...] = (
    ("RATE_LIMITED|[Rr]ate limit", *RATE),
    ("Resource not accessible by", *NO_PERMISSION),
    ("BRANCH_PROTECTION|rule violation|[Pp]rotected branch|through a pull request", *RULE),
    ("NOT_FOUND|Could not resolve", *NOT_FOUND),
    ("", "refused", "see what GitHub says: a rule of the branch, or a defect of this tool to be reported"),
)
"""The same for the errors of a GraphQL answer, of their types and messages: its status is 200 whatever went wrong."""


def meaning(status: int, said: str, permission: str) -> tuple[str, str]:
    """Code and remedy of a refusal; `permission` is what the call needs, as a job spells it."""
    for refused, words, code, remedy in REFUSALS:
        if status == refused and words in said:
            return code, remedy.format(permission=permission)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "moved", "the token is not sent on: name the repository as it is called now, and check the API's address"
    return "unexpected_status", "check the API's address, and what stands between this machine and GitHub"


def meaning_of_errors(said: str, permission: str) -> tuple[str, str]:
    """Code and remedy of the types and messages of GraphQL errors."""
    code, remedy = next((code, remedy) for words, code, remedy in GRAPHQL if re.search(words, said))
    return code, remedy.format(permission=permission)


def pause_asked(status: int, said: str, headers: Mapping[str, str]) -> float | None:
    """Seconds that GitHub wants nothing more to be asked for; None where it is not the rate that it refuses."""
    by_rate = LIMITED.search(said) or "Retry-After" in headers
    if status != HTTPStatus.TOO_MANY_REQUESTS and not (status == HTTPStatus.FORBIDDEN and by_rate):
        return None
    after = retry_after(headers)
    if after is not None:
        return after
    reset = headers.get("X-RateLimit-Reset", "")
    if headers.get("X-RateLimit-Remaining") == "0" and re.fullmatch("[0-9]{1,12}", reset):
        return max(0.0, float(reset) - _instant(headers.get("Date", "")))
    return LEAST_PAUSE


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of the header, which GitHub always gives as a number."""
    value = headers.get("Retry-After", "")
    return float(value) if re.fullmatch("[0-9]{1,9}", value) else None


def _instant(date: str) -> float:
    """Unix seconds on GitHub's own clock, as ours may be wrong; 0, which makes any wait long, where it tells none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0


def said_in(body: bytes) -> str:
    """The message of a refusal with its details; else the body as it is."""
    text = body.decode(errors="replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
        return text
    errors = answer.get("errors")
    details = [_detail(error) for error in errors] if isinstance(errors, list) else []
    return "; ".join([answer["message"], *details])


def _detail(error: Json) -> str:
    """An entry of `errors`: a text, or an object with a message or with a field and a code."""
    if not isinstance(error, dict):
        return str(error)
    if error.get("message"):
        return str(error["message"])
    return " ".join(str(error[name]) for name in ("resource", "field", "code") if error.get(name))
