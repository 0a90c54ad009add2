"""Calls that the provider reports and no line tells of, where nothing but their number says why."""

from __future__ import annotations

from dataclasses import replace

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.hypothesis import Hypotheses, Hypothesis
from reconcile.core.comparing.breaks.singles import retries
from reconcile.core.comparing.breaks.view import OUTPUT, REQUESTS, TOKENS, View
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import HOUR
from reconcile.core.wire import plural

ONE_WAY = 0.9
"""Share of the gaps that is a lack of lines, net, for the log to be called short."""

RETRIES_REMEDY = "log every attempt: one that failed or timed out on the client may have been answered and billed"


def spread(view: View) -> Hypotheses:
    """Attempts where there is evidence of them, else lines that are missing here and there."""
    lacking = -view.difference(Metric.REQUESTS)
    gaps = view.day_gaps
    if lacking <= 0 or lacking < ONE_WAY * gaps[REQUESTS]:
        return
    if view.unlogged * 2 >= lacking:
        yield _attempts(view, lacking)
    elif not gaps[OUTPUT]:
        said = f"{plural(lacking, 'request')} more than lines, and not one token of output more"
        after = _filled(view, 1, 1)
        yield Hypothesis(
            code=Code.UNLOGGED_ATTEMPTS, metric=Metric.REQUESTS, after=after, said=said, remedy=RETRIES_REMEDY
        )
    elif -view.difference(Metric.TOTAL) >= ONE_WAY * sum(gaps[part] for part in TOKENS):
        yield retries(view) or _lines(view, lacking)


def _attempts(view: View, lacking: int) -> Hypothesis:
    told = min(view.unlogged, lacking)
    said = f"lines speak of {plural(view.unlogged, 'attempt')} without a line; {plural(lacking, 'request')} have none"
    return Hypothesis(
        code=Code.UNLOGGED_ATTEMPTS,
        metric=Metric.REQUESTS,
        after=replace(_filled(view, told, lacking), unlogged=0),
        said=said,
        remedy=RETRIES_REMEDY,
    )


def _lines(view: View, lacking: int) -> Hypothesis:
    reported = sum(row.counts[REQUESTS] for row in view.official)
    hours = {row.start // HOUR for row in view.official}
    said = (
        f"{lacking:,} of {plural(reported, 'request')} have no line ({100 * lacking / max(reported, 1):.2f} %), with "
        f"no gap in any of {plural(len(hours), 'hour')} that would hold them"
    )
    return Hypothesis(
        code=Code.MISSING_LOG,
        metric=Metric.TOTAL,
        after=_filled(view, 1, 1),
        said=said,
        remedy="look for lines that were dropped: a full disk, a killed process, a sampled or buffered log",
    )


def _filled(view: View, share: int, of: int) -> View:
    """The log with `share / of` of what it lacks."""
    return view.filled({cell: [count * share // of for count in counts] for cell, counts in view.lacking.items()})
