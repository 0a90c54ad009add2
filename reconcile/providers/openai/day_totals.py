"""Control totals: the rows of a day must add up to what the service reports for it without rows.

A service that leaves out a group, or caps how many it lists, answers with pages that look complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from reconcile.errors import ProviderError
from reconcile.minutes import instant
from reconcile.money.entry import Entry
from reconcile.providers.openai.completions import RowRead
from reconcile.providers.openai.paging import DAY

NAMES = ("input tokens", "cached input tokens", "output tokens", "requests")
NOTHING = (0, 0, 0, 0)

Totals = dict[int, tuple[int, ...]]
"""By day, in the order of NAMES. A day without usage has NOTHING."""


def totals(reads: Iterable[RowRead[Any]], days: Iterable[int]) -> Totals:
    """Of rows of entries, of any width; days that are not named are left out."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for read in reads:
        entry: Entry = read.value
        figures = (entry.tokens.input, entry.tokens.cache_read, entry.tokens.output, entry.requests)
        for place, figure in enumerate(figures):
            sums[read.start // DAY * DAY][place] += figure
    return {day: tuple(sums.get(day, NOTHING)) for day in days}


def differing_days(rows: Totals, control: Totals) -> ProviderError | None:
    """The first day whose rows do not add up to its control total, as the error it is if it stays so."""
    for day, listed in rows.items():
        if listed != control[day]:
            pairs = zip(NAMES, listed, control[day], strict=True)
            shown = ", ".join(f"{name} {rows:,} of {whole:,}" for name, rows, whole in pairs if rows != whole)
            return ProviderError(
                f"the rows of {instant(day):%Y-%m-%d} do not add up to its total, twice in a row: {shown}",
                code="control_total",
                remedy="nothing was taken from this answer; run again later, and tell the provider if it repeats",
            )
    return None
