"""The branches that are read together: the base, and those of the open pull requests that bring runs.

Usage is read once for all of them, and the claims of all of them are attributed together: a run that waits in a pull
request used its minutes all the same. It is reconciled on its own branch, before it is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from reconcile.action.branches import BranchState, read_branch
from reconcile.action.job import Action
from reconcile.action.target import Landed, Pooled, PushedBranch, land
from reconcile.errors import ReconcileError
from reconcile.github.client import GitHub
from reconcile.github.values import PullRequest
from reconcile.passes.containing import attempted
from reconcile.passes.fetch import Provider, read_usage
from reconcile.passes.tree import Tree
from reconcile.runs.run import Claim, RunKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """An open pull request and what landed on its branch; what went wrong there stops no other."""

    number: int
    landed: Landed | None = None
    errors: tuple[ReconcileError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    number: int
    state: BranchState
    keys: frozenset[RunKey]
    """The runs that only this branch has."""
    broken: bool
    """Whether a file is not valid that the base does not have so: its pull request is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPool:
    """What was read for the base and the branches of open pull requests, and those branches."""

    pooled: Pooled
    branches: tuple[_Branch, ...] = ()
    failed: tuple[Visited, ...] = ()


def pool_of(action: Action, base: BranchState, provider: Provider) -> BranchPool:
    """Read what is read together: the base alone, where open pull requests are not asked for.

    A base that is not the default branch is read beside the claims of that one.
    """
    tree, branches, failed = base.tree, list[_Branch](), list[Visited]()
    if action.request.open_pull_requests and action.github is not None:
        branches, failed = _opened(action, action.github, base)
        tree = _together(base, branches, _beside(action, base))
    read = read_usage(base.workspace, tree, provider, action.request.asked)
    pooled = Pooled(read=read, claims=tree.claims)
    return BranchPool(pooled=pooled, branches=tuple(branches), failed=tuple(failed))


def visit(action: Action, pool: BranchPool) -> list[Visited]:
    """The pass over the branch of every open pull request that brings runs."""
    return [*pool.failed, *(_visit(action, branch, pool.pooled) for branch in pool.branches)]


def _visit(action: Action, branch: _Branch, pooled: Pooled) -> Visited:
    target = PushedBranch(action=action, asked=replace(action.request.asked, keys=branch.keys))
    landed = attempted(f"#{branch.number}", lambda: land(target, branch.state, pooled))
    if isinstance(landed, ReconcileError):
        return Visited(number=branch.number, errors=(landed,))
    return Visited(number=branch.number, landed=landed, errors=landed.errors)


def _opened(action: Action, github: GitHub, base: BranchState) -> tuple[list[_Branch], list[Visited]]:
    """The branches that bring something, and the pull requests whose branch cannot be read."""
    branches: list[_Branch] = []
    failed: list[Visited] = []
    for pull in github.open_pull_requests():
        if not _ours(action, pull, base):
            continue
        branch = attempted(f"#{pull.number}", partial(_branch, action, pull, base))
        if isinstance(branch, ReconcileError):
            failed.append(Visited(number=pull.number, errors=(branch,)))
        else:
            branches += [branch] if branch.keys or branch.broken else []
    return branches, failed


def _ours(action: Action, pull: PullRequest, base: BranchState) -> bool:
    """Forks are validated by their pull requests' checks, and never written."""
    ours = pull.head_repository == action.job.repository
    return ours and pull.head_ref not in {base.branch, action.request.pr_branch}


def _branch(action: Action, pull: PullRequest, base: BranchState) -> _Branch:
    state = read_branch(action, pull.head_ref, settings=base.configuration)
    known = {run.key for run in base.tree.runs}
    keys = frozenset(run.key for run in state.tree.runs) - known
    broken = not set(state.tree.findings) <= set(base.tree.findings)
    return _Branch(number=pull.number, state=state, keys=keys, broken=broken)


def _beside(action: Action, base: BranchState) -> Mapping[RunKey, Claim]:
    """The claims of the default branch, where that is not the base."""
    default = action.repository.remote.default_branch()
    return {} if default == base.branch else read_branch(action, default, settings=base.configuration).tree.claims


def _together(base: BranchState, branches: Iterable[_Branch], beside: Mapping[RunKey, Claim]) -> Tree:
    """The runs and the claims of all branches; where two have the same run, the first one's."""
    runs = {run.key: run for run in base.tree.runs}
    claims = dict(base.tree.claims)
    for branch in branches:
        tree = branch.state.tree
        runs |= {run.key: run for run in tree.runs if run.key in branch.keys - runs.keys()}
        claims = {key: claim for key, claim in tree.claims.items() if key in branch.keys} | claims
    return replace(base.tree, runs=tuple(runs.values()), claims={**beside, **claims})
