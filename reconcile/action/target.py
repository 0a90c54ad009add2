"""A branch that a pass lands on, by compare-and-swap: after a lost race the pass is concluded anew on the new tip.

Never a rebase, never force, never a file that was made from an older one. What differs between the branch that is
pushed to and the Action's own branch (in `proposal`) is a `Target`; the loop is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

from reconcile.action.branches import BranchState, read_branch
from reconcile.action.job import Action
from reconcile.action.request import Sign
from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, GitError, ReconcileError
from reconcile.git.remote import Push
from reconcile.passes.apply import conclude
from reconcile.passes.containing import attempted
from reconcile.passes.fetch import Read
from reconcile.passes.summary import Summary
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.tree_store import FILE_NAME

LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """What was read once for all branches, and the claims of all of them, among which it is attributed."""

    read: Read
    claims: Mapping[RunKey, Claim]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """Where a target is after a push that won, or that had nothing to bring."""

    tip: str
    """The commit that the summary tells of."""
    commit: str | None = None
    """What was pushed; None where nothing was to change or to be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What was done with the pull request of a branch: created, updated, closed or none."""

    operation: str
    number: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A pass over a branch."""

    state: BranchState
    summary: Summary
    pushed: Pushed
    changed: Mapping[str, bytes]
    proposed: Proposed | None = None
    """None for a branch that is pushed to."""
    errors: tuple[ReconcileError, ...] = ()
    """What failed after it had landed."""

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs' own files among those changed, without what lies beside them."""
        return tuple(path for path in self.changed if PurePosixPath(path).name == FILE_NAME)


class Target(Protocol):
    """What differs between the branches that a pass may land on."""

    @property
    def action(self) -> Action: ...
    @property
    def asked(self) -> Asked: ...

    def restarted(self, base: BranchState) -> BranchState:
        """The branch as it was just read, with what the target has over it: what the next try starts from."""

    def push(self, state: BranchState, changed: Mapping[str, bytes]) -> Pushed | None:
        """Bring the target to these files on the tip of `state`; None for a lost race. Raises GitError where another
        try would be refused as well."""

    def followed(self, landed: Landed) -> Landed:
        """What is done once it has landed. What fails there is an error of it, and it has landed all the same."""

    def outrun(self, branch: str) -> GitError:
        """Why nothing was pushed in as many tries as there are."""


def land(target: Target, state: BranchState, pooled: Pooled) -> Landed:
    """Conclude the pass on the branch and push it to the target.

    Raises GitError where others write it faster than `push_attempts` tries can follow.
    """
    action = target.action
    for attempt in range(action.request.push_attempts):
        tree = state.tree.pooled(pooled.claims)
        summary = conclude(state.workspace, tree, pooled.read, target.asked, dry_run=action.request.dry_run)
        changed = dict(state.store.changed)
        pushed = target.push(state, changed)
        if pushed:
            return target.followed(Landed(state=state, summary=summary, pushed=pushed, changed=changed))
        action.sleep(pause(attempt, action.random()))
        state = target.restarted(read_branch(action, state.branch, settings=state.configuration))
    raise target.outrun(state.branch)


def pause(attempt: int, chance: float) -> float:
    """Seconds before the next try: longer each time, and never the same for two jobs."""
    return min(LONGEST_PAUSE, 0.25 * 2.0**attempt) * (0.5 + chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedBranch:
    """The branch that was read is the one that is pushed to, without force: it has moved on where a race was lost."""

    action: Action
    asked: Asked

    def restarted(self, base: BranchState) -> BranchState:
        return base

    def push(self, state: BranchState, changed: Mapping[str, bytes]) -> Pushed | None:
        if not changed:
            return Pushed(tip=state.commit)
        by_api = self.action.request.sign is Sign.API
        commit = self._by_api(state, changed) if by_api else self._by_git(state, changed)
        return Pushed(tip=commit, commit=commit) if commit else None

    def followed(self, landed: Landed) -> Landed:
        commit, changed, state = landed.pushed.commit, landed.changed, landed.state
        if commit is None:
            return landed
        before = {path: state.store.original(path) for path in changed}
        what = f"{commit} is on {state.branch}; bringing the checkout up to date"
        done = attempted(what, lambda: self.action.repository.refresh_checkout(changed, before))
        return replace(landed, errors=(done,)) if isinstance(done, ReconcileError) else landed

    def outrun(self, branch: str) -> GitError:
        return GitError(
            f"{branch} moved on during each of {self.action.request.push_attempts} tries; nothing was pushed",
            code="race_lost",
            remedy="run the job again, or give it more tries with the input `push-attempts`",
        )

    def _by_git(self, state: BranchState, changed: Mapping[str, bytes]) -> str | None:
        action, remote = self.action, self.action.repository.remote
        message = action.request.commit_message
        commit = action.repository.commit(state.commit, changed, message=message, at=action.now)
        if remote.push(commit, state.branch) is Push.RACED:
            return None
        tip = attempted(f"looking at {state.branch} after the push", lambda: remote.tip(state.branch))
        if tip is None:
            raise GitError(
                f"{state.branch} was pushed, and is gone from the remote",
                code="push_vanished",
                remedy="see what deleted the branch",
            )
        return commit  # where nobody could look, the remote's answer to the push stands

    def _by_api(self, state: BranchState, changed: Mapping[str, bytes]) -> str | None:
        if self.action.github is None:
            raise ConfigurationError(
                "sign: api needs a token", code="missing_token", remedy="leave the input `token` at its default"
            )
        headline, _, body = self.action.request.commit_message.partition("\n")
        return self.action.github.commit_on_branch(state.branch, state.commit, headline, body.strip(), changed)
