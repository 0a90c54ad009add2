"""`compare` as GitHub Markdown, for the job summary and the comment; names and sentences of others are escaped."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.core.comparing.comparison import Comparison
from reconcile.core.wire import plural
from reconcile.reports.compared import (
    UNNAMED,
    apart,
    bill_text,
    break_head,
    gap_text,
    line_cells,
    log_text,
    row_cells,
    verdict_text,
)
from reconcile.reports.markdown import code, prose

METRICS = "| | log | provider | difference | % | allowed | |\n| --- | --: | --: | --: | --: | --- | --- |"
ROWS = (
    "| requests | provider | tokens | provider | % | USD | provider | % |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: |"
)
ROOM_FOR_MORE = 60
"""Characters of the line that says how many rows were left out."""


def compared_markdown(comparison: Comparison, limit: int) -> str:
    """The comparison in at most `limit` characters: rows, then facts, then reasons are left out whole, and counted."""
    period = comparison.period
    verdict = comparison.verdict.value.replace("_", " ")
    head = f"### Log and provider, {period.first} to {period.last}: {verdict}\n\n{prose(verdict_text(comparison))}\n"
    text = head + f"\n{METRICS}\n" + "".join(_metrics(comparison))
    left_out = 0
    for opening, rows in _sections(comparison):
        room = limit - ROOM_FOR_MORE - len(text) - len(opening)
        kept = _fitting(rows, room)
        left_out += len(rows) - len(kept)
        text += opening + "".join(kept) if kept else ""
    more = f"\n{plural(left_out, 'row')} left out: `reconcile compare` has them.\n" if left_out else ""
    return text + more


def _metrics(comparison: Comparison) -> list[str]:
    return [f"| {' | '.join(cell.strip() for cell in line_cells(line))} |\n" for line in comparison.lines]


def _sections(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """A heading and its rows, the most important first."""
    breaks = [
        f"1. {prose(break_head(each))}: {prose(each.arithmetic)}. To do: {prose(each.remedy)}.\n"
        for each in comparison.breaks
    ]
    facts = [*gap_text(comparison), *apart(comparison), *bill_text(comparison.bill), *log_text(comparison)]
    rows = [
        f"| {UNNAMED if row.name is None else code(row.name)} | {' | '.join(row_cells(row))} |\n"
        for row in comparison.rows
    ]
    return [
        ("\n**Why they may differ, likeliest first**\n\n", breaks),
        ("\n**What else there is to know**\n\n", [f"- {prose(fact.rstrip('.'))}.\n" for fact in facts]),
        (f"\n| {comparison.by.value} {ROWS}\n", rows),
    ]


def _fitting(rows: Sequence[str], room: int) -> Sequence[str]:
    used = 0
    for place, row in enumerate(rows):
        used += len(row)
        if used > room:
            return rows[:place]
    return rows
