"""`lag` as text: a table of how old runs are when their figures are complete, and the curve with its band."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from math import ceil, floor

from reconcile.core.history import LeftOut, Origin
from reconcile.core.lag import CONFIDENCE, Curve, Lag, Point, Quantile
from reconcile.core.wire import plural
from reconcile.reports.text import error_text
from reconcile.reports.words import Paint

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
