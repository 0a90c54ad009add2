"""The end of a job: what it has done, as a status, a log, annotations, a summary, outputs and an exit code, and what is
left of that for the steps after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path, PurePosixPath

from reconcile.action.comment import Published
from reconcile.action.request import FailOn, JobRequest
from reconcile.action.runtime import SUMMARY_BYTES, read_job, unheeded, write_outputs, write_summary
from reconcile.action.target import Landed, Proposed
from reconcile.errors import ReconcileError, StoreError
from reconcile.insight.board import lacking
from reconcile.ledger.comparison import Comparison, ComparisonVerdict
from reconcile.ledger.comparison_json import comparison_json
from reconcile.passes.containing import attempted
from reconcile.passes.summary import Summary, as_json, standing
from reconcile.report.compared import compared_text
from reconcile.report.compared_as import published_markdown
from reconcile.report.job_log import comparison_annotation, gate_annotation, job_annotations, surplus
from reconcile.report.markdown import Links
from reconcile.report.overview import gate_lines
from reconcile.report.phrases import painter
from reconcile.report.terminal import summary_text
from reconcile.runs.run import Json
from reconcile.runs.state import Policy

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
    """What a job has done so far."""

    summary: Summary
    root: PurePosixPath
    """The folder of runs."""
    tip: str | None = None
    """The commit that the summary tells of."""
    landed: Landed | None = None
    notices: list[str] = field(default_factory=list)
    published: Published = field(default_factory=Published)
    """The first comment."""
    comparison: Comparison | None = None
    page: Path | None = None

    @property
    def commit(self) -> str | None:
        """What was pushed."""
        return self.landed.pushed.commit if self.landed else None

    @property
    def changed(self) -> int:
        """How many runs' own files the pass has changed."""
        return len(self.landed.runs) if self.landed else 0

    @property
    def proposed(self) -> Proposed:
        """The pull request from the Action's own branch; none in other modes."""
        return (self.landed.proposed if self.landed else None) or Proposed(operation="")

    def fail(self, error: ReconcileError) -> None:
        """One more error of the job, said once."""
        if (error.code, error.message) not in {(each.code, each.message) for each in self.summary.errors}:
            self.summary = replace(self.summary, errors=(*self.summary.errors, error))

    def step(self, what: str, make: Callable[[], None]) -> None:
        """One more step of the job. What keeps it from being done is one more error."""
        done = attempted(what, make)
        if isinstance(done, ReconcileError):
            self.fail(done)


class JobOutcome(StrEnum):
    """How a pass ended, worst first in the order that counts."""

    ERRORS = "errors"
    WARNINGS = "warnings"
    WAITING = "waiting"
    CLEAN = "clean"


def outcome(summary: Summary, *, unverified: bool = False, compared: ComparisonVerdict | None = None) -> JobOutcome:
    """How the pass ended. `unverified`: a gate that wants every run verified stays shut. `compared`: what the
    comparison after it came to."""
    moved = {standing(report.run) for report in summary.runs if report.moved}
    if summary.findings or summary.errors or "failed" in moved or unverified or compared is ComparisonVerdict.MISMATCH:
        return JobOutcome.ERRORS
    if "warning" in moved or compared is ComparisonVerdict.NO_DATA:
        return JobOutcome.WARNINGS
    counts = summary.counts
    return (
        JobOutcome.WAITING
        if counts["pending"] or counts["data_not_available"] or counts["skipped"]
        else JobOutcome.CLEAN
    )


def exit_code(summary: Summary, ended: JobOutcome, fail_on: FailOn) -> int:
    """0, 1 for what somebody has to mend or look at, 3 where the provider, git or GitHub could not be reached."""
    failing = {
        FailOn.ERRORS: {JobOutcome.ERRORS},
        FailOn.WARNINGS: {JobOutcome.ERRORS, JobOutcome.WARNINGS},
        FailOn.NEVER: set(),
    }
    if ended not in failing[fail_on]:
        return 0
    return max([1, *(error.exit_code for error in summary.errors)])


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
        "pr-number": str(report.proposed.number or ""),
        "pr-url": report.proposed.url or "",
        "pr-operation": report.proposed.operation,
        "comment-id": str(report.published.identifier or ""),
        "comment-url": report.published.url or "",
        "comparison": report.comparison.verdict if report.comparison else "",
        "report": str(report.page or ""),
    }


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
    done = [attempted(what, partial(_on_disk, what, step)) for what, step in steps]
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
