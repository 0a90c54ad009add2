"""Commit what a pass learnt and push it by compare-and-swap; on a lost race learn the same on the new tip.

Never a rebase, never force, never a file that was made from an older one.

Open pull requests: the runs they bring are reconciled on their own branches, before they are merged.

Usage is read once for all branches, and the claims of all of them are attributed together: a run that waits in a pull
request used its minutes all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconcile.action.branches import Action, BranchState, read_branch
from reconcile.action.request import Sign
from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, GitError, ReconcileError
from reconcile.git.remote import Push
from reconcile.github.values import PullRequest
from reconcile.passes.apply import conclude
from reconcile.passes.containing import attempted
from reconcile.passes.fetch import Read
from reconcile.passes.summary import Summary
from reconcile.passes.tree import Tree
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.tree_store import FILE_NAME

LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A pass over a branch."""

    state: BranchState
    summary: Summary
    tip: str
    """The commit that the summary tells of."""
    commit: str | None = None
    """What was pushed; None where nothing was to change or to be written."""
    changed: Mapping[str, bytes]
    errors: tuple[ReconcileError, ...] = ()
    """What failed after it had landed."""

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs' own files among those changed, without what lies beside them."""
        return tuple(path for path in self.changed if PurePosixPath(path).name == FILE_NAME)


def land(action: Action, state: BranchState, read: Read, asked: Asked, pool: Mapping[RunKey, Claim]) -> Landed:
    """Conclude the pass on the branch and push it. `pool`: claims of other branches, attributed beside its own.

    Raises GitError where the branch moves on faster than `push_attempts` tries can follow.
    """
    for attempt in range(action.request.push_attempts):
        tree = state.tree.pooled(pool)
        summary = conclude(state.workspace, tree, read, asked, dry_run=action.request.dry_run)
        changed = dict(state.store.changed)
        if not changed:
            return Landed(state=state, summary=summary, tip=state.commit, changed={})
        commit = _committed(action, state, changed)
        if commit:
            landed = Landed(state=state, summary=summary, tip=commit, commit=commit, changed=changed)
            return replace(landed, errors=_afterwards(action, landed))
        action.sleep(pause(attempt, action.random()))
        state = read_branch(action, state.branch, settings=state.configuration)
    raise GitError(
        f"{state.branch} moved on during each of {action.request.push_attempts} tries; nothing was pushed",
        code="race_lost",
        remedy="run the job again, or give it more tries with the input `push-attempts`",
    )


def _afterwards(action: Action, landed: Landed) -> tuple[ReconcileError, ...]:
    """What is done once the commit is on the branch. A failure says that it landed all the same."""
    before = {path: landed.state.store.original(path) for path in landed.changed}
    what = f"{landed.commit} is on {landed.state.branch}; bringing the checkout up to date"
    done = attempted(what, lambda: action.repository.refresh_checkout(landed.changed, before))
    return (done,) if isinstance(done, ReconcileError) else ()


def pause(attempt: int, chance: float) -> float:
    """Seconds before the next try: longer each time, and never the same for two jobs."""
    return min(LONGEST_PAUSE, 0.25 * 2.0**attempt) * (0.5 + chance)


def _committed(action: Action, state: BranchState, changed: Mapping[str, bytes]) -> str | None:
    """The commit at the branch's tip on the remote, or None for a lost race."""
    message = action.request.commit_message
    if action.request.sign is Sign.API:
        return _committed_by_api(action, state, changed)
    commit = action.repository.commit(state.commit, changed, message=message, at=action.now)
    if action.repository.remote.push(commit, state.branch) is Push.RACED:
        return None
    tip = attempted(f"looking at {state.branch} after the push", lambda: action.repository.remote.tip(state.branch))
    if tip is None:
        raise _vanished(state.branch)
    return commit  # where nobody could look, the remote's answer to the push stands


def _committed_by_api(action: Action, state: BranchState, changed: Mapping[str, bytes]) -> str | None:
    if action.github is None:
        raise ConfigurationError(
            "sign: api needs a token", code="missing_token", remedy="leave the input `token` at its default"
        )
    headline, _, body = action.request.commit_message.partition("\n")
    return action.github.commit_on_branch(state.branch, state.commit, headline, body.strip(), changed)


def _vanished(branch: str) -> GitError:
    return GitError(
        f"{branch} was pushed, and is gone from the remote", code="push_vanished", remedy="see what deleted the branch"
    )


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
    """The base and the branches of open pull requests, with the claims of all of them."""

    tree: Tree
    branches: tuple[_Branch, ...] = ()
    failed: tuple[Visited, ...] = ()


def pooled(action: Action, base: BranchState) -> BranchPool:
    """What is read together: the base alone, where open pull requests are not asked for.

    A base that is not the default branch is read beside the claims of that one.
    """
    if not action.request.open_pull_requests or action.github is None:
        return BranchPool(tree=base.tree)
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
    return BranchPool(tree=_together(base, branches, beside), branches=tuple(branches), failed=tuple(failed))


def visit(action: Action, pool: BranchPool, read: Read) -> list[Visited]:
    """The pass over the branch of every open pull request that brings runs."""
    return [*pool.failed, *(_visit(action, branch, read, pool) for branch in pool.branches)]


def _visit(action: Action, branch: _Branch, read: Read, pool: BranchPool) -> Visited:
    asked = replace(action.request.asked, keys=branch.keys)
    landed = attempted(f"#{branch.number}", lambda: land(action, branch.state, read, asked, pool.tree.claims))
    if isinstance(landed, ReconcileError):
        return Visited(number=branch.number, errors=(landed,))
    return Visited(number=branch.number, landed=landed, errors=landed.errors)


def _visited(action: Action, pull: PullRequest, base: BranchState) -> bool:
    """Forks are validated by their pull requests' checks, and never written."""
    ours = pull.head_repository == action.job.repository
    return ours and pull.head_ref not in {base.branch, action.request.pr_branch}


def _branch(action: Action, pull: PullRequest, base: BranchState) -> _Branch:
    state = read_branch(action, pull.head_ref, settings=base.configuration)
    known = {run.key for run in base.tree.runs}
    keys = frozenset(run.key for run in state.tree.runs) - known
    broken = not set(state.tree.findings) <= set(base.tree.findings)
    return _Branch(number=pull.number, state=state, keys=keys, broken=broken)


def _together(base: BranchState, branches: Iterable[_Branch], beside: Iterable[Mapping[RunKey, Claim]]) -> Tree:
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
