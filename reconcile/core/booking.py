"""How near a provider books a call to the second in which it was made, learnt from logged runs of measured clocks.

A complete log tells by how much its times must be shifted to fill the reported minutes, be calls booked as they start
or as they end (`attribution.shift`). Beside a measured clock nothing of that shift is the clock's. So where many calls
leave a shift of a second or two, whichever second is booked, nothing is booked later than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from reconcile.core.model import Run, Status

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
