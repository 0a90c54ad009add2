"""The distribution that interval-censored times make most likely, with no shape assumed (Turnbull 1976).

A time is known only to lie after one instant and not after another. The estimate puts its mass on the intervals in
which such intervals overlap most (Peto 1973); where inside them it lies, nothing tells. EM finds how much goes where:
each time is shared out among the intervals it may lie in, in proportion to what they hold.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

ROUNDS = 2_000
SETTLED = 1e-7
"""EM ends when no share moves by more, far below what any number of runs can tell."""

ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """`(after, by]`; `by` is None where there is no end."""

    after: int
    by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """The share of all times that lies after `after` and by `by`."""

    after: int
    by: int | None
    share: float


def estimate(times: Mapping[Interval, int]) -> tuple[Mass, ...]:
    """The masses, in order of time. `times` counts how often each interval was seen, at least one of them."""
    cells = _cells(times)
    starts = [cell.after for cell in cells]
    ends = [_end(cell) for cell in cells]
    spans = [(_first(starts, each), _last(ends, each), count) for each, count in times.items()]
    shares = _likeliest(spans, len(cells))
    return tuple(Mass(after=cell.after, by=cell.by, share=share) for cell, share in zip(cells, shares, strict=True))


def share_by(masses: Sequence[Mass], age: int) -> float:
    """The share of times that lie by `age` for sure: a mass counts when its interval has ended."""
    return sum(mass.share for mass in masses if mass.by is not None and mass.by <= age)


def quantile(masses: Sequence[Mass], share: float) -> int | None:
    """The age by which this share of times lies for sure; None where the estimate does not reach it."""
    reached = accumulate(mass.share for mass in masses)
    return next((mass.by for mass, sum_ in zip(masses, reached, strict=True) if sum_ >= share - ROUNDING), None)


def _cells(times: Mapping[Interval, int]) -> list[Interval]:
    """A start followed by an end with neither between them. At one instant ends come first: they belong to it."""
    starts = sorted({each.after for each in times})
    ends = sorted({each.by for each in times if each.by is not None})
    cells = []
    for position, start in enumerate(starts):
        following = bisect_right(ends, start)
        end = ends[following] if following < len(ends) else None
        next_start = starts[position + 1] if position + 1 < len(starts) else None
        if next_start is None or (end is not None and end <= next_start):
            cells.append(Interval(start, end))
    return cells


def _first(starts: Sequence[int], time: Interval) -> int:
    return bisect_left(starts, time.after)


def _last(ends: Sequence[float], time: Interval) -> int:
    """One past the last cell that lies in the interval."""
    return bisect_right(ends, _end(time))


def _end(interval: Interval) -> float:
    return float("inf") if interval.by is None else interval.by


def _likeliest(spans: Sequence[tuple[int, int, int]], cells: int) -> list[float]:
    """EM from equal shares. `spans`: the cells `[first, last)` a time may lie in, and how many times do."""
    times = sum(count for _, _, count in spans)
    shares = [1 / cells] * cells
    for _ in range(ROUNDS):
        below = [0.0, *accumulate(shares)]
        steps = [0.0] * (cells + 1)
        for first, last, count in spans:
            weight = count / (below[last] - below[first])
            steps[first] += weight
            steps[last] -= weight
        better = [share * weight / times for share, weight in zip(shares, accumulate(steps[:-1]), strict=True)]
        moved = max(abs(new - old) for new, old in zip(better, shares, strict=True))
        shares = better
        if moved < SETTLED:
            break
    return shares
