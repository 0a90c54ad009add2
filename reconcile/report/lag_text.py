"""`lag` and `backtest` as text: when figures are complete, and the present policy beside the one that is tried.

The lag is a table of how old runs are when their figures are complete, and the curve with its band.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import timedelta
from math import ceil, floor

from reconcile.insight.history import LeftOut, Origin
from reconcile.insight.lag import CONFIDENCE, Curve, Lag, Point, Quantile
from reconcile.insight.replay import ReplayEnding, Unanswerable
from reconcile.insight.trial import Backtest, Outcomes, Trial, at_share, described, why_refused
from reconcile.report.phrases import Paint, duration, printable
from reconcile.report.terminal import error_text
from reconcile.words import plural

TITLES = {
    Origin.OURS: "Reads of our own",
    Origin.ANOTHER_TOOL: "Reads of another tool, kept apart: its windows began and ended between minutes",
}
LEFT_OUT = {
    LeftOut.UNREAD: "never read",
    LeftOut.EDITED: "read before its times were changed",
    LeftOut.NO_USAGE: "without any usage, which may be late or may never have been",
}
WIDEST_PLOT = 61
HEADING = f"  {'age':>9}  {'complete':>8}  {f'{CONFIDENCE:.0%} band':>18}  {'runs':>6}  "


def lag_text(lag: Lag, paint: Paint, width: int) -> str:
    """The curves of each origin, and what is not in them."""
    sections = [
        *(_curve(curve, paint, width) for curve in lag.curves),
        "" if lag.curves else "No run was read yet: nothing is known of the delay.",
        left_out_text(lag.left_out, lag.invalid, width),
        "\n".join(error_text(error, paint, width) for error in lag.errors),
    ]
    return "\n\n".join(section for section in sections if section)


def left_out_text(left_out: Mapping[LeftOut, int], invalid: int, width: int) -> str:
    """Runs that nothing is learnt from."""
    said = [f"{plural(count, 'run')} {LEFT_OUT[reason]}" for reason, count in left_out.items() if count]
    said += [plural(invalid, "invalid file")] if invalid else []
    return _filled(f"Left out: {'; '.join(said)}.", width) if said else ""


def _curve(curve: Curve, paint: Paint, width: int) -> str:
    runs, final = len(curve.timings), curve.final
    facts = (
        f"{plural(runs, 'run')} of {plural(curve.days, 'day')}, {plural(curve.reads, 'kept read')}. "
        f"{plural(final, 'figure')} final, {curve.proven:,} of them proven by recorded calls; {curve.seen_short:,} "
        f"read before they were complete. Ages count from the end of a run's window; below the youngest read, at "
        f"{curve.youngest:,} min, nothing is known."
    )
    head = f"{paint(TITLES[curve.origin], 'bold')}\n{_filled(facts, width, '  ')}"
    fewest = curve.quantiles[0].runs_needed
    if final < fewest:
        return f"{head}\n\n  Too few to tell the delay: it takes {fewest:,} final figures or more."
    return "\n\n".join([head, "\n".join(_quantile(each, curve) for each in curve.quantiles), _plot(curve, width)])


def _quantile(quantile: Quantile, curve: Curve) -> str:
    head = f"  {100 * quantile.share:.0f} % complete  "
    if quantile.high is None:
        if curve.final < quantile.runs_needed:
            return f"{head}not known: it takes {quantile.runs_needed:,} runs or more, and {curve.final:,} are final"
        return f"{head}not known: too few runs were complete when they were read"
    low = "up to" if quantile.low is None else f"{quantile.low:,} to"
    return f"{head}{_age(quantile, curve):<16}  band {low} {quantile.high:,} min"


def _age(quantile: Quantile, curve: Curve) -> str:
    if quantile.age is None:
        return "no estimate"
    return f"{'at most' if quantile.age <= curve.youngest else 'by'} {quantile.age:,} min"


def _plot(curve: Curve, width: int) -> str:
    columns = min(WIDEST_PLOT, width - len(HEADING) - 2)
    scale = "0 %".ljust(columns - 5) + "100 %"
    told = [point.age for point in curve.points if point.runs] or [0]
    shown = [point for point in curve.points if told[0] <= point.age <= told[-1]]
    rows = [f"{HEADING} {scale}", *(_row(point, columns) for point in shown)]
    return "\n".join([*rows, f"  After {told[-1]:,} min no run was read."])


def _row(point: Point, columns: int) -> str:
    """An age with its share and band in figures, and drawn: `-` is the band, `o` the share."""
    if point.low is None or point.high is None:
        return f"  {point.age:>5,} min  {'-':>8}  {'no run tells':>18}  {point.runs:>6,}"
    share = "-" if point.share is None else _percent(point.share)
    band = f"{_percent(point.low)} to {_percent(point.high, up=True)}"
    first, last = round(point.low * (columns - 1)), round(point.high * (columns - 1))
    drawn = [" -"[first <= at <= last] for at in range(columns)]
    if point.share is not None:
        drawn[round(point.share * (columns - 1))] = "o"
    return f"  {point.age:>5,} min  {share:>8}  {band:>18}  {point.runs:>6,}  |{''.join(drawn)}|"


def _percent(share: float, *, up: bool = False) -> str:
    """In tenths, rounded so that a band only widens."""
    tenths = ceil(share * 1000 - 1e-9) if up else floor(share * 1000 + 1e-9)
    return f"{tenths / 10:.1f} %"


def _filled(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


ENDINGS = {
    ReplayEnding.VERIFIED: "verified",
    ReplayEnding.WARNING: "warning",
    ReplayEnding.FAILED: "failed",
    ReplayEnding.OPEN: "still open",
    ReplayEnding.NOT_REACHED: "first read past the cutoff",
}
WHY = {
    Unanswerable.INTERVAL: "read at longer intervals",
    Unanswerable.MIN_AGE: "first read at a higher age",
    Unanswerable.NOT_KEPT: "settled before this policy concludes, or with equal reads that are not kept",
    Unanswerable.SHARED: "in shared minutes",
}
NONE = timedelta(0)
SHOWN = 3
"""How many runs are named; the JSON document names all."""


def backtest_text(backtest: Backtest, paint: Paint, width: int) -> str:
    """The policies and what came of the runs under each."""
    policies = f"present  {described(backtest.present)}\ntried    {described(backtest.tried)}"
    sections = [
        policies,
        *(_trial(trial, backtest, paint, width) for trial in backtest.trials),
        "" if backtest.trials else "No run was read yet: nothing can be replayed.",
        left_out_text(backtest.left_out, backtest.invalid, width),
        "\n".join(error_text(error, paint, width) for error in backtest.errors),
    ]
    return "\n\n".join(section for section in sections if section)


def _trial(trial: Trial, backtest: Backtest, paint: Paint, width: int) -> str:
    lines = [paint(TITLES[trial.origin], "bold"), f"  {trial.answered:,} of {plural(trial.runs, 'run')} answered"]
    if trial.refused:
        message, remedy = why_refused(trial, backtest.tried)
        return "\n".join([*lines, _filled(f"Not answered: {message}. {remedy}.", width, "  ")])
    rows = [
        ("", "present", "tried"),
        *((word, *(f"{side.count(ending):,}" for side in _sides(trial))) for ending, word in ENDINGS.items()),
        ("time to verify, median", *(_wait(side, 0.5) for side in _sides(trial))),
        ("time to verify, 95th percentile", *(_wait(side, 0.95) for side in _sides(trial))),
        ("verified too early", *(f"{len(side.early):,}" for side in _sides(trial))),
        ("restated", *(f"{side.restated:,}" for side in _sides(trial))),
    ]
    lines += [f"  {label:<32}{present:>14}{tried:>14}" for label, present, tried in rows]
    return "\n".join([*lines, *(_filled(text, width, "  ") for text in _remarks(trial))])


def _sides(trial: Trial) -> tuple[Outcomes, Outcomes]:
    return trial.present, trial.tried


def _wait(outcomes: Outcomes, share: float) -> str:
    wait = at_share(outcomes.waits, share)
    return "-" if wait is None else duration(wait)


def _remarks(trial: Trial) -> list[str]:
    remarks = []
    change = at_share(trial.changes, 0.5)
    if change is not None:
        by = f"{duration(abs(change))} {'later' if change > NONE else 'sooner'}" if change else "none"
        remarks.append(f"{plural(len(trial.changes), 'run')} verified under both; the median change is {by}.")
    early = trial.tried.early
    if early:
        names = ", ".join(printable(str(each.key)) for each in early[:SHOWN])
        more = f" and {len(early) - SHOWN:,} more" if len(early) > SHOWN else ""
        remarks.append(f"Verified too early, for a later read is higher: {names}{more}.")
    unanswered = {reason: trial.unanswered.count(reason) for reason in Unanswerable}
    reasons = [f"{plural(count, 'run')} {WHY[reason]}" for reason, count in unanswered.items() if count]
    return remarks + ([f"Not answered: {'; '.join(reasons)}."] if reasons else [])
