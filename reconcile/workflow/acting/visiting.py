"""Open pull requests: the runs they bring are reconciled on their own branches, before they are merged.

Usage is read once for all branches, and the claims of all of them are attributed together: a run that waits in a pull
request used its minutes all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconcile.adapters.github_api import PullRequest
from reconcile.core.model import Claim, RunKey
from reconcile.errors import ReconcileError
from reconcile.workflow.acting.branches import Action, State, read_branch
from reconcile.workflow.acting.landing import Landed, land
from reconcile.workflow.containing import attempted
from reconcile.workflow.reading import Read
from reconcile.workflow.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """An open pull request and what landed on its branch; what went wrong there stops no other."""

    number: int
    landed: Landed | None = None
    errors: tuple[ReconcileError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    number: int
    state: State
    keys: frozenset[RunKey]
    """The runs that only this branch has."""
    broken: bool
    """Whether a file is not valid that the base does not have so: its pull request is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The base and the branches of open pull requests, with the claims of all of them."""

    tree: Tree
    branches: tuple[_Branch, ...] = ()
    failed: tuple[Visited, ...] = ()


def pooled(action: Action, base: State) -> Pool:
    """What is read together: the base alone, where open pull requests are not asked for.

    A base that is not the default branch is read beside the claims of that one.
    """
    if not action.request.open_pull_requests or action.github is None:
        return Pool(tree=base.tree)
    branches: list[_Branch] = []
    failed: list[Visited] = []
    for pull in action.github.open_pull_requests():
        if not _visited(action, pull, base):
            continue
        branch = attempted(f"#{pull.number}", lambda pull=pull: _branch(action, pull, base))  # type: ignore[misc]
        if isinstance(branch, ReconcileError):
            failed.append(Visited(number=pull.number, errors=(branch,)))
        else:
            branches += [branch] if branch.keys or branch.broken else []
    default = action.repository.remote.default_branch()
    beside = [] if default == base.branch else [read_branch(action, default, settings=base.configuration).tree.claims]
    return Pool(tree=_together(base, branches, beside), branches=tuple(branches), failed=tuple(failed))


def visit(action: Action, pool: Pool, read: Read) -> list[Visited]:
    """The pass over the branch of every open pull request that brings runs."""
    return [*pool.failed, *(_visit(action, branch, read, pool) for branch in pool.branches)]


def _visit(action: Action, branch: _Branch, read: Read, pool: Pool) -> Visited:
    asked = replace(action.request.asked, keys=branch.keys)
    landed = attempted(f"#{branch.number}", lambda: land(action, branch.state, read, asked, pool.tree.claims))
    if isinstance(landed, ReconcileError):
        return Visited(number=branch.number, errors=(landed,))
    return Visited(number=branch.number, landed=landed, errors=landed.errors)


def _visited(action: Action, pull: PullRequest, base: State) -> bool:
    """Forks are validated by their pull requests' checks, and never written."""
    ours = pull.head_repository == action.job.repository
    return ours and pull.head_ref not in {base.branch, action.request.pr_branch}


def _branch(action: Action, pull: PullRequest, base: State) -> _Branch:
    state = read_branch(action, pull.head_ref, settings=base.configuration)
    known = {run.key for run in base.tree.runs}
    keys = frozenset(run.key for run in state.tree.runs) - known
    broken = not set(state.tree.findings) <= set(base.tree.findings)
    return _Branch(number=pull.number, state=state, keys=keys, broken=broken)


def _together(base: State, branches: Iterable[_Branch], beside: Iterable[Mapping[RunKey, Claim]]) -> Tree:
    """The runs and the claims of all branches; where two have the same run, the first one's."""
    runs = {run.key: run for run in base.tree.runs}
    claims = dict(base.tree.claims)
    for branch in branches:
        for run in branch.state.tree.runs:
            if run.key in branch.keys:
                runs.setdefault(run.key, run)
        claims = {**{key: claim for key, claim in branch.state.tree.claims.items() if key in branch.keys}, **claims}
    for others in beside:
        claims = {**others, **claims}
    return replace(base.tree, runs=tuple(runs.values()), claims=claims)
