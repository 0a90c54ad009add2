"""A pass, a list, findings and audits as text for a person: aligned, and coloured where the output is a terminal.

Of an audit: every difference with its place, what was not computed again and why, and the count.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime

from reconcile.errors import ReconcileError
from reconcile.insight.account import against, agreement
from reconcile.insight.audit import Audit, Audited, AuditOutcome
from reconcile.passes.selection import Selection
from reconcile.passes.summary import STANDINGS, RunReport, Summary, Unattributed, reported, standing
from reconcile.report.held import counted, label_of, rests_on, style
from reconcile.report.next_step import at_rest, next_step
from reconcile.report.phrases import Paint, clock, minute, printable, titled, wrapped
from reconcile.runs.run import Finding, Run
from reconcile.runs.state import Status
from reconcile.usage import KINDS
from reconcile.words import plural

INDENT = "      "
COLUMNS = ("tokens in", "tokens out", "cached", "calls")

SHORT = {"calls_missing", "tokens_missing"}
"""Reasons why a run waits for what it recorded to be reported."""


def summary_text(summary: Summary, paint: Paint, width: int) -> str:
    """What a pass found and did."""
    shown = [report for report in summary.runs if reported(report)]
    sections = [
        _runs([(report, _after(report, summary)) for report in shown], paint, width),
        diff_text(summary, paint) if summary.dry_run else "",
        titled("Findings", findings_text(summary.findings), paint),
        titled("Usage that no run claims", _unattributed(summary.unattributed, summary.now), paint),
        titled("Errors", "\n".join(error_text(error, paint, width) for error in summary.errors), paint),
        summary.census.line or "",
        totals_text(summary),
    ]
    return "\n\n".join(section for section in sections if section)


def list_text(summary: Summary, paint: Paint, width: int, *, everything: bool) -> str:
    """Runs that await reconciliation, or all of them, each with the reason and the next step."""
    shown = [report for report in summary.runs if report.selection is not Selection.NOT_ASKED]
    if not everything:
        shown = [report for report in shown if awaits(report)]
    heading = plural(len(shown), "run") + ("" if everything else " awaiting reconciliation")
    sections = [
        heading if shown else "No runs await reconciliation." if not everything else "No runs.",
        standing_text(shown, summary, paint, width),
        titled("Findings", findings_text(summary.findings), paint),
        titled("Errors", "\n".join(error_text(error, paint, width) for error in summary.errors), paint),
        summary.census.line or "",
    ]
    return "\n\n".join(section for section in sections if section)


def standing_text(shown: Iterable[RunReport], summary: Summary, paint: Paint, width: int) -> str:
    """These runs of the summary, each with why it stands where it stands, and the next step."""
    return _runs([(report, _ahead(report, summary)) for report in shown], paint, width)


def awaits(report: RunReport) -> bool:
    """Whether something is still to happen to the run."""
    return bool(report.contests) or standing(report.run) in {"skipped", "pending", "data_not_available"}


def findings_text(findings: Iterable[Finding]) -> str:
    """`path:line:column: pointer: message`, one a line, as editors and terminals link it."""
    return "\n".join(
        f"{printable(f.path)}:{f.line}:{f.column}: {printable(f.pointer) or '/'}: {printable(f.message)}"
        for f in sorted(findings)
    )


def error_text(error: ReconcileError, paint: Paint, width: int) -> str:
    """The message and the remedy."""
    message = wrapped(f"{error.code}: {printable(error.message)}", width)
    return f"{paint(message, 'red')}\n{wrapped(printable(error.remedy), width, '  ')}"


def diff_text(summary: Summary, paint: Paint) -> str:
    """The lines that a dry run would have changed."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines = [
        paint(printable(line), styles.get(line[:1], "none"))
        for change in summary.changes
        for line in difflib.unified_diff(
            change.before.splitlines(), change.after.splitlines(), change.path, change.path, n=1, lineterm=""
        )
    ]
    return "\n".join(lines)


def _runs(described: Sequence[tuple[RunReport, list[str]]], paint: Paint, width: int) -> str:
    """A line of figures a run, and below it what there is to say of it."""
    if not described:
        return ""
    names = [printable(str(report.run.key)) for report, _ in described]
    statuses = [label_of(report.run) for report, _ in described]
    rows = [figures(report) for report, _ in described]
    first, second = max(map(len, [*names, "run"])), max(map(len, [*statuses, "status"]))
    widths = [max(map(len, column)) for column in zip(*rows, COLUMNS, strict=True)]
    lines = [_row("run".ljust(first), "status".ljust(second), COLUMNS, widths)]
    for (report, said), name, status, row in zip(described, names, statuses, rows, strict=True):
        painted = paint(status.ljust(second), style(report.run))
        lines.append(_row(name.ljust(first), painted, row, widths))
        lines += [wrapped(text, width, INDENT) for text in said]
    return "\n".join(lines)


def _row(name: str, status: str, figures: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (figure.rjust(wide) for figure, wide in zip(figures, widths, strict=True))
    return f"  {name}  {status}  {'  '.join(aligned)}".rstrip()


def figures(report: RunReport) -> tuple[str, str, str, str]:
    """The four kinds; an interval where the figure is not exact, a dash where nothing was read, a question mark where
    another tool left a kind out."""
    state = report.run.state
    if state is None:
        return ("-", "-", "-", "-")
    if state.bounds:
        low, high = state.bounds.low.parts, state.bounds.high.parts
    else:
        low = high = state.figure.parts
    cells = ["?" if kind in state.unknown else span(a, b) for kind, a, b in zip(KINDS, low, high, strict=True)]
    return (cells[0], cells[1], cells[2], cells[3])


def span(low: int, high: int) -> str:
    """A figure, or the interval it lies in."""
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


def _after(report: RunReport, summary: Summary) -> list[str]:
    """What a pass has to say of a run it acted on."""
    state = report.run.state
    said = [printable(state.message)] if state and state.message else []
    lines = said or [next_step(report, summary.policy, summary.now)]
    return [*lines, *_facts(report), *([f"this pass: {printable(report.note)}"] if report.note else [])]


def _ahead(report: RunReport, summary: Summary) -> list[str]:
    """Why a run stands where it stands, what happens next, and where its file is."""
    state = report.run.state
    said = [printable(state.message)] if state and state.message else []
    step = [] if at_rest(report) and said else [next_step(report, summary.policy, summary.now)]
    return [*said, *step, *_facts(report), printable(report.run.path)]


def _facts(report: RunReport) -> list[str]:
    """What the figure rests on; and of a break, what was recorded against what is reported."""
    state = report.run.state
    if state is None:
        return []
    told = state.completeness and state.status is not Status.DATA_NOT_AVAILABLE
    rests = [f"rests on {rests_on(state)}"] if told else []
    return [*rests, *([compared(report.run)] if broken(report) else [])]


def broken(report: RunReport) -> bool:
    """Whether a person should look at what the run recorded beside what is reported for it."""
    state = report.run.state
    odd = standing(report.run) in {"warning", "failed"} or (state is not None and bool(SHORT & set(state.reasons)))
    return odd and bool(against(report.run))


def compared(run: Run) -> str:
    """The four-way table in one line: recorded against reported, and what to make of it."""
    lines = against(run)
    shown = [
        f"{COLUMNS[KINDS.index(line.kind)]} {line.recorded:,} / {span(line.low, line.high)}"
        for line in (lines[-1], *lines[:-1])
        if line.recorded is not None
    ]
    return f"recorded / reported: {', '.join(shown)}; {agreement(lines)}"


def _unattributed(rows: Iterable[Unattributed], now: datetime) -> str:
    return "\n".join(
        f"  {printable(row.api_key_id or 'no key id')}  {printable(row.model or 'no model')}  "
        f"{minute(row.start, now)} to {minute(row.end, now)}  "
        f"{row.usage.tokens_in:,} in, {row.usage.tokens_out:,} out, " + plural(row.usage.api_calls, "request")
        for row in rows
    )


def totals_text(summary: Summary) -> str:
    """How all runs stand, and what was done, in one sentence."""
    counts = summary.counts
    stand = [counted(name, counts) for name in STANDINGS if counts[name]]
    invalid = f", {plural(counts['invalid'], 'invalid file')}" if counts["invalid"] else ""
    first = f"{plural(counts['discovered'] - counts['invalid'], 'run')}: {', '.join(stand) or 'none'}{invalid}"
    waiting = [report.due_at for report in summary.runs if report.due_at]
    due = f"; next run due at {clock(min(waiting), summary.now)}" if waiting else ""
    return f"{first}{_done(summary)}{due}."


def _done(summary: Summary) -> str:
    """What the pass wrote and asked; nothing where it only looked."""
    if summary.looked:
        return ""
    written = plural(summary.counts["written"], "file")
    wrote = "nothing written (dry run)" if summary.dry_run else f"{written} written"
    return f"; {wrote}, {plural(summary.api.requests, 'request')} made"


COUNTED = (AuditOutcome.DIFFERENT, AuditOutcome.UNAUDITED, AuditOutcome.SOUND, AuditOutcome.UNREAD)


def audit_text(audit: Audit, paint: Paint, width: int) -> str:
    """What an audit came to."""
    audited = audit.runs
    differences = findings_text(finding for each in audited for finding in each.findings)
    unaudited = [each for each in audited if each.found.outcome is AuditOutcome.UNAUDITED]
    longest = max((len(printable(str(each.run.key))) for each in unaudited), default=0)
    listed = [f"  {printable(str(each.run.key)).ljust(longest)}  {printable(each.found.why)}" for each in unaudited]
    parts = [
        f"{paint('Findings', 'bold')}\n{findings_text(audit.invalid)}" if audit.invalid else "",
        f"{paint('Differences', 'bold')}\n{differences}" if differences else "",
        "\n".join([paint("Not computed again", "bold"), *listed]) if listed else "",
        "\n".join(error_text(error, paint, width) for error in audit.errors),
        _counted(audited),
    ]
    return "\n\n".join(part for part in parts if part)


def _counted(audited: Sequence[Audited]) -> str:
    counts = [(outcome, sum(each.found.outcome is outcome for each in audited)) for outcome in COUNTED]
    shown = ", ".join(f"{count:,} {outcome}" for outcome, count in counts if count)
    return f"{plural(len(audited), 'run')}: {shown or 'none'}."
