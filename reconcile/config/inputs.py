"""The inputs of the GitHub Action, as text from the environment to values. An empty input means its default.

Each travels as `RECONCILE_INPUT_<NAME>`: under its documented name an empty one would blank a variable of the job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reconcile.action.request import CommentPolicy, FailOn, JobRequest, Mode, Sign
from reconcile.attribution.claims import Asked
from reconcile.config.settings import Flags, Secret
from reconcile.errors import UsageError
from reconcile.ledger.figures import tolerance
from reconcile.runs.state import Proof

PREFIX = "RECONCILE_INPUT_"
BOOLEANS = {"true": True, "false": False}
Choice = TypeVar("Choice", bound=StrEnum)
COMMENT_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the workflow asked for, and the secrets it gave."""

    request: JobRequest
    flags: Flags
    admin_key: Secret | None
    token: Secret | None
    github_api_url: str | None


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """The inputs of this job. Raises UsageError for a value that an input cannot have, and names those it can."""
    given = {name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX)}
    values = {name.lower().replace("_", "-"): text.strip() for name, text in given.items() if text.strip()}
    key, token = values.get("openai-admin-key"), values.get("token")
    return Inputs(
        request=_request(values),
        flags=_flags(values),
        admin_key=Secret(key) if key else None,
        token=Secret(token) if token else None,
        github_api_url=values.get("github-api-url"),
    )


def _flags(values: Mapping[str, str]) -> Flags:
    return Flags(
        runs=values.get("runs"),
        config=values.get("config"),
        min_age=values.get("min-age"),
        max_age=values.get("max-age"),
        now=values.get("now"),
        openai_url=values.get("api-url"),
        pricing=_flag(values, "pricing"),
    )


def _request(values: Mapping[str, str]) -> JobRequest:
    asked = Asked(framework=values.get("framework"), run_id=values.get("run-id"), force=_flag(values, "force"))
    return JobRequest(
        mode=_choice(values, "mode", Mode.AUTO),
        asked=asked,
        dry_run=_flag(values, "dry-run"),
        branch=values.get("branch"),
        pr_branch=values.get("pr-branch", JobRequest().pr_branch),
        open_pull_requests=_flag(values, "open-pull-requests"),
        open_issue=_flag(values, "open-issue"),
        require_verified=_grade(values),
        commit_message=values.get("commit-message", JobRequest().commit_message),
        push_attempts=_number(values, "push-attempts", 1, 100) or JobRequest().push_attempts,
        sign=_choice(values, "sign", Sign.GIT),
        comment=_choice(values, "comment", CommentPolicy.AUTO),
        comment_key=_comment_key(values),
        pr_number=_number(values, "pr-number", 1, 10**9),
        fail_on=_choice(values, "fail-on", FailOn.ERRORS),
        compare=_flag(values, "compare"),
        logs=tuple(values.get("logs", "").split()),
        tolerance=_tolerance(values),
        report=values.get("report"),
        report_hash_keys=_flag(values, "report-hash-keys"),
    )


def _choice(values: Mapping[str, str], name: str, default: Choice) -> Choice:
    allowed = list(type(default))
    text = values.get(name, default)
    if text not in {choice.value for choice in allowed}:
        raise _wrong(name, text, f"write one of {', '.join(allowed)}")
    return type(default)(text)


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "false")
    if text.lower() not in BOOLEANS:
        raise _wrong(name, text, "write true or false")
    return BOOLEANS[text.lower()]


def _grade(values: Mapping[str, str]) -> Proof | None:
    """The least grade that is wanted; `true` takes any."""
    text = values.get("require-verified", "false")
    grades = {"false": None, "true": Proof.ASSUMED, **{grade.value: grade for grade in Proof}}
    if text.lower() not in grades:
        raise _wrong("require-verified", text, "write true, false, proven or supported")
    return grades[text.lower()]


def _number(values: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise _wrong(name, text, f"write a whole number from {least} to {most}")
    return int(text)


def _comment_key(values: Mapping[str, str]) -> str:
    text = values.get("comment-key", "default")
    if not COMMENT_KEY.fullmatch(text):
        raise _wrong("comment-key", text, "write up to 64 letters, digits, dots, dashes and underscores")
    return text


def _tolerance(values: Mapping[str, str]) -> str | None:
    text = values.get("tolerance")
    if text is not None:
        tolerance(text)  # before the pass: what cannot be meant fails the job at once
    return text


def _wrong(name: str, text: str, remedy: str) -> UsageError:
    return UsageError(f"input {name}: {text!r} is not a value it can have", code="bad_input", remedy=remedy)
