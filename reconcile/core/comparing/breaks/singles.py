"""What shows only line by line: one line that is far too large, and calls that were made again after a time-out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import comb
from statistics import median

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.hypothesis import Hypotheses, Hypothesis, hour_text
from reconcile.core.comparing.breaks.view import READ, REQUESTS, TOKENS, UNCACHED, WRITE, Row, View
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import HOUR
from reconcile.core.wire import plural

FAR = 10
"""How many times the usual line an outlier holds."""

FEWEST = 5
"""Lines by which it is known what is usual."""

FEWEST_HOURS = 2

MOST_WAYS = 20_000
"""Ways to choose which calls of an hour were made again, before it is not tried."""

MOSTLY = 0.5
"""Share of the hours that lack calls in which these must be calls made again. Not all: some began an hour earlier."""

DENSE = 0.1
"""Share of all numbers from which on a sum fits by chance."""

MOST_HOURS = 200
"""That are tried."""

INPUT = (UNCACHED, READ, WRITE)


def outliers(view: View) -> Hypotheses:
    """A line that alone holds most of what the log has too much of."""
    lines = [row for row in view.singles if view.start <= row.start < view.until]
    if len(lines) < FEWEST:
        return
    largest = max(lines, key=_tokens)
    hour, held = largest.start // HOUR, _tokens(largest)
    theirs = _of_hour(view.official, hour)
    surplus = _sum(_of_hour(view.local, hour)) - _sum(theirs)
    usual = int(median(_tokens(row) for row in lines))
    if held > FAR * max(usual, 1) and held >= surplus > held // 2:
        kept = tuple(row for row in view.local if row.start // HOUR != hour)
        yield Hypothesis(
            code=Code.OUTLIER_LINE,
            metric=Metric.TOTAL,
            after=view.with_local(kept + tuple(theirs)),
            said=f"one line in the hour from {hour_text(hour * HOUR)} holds {held:,} tokens, where a usual one holds "
            f"{usual:,} and the provider reports {_sum(theirs):,} for all of that hour",
            remedy="look at this line: a count in it has another unit, or is a sum of many",
        )


def retries(view: View) -> Hypothesis | None:
    """Requests without a line that ask again what logged ones of their hour ask: their input is the same."""
    lacking = -view.difference(Metric.REQUESTS)
    if lacking <= 0 or _uniform(view.singles):
        return None
    ours, theirs = _by_hour(view.singles), _by_hour(view.official)
    found = [again for hour in sorted(ours) if (again := _again(ours[hour], theirs.get(hour, []))) is not None]
    tried = found[:MOST_HOURS]
    fitting = sum(tried)
    if fitting < FEWEST_HOURS or fitting <= MOSTLY * len(tried):
        return None
    return Hypothesis(
        code=Code.TIMEOUT_RETRIES,
        metric=Metric.TOTAL,
        after=view.filled(view.lacking),
        said=f"{plural(lacking, 'request')} have no line, and in {fitting} of {plural(len(tried), 'hour')} "
        "their input is to the token that of logged calls asked again",
        remedy="log every try: one that timed out on the client is answered and billed all the same",
    )


def _again(ours: Sequence[Row], theirs: Sequence[Row]) -> bool | None:
    """Whether what an hour lacks asks what its lines ask. None where it lacks nothing, or so many that any sum fits."""
    lacking = sum(row.counts[REQUESTS] for row in theirs) - sum(row.counts[REQUESTS] for row in ours)
    if lacking <= 0 or comb(len(ours) + lacking - 1, lacking) > MOST_WAYS:
        return None
    sums = _sums([_input(row) for row in ours], lacking)
    if len(sums) > DENSE * (max(sums) - min(sums) + 1) and len(sums) > 1:
        return None
    return sum(map(_input, theirs)) - sum(map(_input, ours)) in sums


def _by_hour(rows: Iterable[Row]) -> dict[int, list[Row]]:
    hours: dict[int, list[Row]] = {}
    for row in rows:
        hours.setdefault(row.start // HOUR, []).append(row)
    return hours


def _sums(of: Sequence[int], count: int) -> set[int]:
    """All sums of so many of these, each as often as one likes."""
    sums = {0}
    for _ in range(count):
        sums = {found + each for found in sums for each in of}
    return sums


def _uniform(rows: Iterable[Row]) -> bool:
    """Whether calls ask so much the same that any would fit."""
    inputs = [_input(row) for row in rows]
    return len(set(inputs)) * 2 < len(inputs)


def _input(row: Row) -> int:
    return sum(row.counts[part] for part in INPUT)


def _tokens(row: Row) -> int:
    return sum(row.counts[part] for part in TOKENS)


def _sum(rows: Iterable[Row]) -> int:
    return sum(map(_tokens, rows))


def _of_hour(rows: Iterable[Row], hour: int) -> list[Row]:
    return [row for row in rows if row.start // HOUR == hour]
