"""What GitHub says, as values. Fields that are not read are ignored; one that is read must be there and of its type.

Texts are anybody's: titles, bodies, names of branches and of people are to be escaped wherever they go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from reconcile.errors import GitHubError
from reconcile.runs.run import Json

Read = TypeVar("Read", str, int)

SHA = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a pull request or an issue. `author` is empty where the account is gone."""

    id: int
    body: str
    author: str
    author_is_bot: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """`state` is open or closed; `head_repository` is None where the fork was deleted."""

    number: int
    url: str
    state: str
    merged: bool
    title: str
    body: str
    head_ref: str
    head_sha: str
    head_repository: str | None
    base_ref: str
    base_repository: str

    @property
    def from_fork(self) -> bool:
        """Whether its branch is in another repository, which is not ours to write."""
        return self.head_repository != self.base_repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """`state` is open or closed; `author` is empty where the account is gone."""

    number: int
    url: str
    state: str
    title: str
    body: str
    author: str
    author_is_bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule in force on a branch, such as `pull_request` or `required_signatures`, and where it was made."""

    type: str
    source: str | None
    """The organization or repository whose ruleset it is, where GitHub says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A file of .github/workflows. `state` is active, disabled_inactivity, disabled_manually, ..."""

    id: int
    path: str
    state: str


def comment_in(answer: Json) -> Comment:
    author, is_bot = _author(answer)
    return Comment(
        id=field(answer, int, "id"),
        body=_body(answer),
        author=author,
        author_is_bot=is_bot,
        url=field(answer, str, "html_url"),
    )


def pull_request_in(answer: Json) -> PullRequest:
    """From the full form or from that in lists. Only the full one says `merged`, both say when."""
    return PullRequest(
        number=field(answer, int, "number"),
        url=field(answer, str, "html_url"),
        state=field(answer, str, "state"),
        merged=nullable(answer, str, "merged_at") is not None,
        title=field(answer, str, "title"),
        body=_body(answer),
        head_ref=field(answer, str, "head", "ref"),
        head_sha=sha_in(answer, "head", "sha"),
        head_repository=nullable(answer, str, "head", "repo", "full_name"),
        base_ref=field(answer, str, "base", "ref"),
        base_repository=field(answer, str, "base", "repo", "full_name"),
    )


def listed_issue_in(entry: Json) -> Issue | None:
    """None for a pull request, which GitHub lists among the issues."""
    return None if isinstance(entry, dict) and "pull_request" in entry else issue_in(entry)


def issue_in(answer: Json) -> Issue:
    author, is_bot = _author(answer)
    return Issue(
        number=field(answer, int, "number"),
        url=field(answer, str, "html_url"),
        state=field(answer, str, "state"),
        title=field(answer, str, "title"),
        body=_body(answer),
        author=author,
        author_is_bot=is_bot,
    )


def rule_in(answer: Json) -> Rule:
    source = (
        nullable(answer, str, "ruleset_source") if isinstance(answer, dict) and "ruleset_source" in answer else None
    )
    return Rule(type=field(answer, str, "type"), source=source)


def entries_in(answer: Json, name: str) -> list[Json]:
    """A list that comes inside of an object."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(value, list):
        return value
    raise untrusted(f"{name} is no list")


def workflow_in(answer: Json) -> Workflow:
    return Workflow(id=field(answer, int, "id"), path=field(answer, str, "path"), state=field(answer, str, "state"))


def instant_in(answer: Json, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(field(answer, str, name))
    except ValueError as error:
        raise untrusted(f"{name} is no instant") from error
    if moment.tzinfo is None:
        raise untrusted(f"{name} is no instant")
    return moment


def path_in(answer: Json) -> str | None:
    """The path of a file as the pull request leaves it; None for one that it deletes."""
    path = field(answer, str, "filename")
    return None if field(answer, str, "status") == "removed" else path


def sha_in(answer: Json, *path: str) -> str:
    """The name of a commit, which may become part of an address or of a command."""
    sha = field(answer, str, *path)
    if SHA.fullmatch(sha):
        return sha
    raise untrusted(f"{'.'.join(path)} names no commit")


def field(answer: Json, kind: type[Read], *path: str) -> Read:
    """The value at the end of the path, of exactly this type. Raises GitHubError for anything else."""
    value = nullable(answer, kind, *path)
    if value is None:
        raise untrusted(f"{'.'.join(path)} is null")
    return value


def nullable(answer: Json, kind: type[Read], *path: str) -> Read | None:
    """The same, or None where the value, or what should hold it, is null. It must be there."""
    value = answer
    for name in path:
        if not isinstance(value, dict) or name not in value:
            raise untrusted(f"{'.'.join(path)} is missing")
        value = value[name]
        if value is None:
            return None
    if isinstance(value, kind) and type(value) is kind:  # true is an int to isinstance
        return value
    raise untrusted(f"{'.'.join(path)} is {type(value).__name__}, not {kind.__name__}")


def untrusted(problem: str) -> GitHubError:
    """An answer that is neither a refusal nor what was asked for. Its values are not shown: they may hold anything."""
    return GitHubError(
        f"GitHub's answer cannot be trusted: {problem}",
        code="unexpected_shape",
        remedy="run again; if it repeats, check the API's address and what stands between this machine and GitHub",
    )


def _author(answer: Json) -> tuple[str, bool]:
    """The login, and whether it is a bot's; a deleted account is null."""
    return nullable(answer, str, "user", "login") or "", nullable(answer, str, "user", "type") == "Bot"


def _body(answer: Json) -> str:
    return nullable(answer, str, "body") or ""
