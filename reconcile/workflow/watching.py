"""Pass after pass, for as long as is wanted. How a pass is made, and how time passes, is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reconcile.adapters.stop_signals import StopSignals
from reconcile.core.awaiting import awaited, ending
from reconcile.core.summary import Summary
from reconcile.errors import ReconcileError
from reconcile.reports.log_line import failed_line, pass_line
from reconcile.workflow.containing import attempted


class Timer(Protocol):
    """Unix seconds, a way to let them pass, and whether somebody has asked to stop."""

    @property
    def stopped(self) -> bool: ...

    def now(self) -> float: ...

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or earlier."""


def stop_signals() -> StopSignals:
    """The clock of this machine, stopped by SIGTERM and Ctrl-C."""
    return StopSignals()


def watch(
    make_pass: Callable[[], Summary],
    timer: Timer,
    tell: Callable[[str], None],
    *,
    every: timedelta,
    until_settled: bool = False,
) -> int:
    """Make a pass and tell a line of it, every so often, until the timer is stopped. Returns the exit code.

    An error, a bug of ours too, is told in the line of its pass and ends nothing: settings are mended and providers
    come back.
    `until_settled`: end where no run awaits anything, with 1 where one of them is not verified; and with 1 where it is
    stopped before.
    """
    while True:
        begun = timer.now()
        summary = _told_pass(make_pass, datetime.fromtimestamp(begun, UTC), tell)
        if until_settled and summary and not awaited(summary):
            return ending(summary)
        _await(timer, begun + every.total_seconds(), at_most=every.total_seconds())
        if timer.stopped:
            return int(until_settled)


def _told_pass(make_pass: Callable[[], Summary], at: datetime, tell: Callable[[str], None]) -> Summary | None:
    summary = attempted("this pass", make_pass)
    if isinstance(summary, ReconcileError):
        tell(failed_line(at, summary))
        return None
    line = attempted("telling of this pass", lambda: pass_line(at, summary))
    tell(failed_line(at, line) if isinstance(line, ReconcileError) else line)
    return summary


def _await(timer: Timer, moment: float, *, at_most: float) -> None:
    """Until that moment. Where the clock was put back meanwhile, no longer than a whole interval."""
    while not timer.stopped and (left := moment - timer.now()) > 0:
        if left > at_most:
            moment = timer.now() + at_most
        timer.wait(min(left, at_most))
