"""What complete call logs tell of the clock that wrote them, and of how near to its second a provider books a call.

In the order of time, the calls of a log fill the reported minutes one after the other. So each of them says by how much
the log must be shifted, at least and at most, to lie in its minute; together they leave a few seconds. Whether a
provider books the start of a call or its end is not documented, so both are tried, and the answer is the span of both.

Beside a measured clock nothing of that shift is the clock's. So where many calls leave a shift of a second or two,
whichever second is booked, nothing is booked later than that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from math import inf

from reconcile.minutes import MINUTE, Clock, Window
from reconcile.runs.run import CallLog, LoggedCall, Run
from reconcile.runs.state import Policy, Status
from reconcile.usage import Bucket, Usage, total

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


UNKNOWN_BOOKING = 10.0
"""Seconds by which a call may be booked beside its own second, as long as nothing is learnt."""

LEARNT_BOOKING = 2.0
LEARNT_CALLS = 200
"""Logged calls that it takes: a call that is booked late shows only beside the end of a minute."""


def booking_slack(runs: Iterable[Run]) -> float:
    """Seconds by which calls may be booked beside their own second; `runs` are those of one provider's traffic."""
    low, high, calls = -inf, inf, 0
    for run in runs:
        state, clock = run.state, run.clock
        if clock is None or state is None or state.shift is None or state.status is not Status.VERIFIED:
            continue
        low = max(low, state.shift[0] - clock.uncertainty)
        high = min(high, state.shift[1] + clock.uncertainty)
        calls += state.figure.api_calls
    learnt = calls >= LEARNT_CALLS and -LEARNT_BOOKING <= low <= high <= LEARNT_BOOKING
    return LEARNT_BOOKING if learnt else UNKNOWN_BOOKING


UNKNOWN_UNCERTAINTY = 60.0
"""Seconds by which the clock of a machine may be off of which nobody says anything."""

STATED_CLOCK = "policy"
"""The source of what `policy.clock_uncertainty` says of all clocks."""


def clock_of(run: Run, policy: Policy, slack: float = UNKNOWN_BOOKING) -> Clock:
    """What is known of the clock that wrote the run's times: by the run itself, by the policy, or nothing.

    Where it is known, a call may still be booked `slack` seconds beside its own second.
    """
    if run.clock:
        return Clock(run.clock.offset, max(run.clock.uncertainty, slack), run.clock.source)
    stated = policy.clock_uncertainty
    if stated is not None:
        return Clock(0.0, max(stated.total_seconds(), slack), STATED_CLOCK)
    return Clock(0.0, UNKNOWN_UNCERTAINTY)
