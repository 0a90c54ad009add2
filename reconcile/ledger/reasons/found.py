"""All reasons of a comparison, the likeliest first: quantities, then money, what is set apart, and what is left."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.ledger.cut import Cut
from reconcile.ledger.figures import Figures, Metric, difference, figures
from reconcile.ledger.log import UsageLog
from reconcile.ledger.reasons.absence import silences
from reconcile.ledger.reasons.amounts import money_breaks
from reconcile.ledger.reasons.codes import Break, BreakCode, Hypothesis, hour_text, respelled
from reconcile.ledger.reasons.search import SearchStep, eliminated, refusals, step_of
from reconcile.ledger.reasons.view import View, view_of
from reconcile.ledger.table import day_of
from reconcile.money.charges import PriceList

LEFT_OVER = (Metric.REQUESTS, Metric.INPUT, Metric.CACHED, Metric.OUTPUT)


def breaks_of(
    log: UsageLog, cut: Cut, local: Figures, official: Figures, prices: PriceList | None
) -> tuple[Break, ...]:
    """Every reason that was found. What they leave of a metric of usage is `unexplained`, to the last token."""
    start = view_of(log, cut)
    if local.empty or official.empty:  # the verdict says it: nothing to tell one reason from another by
        return (*(_step(step_of(start, found), local, official) for found in _silent(start, local)), *_open(cut))
    steps, rest = eliminated(start)
    batches = {any(row.who.batch for row in view.official) for view in (start, rest)}
    money = money_breaks(cut, local, official, prices, quantities=bool(steps), batches_logged=len(batches) == 1)
    spelled = tuple(respelled(rest, local, official))
    return (
        *(_step(step, local, official) for step in steps),
        *spelled,
        *(each for each in money if each.code is not BreakCode.UNEXPLAINED),
        *_open(cut),
        *_unexplained(rest, local, official),
        *(each for each in money if each.code is BreakCode.UNEXPLAINED and not spelled),
    )


def _silent(start: View, local: Figures) -> Iterable[Hypothesis]:
    return [*refusals(start), *silences(start)][:1] if local.empty else ()


def _step(step: SearchStep, local: Figures, official: Figures) -> Break:
    taken = step.taken
    share = 1 - step.gap_after / step.gap_before
    explains = step.before.difference(taken.metric) - taken.after.difference(taken.metric)
    return Break(
        code=taken.code,
        metric=taken.metric,
        local=local.of(taken.metric),
        official=official.of(taken.metric),
        explains=explains,
        arithmetic=f"{taken.said}; with that put right, {share:.1%} of what differs hour by hour goes away",
        remedy=taken.remedy,
    )


def _open(cut: Cut) -> Iterable[Break]:
    local, official = figures(cut.apart_local), figures(cut.apart_official)
    if local != official:
        gap = difference(local.tokens.total, official.tokens.total) or 0
        yield Break(
            code=BreakCode.OPEN_PERIOD,
            metric=Metric.TOTAL,
            local=local.tokens.total,
            official=official.tokens.total,
            explains=gap,
            arithmetic=f"usage from {hour_text(cut.until)} on is not final and set apart: {gap:+,} tokens in it",
            remedy="compare again when the days are closed",
        )
    if cut.costs_until < cut.costs_due:
        yield Break(
            code=BreakCode.OPEN_PERIOD,
            metric=Metric.COST,
            local=None,
            official=None,
            explains=0,
            arithmetic=f"no costs are reported from {day_of(cut.costs_until)} on: costs of these days are set apart",
            remedy="compare again in a day: costs come later than usage",
        )


def _unexplained(rest: View, local: Figures, official: Figures) -> Iterable[Break]:
    for metric in LEFT_OVER:
        left = rest.difference(metric)
        gap = difference(local.of(metric), official.of(metric)) or 0
        if left:
            yield Break(
                code=BreakCode.UNEXPLAINED,
                metric=metric,
                local=local.of(metric),
                official=official.of(metric),
                explains=left,
                arithmetic=f"{left:+,} of a difference of {gap:+,} fits no reason",
                remedy="compare by day, model and key to see where it lies; --export writes both sides line by line",
            )
