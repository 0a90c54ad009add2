"""The Action's own branch, rebuilt on the fresh tip of the base at every change, and its one pull request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconcile.action.branches import BranchState
from reconcile.action.comment import MOST_CHARACTERS
from reconcile.action.job import Action
from reconcile.action.target import Landed, Pooled, Proposed, Pushed, land
from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, GitError, ReconcileError
from reconcile.git.remote import Push
from reconcile.github.values import PullRequest
from reconcile.passes.containing import attempted
from reconcile.report.markdown import summary_markdown
from reconcile.runs.tree_store import EVIDENCE_NAME, FILE_NAME
from reconcile.runs.validation import MAX_BYTES, Document
from reconcile.verdict.lesson import carried

LEAD = (
    "Usage figures of recorded runs, as the provider reports them. Merging this writes them to the branch; until then "
    "they are kept up to date here.\n\n"
)


def started(action: Action, base: BranchState) -> BranchState:
    """The base with what was learnt on the Action's own branch before."""
    bot = action.request.pr_branch
    if bot == base.branch:
        raise ConfigurationError(
            f"pr-branch and branch are both {bot!r}", code="same_branch", remedy="give pr-branch a name of its own"
        )
    return _with_observations(action, base)


def propose(action: Action, start: BranchState, pooled: Pooled) -> Landed:
    """Land the pass on the Action's own branch, and see to the pull request that brings it to the base."""
    return land(OwnBranch(action=action, before=_pull_request(action, start.branch)), start, pooled)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBranch:
    """The Action's own branch: one commit on the base's tip that takes the place of the one before, by lease; no branch
    where nothing differs from the base. A race is lost to whoever else wrote it."""

    action: Action
    before: PullRequest | None
    """The pull request that was open when the pass began: GitHub closes it by itself when its branch goes."""

    @property
    def asked(self) -> Asked:
        return self.action.request.asked

    def restarted(self, base: BranchState) -> BranchState:
        return _with_observations(self.action, base)

    def push(self, state: BranchState, changed: Mapping[str, bytes]) -> Pushed | None:
        request, repository = self.action.request, self.action.repository
        remote, bot = repository.remote, request.pr_branch
        was = remote.tip(bot)
        if request.dry_run:
            return Pushed(tip=state.commit)
        if not changed:
            raced = was is not None and remote.delete(bot, expected=was) is Push.RACED
            return None if raced else Pushed(tip=state.commit)
        if was and _holds(self.action, was, changed):
            return Pushed(tip=was)
        commit = repository.commit(state.commit, changed, message=request.commit_message, at=self.action.now)
        raced = remote.replace(commit, bot, expected=was) is Push.RACED
        return None if raced else Pushed(tip=commit, commit=commit)

    def followed(self, landed: Landed) -> Landed:
        what = f"the pull request of {self.action.request.pr_branch}"
        done = attempted(what, lambda: _proposed(self.action, landed, self.before))
        if isinstance(done, ReconcileError):
            return replace(landed, proposed=Proposed(operation="none"), errors=(done,))
        return replace(landed, proposed=done)

    def outrun(self, branch: str) -> GitError:  # noqa: ARG002  it is not the base that others were faster on
        request = self.action.request
        return GitError(
            f"{request.pr_branch} was written by others during each of {request.push_attempts} tries; "
            "nothing was pushed",
            code="race_lost",
            remedy="let one job write the branch, or give it more tries with the input `push-attempts`",
        )


def _with_observations(action: Action, base: BranchState) -> BranchState:
    """The base's files with what was learnt on the Action's own branch before and is not on the base yet."""
    bot = action.request.pr_branch
    if action.repository.remote.tip(bot) is None:
        return base
    root = base.store.root
    names = (FILE_NAME, EVIDENCE_NAME)
    tip = action.repository.remote.fetch(bot)
    files = [file for file in action.repository.files(tip, str(root)) if file.plain and (file.size or 0) <= MAX_BYTES]
    ours = action.repository.contents([file for file in files if PurePosixPath(file.path).name in names])
    return base.with_changes(_learnt(action, base, ours))


def _learnt(action: Action, base: BranchState, ours: Mapping[str, bytes]) -> dict[str, bytes]:
    learnt: dict[str, bytes] = {}
    for run in base.tree.runs:
        data = base.store.read(run.key)
        document = action.checker.check(run.path, run.key, data)
        if ours.get(run.path, data) != data and isinstance(document, Document):
            after = carried(document, ours[run.path], action.checker)
            if after is not None and after != data:
                learnt[run.path] = after
                evidence = str(PurePosixPath(run.path).with_name(EVIDENCE_NAME))
                learnt |= {evidence: ours[evidence]} if evidence in ours else {}
    return learnt


def _holds(action: Action, tip: str, changed: Mapping[str, bytes]) -> bool:
    """Whether the branch already has just these files."""
    commit = action.repository.remote.fetch(action.request.pr_branch)
    files = {file.path: file for file in action.repository.files(commit, ".")}
    there = [files[path] for path in changed if path in files]
    return commit == tip and action.repository.contents(there) == changed


def _proposed(action: Action, landed: Landed, before: PullRequest | None) -> Proposed:
    """The pull request for what has landed: created, updated, or closed where nothing is left to change."""
    if action.github is None or action.request.dry_run:
        return Proposed(operation="none")
    base, commit = landed.state.branch, landed.pushed.commit
    if not landed.changed:
        if before is None:
            return Proposed(operation="none")
        action.github.update_pull_request(before.number, state="closed")
        return Proposed(operation="closed", number=before.number, url=before.url)
    title = action.request.commit_message.partition("\n")[0]
    body = summary_markdown(landed.summary, action.job.links(landed.pushed.tip, commit), MOST_CHARACTERS, LEAD)
    found = _pull_request(action, base)
    if found is None:
        made = action.github.create_pull_request(action.request.pr_branch, base, title, body)
        return Proposed(operation="created", number=made.number, url=made.url)
    if commit:
        action.github.update_pull_request(found.number, body=body)
    return Proposed(operation="updated" if commit else "none", number=found.number, url=found.url)


def _pull_request(action: Action, base: str) -> PullRequest | None:
    """The open one from the Action's own branch."""
    found = action.github.open_pull_requests(head=action.request.pr_branch, base=base) if action.github else ()
    return next(iter(found), None)
