"""What a command says: as text, as one JSON document, and as an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconcile.doctor.examination import Diagnosis, diagnosis_json
from reconcile.doctor.key_file import KeyList
from reconcile.doctor.key_rows import ProposalOutcome, keys_json
from reconcile.errors import ReconcileError
from reconcile.insight.account import Account, account_json
from reconcile.insight.audit import Audit, AuditOutcome, audit_json
from reconcile.insight.board import Board, asked_for, board_json, lacking
from reconcile.insight.lag import Lag, lag_json
from reconcile.insight.situation import Situation, situation_json
from reconcile.insight.trial import Backtest, backtest_json
from reconcile.ledger.charge_back import ChargeBack, charge_back_json
from reconcile.ledger.comparison import Comparison, ComparisonVerdict
from reconcile.ledger.comparison_json import comparison_json
from reconcile.minutes import spelled
from reconcile.passes.summary import SCHEMA_VERSION, Summary, as_json, error_json, finding_json
from reconcile.report.charged import charged_csv, charged_text
from reconcile.report.compared import compared_text
from reconcile.report.compared_as import compared_csv
from reconcile.report.diagnosis import doctor_text, keys_text
from reconcile.report.explanation import account_text
from reconcile.report.exports import Made
from reconcile.report.lag_text import backtest_text, lag_text
from reconcile.report.overview import board_text, gate_lines
from reconcile.report.phrases import painter, printable
from reconcile.report.status import situation_text
from reconcile.report.status_markdown import board_markdown, situation_markdown
from reconcile.report.terminal import audit_text, awaits, error_text, findings_text, list_text, summary_text
from reconcile.runs.census import Census, census_json
from reconcile.runs.run import Finding, Json
from reconcile.runs.state import Proof
from reconcile.words import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How text is set: for a terminal of a width in columns, or for a file."""

    colour: bool = False
    width: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    document: Json
    exit_code: int


def answer_run(summary: Summary, look: Look) -> Answer:
    """A pass."""
    text = summary_text(summary, painter(colour=look.colour), look.width)
    return Answer(text=text, document=as_json(summary), exit_code=summary.exit_code)


def answer_list(summary: Summary, look: Look, *, everything: bool, least: Proof | None = None) -> Answer:
    """The runs that await something, or all. With `least` a run fails that is not verified with such a grade."""
    everything = everything or least is not None
    text = list_text(summary, painter(colour=look.colour), look.width, everything=everything)
    text += "\n\n" + "\n".join(gate_lines(summary, least)) if least else ""
    shown = tuple(report for report in asked_for(summary) if everything or awaits(report))
    document = as_json(summary, shown=shown)
    failed = least is not None and bool(lacking(summary, least) or summary.findings)
    worst = max((error.exit_code for error in summary.errors if error.code != "missing_key_id"), default=0)
    return Answer(text=text, document=document, exit_code=max(worst, int(failed)))


def answer_validate(files: int, findings: Sequence[Finding], census: Census | None = None) -> Answer:
    """Every defect of every file, and what is named as one and lies elsewhere, where that was looked for."""
    bad = len({finding.path for finding in findings})
    totals = f"{plural(files, 'file')}: {plural(len(findings), 'finding') if findings else 'no finding'}"
    totals += f" in {plural(bad, 'file')}" if findings else ""
    document: dict[str, Json] = {
        "schema_version": SCHEMA_VERSION,
        "counts": {"files": files, "invalid": bad, "findings": len(findings)},
        "invalid": [finding_json(finding) for finding in findings],
    }
    if census:
        document = {**document, "files": census_json(census)}
    parts = [findings_text(findings), census.line if census else None, f"{totals}."]
    text = "\n\n".join(part for part in parts if part)
    return Answer(text=text, document=document, exit_code=int(bool(findings)))


def answer_explain(account: Account, look: Look) -> Answer:
    """How one run's figure came about."""
    text = account_text(account, painter(colour=look.colour), look.width)
    return Answer(text=text, document=account_json(account), exit_code=0)


def answer_audit(audit: Audit, look: Look) -> Answer:
    """Every verdict against its evidence."""
    different = any(each.found.outcome is AuditOutcome.DIFFERENT for each in audit.runs) or bool(audit.invalid)
    text = audit_text(audit, painter(colour=look.colour), look.width)
    return Answer(text=text, document=audit_json(audit), exit_code=max(_worst(audit.errors), int(different)))


def answer_lag(lag: Lag, look: Look) -> Answer:
    """How long figures take to be complete."""
    text = lag_text(lag, painter(colour=look.colour), look.width)
    return Answer(text=text, document=lag_json(lag), exit_code=_worst(lag.errors))


def answer_backtest(backtest: Backtest, look: Look) -> Answer:
    """What another policy would have made of the kept reads."""
    text = backtest_text(backtest, painter(colour=look.colour), look.width)
    return Answer(text=text, document=backtest_json(backtest), exit_code=_worst(backtest.errors))


def _worst(errors: Sequence[ReconcileError]) -> int:
    return max((error.exit_code for error in errors), default=0)


def answer_error(error: ReconcileError, look: Look) -> Answer:
    """What kept a command from being carried out."""
    document: Json = {"schema_version": SCHEMA_VERSION, "errors": [error_json(error)]}
    text = error_text(error, painter(colour=look.colour), look.width)
    return Answer(text=text, document=document, exit_code=error.exit_code)


def answer_compare(comparison: Comparison, look: Look, *, as_csv: bool = False) -> Answer:
    """Both sides, the verdict and what may explain the difference. All but `reconciled` fails."""
    text = compared_csv(comparison).removesuffix("\r\n") if as_csv else ""
    return Answer(
        text=text or compared_text(comparison, painter(colour=look.colour), look.width),
        document=comparison_json(comparison),
        exit_code=int(comparison.verdict is not ComparisonVerdict.RECONCILED),
    )


def answer_report(made: Made) -> Answer:
    """Where the page is and what is in it."""
    summary = made.dashboard.summary
    inside = [plural(len(summary.runs), "run"), plural(len(made.dashboard.comparisons), "comparison")]
    size = f"{made.size / 1_000_000:.2f} MB"
    keys = "ids of keys are hashed" if made.hashed else "ids of keys are in it: --hash-keys replaces them"
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "page": str(made.path),
        "bytes": made.size,
        "runs": len(summary.runs),
        "comparisons": len(made.dashboard.comparisons),
        "hashed_keys": made.hashed,
    }
    return Answer(
        text=f"{printable(str(made.path))}: {', '.join(inside)}, {size}; {keys}.",
        document=document,
        exit_code=_worst_met(summary.errors),
    )


def _worst_met(errors: Iterable[ReconcileError]) -> int:
    """A page that lacks what could not be read says so, and so does its exit code. A missing key id lacks nothing."""
    return max((error.exit_code for error in errors if error.code != "missing_key_id"), default=0)


def answer_doctor(diagnosis: Diagnosis, look: Look) -> Answer:
    """What is wrong, worst first."""
    text = doctor_text(diagnosis, painter(colour=look.colour), look.width)
    return Answer(text=text, document=diagnosis_json(diagnosis), exit_code=diagnosis.exit_code)


def answer_keys(found: KeyList, look: Look) -> Answer:
    """The list. Where ids were to be written, one that could not be is something to mend."""
    text = keys_text(found.rows, found.proposals, found.written, painter(colour=look.colour), look.width)
    refused = found.writing and any(each.outcome is ProposalOutcome.REFUSED for each in found.proposals)
    document = keys_json(found.rows, found.proposals, found.written)
    return Answer(text=text, document=document, exit_code=int(refused))


class Form(StrEnum):
    """How it is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def answer_board(found: Board, look: Look, form: Form = Form.TEXT) -> Answer:
    """The board. What is wrong with a run fails nothing here: `list --require-verified` is the gate."""
    summary = found.summary
    text = (
        board_markdown(found) if form is Form.MARKDOWN else board_text(found, painter(colour=look.colour), look.width)
    )
    worst = max((error.exit_code for error in summary.errors if error.code != "missing_key_id"), default=0)
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(summary.now),
        "framework": found.framework,
        "files": census_json(summary.census),
        "board": board_json(found),
        "next_due": spelled(found.next_due) if found.next_due else None,
        "errors": [error_json(error) for error in summary.errors],
    }
    return Answer(text=text, document=document, exit_code=worst)


def answer_situation(found: Situation, look: Look, form: Form = Form.TEXT) -> Answer:
    """One run."""
    text = (
        situation_markdown(found)
        if form is Form.MARKDOWN
        else situation_text(found, painter(colour=look.colour), look.width)
    )
    return Answer(text=text, document=situation_json(found), exit_code=0)


def answer_costs(found: ChargeBack, look: Look, *, as_csv: bool = False) -> Answer:
    """Who pays what. Nothing in it is wrong, so nothing fails."""
    text = charged_csv(found).removesuffix("\r\n") if as_csv else ""
    return Answer(
        text=text or charged_text(found, painter(colour=look.colour), look.width),
        document=charge_back_json(found),
        exit_code=0,
    )
