"""The state of a branch at its freshly fetched tip, which is what a pass works on.

The checkout may be hours old when a queued job starts, and it may be any commit; so it is never read for a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath

from reconcile.action.job import Action, Configuration
from reconcile.errors import ConfigurationError
from reconcile.git.repository import TreeFile
from reconcile.money.entry import PriceOf
from reconcile.money.list_prices import list_prices
from reconcile.passes.tree import Tree, Workspace, read_tree
from reconcile.runs.call_log import MAX_LOG_BYTES
from reconcile.runs.census import MOST_BESIDE_BYTES, MOST_RUN_BYTES, affordable
from reconcile.runs.run import RunFiles
from reconcile.runs.tree_store import EVIDENCE_NAME, LOG_NAME, TreeStore, is_run
from reconcile.runs.validation import MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchState:
    """A branch at a commit: its run files, which a pass may change in memory, and what they say."""

    branch: str
    commit: str
    configuration: Configuration
    store: TreeStore
    workspace: Workspace
    tree: Tree

    def with_changes(self, changed: Mapping[str, bytes]) -> BranchState:
        """The same tip with files that already differ from it."""
        store = self.store.with_changes(changed)
        workspace = replace(self.workspace, store=store)
        return replace(self, store=store, workspace=workspace, tree=read_tree(workspace))


def read_branch(action: Action, branch: str, *, settings: Configuration | None = None) -> BranchState:
    """The branch at its tip now. `settings` are those of the base branch where this is another."""
    commit = action.repository.remote.fetch(branch)
    settings = settings or configuration_at(action, commit)
    store = _store_at(action, commit, PurePosixPath(settings.runs.as_posix()))
    workspace = workspace_over(action, store, settings, _prices() if settings.pricing else None)
    return BranchState(
        branch=branch,
        commit=commit,
        configuration=settings,
        store=store,
        workspace=workspace,
        tree=read_tree(workspace),
    )


def configuration_at(action: Action, commit: str) -> Configuration:
    """What the configuration file of a commit says, with inputs and environment over it."""
    path = action.source.path
    files = action.repository.files(commit, path)
    if not all(file.plain and file.path == path for file in files):
        raise ConfigurationError(
            f"{path} of {commit[:12]} is a link, a folder or a submodule",
            code="bad_configuration",
            remedy="put a file with the settings in its place, or name another one with the input `config`",
        )
    text = action.repository.contents(files).get(path, b"")
    return action.source.settings(text.decode("utf-8", "replace"))


def _store_at(action: Action, commit: str, root: PurePosixPath) -> TreeStore:
    """The files below the folder of runs, with the bytes of as many as a pass takes up."""
    files = action.repository.files(commit, str(root))
    runs = [file for file in files if file.plain and is_run(root, file.path) and (file.size or 0) <= MAX_BYTES]
    beside = {f"{PurePosixPath(file.path).parent}/{name}" for file in runs for name in (LOG_NAME, EVIDENCE_NAME)}
    others = [file for file in files if file.plain and file.path in beside and (file.size or 0) <= MAX_LOG_BYTES]
    runs, _ = affordable(runs, MOST_RUN_BYTES)
    inside = [affordable(some, MOST_BESIDE_BYTES)[0] for some in _by_name(others)]
    return TreeStore(
        root,
        {file.path: (file.mode, file.size or 0) for file in files},
        action.repository.contents([*runs, *chain.from_iterable(inside)]),
    )


def _by_name(files: Sequence[TreeFile]) -> tuple[list[TreeFile], list[TreeFile]]:
    """Call logs and evidence: either has a bound of its own."""
    logs = [file for file in files if PurePosixPath(file.path).name == LOG_NAME]
    return logs, [file for file in files if PurePosixPath(file.path).name != LOG_NAME]


def workspace_over(
    action: Action, store: RunFiles, settings: Configuration, prices: PriceOf | None = None
) -> Workspace:
    """What a pass works on, over the files of a commit or of the checkout. `prices` are for a pass that writes."""
    return Workspace(
        store=store,
        checker=action.checker,
        log_checker=action.log_checker,
        policy=settings.policy,
        configured=settings.scopes,
        variables=settings.variables,
        now=action.now,
        clock=action.clock,
        evidence=settings.evidence,
        prices=prices,
    )


def _prices() -> PriceOf:
    """List prices. Raises ConfigurationError that names the input which installs them: a job cannot be told to pip."""
    try:
        return list_prices()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the configuration says pricing: on, and {error.message}",
            code="missing_extra",
            remedy="set the input `pricing: true`, which installs it; or write pricing: off",
        ) from error
