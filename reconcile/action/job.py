"""The end of a job: what it has done so far, and that as a log, annotations, a summary, outputs and an exit code.

Builds what a job works with, and writes what it leaves for the steps after it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from reconcile.action.branches import Action, Clients, SettingsSource
from reconcile.action.comment import Published
from reconcile.action.land import Landed
from reconcile.action.request import JobOutcome, JobRequest, exit_code, outcome
from reconcile.action.runtime import SUMMARY_BYTES, read_job, unheeded, write_outputs, write_summary
from reconcile.errors import ReconcileError, StoreError
from reconcile.git.repository import GitRepository
from reconcile.github.client import GitHub
from reconcile.insight.board import lacking
from reconcile.ledger.comparison import Comparison
from reconcile.ledger.comparison_json import comparison_json
from reconcile.passes.containing import attempted
from reconcile.passes.summary import Summary, as_json
from reconcile.report.compared import compared_text
from reconcile.report.compared_as import published_markdown
from reconcile.report.job_log import comparison_annotation, gate_annotation, job_annotations, surplus
from reconcile.report.markdown import Links
from reconcile.report.overview import gate_lines
from reconcile.report.phrases import painter
from reconcile.report.terminal import summary_text
from reconcile.runs.run import Json
from reconcile.runs.state import Policy
from reconcile.workspace import checkers, clock, without_own

WIDTH = 120
REST = "the file that the output summary-json names has all of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What the job prints, and writes for the steps after it."""

    log: str
    annotations: str
    markdown: str
    outputs: Mapping[str, str]
    document: Json
    exit_code: int


@dataclass(slots=True, kw_only=True)
class Report:
    """What has been done so far."""

    summary: Summary
    tip: str | None = None
    commit: str | None = None
    changed: int = 0
    root: PurePosixPath
    notices: list[str] = field(default_factory=list)
    published: Published = field(default_factory=Published)
    landed: Landed | None = None
    comparison: Comparison | None = None
    page: Path | None = None
    operation: str = ""
    number: int | None = None
    url: str | None = None


def not_acted(request: JobRequest, error: ReconcileError) -> Acted:
    """The end of a job that could do nothing: why, for the steps after it and for whoever reads the log."""
    now = datetime.now(UTC).replace(microsecond=0)
    summary = Summary(now=now, policy=Policy(), discovered=0, runs=(), errors=(error,))
    return ended(request, Report(summary=summary, root=PurePosixPath()), Links())


def ended(request: JobRequest, report: Report, shown: Links) -> Acted:
    """Log, annotations, summary, outputs and exit code."""
    summary, comparison = report.summary, report.comparison
    least = request.require_verified
    unverified = least is not None and bool(lacking(summary, least))
    status = outcome(summary, unverified=unverified, compared=comparison.verdict if comparison else None)
    plain = painter(colour=False)
    notes = job_annotations(summary.findings, summary.errors, report.notices) + comparison_annotation(comparison)
    shut = gate_lines(summary, least) if least and unverified else []
    notes += gate_annotation(shut)
    log = [summary_text(summary, plain, WIDTH), *(["\n".join(shut)] if shut else [])]
    log += [compared_text(comparison, plain, WIDTH)] if comparison else []
    document = as_json(summary, shown=summary.runs)
    return Acted(
        log=unheeded("\n\n".join(log) + "\n" + surplus(report.notices)),
        annotations=notes,
        markdown=published_markdown(summary, comparison, shown, SUMMARY_BYTES // 4, rest=REST),
        outputs=_outputs(report, status),
        document=document | ({"comparison": comparison_json(comparison)} if comparison else {}),
        exit_code=exit_code(summary, status, request.fail_on),
    )


def _outputs(report: Report, status: JobOutcome) -> dict[str, str]:
    counts = report.summary.counts
    names = {"warnings": "warning"}
    numbers = ("discovered", "due", "verified", "pending", "warnings", "failed", "invalid")
    return {
        "status": status,
        **{name: str(counts[names.get(name, name)]) for name in numbers},
        "changed": str(report.changed),
        "commit-sha": report.commit or "",
        "pushed": str(report.commit is not None).lower(),
        "pr-number": str(report.number or ""),
        "pr-url": report.url or "",
        "pr-operation": report.operation,
        "comment-id": str(report.published.identifier or ""),
        "comment-url": report.published.url or "",
        "comparison": report.comparison.verdict if report.comparison else "",
        "report": str(report.page or ""),
    }


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
