"""`compare` as CSV: a line a row and one for the total, exact amounts, and no name that looks like a formula."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.exact import spelled_out
from reconcile.core.comparing.figures import Amount, Figures, Metric, difference, percent
from reconcile.core.comparing.tabulating import Row
from reconcile.reports.words import printable

TOTAL = "TOTAL"
FORMULAS = "=+-@\t\r"


def compared_csv(comparison: Comparison) -> str:
    """RFC 4180, with a head. A figure that nothing tells is empty, which is not zero."""
    columns = [f"{what}_{metric.value}" for metric in Metric for what in ("local", "official", "difference", "percent")]
    total = Row(name=None, local=comparison.local, official=comparison.official)
    rows = [[csv_text(row.name or ""), *_figures(row)] for row in comparison.rows]
    return "".join(
        f"{','.join(cells)}\r\n" for cells in ([comparison.by.value, *columns], *rows, [TOTAL, *_figures(total)])
    )


def _figures(row: Row) -> Iterable[str]:
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
