"""The time, as something that is given: so a test need not wait for it."""

from __future__ import annotations

import time
from typing import Protocol

MINUTE = 60
FRESH = 5.0
"""Seconds into a minute up to which a run may still start on its turn: what came before had ended by then."""


class Clock(Protocol):
    """Unix seconds, and a way to let them pass."""

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def await_start(clock: Clock) -> None:
    """Return in the first seconds of a minute."""
    now = clock.now()
    if now % MINUTE >= FRESH:
        _await(clock, (now // MINUTE + 1) * MINUTE)


def await_end(clock: Clock, ended_at: float) -> None:
    """Return when the minute of this instant is over."""
    _await(clock, -(-ended_at // MINUTE) * MINUTE)


def _await(clock: Clock, moment: float) -> None:
    while (left := moment - clock.now()) > 0:
        clock.wait(left)
