"""Builds what a job works with, and writes what it leaves for the steps after it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconcile.adapters.actions_runtime import read_job, write_outputs, write_summary
from reconcile.adapters.git_repo import GitRepository
from reconcile.adapters.github_api import GitHub
from reconcile.core.request import Request
from reconcile.errors import ReconcileError, StoreError
from reconcile.workflow.acting.branches import Action, Clients, Source
from reconcile.workflow.acting.ending import Acted
from reconcile.workflow.containing import attempted
from reconcile.workflow.opening import checkers, clock, without_own


def open_action(
    request: Request,
    environ: Mapping[str, str],
    *,
    token: str | None,
    source: Source,
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


def write_job(environ: Mapping[str, str], acted: Acted) -> tuple[ReconcileError, ...]:
    """Outputs, the step's summary, and the whole summary as a file outside the workspace; what could not be written.

    Outputs come first: the steps after this one go by what has landed.
    """
    job = read_job(environ)
    file = job.scratch / "summary.json"
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("the outputs", lambda: write_outputs(job, {**acted.outputs, "summary-json": str(file)})),
        ("summary.json", lambda: _write_document(file, acted)),
        ("the step's summary", lambda: write_summary(job, acted.markdown)),
    )
    done = [attempted(what, lambda what=what, step=step: _on_disk(what, step)) for what, step in steps]  # type: ignore[misc]
    return tuple(each for each in done if isinstance(each, ReconcileError))


def _write_document(file: Path, acted: Acted) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(acted.document, indent=2) + "\n", encoding="utf-8")


def _on_disk(what: str, step: Callable[[], None]) -> None:
    try:
        step()
    except OSError as error:
        raise StoreError(
            f"{what} of this job cannot be written ({error.strerror})",
            code="unwritable_file",
            remedy="check the space on the runner's disk; what has landed has landed",
        ) from error


def mask(secret: str) -> str:
    """The commands that keep a secret, and the forms git sends it in, out of the log."""
    basic = b64encode(f"x-access-token:{secret}".encode()).decode()
    return "".join(f"::add-mask::{form}\n" for form in (secret, basic) if form.isprintable())
