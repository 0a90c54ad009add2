"""One thing that may be wrong, and both sides as they would be if it were put right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.view import COMPARED, Cells, View
from reconcile.core.comparing.figures import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """To be named, it must take away most of the gaps in the counts that it speaks of, and more than any other."""

    code: Code
    metric: Metric
    after: View
    said: str
    """What was tried, with its numbers."""
    remedy: str
    speaks_of: tuple[int, ...] = COMPARED
    strict: bool = False
    """Whether nearly all of what it changes must close gaps."""
    shown: bool = False
    """Whether lines themselves show it: then it need not be most of what differs, if all it takes away fits."""


Hypotheses = Iterator[Hypothesis]


def hour_text(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}"


def totals_by_hour(cells: Cells) -> dict[int, list[int]]:
    """All models of an hour together."""
    hours: dict[int, list[int]] = {}
    for (hour, _), counts in cells.items():
        total = hours.setdefault(hour, [0] * len(COMPARED))
        for part in COMPARED:
            total[part] += counts[part]
    return hours
