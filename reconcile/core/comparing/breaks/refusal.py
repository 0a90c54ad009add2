"""Lines that the log has and that do not count: what the provider has beside the others may be theirs."""

from __future__ import annotations

from dataclasses import replace

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.hypothesis import Hypotheses, Hypothesis
from reconcile.core.comparing.breaks.view import REQUESTS, Cells, View
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import HOUR
from reconcile.core.wire import plural

MOST = 3
"""Calls that one refused line may stand for: a torn one runs into the next."""


def refusals(view: View) -> Hypotheses:
    """What is missing where lines were refused, as far as there are enough of these to hold it."""
    lacking = _lacking(view)
    requests = sum(counts[REQUESTS] for counts in lacking.values())
    if not view.refused or not requests or requests > MOST * view.refused:
        return
    filled = view.filled(lacking)
    yield Hypothesis(
        code=Code.REFUSED_LINES,
        metric=Metric.TOTAL,
        after=replace(filled, refused=0, refusals=()),
        said=f"{plural(view.refused, 'line')} of the log could not be read, and {plural(requests, 'request')} of the "
        "provider that would be theirs have no other line",
        remedy="mend these lines, or the mapping by which they are read: the report names the first with what is wrong",
    )


def _lacking(view: View) -> Cells:
    """By cell, what the provider has and the log has not, in hours to which a refused line may belong."""
    return {
        cell: counts
        for cell, counts in view.lacking.items()
        if counts[REQUESTS] and _may_be_refused(view, cell[0] * HOUR)
    }


def _may_be_refused(view: View, hour: int) -> bool:
    """Whether a refused line lies in this hour, or so that its time is not known to be another."""
    return not view.refusals or any(
        (each.since is None or each.since < hour + 2 * HOUR) and (each.until is None or each.until >= hour - HOUR)
        for each in view.refusals
    )
