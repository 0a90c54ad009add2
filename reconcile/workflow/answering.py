"""What a command says: as text, as one JSON document, and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconcile.core.account import Account, account_json
from reconcile.core.auditing import Audit, Outcome, audit_json
from reconcile.core.census import Census, census_json
from reconcile.core.gate import asked_for, lacking
from reconcile.core.lag import Lag, lag_json
from reconcile.core.model import Finding, Json, Proof
from reconcile.core.summary import SCHEMA_VERSION, Summary, as_json, error_json, finding_json
from reconcile.core.trial import Backtest, backtest_json
from reconcile.core.wire import plural
from reconcile.errors import ReconcileError
from reconcile.reports.account import account_text
from reconcile.reports.audit import audit_text
from reconcile.reports.comparison import backtest_text
from reconcile.reports.curve import lag_text
from reconcile.reports.gate import gate_lines
from reconcile.reports.text import awaits, error_text, findings_text, list_text, summary_text
from reconcile.reports.words import painter


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
    different = any(each.found.outcome is Outcome.DIFFERENT for each in audit.runs) or bool(audit.invalid)
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
