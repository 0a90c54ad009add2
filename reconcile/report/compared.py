"""`compare` as text for a person in finance: the verdict, both sides, why they may differ, and what is not in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconcile.ledger.comparison import Bill, Comparison, ComparisonLine, ComparisonVerdict
from reconcile.ledger.comparison_json import other_costs, other_usage
from reconcile.ledger.figures import Amount, Figures, Metric, difference, percent
from reconcile.ledger.legs import Leg
from reconcile.ledger.reasons.codes import Break
from reconcile.ledger.table import TableRow
from reconcile.minutes import instant
from reconcile.money.exact import spelled_out
from reconcile.report.phrases import Paint, printable, titled, wrapped
from reconcile.words import plural

NAMES = {
    Metric.REQUESTS: "requests",
    Metric.INPUT: "input tokens",
    Metric.UNCACHED: "  uncached",
    Metric.CACHED: "  cached",
    Metric.CACHE_WRITE: "  cache write",
    Metric.OUTPUT: "output tokens",
    Metric.TOTAL: "total tokens",
    Metric.COST: "cost (USD)",
}
STYLES = {ComparisonVerdict.RECONCILED: "green", ComparisonVerdict.MISMATCH: "red", ComparisonVerdict.NO_DATA: "yellow"}
HEAD = ("", "log", "provider", "difference", "%", "allowed", "")
ROW_HEAD = ("requests", "provider", "tokens", "provider", "%", "USD", "provider", "%")
NONE = "n/a"
UNNAMED = "(not told)"
LEGS = {
    Leg.LOG: "usage and bill agree, and the log has another number",
    Leg.USAGE: "log and bill agree, and usage has another number",
    Leg.COSTS: "log and usage agree, and the bill is for another number",
    Leg.ALL: "log, usage and bill have three different numbers",
}
SHOWN_BAD = 5
"""Bad lines that are quoted; the count has all."""

SHOWN_PARTS = 5
"""Models and keys that the verdict names."""

OF_RUNS = (
    "Committed runs stand in for a log, and their figures are the provider's own: this shows usage that no run claims, "
    "not that the figures are right"
)
UNTOLD = "it left out cached tokens or calls, so sums that take these are unknown, and no cause is looked for"
NOT_VISIBLE = "Tax, credits and refunds are on the invoice and in none of these figures."


def compared_text(comparison: Comparison, paint: Paint, width: int) -> str:
    """The comparison, from the verdict down."""
    sections = [
        f"{paint(headline(comparison), STYLES[comparison.verdict])}\n{wrapped(verdict_text(comparison), width)}",
        table([HEAD, *map(line_cells, comparison.lines)]),
        titled("Why they may differ, likeliest first", _breaks(comparison.breaks, width), paint),
        titled("The difference in cost", _said(gap_text(comparison), width), paint),
        titled(f"By {comparison.by.value}: log beside provider", _rows(comparison), paint),
        titled("Not in the comparison", _said(apart(comparison), width), paint),
        titled("The bill", _said(bill_text(comparison.bill), width), paint),
        titled("The log", _said(log_text(comparison), width), paint),
    ]
    return "\n\n".join(section for section in sections if section)


def headline(comparison: Comparison) -> str:
    """`MISMATCH  2026-03-01 to 2026-03-31 (UTC)`."""
    period = comparison.period
    return f"{comparison.verdict.value.replace('_', ' ').upper()}  {period.first} to {period.last} (UTC)"


def verdict_text(comparison: Comparison) -> str:
    """What the verdict is about."""
    if comparison.verdict is ComparisonVerdict.RECONCILED:
        return "Log and provider agree: every figure that is tested is within its tolerance."
    if comparison.verdict is ComparisonVerdict.MISMATCH:
        parts = [f"{part.what} {printable(part.name)}" for part in comparison.parts_outside]
        more = [f"{len(parts) - SHOWN_PARTS:,} models or keys more"] if len(parts) > SHOWN_PARTS else []
        outside = [NAMES[metric].strip() for metric in comparison.outside]
        return f"Out of tolerance: {', '.join([*outside, *parts[:SHOWN_PARTS], *more])}."
    sides = (("the log", comparison.local), ("the provider", comparison.official))
    empty = [name for name, figures in sides if figures.empty]
    if not empty:
        return "Nothing to compare: a run's file tells no input or no output tokens, so nobody knows their sum."
    verb = "shows" if len(empty) == 1 else "show"
    return (
        f"Nothing to compare: {' and '.join(empty)} {verb} no usage in these days, which is not the same as agreeing."
    )


def line_cells(line: ComparisonLine) -> tuple[str, ...]:
    """One metric: both sides, their difference, what is allowed, and whether it is kept."""
    judged = {True: "ok", False: "OUT", None: ""}[line.within]
    return (
        NAMES[line.metric],
        number(line.local),
        number(line.official),
        signed(line.difference),
        share(line.percent),
        "" if line.untested else str(line.allowed),
        line.untested or judged,
    )


def number(amount: Amount | None) -> str:
    """Whole numbers, and money to a hundredth of a cent."""
    if amount is None:
        return NONE
    return f"{amount:,.4f}" if isinstance(amount, Decimal) else f"{amount:,}"


def signed(amount: Amount | None) -> str:
    if amount is None:
        return NONE
    if not amount:
        return "0"
    return f"{amount:+,.4f}" if isinstance(amount, Decimal) else f"{amount:+,}"


def share(of: Decimal | None) -> str:
    return NONE if of is None else f"{of:+,.2f}" if of else "0.00"


def break_head(each: Break) -> str:
    """What it is, and how much of the difference goes with it."""
    gap = difference(each.local, each.official)
    of = "" if gap is None else f", of {signed(gap)}"
    return f"{each.code.value}: {signed(each.explains)} {NAMES[each.metric].strip()}{of}"


def row_cells(row: TableRow) -> tuple[str, ...]:
    """Requests, tokens and cost of both sides."""
    local, official = (Figures() if side is None else side for side in (row.local, row.official))
    total, cost = (local.of(Metric.TOTAL), official.of(Metric.TOTAL)), (local.cost, official.cost)
    told = [row.local is not None, row.official is not None]
    both = all(told)
    return (
        number(local.of(Metric.REQUESTS)) if told[0] else NONE,
        number(official.of(Metric.REQUESTS)) if told[1] else NONE,
        number(total[0]) if told[0] else NONE,
        number(total[1]) if told[1] else NONE,
        share(percent(*total)) if both else NONE,
        number(cost[0]),
        number(cost[1]),
        share(percent(*cost)) if both else NONE,
    )


def apart(comparison: Comparison) -> list[str]:
    """Everything that the provider or the log has and that is held against nothing. Names in it are untrusted."""
    local, official = comparison.apart_local, comparison.apart_official
    said = []
    if not (local.empty and official.empty):
        said.append(
            f"Usage from {instant(comparison.cut.until):%Y-%m-%d %H:%MZ} on, which is not final: log "
            f"{_usage(local)}; provider {_usage(official)}"
        )
    if comparison.cut.costs is not None and comparison.cut.costs_until < comparison.cut.until:
        said.append(f"Costs from {instant(comparison.cut.costs_until):%Y-%m-%d} on: these days are not closed")
    said += [
        f"UNPRICED in the log's cost: {each.model or 'calls without a model'}, {each.tokens.total:,} tokens of "
        f"{plural(each.requests, 'request')}"
        for each in comparison.unpriced
    ]
    for endpoint, unit, quantity, requests in other_usage(comparison.other_usage):
        counted = "" if requests is None else f" in {plural(requests, 'request')}"
        said.append(f"Usage of {endpoint}: {quantity:,} {unit}{counted}")
    costs = other_costs(comparison.other_costs)
    return [
        *said,
        *(f"Cost of {item or 'no line item'}: {spelled_out(of)} {unit.upper()}" for item, unit, of in costs),
    ]


def gap_text(comparison: Comparison) -> list[str]:
    """What the difference in cost is made of, and which of three counts of tokens stands apart."""
    said = []
    if comparison.gap and comparison.gap.gap.total:
        terms = {name: getattr(comparison.gap.gap, name) for name in ("quantity", "price", "unpriced", "rounding")}
        parts = ", ".join(f"{name} {signed(amount)}" for name, amount in terms.items() if amount)
        said.append(f"{signed(comparison.gap.gap.total)} USD, to the last digit: {parts}")
    for leg, of in sorted(Counter(match.odd for match in comparison.odd if match.odd).items()):
        said.append(f"Tokens by day, model and part are counted three times; in {plural(of, 'case')} {LEGS[leg]}")
    return said


def _usage(figures: Figures) -> str:
    requests, tokens = figures.of(Metric.REQUESTS), figures.of(Metric.TOTAL)
    return f"{number(requests)} {'request' if requests == 1 else 'requests'}, {number(tokens)} tokens"


def bill_text(bill: Bill | None) -> list[str]:
    """What the provider bills, and the invoice beside it."""
    if bill is None:
        return []
    models, other = number(bill.calls), number(bill.other)
    total = f"Costs of closed days: {number(bill.total)} USD"
    said = [f"{total}, of it {models} for the models that were called and {other} for all else"]
    if bill.invoice is not None:
        said.append(f"Invoice: {number(bill.invoice)} USD, {signed(bill.beyond)} against these costs")
    return [*said, NOT_VISIBLE]


def log_text(comparison: Comparison) -> list[str]:
    """How much was read, and what of it could not be. Names in it are untrusted."""
    log = comparison.log
    said = [f"{plural(log.lines, 'line')} of {plural(len(log.files), 'file')}, {plural(log.bad_lines, 'bad line')}"]
    said += [f"{bad.file}:{bad.line}: {bad.why}" for bad in log.bad[:SHOWN_BAD]]
    said += [OF_RUNS] if log.of_runs else []
    untold = sum(bool(entry.untold) for entry in log.entries)
    said += [f"{plural(untold, 'figure')} of another tool: {UNTOLD}"] if untold else []
    said += [f"Prices: {source}" for source in comparison.price_sources]
    asked = f"{plural(comparison.asked, 'request')} to the provider"
    return [*said, f"{asked}, {plural(comparison.remembered, 'answer')} from the cache"]


def _breaks(breaks: Sequence[Break], width: int) -> str:
    shown = []
    for place, each in enumerate(breaks, 1):
        head = f"  {place}. {break_head(each)}"
        said = (printable(each.arithmetic), f"To do: {printable(each.remedy)}")
        shown.append("\n".join([head, *(wrapped(_sentence(text), width, "     ") for text in said)]))
    return "\n".join(shown)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _rows(comparison: Comparison) -> str:
    """A table; of no rows nothing."""
    if not comparison.rows:
        return ""
    named = [(printable(row.name) if row.name is not None else UNNAMED, *row_cells(row)) for row in comparison.rows]
    return table([("", *ROW_HEAD), *named])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Aligned: the first column and words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(wide) if place == 0 or place > LAST_FIGURE == len(row) - 3 else cell.rjust(wide)
            for place, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)


LAST_FIGURE = 4
"""Column of the table of metrics behind which there are words."""


def _said(lines: Iterable[str], width: int) -> str:
    return "\n".join(wrapped(f"{printable(line).rstrip('.')}.", width, "  ") for line in lines)
