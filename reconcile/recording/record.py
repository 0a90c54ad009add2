"""Which run a program records: one of its own, or the one that a command around it records."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from reconcile.errors import UsageError
from reconcile.recording.clocks import SystemClock, WallClock
from reconcile.recording.folder import VARIABLE, RunFolder, claim
from reconcile.recording.recorder import Recording


def record(  # noqa: PLR0913  options of the interface, given by name
    framework: str | None = None,
    *,
    run_id: str | None = None,
    model: str | None = None,
    runs: str | os.PathLike[str] = "runs",
    complete: bool = False,
    wait_minute: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: WallClock | None = None,
) -> Recording:
    """A run to be entered with `with`, which leaves `<runs>/<framework>/<run_id>/metrics.json` at the end.

    `complete`: every call of the run goes through a watched client or `add`, so that the log may say so; where a call
    went missing all the same, it does not. Inside `reconcile record` the run is that of the command, and `framework`,
    `run_id` and `runs` may be left out. Raises UsageError for a run that exists or a name that no folder can have.
    """
    environ = os.environ if environ is None else environ
    around = environ.get(VARIABLE)
    if around:
        folder = joined(around, framework, run_id)
    elif framework is None:
        raise UsageError(
            "record() without a framework",
            code="bad_name",
            remedy=f"name the framework; only inside `reconcile record`, which sets {VARIABLE}, it may be left out",
        )
    else:
        folder = None
    return Recording(
        (lambda: folder or claim(Path(runs), str(framework), run_id or new_run_id())),
        clock or SystemClock(),
        owner=folder is None,
        model=model,
        complete=complete,
        wait_minute=wait_minute,
    )


def joined(around: str, framework: str | None = None, run_id: str | None = None) -> RunFolder:
    """The run that a command around this process records. Raises UsageError where it is none, or another."""
    folder = RunFolder(path=Path(around))
    if not around or not folder.recording:
        raise UsageError(
            f"{VARIABLE} names {around}, where no run is being recorded" if around else f"{VARIABLE} is not set",
            code="no_recording",
            remedy=f"start this by `reconcile record`, which sets {VARIABLE} to the folder of its run",
        )
    if framework not in {None, folder.framework} or run_id not in {None, folder.run_id}:
        raise UsageError(
            f"run {framework}/{run_id or '...'} was to begin inside {folder.name}, which is being recorded",
            code="run_in_run",
            remedy=f"give both the same names or none; or unset {VARIABLE}, and know that they share their minutes",
        )
    return folder


def new_run_id() -> str:
    """Sorts by time, and is nobody else's."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
