"""Open pull requests: the runs they bring are reconciled on their own branches, before they are merged.

Usage is read once for all branches, and the claims of all of them are attributed together: a run that waits in a pull
request used its minutes all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconcile.core.model import RunKey
from reconcile.errors import ReconcileError
from reconcile.workflow.acting.branches import Action, State, read_branch
from reconcile.workflow.acting.landing import Landed, land
from reconcile.workflow.reading import read_usage
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


def land_all(action: Action, base: State) -> tuple[Landed, list[Visited]]:
    """The pass over the base branch and over the branch of every open pull request of this repository."""
    branches, failed = _branches(action, base)
    everything = _together(base, branches)
    read = read_usage(base.workspace, everything, action.provider, action.request.asked)
    landed = land(action, base, read, action.request.asked, everything.claims)
    visited = list(failed)
    for branch in branches:
        asked = replace(action.request.asked, keys=branch.keys)
        try:
            done = land(action, branch.state, read, asked, everything.claims)
            visited.append(Visited(number=branch.number, landed=done))
        except ReconcileError as error:
            visited.append(Visited(number=branch.number, errors=(error,)))
    return landed, visited


def _branches(action: Action, base: State) -> tuple[list[_Branch], list[Visited]]:
    """Branches with runs of their own. Forks are validated by their pull requests' checks, and never written."""
    branches: list[_Branch] = []
    failed: list[Visited] = []
    known = {run.key for run in base.tree.runs}
    for pull in action.github.open_pull_requests() if action.github else ():
        if pull.head_repository != action.job.repository or pull.head_ref in {base.branch, action.request.pr_branch}:
            continue
        try:
            state = read_branch(action, pull.head_ref, settings=base.configuration)
        except ReconcileError as error:
            failed.append(Visited(number=pull.number, errors=(error,)))
            continue
        keys = frozenset(run.key for run in state.tree.runs) - known
        if keys:
            branches.append(_Branch(number=pull.number, state=state, keys=keys))
    return branches, failed


def _together(base: State, branches: Iterable[_Branch]) -> Tree:
    """The runs and the claims of all branches; where two have the same run, the first one's."""
    runs = {run.key: run for run in base.tree.runs}
    claims = dict(base.tree.claims)
    for branch in branches:
        for run in branch.state.tree.runs:
            if run.key in branch.keys:
                runs.setdefault(run.key, run)
        claims = {**{key: claim for key, claim in branch.state.tree.claims.items() if key in branch.keys}, **claims}
    return replace(base.tree, runs=tuple(runs.values()), claims=claims)
