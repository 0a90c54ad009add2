"""`run`, one pass over the folder of runs, and `watch`, pass after pass on this machine.

How a pass is made, and how time passes, is given to the watch. Its clock is this machine's; the signals that ask a
program to stop end a wait, and nothing else: what runs when one comes goes on. A second one does what it always does,
for whoever will not wait for that.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import FrameType, TracebackType
from typing import Any, Protocol

import click

from reconcile import config
from reconcile.attribution import claims
from reconcile.cli import output
from reconcile.cli.session import (
    CONFIG,
    MAX_AGE,
    MIN_AGE,
    RUNS,
    URL,
    VERBOSE,
    Session,
    announced,
    command,
    progress_bar,
    provider,
    workspace_of,
)
from reconcile.config.settings import duration
from reconcile.errors import ReconcileError, UsageError
from reconcile.passes import apply, summary
from reconcile.passes.containing import attempted
from reconcile.passes.summary import Summary, awaited, ending
from reconcile.report.job_log import failed_line, pass_line


@click.command(short_help="One pass over the runs that are due.")
@click.argument("framework", required=False)
@click.argument("run_id", required=False)
@click.option(
    "--force", is_flag=True, help="Read settled runs again; the old figure stays until the new one is stable."
)
@click.option("--dry-run", is_flag=True, help="Show the exact changes and write nothing.")
@command(ages=True)
def run(session: Session, framework: str | None, run_id: str | None, *, force: bool, dry_run: bool) -> None:
    """One pass: read, attribute, settle and write every run that is due, or only those named.

    \b
    Exit codes:
      0  nothing wrong (waiting is not wrong)
      1  invalid files, configuration errors, or runs that this pass
         moved to warning or failed
      2  usage
      3  the provider or a file could not be reached
    """
    settings = session.settings()
    session.notice(settings)
    if settings.rehearsal and not dry_run:
        click.echo("--now with a provider that is not on loopback: nothing is written, as with --dry-run", err=True)
    asked = claims.Asked(framework=framework, run_id=run_id, force=force)
    with progress_bar() as progress:
        summary = apply.run_pass(
            workspace_of(settings),
            provider(settings, progress),
            asked,
            dry_run=dry_run or settings.rehearsal,
            announce=lambda queries: announced(queries, verbose=session.verbose),
        )
    session.finish(output.answer_run(summary, session.look))


SHORTEST = timedelta(minutes=1)


@click.command(short_help="A pass every hour, for as long as you like.")
@click.option("--until-settled", is_flag=True, help="End when no run awaits anything; exit 1 if one is not verified.")
@click.option("--every", metavar="DURATION", default="1h", show_default=True, help="From one pass to the next.")
@RUNS
@CONFIG
@URL
@VERBOSE
@MIN_AGE
@MAX_AGE
def watch(every: str, *, until_settled: bool, verbose: bool, **flags: Any) -> None:  # noqa: ANN401
    """Make a pass now and every hour from now on, as `reconcile run` does, and print one line for each.

    Settings and runs are read anew for each pass. An error is told in the line of its pass and ends nothing. Ctrl-C
    and SIGTERM end it with exit code 0, once a pass that is running is finished; a second one does not wait for that.
    With --until-settled the exit code is then 1, because not all was settled.

    \b
    Exit codes with --until-settled:
      0  every run is verified
      1  a run is not, or a file is not valid
      3  the same, but for a file that could not be read
    """
    session = Session(as_json=False, verbose=verbose, flags=config.Flags(**flags))
    try:
        _refuse_given_instant(os.environ)
        interval = _interval(every)
    except ReconcileError as error:
        session.fail(error)
    with stop_signals() as timer:
        code = keep_watch(lambda: _pass(session), timer, click.echo, every=interval, until_settled=until_settled)
        if timer.stopped:
            click.echo("stopped", err=True)
    sys.exit(code)


def _pass(session: Session) -> summary.Summary:
    settings = session.settings()
    session.notice(settings)
    _refuse_given_instant(settings.variables)
    with progress_bar() as progress:
        return apply.run_pass(
            workspace_of(settings),
            provider(settings, progress),
            announce=lambda queries: announced(queries, verbose=session.verbose),
        )


def _interval(text: str) -> timedelta:
    interval = duration(text, "every")
    if interval < SHORTEST:
        raise UsageError(
            f"every: {text} is less than a minute",
            code="bad_duration",
            remedy="write 1m or more; usage is stored by the minute, and an hour is often enough",
        )
    return interval


def _refuse_given_instant(variables: Mapping[str, str]) -> None:
    if variables.get("RECONCILE_NOW"):
        raise UsageError(
            "RECONCILE_NOW is set, and a watch under a clock that stands still sees nothing happen",
            code="instant_given",
            remedy="unset it, or replay passes one by one with `reconcile run --now INSTANT`",
        )


def keep_watch(
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


SLICE = 60.0
"""Seconds waited at once: a machine that slept meanwhile has to look at its clock."""


class StopSignals:
    """While it lasts, SIGTERM and Ctrl-C only stop it. In the main thread, for no other gets signals."""

    def __init__(self) -> None:
        self.stopped = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        # Any signal writes here: one that came just before the wait would not end it otherwise.
        self._woken, self._wakes = socket.socketpair()
        self._woken.setblocking(False)
        self._wakes.setblocking(False)
        self._others = signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for signum in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        signal.set_wakeup_fd(self._others)
        self._woken.close()
        self._wakes.close()

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, after SLICE, or when a signal comes."""
        if not self.stopped and select.select([self._woken], [], [], min(seconds, SLICE))[0]:
            self._woken.recv(4096)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self.stopped = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


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
