"""What a gate says that wants every run verified: whether it is open, and what the others would need."""

from __future__ import annotations

from collections import defaultdict

from reconcile.core.gate import asked_for, lacking
from reconcile.core.model import Proof, Run
from reconcile.core.settlement import AGGREGATE
from reconcile.core.summary import RunReport, Summary, graded
from reconcile.core.wire import plural
from reconcile.reports.held import UNGRADED, ungraded
from reconcile.reports.words import printable

MOST = 20
"""Names of runs in a line."""

WANTED = {Proof.PROVEN: "proven", Proof.SUPPORTED: "proven or supported", Proof.ASSUMED: "verified"}


def gate_lines(summary: Summary, least: Proof) -> list[str]:
    """`3 of 4 runs proven: analysis must wait.` and a line for those that are verified, but not so well."""
    asked, short = asked_for(summary), lacking(summary, least)
    verdict = f"{len(asked) - len(short):,} of {plural(len(asked), 'run')} {WANTED[least]}"
    lines = [f"{verdict}: analysis {'must wait' if short or summary.findings else 'may go on'}."]
    groups: defaultdict[str, list[RunReport]] = defaultdict(list)
    for report in short:
        groups[_short_of(report.run)].append(report)
    return lines + [f"{plural(len(each), 'run')} {said} ({_names(each)})" for said, each in groups.items()]


def _short_of(run: Run) -> str:
    grade = graded(run)
    return f"verified, but only {grade}: {_missing(run, grade)}" if grade else "not verified"


def _missing(run: Run, grade: Proof) -> str:
    """What would have held the verdict better."""
    if ungraded(run):
        return UNGRADED
    if grade is Proof.ASSUMED:
        return "record calls and tokens"
    if run.known.source == AGGREGATE:
        return "record calls and tokens call by call, not as totals of another tool"
    return "record calls and all tokens of every response"


def _names(reports: list[RunReport]) -> str:
    more = [f"{len(reports) - MOST:,} more"] if len(reports) > MOST else []
    return ", ".join([*(printable(str(report.run.key)) for report in reports[:MOST]), *more])
