"""All reasons of a comparison, the likeliest first: quantities, then money, what is set apart, and what is left.

Those for quantities are found by elimination: what takes away most of the gap is put right, then the rest is looked at
again. Two kinds of them stand here: lines that the log has and that do not count, for what the provider has beside the
others may be theirs; and calls that the provider reports and no line tells of, where nothing but their number says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from reconcile.ledger.cut import Cut
from reconcile.ledger.figures import Figures, Metric, difference, figures
from reconcile.ledger.log import UsageLog
from reconcile.ledger.reasons.absence import provider_gaps, silences, strangers, unlogged_batches
from reconcile.ledger.reasons.amounts import money_breaks, outliers, retries
from reconcile.ledger.reasons.codes import Break, BreakCode, Hypotheses, Hypothesis, hour_text, respelled
from reconcile.ledger.reasons.counting import doubted, duplicates, left_out, twice_within, units
from reconcile.ledger.reasons.view import OUTPUT, REQUESTS, TOKENS, Cells, View, gaps, view_of
from reconcile.ledger.reasons.zones import clock
from reconcile.ledger.table import day_of
from reconcile.money.charges import PriceList
from reconcile.money.entry import HOUR
from reconcile.words import plural

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


MOST_REFUSALS = 3
"""Calls that one refused line may stand for: a torn one runs into the next."""


def refusals(view: View) -> Hypotheses:
    """What is missing where lines were refused, as far as there are enough of these to hold it."""
    lacking = _lacking(view)
    requests = sum(counts[REQUESTS] for counts in lacking.values())
    if not view.refused or not requests or requests > MOST_REFUSALS * view.refused:
        return
    filled = view.filled(lacking)
    yield Hypothesis(
        code=BreakCode.REFUSED_LINES,
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
            code=BreakCode.UNLOGGED_ATTEMPTS, metric=Metric.REQUESTS, after=after, said=said, remedy=RETRIES_REMEDY
        )
    elif -view.difference(Metric.TOTAL) >= ONE_WAY * sum(gaps[part] for part in TOKENS):
        yield retries(view) or _lines(view, lacking)


def _attempts(view: View, lacking: int) -> Hypothesis:
    told = min(view.unlogged, lacking)
    said = f"lines speak of {plural(view.unlogged, 'attempt')} without a line; {plural(lacking, 'request')} have none"
    return Hypothesis(
        code=BreakCode.UNLOGGED_ATTEMPTS,
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
        code=BreakCode.MISSING_LOG,
        metric=Metric.TOTAL,
        after=_filled(view, 1, 1),
        said=said,
        remedy="look for lines that were dropped: a full disk, a killed process, a sampled or buffered log",
    )


def _filled(view: View, share: int, of: int) -> View:
    """The log with `share / of` of what it lacks."""
    return view.filled({cell: [count * share // of for count in counts] for cell, counts in view.lacking.items()})


KINDS = (
    clock,
    twice_within,
    left_out,
    units,
    doubted,
    duplicates,
    outliers,
    refusals,
    silences,
    provider_gaps,
    strangers,
    unlogged_batches,
)

MOST = 0.5
"""What may be left of the gaps that a hypothesis speaks of, for it to be named."""

FITTING = 0.75
"""Share of what a hypothesis changes that must close gaps, where lines themselves show it."""

TIE = 0.01
"""Of the gap: hypotheses that leave as much but for this are told apart by what is likelier."""

STEPS = 8
"""More faults at a time are not looked for."""

RANK = {code: place for place, code in enumerate(BreakCode)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStep:
    """A hypothesis that was taken, and both sides before it."""

    taken: Hypothesis
    before: View
    gap_before: float
    gap_after: float


def eliminated(view: View) -> tuple[tuple[SearchStep, ...], View]:
    """The steps, in order, and both sides after the last."""
    steps: list[SearchStep] = []
    while len(steps) < STEPS and any(view.gaps):
        found = _best(view) or _best_of_two(view) or next(spread(view), None)
        if found is None:
            break
        step = step_of(view, found)
        steps.append(step)
        view = found.after
    return tuple(steps), view


def step_of(view: View, found: Hypothesis) -> SearchStep:
    return SearchStep(taken=found, before=view, gap_before=view.distance, gap_after=found.after.distance)


def _best(view: View) -> Hypothesis | None:
    """What leaves least, of all that take away most."""
    differing = view.gaps
    tried = []
    for hypothesis in _hypotheses(view):
        left = hypothesis.after.gaps
        counted = hypothesis.speaks_of
        most = view.weigh(left, counted) <= MOST * view.weigh(differing, counted) and _holds_by_day(view, hypothesis)
        fits = (hypothesis.shown or hypothesis.strict) and _fits(view, hypothesis)
        named = (most and (fits or not hypothesis.strict)) or (fits and hypothesis.shown)
        if named and hypothesis.after.distance < view.distance:
            tried.append((hypothesis, hypothesis.after.distance))
    least = min((left for _, left in tried), default=0.0)
    tied = [hypothesis for hypothesis, left in tried if left - least <= TIE * view.distance]
    return min(tied, key=lambda hypothesis: RANK[hypothesis.code], default=None)


def _fits(view: View, hypothesis: Hypothesis) -> bool:
    """Whether what it takes away is nearly all in a place where it closes a gap."""
    after = hypothesis.after
    taken = view.weigh(gaps(view.local_cells, after.local_cells))
    taken += view.weigh(gaps(view.official_cells, after.official_cells))
    return view.distance - after.distance >= FITTING * taken


def _holds_by_day(view: View, hypothesis: Hypothesis) -> bool:
    """Calls that one side has in the next hour look like gaps by the hour, and are none by the day."""
    after = hypothesis.after
    return hypothesis.code is BreakCode.TIME_ZONE or after.weigh(after.day_gaps) < view.weigh(view.day_gaps)


def _best_of_two(view: View) -> Hypothesis | None:
    """The first of two that take away most only together; of these the one that takes away more."""
    gap = view.distance
    found: list[tuple[float, int, Hypothesis]] = []
    for place, first in enumerate(_hypotheses(view)):
        alone = first.after.distance
        if alone >= gap:
            continue
        second = _best(first.after)
        if second is not None and second.after.distance <= MOST * MOST * gap:
            found.append((alone, place, first))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _hypotheses(view: View) -> list[Hypothesis]:
    return [hypothesis for kind in KINDS for hypothesis in kind(view)]
