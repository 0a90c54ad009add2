"""The end of a job: what it has done so far, and that as a log, annotations, a summary, outputs and an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from reconcile.adapters.actions_runtime import SUMMARY_BYTES, unheeded
from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.wire import comparison_json
from reconcile.core.gate import lacking
from reconcile.core.model import Json, Policy
from reconcile.core.request import Outcome, Request, exit_code, outcome
from reconcile.core.summary import Summary, as_json
from reconcile.errors import ReconcileError
from reconcile.reports.annotations import comparison_annotation, gate_annotation, job_annotations, surplus
from reconcile.reports.compared import compared_text
from reconcile.reports.gate import gate_lines
from reconcile.reports.markdown import Links
from reconcile.reports.published import published_markdown
from reconcile.reports.text import summary_text
from reconcile.reports.words import painter
from reconcile.workflow.acting.landing import Landed
from reconcile.workflow.acting.publishing import Published

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


def not_acted(request: Request, error: ReconcileError) -> Acted:
    """The end of a job that could do nothing: why, for the steps after it and for whoever reads the log."""
    now = datetime.now(UTC).replace(microsecond=0)
    summary = Summary(now=now, policy=Policy(), discovered=0, runs=(), errors=(error,))
    return ended(request, Report(summary=summary, root=PurePosixPath()), Links())


def ended(request: Request, report: Report, shown: Links) -> Acted:
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


def _outputs(report: Report, status: Outcome) -> dict[str, str]:
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
