"""What a job works on, and the state of a branch at its freshly fetched tip.

The checkout may be hours old when a queued job starts, and it may be any commit; so it is never read for a pass.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Protocol

from reconcile.action.request import JobRequest
from reconcile.action.runtime import Job
from reconcile.errors import ConfigurationError
from reconcile.git.repository import GitRepository, TreeFile
from reconcile.github.client import GitHub
from reconcile.ledger.formats import LogFormat
from reconcile.ledger.readers.log_files import Pattern
from reconcile.ledger.usage_logs import Billing
from reconcile.money.entry import PriceOf
from reconcile.money.list_prices import list_prices
from reconcile.passes.fetch import Provider
from reconcile.passes.tree import Tree, Workspace, read_tree
from reconcile.providers.base import Scope
from reconcile.runs.call_log import MAX_LOG_BYTES, LogChecker
from reconcile.runs.census import MOST_BESIDE_BYTES, MOST_RUN_BYTES, affordable
from reconcile.runs.run import RunFiles
from reconcile.runs.state import Policy
from reconcile.runs.tree_store import EVIDENCE_NAME, LOG_NAME, TreeStore, is_run
from reconcile.runs.validation import MAX_BYTES, Checker


class Configuration(Protocol):
    """What reconcile.yml, the inputs and the environment come to."""

    @property
    def runs(self) -> Path: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def scopes(self) -> Mapping[str, Scope]: ...
    @property
    def variables(self) -> Mapping[str, str]: ...
    @property
    def evidence(self) -> bool: ...
    @property
    def pricing(self) -> bool: ...
    @property
    def base_url(self) -> str: ...
    def vouched(self) -> Configuration: ...
    def log_files(self, given: Sequence[str]) -> Sequence[tuple[Sequence[Pattern], LogFormat]]: ...


class SettingsSource(Protocol):
    """Where settings come from: a file of the base branch, never of a pull request's, below inputs and environment."""

    @property
    def path(self) -> str: ...
    def settings(self, text: str) -> Configuration: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What asks the provider, or why there is nothing to ask with."""

    provider: Provider
    billing: Billing | ConfigurationError
    """What a comparison asks."""
    rehearsal: bool
    """Whether nothing may be written of what they answer."""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One job: what it was asked, where it runs, and what it may use."""

    request: JobRequest
    job: Job
    repository: GitRepository
    github: GitHub | None
    source: SettingsSource
    clients: Callable[[str], Clients]
    """What asks the provider at an address."""
    checker: Checker
    log_checker: LogChecker
    now: datetime
    clock: Callable[[], datetime] | None = None
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


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


def target_branch(action: Action) -> str:
    """The branch that is worked on: the input's, else the one that was checked out."""
    branch = action.request.branch or action.job.branch
    if branch is None:
        raise ConfigurationError(
            f"the event {action.job.event or 'of this job'} has no branch to commit to",
            code="no_branch",
            remedy="name one with the input `branch`; on tags and pull requests GitHub checks out no branch",
        )
    return branch


def clients_of(action: Action, base: BranchState) -> tuple[Action, Clients]:
    """What asks the provider, and the job as it goes on with that: where nothing may be written, as a dry run.

    The admin key goes to the address that the configuration names only where that is of a branch which takes no
    changes without a review: the base of a pull request; else the branch that the job runs on, or the default one.
    """
    found = base.configuration.vouched()
    if found.base_url != base.configuration.base_url and not _reviewed(action, base.branch):
        found = base.configuration
    clients = action.clients(found.base_url)
    if found is base.configuration and found.base_url != found.vouched().base_url:
        ignored = f"{action.source.path}: providers.openai.url of {base.branch} is ignored: it is not the base branch"
        clients = replace(clients, notices=(*clients.notices, f"{ignored}; set RECONCILE_OPENAI_URL or `api-url`"))
    dry_run = action.request.dry_run or clients.rehearsal
    return replace(action, request=replace(action.request, dry_run=dry_run)), clients


def _reviewed(action: Action, branch: str) -> bool:
    job = action.job
    if job.base_branch:
        return branch == job.base_branch
    return branch == job.branch or branch == action.repository.remote.default_branch()


def read_branch(action: Action, branch: str, *, settings: Configuration | None = None) -> BranchState:
    """The branch at its tip now. `settings` are those of the base branch where this is another."""
    commit = action.repository.remote.fetch(branch)
    return read_commit(action, branch, commit, settings or configuration_at(action, commit))


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


def read_commit(action: Action, branch: str, commit: str, settings: Configuration) -> BranchState:
    root = PurePosixPath(settings.runs.as_posix())
    files = action.repository.files(commit, str(root))
    runs = [file for file in files if file.plain and is_run(root, file.path) and (file.size or 0) <= MAX_BYTES]
    beside = {f"{PurePosixPath(file.path).parent}/{name}" for file in runs for name in (LOG_NAME, EVIDENCE_NAME)}
    others = [file for file in files if file.plain and file.path in beside and (file.size or 0) <= MAX_LOG_BYTES]
    runs, _ = affordable(runs, MOST_RUN_BYTES)
    inside = [affordable(some, MOST_BESIDE_BYTES)[0] for some in _by_name(others)]
    store = TreeStore(
        root,
        {file.path: (file.mode, file.size or 0) for file in files},
        action.repository.contents([*runs, *chain.from_iterable(inside)]),
    )
    workspace = workspace_over(action, store, settings, _prices() if settings.pricing else None)
    return BranchState(
        branch=branch,
        commit=commit,
        configuration=settings,
        store=store,
        workspace=workspace,
        tree=read_tree(workspace),
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
