"""`status` as GitHub Markdown, of a folder and of one run: tables of counts, everything else as lists.

Untrusted text goes through `code` and `prose` of `report.markdown`, which let it be nothing but text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconcile.insight.account import against
from reconcile.insight.board import Board, Group
from reconcile.insight.situation import Situation
from reconcile.passes.summary import RunReport
from reconcile.report.held import label_of, reasoned
from reconcile.report.markdown import code, prose
from reconcile.report.next_step import at_rest, next_step
from reconcile.report.overview import MOST, age_rows, ahead_of, findings_on, framework_rows, headline, more, reports_of
from reconcile.report.status import audited, expected_rows, sections, since
from reconcile.report.terminal import compared
from reconcile.runs.run import Finding


def board_markdown(board: Board) -> str:
    """The whole board; of each list as many as in text."""
    odd = [*reports_of(board, Group.BROKEN), *reports_of(board, Group.MISSED)]
    defects, errors = findings_on(board), board.summary.errors
    waiting = ahead_of(board)
    parts = [
        f"### LLM usage: {headline(board)}",
        _table(age_rows(board)),
        _table([(code(name) if place else name, *rest) for place, (name, *rest) in enumerate(framework_rows(board))]),
        _list("To look at", (_item(each, board) for each in odd[:MOST]), len(odd), board),
        _list("Findings", map(_finding, defects[:MOST]), len(defects), board, "reconcile validate"),
        _list("Waiting", (_item(each, board) for each in waiting[:MOST]), len(waiting), board),
        _list(
            "Errors", (f"{code(each.code)} {prose(each.message)}: {prose(each.remedy)}" for each in errors), 0, board
        ),
        prose(board.summary.census.line or ""),
    ]
    return "\n\n".join(part for part in parts if part)


def situation_markdown(situation: Situation) -> str:
    """The report on one run."""
    run = situation.account.report.run
    doubt = ", but see **audit**" if situation.differences else ""
    head = f"### {code(str(run.key))}: {prose(reasoned(run))}{prose(since(situation))}{doubt}"
    lines = ["- **file** " + code(run.path)]
    for label, said in [("audit", audited(situation)), *sections(situation)]:
        shown = [compared(run)] if label == "recorded" and against(run) else said
        lines += [f"- **{label}** {'<br>'.join(map(_line, shown))}"] if shown else []
    parts = [head, "\n".join(lines), _table(expected_rows(situation.expected))]
    return "\n\n".join(part for part in parts if part)


def _line(text: str) -> str:
    """A line that is aligned for a terminal, without what aligns it."""
    return prose(" ".join(text.split()))


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Cells that are harmless already."""
    if not rows:
        return ""
    rule = ("---", *("--:" for _ in rows[0][1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def _list(title: str, items: Iterable[str], count: int, board: Board, command: str | None = None) -> str:
    lines = [f"- {item}" for item in items]
    lines += [f"- {prose(more(count, board, command))}"] if count > MOST else []
    return "\n".join([f"**{title}**", "", *lines]) if lines else ""


def _item(report: RunReport, board: Board) -> str:
    """The run, its status, why, and what happens next."""
    run = report.run
    said = [run.state.message] if run.state and run.state.message else []
    step = [] if at_rest(report) and said else [next_step(report, board.summary.policy, board.summary.now)]
    return f"{code(str(run.key))} {prose(label_of(run))}: {prose('; '.join([*said, *step]))}"


def _finding(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}"
    return f"{code(place)} {code(finding.pointer or '/')} {prose(finding.message)}"
