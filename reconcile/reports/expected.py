"""What runs like one let expect of it, in words and as the cells of a table. Always called an estimate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from reconcile.core.expectation import LEAST, Basis, Expectation, Place, Spread
from reconcile.core.model import KINDS
from reconcile.core.wire import plural
from reconcile.reports.account import NOUNS


def expected_rows(expected: Expectation) -> list[tuple[str, ...]]:
    """Cells, with their heading; nothing where there are too few runs."""
    if not expected.spreads:
        return []
    rows = [(NOUNS[KINDS.index(each.kind)], *_range(each)) for each in expected.spreads]
    if expected.spreads[0].figure is None:
        return [("", "lowest", "median", "highest"), *rows]
    lies = [(f"{each.figure:,}", lies_at(each)) for each in expected.spreads]
    head = ("", "lowest", "median", "highest", "verified", "")
    return [head, *((*row, *more) for row, more in zip(rows, lies, strict=True))]


def expected_words(expected: Expectation) -> list[str]:
    """From which runs, and what the range is worth."""
    found = plural(expected.comparable, "comparable run")
    models = f", {expected.other_models:,} of other models left out" if expected.other_models else ""
    what = f"{found}: others of the framework, verified here and exact{models}"
    if not expected.spreads:
        return [f"no range: {what}. Fewer than {LEAST} of them say next to nothing"]
    by_call = f"their usage a call, times {plural(expected.calls or 0, 'call')}"
    return [
        f"from {what}; {by_call if expected.basis is Basis.CALL else 'their usage a run'}",
        f"{_worth(expected, found)}. An estimate, and written nowhere",
    ]


def _worth(expected: Expectation, found: str) -> str:
    """What the range promises, if it promises anything."""
    if expected.cases is None:
        return "a guide and no promise: the usage a call of few calls spreads wider than that of many"
    held, of = expected.cases
    holds = f"the range of {found} holds the next one in at least {held:,} of {of:,} cases"
    return f"{holds}, if that is a run like them; of each kind by itself"


def lies_at(spread: Spread) -> str:
    """`1.4 times the median; within the range`"""
    ratio = f"{_rough(spread.times_median)} times the median; " if spread.times_median is not None else ""
    if spread.place is Place.WITHIN:
        return f"{ratio}within the range"
    where = "above the highest" if spread.place is Place.ABOVE else "below the lowest"
    return f"{ratio}{where}" + (f" by {_rough(spread.beyond * 100)} %" if spread.beyond is not None else "")


def expected_lines(expected: Expectation) -> list[str]:
    """The same cells, aligned."""
    rows = expected_rows(expected)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_row(row, widths) for row in rows]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = range(1, 5)
    cells = zip(row, widths, strict=True)
    aligned = (cell.rjust(wide) if place in numbers else cell.ljust(wide) for place, (cell, wide) in enumerate(cells))
    return "  ".join(aligned).rstrip()


def _rough(value: Fraction) -> str:
    """Two digits, or whole numbers; nothing that is only nearly zero looks like it."""
    if value >= 10:  # noqa: PLR2004  two digits before the point
        return f"{round(value):,}"
    return f"{float(value):.2g}" if not value or value >= Fraction(1, 100) else "less than 0.01"


def _range(spread: Spread) -> tuple[str, str, str]:
    """In whole numbers, rounded so that it only widens."""
    return f"{math.floor(spread.low):,}", f"{round(spread.median):,}", f"{math.ceil(spread.high):,}"
