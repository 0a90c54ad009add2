"""One pull request from a branch of the Action's own, rebuilt on the fresh tip of the base at every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from reconcile.action.branches import Action, BranchState, read_branch
from reconcile.action.comment import MOST_CHARACTERS, links
from reconcile.action.land import Landed, pause
from reconcile.errors import ConfigurationError, GitError, ReconcileError
from reconcile.git.remote import Push
from reconcile.github.values import PullRequest
from reconcile.passes.apply import conclude
from reconcile.passes.containing import attempted
from reconcile.passes.fetch import Read
from reconcile.passes.summary import Summary
from reconcile.report.markdown import summary_markdown
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.tree_store import EVIDENCE_NAME, FILE_NAME
from reconcile.runs.validation import MAX_BYTES, Document
from reconcile.verdict.lesson import carried

LEAD = (
    "Usage figures of recorded runs, as the provider reports them. Merging this writes them to the branch; until then "
    "they are kept up to date here.\n\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """The pull request and what was done with it: created, updated, closed or nothing."""

    landed: Landed
    operation: str
    number: int | None = None
    url: str | None = None
    errors: tuple[ReconcileError, ...] = ()
    """What failed after the branch was written."""


def started(action: Action, base: BranchState) -> BranchState:
    """The base with what was learnt on the Action's own branch before."""
    bot = action.request.pr_branch
    if bot == base.branch:
        raise ConfigurationError(
            f"pr-branch and branch are both {bot!r}", code="same_branch", remedy="give pr-branch a name of its own"
        )
    return _with_observations(action, base, bot)


def propose(action: Action, start: BranchState, read: Read, pool: Mapping[RunKey, Claim]) -> Proposed:
    """Conclude the pass on the Action's own branch, and see to the pull request that brings it to the base."""
    bot = action.request.pr_branch
    before = _pull_request(action, start.branch, bot)
    for attempt in range(action.request.push_attempts):
        tree = start.tree.pooled(pool)
        summary = conclude(start.workspace, tree, read, action.request.asked, dry_run=action.request.dry_run)
        was = action.repository.remote.tip(bot)
        pushed, tip = _pushed(action, start, bot, was)
        if pushed is Push.LANDED:
            landed = Landed(
                state=start,
                summary=summary,
                tip=tip or start.commit,
                commit=tip if tip != was else None,
                changed=dict(start.store.changed),
            )
            opened = attempted(
                f"the pull request of {bot}",
                lambda landed=landed: _opened(action, landed, bot, before),  # type: ignore[misc]
            )
            if isinstance(opened, ReconcileError):
                return Proposed(landed=landed, operation="none", errors=(opened,))
            return opened
        action.sleep(pause(attempt, action.random()))
        start = _with_observations(action, read_branch(action, start.branch, settings=start.configuration), bot)
    raise GitError(
        f"{bot} was written by others during each of {action.request.push_attempts} tries; nothing was pushed",
        code="race_lost",
        remedy="let one job write the branch, or give it more tries with the input `push-attempts`",
    )


def _with_observations(action: Action, base: BranchState, bot: str) -> BranchState:
    """The base's files with what was learnt on the bot's branch before and is not on the base yet."""
    tip = action.repository.remote.tip(bot)
    if tip is None:
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


def _pushed(action: Action, state: BranchState, bot: str, tip: str | None) -> tuple[Push, str | None]:
    """The bot's branch as one commit on the base's tip; no branch where nothing differs from the base.

    What comes back beside the outcome is the commit that the branch is at then.
    """
    remote, changed = action.repository.remote, dict(state.store.changed)
    if action.request.dry_run:
        return Push.LANDED, None
    if not changed:
        return (remote.delete(bot, expected=tip) if tip else Push.LANDED), None
    if tip and _holds(action, tip, changed):
        return Push.LANDED, tip
    commit = action.repository.commit(state.commit, changed, message=action.request.commit_message, at=action.now)
    return remote.replace(commit, bot, expected=tip), commit


def _holds(action: Action, tip: str, changed: Mapping[str, bytes]) -> bool:
    """Whether the branch already has just these files."""
    commit = action.repository.remote.fetch(action.request.pr_branch)
    files = {file.path: file for file in action.repository.files(commit, ".")}
    there = [files[path] for path in changed if path in files]
    return commit == tip and action.repository.contents(there) == changed


def _opened(action: Action, landed: Landed, bot: str, before: PullRequest | None) -> Proposed:
    """The pull request for what has landed: created, updated, or closed where nothing is left to change.

    `before` is the one that was open when the pass began: GitHub closes it by itself when its branch goes.
    """
    if action.github is None or action.request.dry_run:
        return Proposed(landed=landed, operation="none")
    base = landed.state.branch
    if not landed.changed:
        if before is None:
            return Proposed(landed=landed, operation="none")
        action.github.update_pull_request(before.number, state="closed")
        return Proposed(landed=landed, operation="closed", number=before.number, url=before.url)
    title, body = action.request.commit_message.partition("\n")[0], _body(action, landed)
    found = _pull_request(action, base, bot)
    if found is None:
        made = action.github.create_pull_request(bot, base, title, body)
        return Proposed(landed=landed, operation="created", number=made.number, url=made.url)
    if landed.commit:
        action.github.update_pull_request(found.number, body=body)
    operation = "updated" if landed.commit else "none"
    return Proposed(landed=landed, operation=operation, number=found.number, url=found.url)


def _pull_request(action: Action, base: str, bot: str) -> PullRequest | None:
    """The open one from the Action's own branch."""
    return next(iter(action.github.open_pull_requests(head=bot, base=base)), None) if action.github else None


def _body(action: Action, landed: Landed) -> str:
    summary: Summary = landed.summary
    return summary_markdown(summary, links(action, landed.tip, landed.commit), MOST_CHARACTERS, LEAD)
