"""A comparison for other readers than a terminal's: as CSV, as GitHub Markdown, and both sides line by line.

CSV has a line a row and one for the total, exact amounts, and no name that looks like a formula. Both sides line by
line, as CSV too, are what a dispute is argued with. Markdown is for the job summary and the comment, where the
comparison stands below the pass, in the room that the pass leaves; names and sentences of others are escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconcile.ledger.comparison import Comparison
from reconcile.ledger.figures import RESTS_ON, Amount, Figures, Metric, difference, percent
from reconcile.ledger.table import TableRow
from reconcile.minutes import instant, spelled
from reconcile.money.entry import Cost, Entry
from reconcile.money.exact import spelled_out
from reconcile.passes.summary import Summary
from reconcile.report.compared import (
    UNNAMED,
    apart,
    bill_text,
    break_head,
    gap_text,
    headline,
    line_cells,
    log_text,
    row_cells,
    verdict_text,
)
from reconcile.report.markdown import Links, code, prose, summary_markdown
from reconcile.report.phrases import printable
from reconcile.usage import PARTS
from reconcile.words import plural

TOTAL = "TOTAL"
FORMULAS = "=+-@\t\r"


def compared_csv(comparison: Comparison) -> str:
    """RFC 4180, with a head. A figure that nothing tells is empty, which is not zero."""
    columns = [f"{what}_{metric.value}" for metric in Metric for what in ("local", "official", "difference", "percent")]
    total = TableRow(name=None, local=comparison.local, official=comparison.official)
    rows = [[csv_text(row.name or ""), *_figures(row)] for row in comparison.rows]
    return "".join(
        f"{','.join(cells)}\r\n" for cells in ([comparison.by.value, *columns], *rows, [TOTAL, *_figures(total)])
    )


def _figures(row: TableRow) -> Iterable[str]:
    for metric in Metric:
        local, official = _of(row.local, metric), _of(row.official, metric)
        yield from map(_amount, (local, official, difference(local, official), percent(local, official)))


def _of(side: Figures | None, metric: Metric) -> Amount | None:
    return None if side is None else side.of(metric)


def _amount(amount: Amount | None) -> str:
    if amount is None:
        return ""
    return str(amount) if isinstance(amount, int) else spelled_out(amount)


def csv_text(name: str) -> str:
    """Untrusted. An apostrophe before what begins like a formula is what spreadsheets understand."""
    shown = printable(name)
    shown = f"'{shown}" if shown[:1] and shown[0] in FORMULAS else shown
    return '"' + shown.replace('"', '""') + '"' if any(c in shown for c in '",') else shown


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


WHO = ("model", "api_key_id", "project_id", "framework", "batch", "service_tier")
TAKES = tuple(
    RESTS_ON.get(metric, set()) for metric in (Metric.UNCACHED, Metric.CACHED, Metric.CACHE_WRITE, Metric.OUTPUT)
)
"""The kinds of a committed figure that each of PARTS takes."""
USAGE = ("start", *WHO, *PARTS, "requests", "reasoning", "cost_usd")
COSTS = ("day", "line_item", "project_id", "api_key_id", "amount", "currency", "quantity", "quantity_unit")


def entries_csv(entries: Iterable[Entry]) -> str:
    """Usage by stretches of time, in order; an empty cell is what a side does not say."""
    rows = (
        (
            spelled(instant(entry.start)),
            *(getattr(entry.who, name) for name in WHO),
            *(None if entry.untold & kinds else part for part, kinds in zip(entry.tokens.parts, TAKES, strict=True)),
            None if "api_calls" in entry.untold else entry.requests,
            entry.reasoning,
            entry.cost,
        )
        for entry in sorted(entries, key=lambda entry: (entry.start, str(entry.who)))
    )
    return _csv(USAGE, rows)


def costs_csv(costs: Iterable[Cost]) -> str:
    """The provider's bill by day and line item, in order."""
    rows = (
        (
            f"{instant(cost.day):%Y-%m-%d}",
            cost.line_item,
            cost.project_id,
            cost.api_key_id,
            cost.amount,
            cost.currency,
            cost.quantity,
            cost.quantity_unit,
        )
        for cost in sorted(costs, key=lambda cost: (cost.day, str(cost)))
    )
    return _csv(COSTS, rows)


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    return "".join(f"{','.join(map(_cell, row))}\r\n" for row in (head, *rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return spelled_out(value)
    return csv_text(value) if isinstance(value, str) else str(value).lower()


REST = "the summary of the job has more"
ROOM_FOR_VERDICT = 300
"""Characters that are kept from the pass: what a comparison came to is said however long the pass is."""


def published_markdown(
    summary: Summary, comparison: Comparison | None, links: Links, limit: int, lead: str = "", *, rest: str = REST
) -> str:
    """The pass below `lead` and then the comparison, in at most `limit` characters; `rest` says where is more.

    The pass comes first in every sense: of a comparison that does not fit below it only the verdict is left.
    """
    if comparison is None:
        return summary_markdown(summary, links, limit, lead, rest=rest)
    text = summary_markdown(summary, links, limit - ROOM_FOR_VERDICT, lead, rest=rest)
    whole = f"{text}\n{compared_markdown(comparison, limit - len(text) - 1)}"
    return whole if len(whole) <= limit else f"{text}\n### {headline(comparison)}\n\nNo room for more: {rest}.\n"
