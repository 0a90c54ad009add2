"""Commit what a pass learnt and push it by compare-and-swap; on a lost race learn the same on the new tip.

Never a rebase, never force, never a file that was made from an older one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconcile.adapters.git_repo import Push
from reconcile.adapters.tree_store import FILE_NAME
from reconcile.core.model import Claim, RunKey
from reconcile.core.request import Sign
from reconcile.core.selection import Asked
from reconcile.core.summary import Summary
from reconcile.errors import ConfigurationError, GitError, ReconcileError
from reconcile.workflow.acting.branches import Action, State, read_branch
from reconcile.workflow.containing import attempted
from reconcile.workflow.reading import Read
from reconcile.workflow.running import conclude

LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A pass over a branch."""

    state: State
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


def land(action: Action, state: State, read: Read, asked: Asked, pool: Mapping[RunKey, Claim]) -> Landed:
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


def _committed(action: Action, state: State, changed: Mapping[str, bytes]) -> str | None:
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


def _committed_by_api(action: Action, state: State, changed: Mapping[str, bytes]) -> str | None:
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
