"""The mutation createCommitOnBranch, with git plumbing on a bare repository.

githubkit describes REST only, so this part of GitHub's GraphQL schema is written out by hand: the same types, fields
and defaults as in the public one (npm's @octokit/graphql-schema 15.26.1), which has 70,000 lines and is on no Python
index. graphql-core holds queries, variables and answers to it.
"""

import re
from base64 import b64decode

from graphql import GraphQLError, build_schema, graphql_sync
from support.git import git, quoted

SCRATCH = "refs/double/new"

SCHEMA = build_schema(
    """
    scalar Base64String
    scalar GitObjectID
    input CommittableBranch { id: ID, repositoryNameWithOwner: String, branchName: String }
    input CommitMessage { headline: String!, body: String }
    input FileAddition { path: String!, contents: Base64String! }
    input FileDeletion { path: String! }
    input FileChanges { additions: [FileAddition!] = [], deletions: [FileDeletion!] = [] }
    input CreateCommitOnBranchInput {
      branch: CommittableBranch!
      clientMutationId: String
      expectedHeadOid: GitObjectID!
      fileChanges: FileChanges
      message: CommitMessage!
    }
    type Commit { oid: GitObjectID! }
    type CreateCommitOnBranchPayload { clientMutationId: String, commit: Commit }
    type Mutation { createCommitOnBranch(input: CreateCommitOnBranchInput!): CreateCommitOnBranchPayload }
    type Query { id: ID! }
    """
)


def answer(body, state, permitted, author):
    """The JSON that answers a query, and why the query itself was wrong, if it was."""
    unknown = body.keys() - {"query", "variables", "operationName"}
    root = {"createCommitOnBranch": lambda _, **arguments: _commit(state, arguments["input"], permitted, author)}
    result = graphql_sync(SCHEMA, body.get("query", ""), root, variable_values=body.get("variables"))
    errors = result.errors or []
    wrong = [error.message for error in errors if "type" not in (error.extensions or {})]
    told = [{"type": error.extensions["type"], **_plain(error)} for error in errors if error.extensions]
    return {"data": result.data, **({"errors": told} if told else {})}, [
        *wrong,
        *(f"unknown {name}" for name in unknown),
    ]


def _plain(error):
    formatted = error.formatted
    return {name: formatted[name] for name in ("path", "locations", "message") if name in formatted}


def _commit(state, wanted, permitted, author):
    branch, expected = wanted["branch"], wanted["expectedHeadOid"]
    if not re.fullmatch("[0-9a-f]{40}", expected):
        raise GraphQLError(f"{expected!r} is no GitObjectID")
    if branch.get("repositoryNameWithOwner") != state.name:
        raise _refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{branch}'.")
    if not permitted:
        raise _refused("FORBIDDEN", "Resource not accessible by integration")
    name = branch["branchName"]
    if state.tip(name) is None:
        raise _refused("NOT_FOUND", f'No such branch: "{name}"')
    if any(rule["type"] == "pull_request" for rule in state.rules.get(name, ())):
        said = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
        raise _refused("UNPROCESSABLE", said)
    changes = wanted.get("fileChanges") or {"additions": [], "deletions": []}
    made = _made(state, expected, changes, wanted["message"], author) if state.tip(name) == expected else None
    if made is None or not _moved(state, name, made, expected):
        said = f'Expected branch to point to "{expected}" but it did not.  Pull and try again.'
        raise _refused("STALE_DATA", said)
    return {"commit": {"oid": made}}


def _made(state, parent, changes, message, author):
    """The commit: given files replaced or added in mode 644, the others as in the parent."""
    text = f"{message['headline']}\n\n{message.get('body') or ''}".strip().encode()
    parts = [
        f"commit {SCRATCH}\nauthor {author} <{author}@users.noreply.github.com> 1767621600 +0000\n".encode(),
        b"committer GitHub <noreply@github.com> 1767621600 +0000\n",
        b"data %d\n%b\nfrom %b\n" % (len(text), text, parent.encode()),
    ]
    for file in changes["additions"]:
        data = b64decode(file["contents"], validate=True)
        parts.append(b"M 100644 inline %b\ndata %d\n%b\n" % (quoted(file["path"]), len(data), data))
    parts += [b"D %b\n" % quoted(file["path"]) for file in changes["deletions"]]
    git(state.bare, "fast-import", "--quiet", "--force", stdin=b"".join(parts))
    made = git(state.bare, "rev-parse", SCRATCH)
    git(state.bare, "update-ref", "-d", SCRATCH)
    return made


def _moved(state, branch, made, expected):
    """Compare and swap, against pushes that come at the same time."""
    try:
        git(state.bare, "update-ref", f"refs/heads/{branch}", made, expected)
    except AssertionError:
        return False
    return True


def _refused(kind, message):
    return GraphQLError(message, extensions={"type": kind})
