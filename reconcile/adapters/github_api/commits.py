"""Commits through GraphQL: GitHub makes and signs them, and only while the branch is where it is expected to be."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from reconcile.adapters.github_api.answers import sha_in, untrusted
from reconcile.adapters.github_api.failures import STALE, meaning_of_errors
from reconcile.adapters.github_api.transport import Transport
from reconcile.adapters.github_api.wire import Request
from reconcile.core.model import Json
from reconcile.errors import GitHubError

PERMISSION = "contents: write"

MUTATION = """mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}"""


def commit(transport: Transport, url: str, wanted: Mapping[str, Json]) -> str | None:
    """Make the commit that a CreateCommitOnBranchInput describes; None where the branch is at another commit.

    The status of the answer is 200 whatever went wrong; what did is in `errors`.
    """
    body: Json = {"query": MUTATION, "variables": {"input": wanted}}
    answer = transport.ask(Request(method="POST", url=url, permission=PERMISSION, body=body))
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not errors:
        return sha_in(answer, "data", "createCommitOnBranch", "commit", "oid")
    said = _said(errors)
    if STALE.search(said):
        return None
    code, remedy = meaning_of_errors(said, PERMISSION)
    raise GitHubError(f"GitHub made no commit: {transport.quoted(said)}", code=code, remedy=remedy)


def additions(changes: Mapping[str, bytes]) -> Json:
    """Whole files by path, for the `fileChanges` of the input. They get mode 644, whatever they had."""
    return [{"path": path, "contents": b64encode(data).decode()} for path, data in changes.items()]


def _said(errors: Json) -> str:
    """Types and messages of all errors."""
    if not isinstance(errors, list):
        raise untrusted(f"errors is {type(errors).__name__}, not list")
    return "; ".join(" ".join(_part(error, name) for name in ("type", "message")) for error in errors)


def _part(error: Json, name: str) -> str:
    """Errors of the query itself have no type."""
    part = error.get(name) if isinstance(error, dict) else None
    return part if isinstance(part, str) else ""
