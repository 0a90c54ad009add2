"""What a complete call log tells of the clock that wrote it.

In the order of time, its calls fill the reported minutes one after the other. So each of them says by how much the log
must be shifted, at least and at most, to lie in its minute; together they leave a few seconds. Whether a provider books
the start of a call or its end is not documented, so both are tried, and the answer is the span of both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from reconcile.core.model import MINUTE, Bucket, CallLog, LoggedCall, Usage, Window, total

Shift = tuple[float, float]
"""The provider's clock less the log's, in seconds: at least and at most."""


def shift_of(log: CallLog, rows: Sequence[Bucket]) -> Shift | None:
    """By how much the calls of the log must be shifted to be the reported rows; None where no shift makes them so."""
    minutes = [row.minute for row in sorted(rows, key=lambda row: row.minute) for _ in range(row.usage.api_calls)]
    if not minutes or len(minutes) != len(log.calls) or total(row.usage for row in rows) != log.total:
        return None
    rules: tuple[Callable[[LoggedCall], float], ...] = (lambda call: call.start, lambda call: call.end)
    found = [shift for booked in rules if (shift := _by_rule(log, rows, minutes, booked))]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _by_rule(
    log: CallLog, rows: Sequence[Bucket], minutes: Sequence[int], booked: Callable[[LoggedCall], float]
) -> Shift | None:
    calls = sorted(log.calls, key=booked)
    pairs = list(zip(minutes, calls, strict=True))
    low = max(minute - booked(call) for minute, call in pairs)
    high = min(minute + MINUTE - booked(call) for minute, call in pairs)
    if low >= high:
        return None
    sums: dict[int, Usage] = {}
    for minute, call in pairs:
        sums[minute] = sums.get(minute, Usage()) + call.usage
    for row in rows:
        sums[row.minute] = sums.get(row.minute, Usage()) - row.usage
    return (low, high) if all(left.is_zero for left in sums.values()) else None


def elsewhere(figure: Usage, rows: Sequence[Bucket], window: Window, most: int) -> int | None:
    """By how many minutes the window must be shifted, at most `most`, to hold just this usage; None where none does so,
    where it does so as it is, and where several do."""
    minutes = [row.minute for row in rows]
    sums = [Usage()]
    for row in rows:
        sums.append(sums[-1] + row.usage)
    fits = []
    for shift in range(-most, most + 1):
        first = bisect_left(minutes, window.start + shift * MINUTE)
        last = bisect_left(minutes, window.end + shift * MINUTE)
        if first < last and sums[last] - sums[first] == figure:
            fits.append(shift)
    if 0 in fits or not fits or fits[-1] - fits[0] >= len(fits) + window.minutes:
        return None
    return fits[len(fits) // 2]
