"""A pass as one value: what it found, what it did to which run, what it could not do, and what still waits.

Reports render it. When to look again is nothing it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconcile.errors import ReconcileError
from reconcile.minutes import spelled
from reconcile.passes.selection import Selection
from reconcile.runs.census import Census, census_json
from reconcile.runs.metrics import bounds_json, policy_json, usage_json
from reconcile.runs.run import Finding, Json, Run, RunKey, one_spelling
from reconcile.runs.state import Policy, Proof, Status
from reconcile.usage import KINDS, Bucket, Usage
from reconcile.verdict.judgement import Contest

SCHEMA_VERSION = 1

STANDINGS = ("verified", "inherited", "pending", "data_not_available", "warning", "failed", "skipped")
"""Where a run can stand after a pass; every valid run is in just one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run after the pass."""

    run: Run
    """As its file is now."""
    selection: Selection
    due_at: datetime | None = None
    written: bool = False
    moved: bool = False
    """Whether this pass changed its status."""
    note: str | None = None
    """What happened without a trace in the file, such as a transient zero."""
    contests: tuple[Contest, ...] = ()
    """Claims over minutes of its verdict that wait to be read; only where somebody looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What a dry run would have written."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattributed:
    """Usage of one key and model in consecutive minutes that no run claims."""

    api_key_id: str | None
    model: str | None
    start: int
    end: int
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUse:
    """What the pass asked of the provider. A request that was tried again is one request and one retry."""

    requests: int = 0
    pages: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A pass. `changes` is filled by a dry run only."""

    now: datetime
    policy: Policy
    discovered: int
    runs: tuple[RunReport, ...]
    findings: tuple[Finding, ...] = ()
    unattributed: tuple[Unattributed, ...] = ()
    errors: tuple[ReconcileError, ...] = ()
    api: ApiUse = ApiUse()
    dry_run: bool = False
    """Whether nothing was written."""
    looked: bool = False
    """Whether nothing was to be written, so that it is no rehearsal."""
    changes: tuple[FileChange, ...] = ()
    census: Census = Census()  # noqa: RUF009  a frozen value
    """What is named as a run's file is, and where it lies."""
    unreadable: Mapping[str, int] = field(default_factory=dict)
    """By framework, the files that could not become a run; where it only looked."""

    @property
    def counts(self) -> dict[str, int]:
        """All discovered runs by where they stand, and the verified ones by how that is held; `due` and `written` are
        of this pass."""
        standings = Counter(standing(report.run) for report in self.runs)
        grades = Counter(graded(report.run) for report in self.runs)
        return {
            "discovered": self.discovered,
            "invalid": self.discovered - len(self.runs),
            "due": sum(report.selection in {Selection.DUE, Selection.LAST_READ} for report in self.runs),
            **{name: standings[name] for name in STANDINGS},
            **{grade.value: grades[grade] for grade in Proof},
            "written": sum(report.written for report in self.runs),
        }

    @property
    def exit_code(self) -> int:
        """0 nothing wrong; 1 something to mend or to look at; 3 the provider or the files could not be reached."""
        worst = max((error.exit_code for error in self.errors), default=0)
        worse = any(report.moved and standing(report.run) in {"warning", "failed"} for report in self.runs)
        return max(worst, int(bool(self.findings) or worse))


def narrowed(summary: Summary, keys: Collection[RunKey], paths: Collection[str] | None = ()) -> Summary:
    """The same pass as far as these runs are concerned; errors and unclaimed usage concern all.

    Findings are those of the runs' folders and of `paths`, or all of them where that is None: a file that could not
    become a run is in no list of runs.
    """
    folders = {f"/{key.framework}/{key.run_id}/" for key in keys}
    findings = tuple(
        each
        for each in summary.findings
        if paths is None or each.path in paths or any(folder in f"/{one_spelling(each.path)}" for folder in folders)
    )
    runs = tuple(report for report in summary.runs if report.run.key in keys)
    broken = len({finding.path for finding in findings})
    return replace(summary, runs=runs, findings=findings, discovered=len(runs) + broken)


def standing(run: Run) -> str:
    """Where the run stands. Times edited after a read make it pending again; other tools' open verdicts are too."""
    if run.state is None:
        return "skipped"
    if run.state.inherited:
        return "inherited"
    return Status.PENDING.value if run.edited else run.state.status.value


def graded(run: Run) -> Proof | None:
    """How the figure of a run that stands as verified is held; None for any other."""
    return run.state.grade if run.state and standing(run) == Status.VERIFIED else None


def gathered(rows: Iterable[Bucket]) -> tuple[Unattributed, ...]:
    """Unattributed buckets, those of one key and model in consecutive minutes together."""
    found: list[Unattributed] = []
    for row in sorted(rows, key=lambda each: (each.api_key_id or "", each.model or "", each.minute)):
        last = found[-1] if found else None
        if last and (last.api_key_id, last.model) == (row.api_key_id, row.model) and row.minute <= last.end:
            start, usage = last.start, last.usage + row.usage
            found.pop()
        else:
            start, usage = row.minute, row.usage
        found.append(
            Unattributed(api_key_id=row.api_key_id, model=row.model, start=start, end=row.minute + 60, usage=usage)
        )
    return tuple(found)


# ------------------------------------------------------------------------------------------- as JSON


def as_json(summary: Summary, shown: Iterable[RunReport] | None = None) -> dict[str, Json]:
    """The summary as schemas/summary.schema.json describes it, with the runs that are worth a line, or those given."""
    if shown is None:
        shown = filter(reported, summary.runs)
    return {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(summary.now),
        "dry_run": summary.dry_run,
        "policy": policy_json(summary.policy),
        "counts": summary.counts,
        "files": census_json(summary.census),
        "api": {
            "requests": summary.api.requests,
            "pages": summary.api.pages,
            "retries": summary.api.retries,
        },
        "runs": [run_json(report, summary.now) for report in shown],
        "invalid": [finding_json(finding) for finding in summary.findings],
        "unattributed": [_unattributed_json(usage) for usage in summary.unattributed],
        "errors": [error_json(error) for error in summary.errors],
    }


def reported(report: RunReport) -> bool:
    """Whether a run is worth a line: acted on in this pass, or settled otherwise than verified."""
    acted = report.selection in {Selection.DUE, Selection.LAST_READ} or report.written or report.note is not None
    return acted or standing(report.run) in {"warning", "failed"}


def run_json(report: RunReport, now: datetime) -> dict[str, Json]:
    """One run; figures are null where nothing was ever read."""
    run, state = report.run, report.run.state
    figure = usage_json(state.figure, state.unknown) if state else dict.fromkeys(KINDS)
    return {
        "framework": run.key.framework,
        "run_id": run.key.run_id,
        "path": run.path,
        "status": standing(run),
        "proof": graded(run),
        "selection": report.selection.value,
        "reasons": list(state.reasons) if state else [],
        "completeness": state.completeness if state else None,
        "assumes": list(state.assumes) if state else [],
        "message": state.message if state else None,
        **figure,
        "bounds": bounds_json(state.bounds) if state and state.bounds else None,
        "exact": state.exact if state else None,
        "age_minutes": int((now - run.ended_at).total_seconds() // 60),
        "due": spelled(report.due_at) if report.due_at else None,
        "written": report.written,
        "note": report.note,
        "contests": [_contest_json(contest) for contest in report.contests],
    }


def _contest_json(contest: Contest) -> Json:
    minutes: list[Json] = [{"start": window.start, "end": window.end} for window in contest.minutes]
    return {"run": str(contest.run), "minutes": minutes}


def finding_json(finding: Finding) -> dict[str, Json]:
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "pointer": finding.pointer,
        "message": finding.message,
    }


def error_json(error: ReconcileError) -> dict[str, Json]:
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def _unattributed_json(usage: Unattributed) -> dict[str, Json]:
    return {
        "api_key_id": usage.api_key_id,
        "model": usage.model,
        "start": usage.start,
        "end": usage.end,
        "tokens_in": usage.usage.tokens_in,
        "tokens_out": usage.usage.tokens_out,
        "requests": usage.usage.api_calls,
    }


OPEN = {"skipped", "pending", "data_not_available"}


def awaited(summary: Summary) -> tuple[RunReport, ...]:
    """The runs that a later pass may still settle. One that was never read before the cutoff no pass reads any more."""
    return tuple(filter(is_awaited, summary.runs))


def is_awaited(report: RunReport) -> bool:
    """Whether a later pass may still settle the run."""
    return standing(report.run) in OPEN and report.selection is not Selection.PAST_CUTOFF


def ending(summary: Summary) -> int:
    """The exit code where nothing is awaited: 0 if every run is verified, here or by another tool."""
    unsound = any(standing(report.run) not in {"verified", "inherited"} for report in summary.runs)
    worst = max((error.exit_code for error in summary.errors), default=0)
    return max(worst, int(unsound or bool(summary.findings)))
