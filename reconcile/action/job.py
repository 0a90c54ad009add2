"""One job: what it was asked, where it runs, and what it may use."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from reconcile.action.request import JobRequest
from reconcile.action.runtime import Job, read_job
from reconcile.errors import ConfigurationError
from reconcile.git.repository import GitRepository
from reconcile.github.client import GitHub
from reconcile.ledger.formats import LogFormat
from reconcile.ledger.readers.log_files import Pattern
from reconcile.ledger.usage_logs import Billing
from reconcile.passes.fetch import Provider
from reconcile.providers.base import Scope
from reconcile.runs.call_log import LogChecker
from reconcile.runs.state import Policy
from reconcile.runs.validation import Checker
from reconcile.workspace import checkers, clock, without_own


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

    def with_clients(self, clients: Clients) -> Action:
        """The job as it goes on with these: a dry run, where nothing may be written of what they answer."""
        dry_run = self.request.dry_run or clients.rehearsal
        return replace(self, request=replace(self.request, dry_run=dry_run))


def open_action(
    request: JobRequest,
    environ: Mapping[str, str],
    *,
    token: str | None,
    source: SettingsSource,
    clients: Callable[[str], Clients],
    now: datetime | None,
) -> Action:
    """The job that the environment describes. Raises ConfigurationError outside of one."""
    job = read_job(environ)
    repository = GitRepository(
        checkout=job.workspace,
        scratch=job.scratch,
        token=token,
        server_url=job.server_url,
        environ=without_own(environ),
    )
    github = GitHub(token, job.repository, api_url=job.api_url, graphql_url=job.graphql_url) if token else None
    checker, log_checker = checkers()
    return Action(
        request=request,
        job=job,
        repository=repository,
        github=github,
        source=source,
        clients=clients,
        checker=checker,
        log_checker=log_checker,
        now=now.astimezone(UTC).replace(microsecond=0) if now else clock(),
        clock=None if now else clock,
    )
