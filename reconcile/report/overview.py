"""`status` of a folder as text: the sentence a person wants, the counts by age and framework, what to look at.

The gate that wants every run verified speaks here too: whether it is open, and what the others would need.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconcile.insight.board import BANDS, Board, Group, asked_for, group_of, is_shown, lacking
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary, graded
from reconcile.report.held import UNGRADED, label_of, style, tally, ungraded
from reconcile.report.next_step import next_step
from reconcile.report.phrases import Paint, clock, printable, titled, wrapped
from reconcile.report.terminal import error_text, findings_text, standing_text
from reconcile.runs.run import Finding, Run
from reconcile.runs.state import Proof
from reconcile.verdict.settlement import AGGREGATE
from reconcile.words import plural

MOST = 20
"""Runs and findings of one kind that are shown."""


def board_text(board: Board, paint: Paint, width: int) -> str:
    """The whole board."""
    summary, defects = board.summary, findings_on(board)
    odd = [*reports_of(board, Group.BROKEN), *reports_of(board, Group.MISSED)]
    look_at = standing_text(odd[:MOST], summary, paint, width)
    sections = [
        wrapped(headline(board), width),
        _table(age_rows(board)),
        _table(framework_rows(board)),
        titled("To look at", _cut(look_at, len(odd), board), paint),
        titled("Findings", _cut(findings_text(defects[:MOST]), len(defects), board, "reconcile validate"), paint),
        titled("Waiting", _waiting(board, paint, width), paint),
        titled("Errors", "\n".join(error_text(error, paint, width) for error in summary.errors), paint),
        summary.census.line or "",
    ]
    return "\n\n".join(section for section in sections if section)


def headline(board: Board) -> str:
    """`31 of 40 runs verified: 29 proven, 2 by another tool; 5 waiting, next due 14:05Z; 3 to look at; 1 invalid
    file.`"""
    totals = {each.group: each.total for each in board.groups}
    runs, odd = sum(totals.values()), totals[Group.BROKEN] + totals[Group.MISSED]
    contests = sum(bool(report.contests) for report in board.summary.runs if is_shown(report))
    parts = [f"{totals[Group.VERIFIED]:,} of {plural(runs, 'run')} verified{_held(board)}" if runs else "no runs"]
    parts += [f"{totals[Group.WAITING]:,} waiting{_due(board)}"] if totals[Group.WAITING] else []
    parts += [f"{odd:,} to look at"] if odd else []
    parts += [f"{contests:,} contested"] if contests else []
    parts += [plural(board.invalid, "invalid file")] if board.invalid else []
    return f"{'; '.join(parts)}."


def _held(board: Board) -> str:
    """How the verdicts are held. What another tool verified is said apart: nothing here shows that it is right."""
    inherited = [f"{board.inherited:,} by another tool"] if board.inherited else []
    told = [*tally(board.grades), *inherited]
    return f": {', '.join(told)}" if told else ""


def _due(board: Board) -> str:
    waiting = reports_of(board, Group.WAITING)
    due = sum(report.selection in {Selection.DUE, Selection.LAST_READ} for report in waiting)
    ahead = f", next due {clock(board.next_due, board.summary.now)}" if board.next_due else ""
    return f"{f', {due:,} due now' if due else ''}{ahead}"


def age_rows(board: Board) -> list[tuple[str, ...]]:
    """Cells, with their heading: groups by age."""
    rows = [
        (each.group.value, *(f"{count:,}" for count in each.by_age), f"{each.total:,}")
        for each in board.groups
        if each.total
    ]
    return [("", *BANDS, "all"), *rows] if rows else []


def framework_rows(board: Board) -> list[tuple[str, ...]]:
    """Cells, with their heading: frameworks by group. Their names are untrusted text."""
    rows = [
        (each.framework, *(f"{each.groups[group]:,}" for group in Group), f"{each.invalid:,}")
        for each in board.frameworks
    ]
    return [("framework", *Group, "invalid"), *rows] if rows else []


def reports_of(board: Board, group: Group) -> list[RunReport]:
    """The runs of a group; those that wait in the order in which they become due."""
    found = [report for report in board.summary.runs if is_shown(report) and group_of(report) is group]
    return sorted(found, key=lambda report: report.due_at or board.summary.now) if group is Group.WAITING else found


def ahead_of(board: Board) -> list[RunReport]:
    """The runs that something is still to happen to: those that wait, then the verified ones that are contested."""
    contests = [report for report in reports_of(board, Group.VERIFIED) if report.contests]
    return [*reports_of(board, Group.WAITING), *contests]


def findings_on(board: Board) -> list[Finding]:
    """The defects of what was asked for."""
    name = board.framework
    return sorted(each for each in board.summary.findings if name is None or _framework_of(each) == name)


def _framework_of(finding: Finding) -> str:
    """Of a file of a run, or of a run's folder that is none."""
    framework, run, file = ["", "", *finding.path.split("/")][-3:]
    return framework if file.endswith((".json", ".ndjson")) else run


def everything(board: Board) -> str:
    """The command that shows what is left out here."""
    return (
        f"reconcile list {shlex.quote(printable(board.framework))} --all" if board.framework else "reconcile list --all"
    )


def _waiting(board: Board, paint: Paint, width: int) -> str:
    waiting = ahead_of(board)
    names = [printable(str(report.run.key)) for report in waiting[:MOST]]
    words = [label_of(report.run) for report in waiting[:MOST]]
    first, second = max(map(len, names), default=0), max(map(len, words), default=0)
    lines = []
    for report, name, word in zip(waiting, names, words, strict=False):
        step = wrapped(next_step(report, board.summary.policy, board.summary.now), width, " " * (first + second + 6))
        status = paint(word.ljust(second), style(report.run))
        lines.append(f"  {name.ljust(first)}  {status}  {step.lstrip()}")
    return _cut("\n".join(lines), len(waiting), board)


def _cut(shown: str, count: int, board: Board, command: str | None = None) -> str:
    """What is shown, and how much is not."""
    return f"{shown}\n{more(count, board, command)}" if count > MOST else shown


def more(count: int, board: Board, command: str | None = None) -> str:
    """`and 12 more: reconcile list --all`"""
    return f"and {count - MOST:,} more: {command or everything(board)}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    cells = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_row(row, widths) for row in cells)


def _row(row: Iterable[str], widths: Iterable[int]) -> str:
    (name, wide), *rest = zip(row, widths, strict=True)
    return "  ".join([f"  {name.ljust(wide)}", *(cell.rjust(each) for cell, each in rest)])


MOST_LACKING = 20
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
    more = [f"{len(reports) - MOST_LACKING:,} more"] if len(reports) > MOST_LACKING else []
    return ", ".join([*(printable(str(report.run.key)) for report in reports[:MOST_LACKING]), *more])
