"""The calls to GitHub: a method each, from numbers, names and texts to values.

Commits go through GraphQL: GitHub makes and signs them, and only while the branch is where it is expected to be.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from reconcile.errors import GitHubError
from reconcile.github.failures import STALE, meaning_of_errors
from reconcile.github.values import (
    Comment,
    Issue,
    PullRequest,
    Rule,
    Workflow,
    comment_in,
    entries_in,
    field,
    instant_in,
    issue_in,
    listed_issue_in,
    path_in,
    pull_request_in,
    rule_in,
    sha_in,
    untrusted,
    workflow_in,
)
from reconcile.github.wire import (
    API_URL,
    GitHubRequest,
    Token,
    Transport,
    checked_address,
    checked_repository,
    graphql_address,
    segment,
)
from reconcile.providers.transport import Patience
from reconcile.runs.run import Json

PATIENCE = Patience()

READ, WRITE = "pull-requests: read", "pull-requests: write"
READ_ISSUES, WRITE_ISSUES = "issues: read", "issues: write"
READ_CONTENTS = "contents: read"
READ_ACTIONS = "actions: read"
METADATA = "metadata: read"

INSTALLATION = "ghs_"
"""How the token of a job or of another GitHub App begins: what it writes is a bot's."""

Value = TypeVar("Value")


class GitHub:
    """One repository, `owner/name`, as one token may see and change it.

    `api_url` and `graphql_url` are the job's GITHUB_API_URL and GITHUB_GRAPHQL_URL. Raises ConfigurationError where a
    value cannot be what it is given as. Every method raises GitHubError; after `outcome_unknown` what was to be created
    may be there, so nothing is to be created again without a look.
    """

    def __init__(
        self,
        token: str,
        repository: str,
        *,
        api_url: str = API_URL,
        graphql_url: str | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        api = checked_address(api_url)
        self._repository = checked_repository(repository)
        self._api = api
        self._root = f"{api}/repos/{repository}"
        self._bot = token.startswith(INSTALLATION)
        self._graphql = checked_address(graphql_url or graphql_address(api))
        self._transport = Transport(Token(token), patience)

    def login(self) -> str | None:
        """The person whose token this is; None where it is a bot's, which may not ask."""
        if self._bot:
            return None
        try:
            answer = self._transport.ask(
                GitHubRequest(method="GET", url=f"{self._api}/user", permission="a person's token")
            )
            return field(answer, str, "login")
        except GitHubError as error:
            if error.code in {"missing_permission", "forbidden"}:
                return None
            raise

    # ------------------------------------------------------------------------------------------- comments

    def comments(self, number: int) -> list[Comment]:
        """All comments on a pull request or an issue, oldest first."""
        return self._all(comment_in, f"/issues/{number}/comments", READ)

    def create_comment(self, number: int, body: str) -> Comment:
        return comment_in(self._send("POST", f"/issues/{number}/comments", WRITE, {"body": body}))

    def update_comment(self, identifier: int, body: str) -> Comment:
        return comment_in(self._send("PATCH", f"/issues/comments/{identifier}", WRITE, {"body": body}))

    # -------------------------------------------------------------------------------------- pull requests

    def pull_request(self, number: int) -> PullRequest:
        return pull_request_in(self._get(f"/pulls/{number}", READ))

    def pull_request_files(self, number: int) -> list[str]:
        """Paths of the files that it adds or changes, as it leaves them. GitHub tells of the first 3000."""
        return [path for path in self._all(path_in, f"/pulls/{number}/files", READ) if path is not None]

    def open_pull_requests(self, *, head: str | None = None, base: str | None = None) -> list[PullRequest]:
        """All that are open: those from the branch `head` of this repository, those into the branch `base`."""
        owner = self._repository.partition("/")[0]
        asked = {"state": "open", "head": head and f"{owner}:{head}", "base": base}
        return [found for found in self._all(pull_request_in, "/pulls", READ, asked) if _fits(found, head, base)]

    def pull_requests_of_commit(self, sha: str) -> list[PullRequest]:
        """The merged one that brought a commit to the default branch; of another commit, the open ones with it."""
        return self._all(pull_request_in, f"/commits/{segment(sha)}/pulls", READ)

    def create_pull_request(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """From one branch of this repository into another."""
        wanted: Json = {"head": head, "base": base, "title": title, "body": body, "draft": draft}
        return pull_request_in(self._send("POST", "/pulls", WRITE, wanted))

    def update_pull_request(
        self, number: int, *, title: str | None = None, body: str | None = None, state: str | None = None
    ) -> PullRequest:
        """What is None stays; `state` is open or closed."""
        changes = _given({"title": title, "body": body, "state": state})
        return pull_request_in(self._send("PATCH", f"/pulls/{number}", WRITE, changes))

    # --------------------------------------------------------------------------------------------- issues

    def open_issues(self) -> list[Issue]:
        """All that are open, newest first, without the pull requests."""
        found = self._all(listed_issue_in, "/issues", READ_ISSUES, {"state": "open"})
        return [issue for issue in found if issue is not None]

    def create_issue(self, title: str, body: str) -> Issue:
        return issue_in(self._send("POST", "/issues", WRITE_ISSUES, {"title": title, "body": body}))

    def update_issue(self, number: int, *, body: str | None = None, state: str | None = None) -> Issue:
        """What is None stays; `state` is open or closed."""
        changes = _given({"body": body, "state": state})
        return issue_in(self._send("PATCH", f"/issues/{number}", WRITE_ISSUES, changes))

    # ------------------------------------------------------------------------------- branches and commits

    def default_branch(self) -> str:
        return field(self._get("", METADATA), str, "default_branch")

    def rules(self, branch: str) -> list[Rule]:
        """Rules of rulesets in force on a branch. Those of a classic protection only administrators may read."""
        return self._all(rule_in, f"/rules/branches/{segment(branch)}", METADATA)

    def workflows(self) -> list[Workflow]:
        """The first hundred, which are all that most repositories have."""
        found = self._get("/actions/workflows", READ_ACTIONS, {"per_page": "100"})
        return [workflow_in(entry) for entry in entries_in(found, "workflows")]

    def last_scheduled(self, workflow: Workflow) -> datetime | None:
        """When its schedule last started it; None where it never did."""
        asked = {"event": "schedule", "per_page": "1"}
        found = self._get(f"/actions/workflows/{workflow.id}/runs", READ_ACTIONS, asked)
        return next((instant_in(entry, "created_at") for entry in entries_in(found, "workflow_runs")), None)

    def first_commit_of_path(self, path: str, branch: str) -> str | None:
        """The oldest commit on the branch that touched the path; None where none did.

        It is never one of the Action's own, which change files and add none.
        """
        touching = self._all(lambda each: sha_in(each, "sha"), "/commits", READ_CONTENTS, {"path": path, "sha": branch})
        return touching[-1] if touching else None

    def commit_on_branch(
        self, branch: str, expected: str, headline: str, message: str, changes: Mapping[str, bytes]
    ) -> str | None:
        """A commit, signed by GitHub, in which the files of `changes` have these bytes and mode 644.

        It is made only while the branch is at the commit `expected`; else nothing changes, and None is returned.
        """
        wanted: dict[str, Json] = {
            "branch": {"repositoryNameWithOwner": self._repository, "branchName": branch},
            "expectedHeadOid": expected,
            "message": {"headline": headline, "body": message},
            "fileChanges": {"additions": additions(changes)},
        }
        return commit(self._transport, self._graphql, wanted)

    # ------------------------------------------------------------------------------------------- requests

    def _get(self, path: str, permission: str, asked: Mapping[str, str] | None = None) -> Json:
        params = tuple((asked or {}).items())
        return self._transport.ask(
            GitHubRequest(method="GET", url=self._root + path, permission=permission, params=params)
        )

    def _send(self, method: str, path: str, permission: str, body: Json) -> Json:
        return self._transport.ask(
            GitHubRequest(method=method, url=self._root + path, permission=permission, body=body)
        )

    def _all(
        self,
        read: Callable[[Json], Value],
        path: str,
        permission: str,
        asked: Mapping[str, str | None] | None = None,
    ) -> list[Value]:
        params = tuple(_given(asked or {}).items())
        request = GitHubRequest(method="GET", url=self._root + path, permission=permission, params=params)
        return [read(entry) for entry in self._transport.pages(request)]


def _fits(found: PullRequest, head: str | None, base: str | None) -> bool:
    """Whether GitHub kept to what was asked: a filter that it does not understand it leaves out without a word."""
    from_head = head is None or (found.head_ref == head and not found.from_fork)
    return found.state == "open" and from_head and base in (None, found.base_ref)


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


PERMISSION = "contents: write"

MUTATION = """mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}"""


def commit(transport: Transport, url: str, wanted: Mapping[str, Json]) -> str | None:
    """Make the commit that a CreateCommitOnBranchInput describes; None where the branch is at another commit.

    The status of the answer is 200 whatever went wrong; what did is in `errors`.
    """
    body: Json = {"query": MUTATION, "variables": {"input": wanted}}
    answer = transport.ask(GitHubRequest(method="POST", url=url, permission=PERMISSION, body=body))
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
