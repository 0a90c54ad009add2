"""The job of GitHub Actions that this runs in: what it says of itself, and where its outputs and summary go.

Only environment variables and the event's own file are read. On `schedule` the event has neither a repository nor a
pull request, so what every event has comes from the environment.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.errors import ConfigurationError
from reconcile.report.markdown import Links

SUMMARY_BYTES = 900 * 1024
"""The summary of a step is lost as a whole above 1 MiB."""


QUEUE = re.compile(r"refs/heads/gh-readonly-queue/(.+)/pr-[0-9]+-[0-9a-f]+")
"""The passing branch of a merge queue, which names what it would be merged into. Its making is an event `push` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestEvent:
    """The pull request an event is about. `head_repository` is None where it was deleted."""

    number: int
    head_ref: str
    head_sha: str
    head_repository: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where the job runs and what started it."""

    event: str
    repository: str
    branch: str | None
    """The branch that was checked out; None for a tag, a pull request or a merge queue."""
    base_branch: str | None
    """What a pull request, or a merge queue, would be merged into."""
    default_token: bool
    """Whether the token is the job's own, which no rule lets pass and whose pushes start no other workflow."""
    workspace: Path
    scratch: Path
    server_url: str
    api_url: str
    graphql_url: str | None
    """None where it is the one beside `api_url`."""
    run_url: str | None
    pull_request: PullRequestEvent | None
    output: Path | None
    summary: Path | None

    @property
    def fork(self) -> bool:
        """Whether the event comes from another repository, whose code and files are not ours."""
        return self.pull_request is not None and self.pull_request.head_repository != self.repository

    @property
    def page(self) -> str:
        """The address of the repository."""
        return f"{self.server_url}/{self.repository}"

    def links(self, tip: str | None, commit: str | None) -> Links:
        """Addresses of the files at `tip`, of the commit that was made, and of the job."""
        return Links(
            blob=f"{self.page}/blob/{tip}" if tip else None,
            commit=f"{self.page}/commit/{commit}" if commit else None,
            job=self.run_url,
        )


def read_job(environ: Mapping[str, str]) -> Job:
    """The job that the environment describes. Raises ConfigurationError outside of one."""
    for name in ("GITHUB_REPOSITORY", "GITHUB_WORKSPACE", "RUNNER_TEMP"):
        if not environ.get(name):
            raise ConfigurationError(
                f"{name} is not set: this is no job of GitHub Actions",
                code="no_job",
                remedy="use the action in a workflow; on a machine of your own, `reconcile run` does the same pass",
            )
    ref = environ.get("GITHUB_REF", "")
    queued = QUEUE.fullmatch(ref)
    server = environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    repository, run = environ["GITHUB_REPOSITORY"], environ.get("GITHUB_RUN_ID")
    return Job(
        event="merge_group" if queued else environ.get("GITHUB_EVENT_NAME", ""),
        repository=repository,
        branch=environ.get("GITHUB_REF_NAME") if ref.startswith("refs/heads/") and not queued else None,
        base_branch=environ.get("GITHUB_BASE_REF") or (queued[1] if queued else None),
        default_token=environ.get("RECONCILE_INPUT_DEFAULT_TOKEN") == "true",
        workspace=Path(environ["GITHUB_WORKSPACE"]),
        scratch=Path(environ["RUNNER_TEMP"]) / "reconcile",
        server_url=server,
        api_url=environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
        graphql_url=environ.get("GITHUB_GRAPHQL_URL") or None,
        run_url=f"{server}/{repository}/actions/runs/{run}" if run else None,
        pull_request=_pull_request(environ.get("GITHUB_EVENT_PATH")),
        output=_path(environ.get("GITHUB_OUTPUT")),
        summary=_path(environ.get("GITHUB_STEP_SUMMARY")),
    )


def unheeded(text: str) -> str:
    """A text for the log in which the runner looks for no commands.

    It takes `::name::` for one at the beginning of any line, spaces before it or not, and `##[name]` anywhere in it.
    """
    token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n{text}\n::{token}::\n"


def mask(secret: str) -> str:
    """The commands that keep a secret, and the forms git sends it in, out of the log."""
    basic = b64encode(f"x-access-token:{secret}".encode()).decode()
    return "".join(f"::add-mask::{form}\n" for form in (secret, basic) if form.isprintable())


def write_outputs(job: Job, outputs: Mapping[str, str]) -> None:
    """The outputs of the step. No value can end its own entry: the delimiter is not guessable."""
    if job.output is None:
        return
    with job.output.open("a", encoding="utf-8") as stream:
        for name, value in outputs.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            stream.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def write_summary(job: Job, text: str) -> None:
    """The summary of the step, as Markdown."""
    if job.summary is not None:
        with job.summary.open("a", encoding="utf-8") as stream:
            stream.write(text.encode()[:SUMMARY_BYTES].decode("utf-8", "ignore"))


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _pull_request(event: str | None) -> PullRequestEvent | None:
    """The pull request in the event's file, which GitHub wrote; what it says of names is the author's."""
    if not event or not Path(event).is_file():
        return None
    try:
        payload: Any = json.loads(Path(event).read_text("utf-8"))
        found = payload.get("pull_request") if isinstance(payload, dict) else None
        return _pull_request_of(found) if isinstance(found, dict) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            "the event's file (GITHUB_EVENT_PATH) is not one that GitHub writes",
            code="no_event",
            remedy="run the action on an event of GitHub, and leave the file as it is",
        ) from error


def _pull_request_of(found: Mapping[str, Any]) -> PullRequestEvent:
    head = found["head"]
    return PullRequestEvent(
        number=int(found["number"]),
        head_ref=str(head["ref"]),
        head_sha=str(head["sha"]),
        head_repository=head["repo"]["full_name"] if head.get("repo") else None,
    )
