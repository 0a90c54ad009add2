"""A command that is recorded, or is a step: started, waited for whatever happens, its exit status passed on.

Signals that would end this process go to the command, which ends the run by ending itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconcile.errors import ReconcileError
from reconcile.recording.clocks import SystemClock, WallClock, await_end, await_start
from reconcile.recording.folder import JOURNAL, METRICS, VARIABLE, RunFolder, begin, claim, end
from reconcile.recording.left import RunEnding
from reconcile.recording.record import joined, new_run_id
from reconcile.recording.signals import exit_on_sigterm, passing_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A command that ended. 128+n is the exit status where signal n killed it, as in shells."""

    exit_status: int
    file: Path
    problems: tuple[str, ...] = ()
    error: ReconcileError | None = None
    """What kept the run from being recorded after all."""


def record_command(  # noqa: PLR0913  options of the command, given by name
    runs: Path,
    command: Sequence[str],
    *,
    framework: str,
    run_id: str | None = None,
    model: str | None = None,
    wait_minute: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: WallClock | None = None,
) -> Ended:
    """Run the command as a run of its own. Raises UsageError where it cannot begin; then nothing is left."""
    environ, clock = dict(os.environ if environ is None else environ), clock or SystemClock()
    if environ.get(VARIABLE):
        joined(environ[VARIABLE], framework, run_id or "")
    folder = claim(runs, framework, run_id or new_run_id())
    if wait_minute:
        restore = exit_on_sigterm()
        try:
            await_start(clock)
        except BaseException:
            folder.release()
            raise
        finally:
            restore()
    with passing_on() as relay:
        try:
            started_at = begin(folder, clock)
            if model:
                folder.append(JOURNAL, {"model": model})
            relay.start(command, {**environ, VARIABLE: str(folder.path)})
        except BaseException:
            folder.release()
            raise
        status = relay.wait()
        ended_at = clock.now()
        ending = RunEnding(started_at=started_at, at=ended_at, successful=status == 0, told=_told(status))
        ended = _ended(folder, status, ending)
    if wait_minute:
        with suppress(KeyboardInterrupt):
            await_end(clock, ended_at)
    return ended


def _ended(folder: RunFolder, status: int, ending: RunEnding) -> Ended:
    ended = Ended(exit_status=_exit_status(status), file=folder.path / METRICS)
    try:
        return replace(ended, problems=end(folder, ending))
    except ReconcileError as error:
        return replace(ended, error=error)


def step_command(
    name: str, command: Sequence[str], *, environ: Mapping[str, str] | None = None, clock: WallClock | None = None
) -> int:
    """Run the command as a step of the run around it; returns its exit status. Raises UsageError outside of a run."""
    environ, clock = dict(os.environ if environ is None else environ), clock or SystemClock()
    folder = joined(environ.get(VARIABLE, ""))
    key = os.urandom(4).hex()
    with passing_on() as relay:
        status = 1
        with suppress(OSError):
            folder.append(JOURNAL, {"begin": name, "at": clock.now(), "id": key})
        try:
            relay.start(command, environ)
            status = relay.wait()
        finally:
            with suppress(OSError):
                folder.append(JOURNAL, {"end": name, "at": clock.now(), "id": key, "success": status == 0})
    return _exit_status(status)


def _exit_status(status: int) -> int:
    return status if status >= 0 else 128 - status


def _told(status: int) -> Mapping[str, object]:
    if status >= 0:
        return {"exit_status": status}
    return {"exit_status": _exit_status(status), "signal": _name(-status)}


def _name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
