"""After a run: what became of the background responses that it left going on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconcile.errors import StoreError, UsageError
from reconcile.recording.clocks import SystemClock, WallClock
from reconcile.recording.folder import CALLS, METRICS, RunFolder
from reconcile.recording.journal import row_of
from reconcile.recording.known import going_on
from reconcile.recording.left import spelled
from reconcile.recording.responses import Telling, told_of


@dataclass(frozen=True, slots=True)
class Finished:
    """How many responses of a run have ended, and how many go on still."""

    ended: int
    left: int


def finish(folder: str | os.PathLike[str], client: Any, *, clock: WallClock | None = None) -> int:  # noqa: ANN401  any SDK
    """Ask the client, a sync one, after each response that the run in this folder left going on.

    What has ended becomes a row of the run's call log, in the place of the one that said it was going on; the run's
    other file stays as it is. Returns how many go on still. Raises UsageError while the run is being recorded and
    where there is none, StoreError where the log cannot be read or written, and what the client raises: the first of
    it, when it was asked after all, and what it told is in the log.
    """
    return finish_run(folder, client, clock=clock).left


def finish_run(
    folder: str | os.PathLike[str],
    client: Any,  # noqa: ANN401  any SDK
    *,
    clock: WallClock | None = None,
) -> Finished:
    """The same, with how many have ended."""
    run, clock = RunFolder(path=Path(folder).absolute()), clock or SystemClock()
    text = _text(run)
    rows, left, errors = [], 0, []
    for response_id, before in going_on(text).items():
        try:
            row = _ended(client.responses.retrieve(response_id), response_id, before, clock)
        except Exception as error:  # noqa: BLE001  one that is gone hides none of the others
            errors.append(error)
            continue
        if row:
            rows.append(row)
        else:
            left += 1
    if rows:
        run.replace_log(text + "".join(json.dumps(row) + "\n" for row in rows))
    if errors:
        raise errors[0]
    return Finished(len(rows), left)


def _text(run: RunFolder) -> str:
    """The run's call log. Raises UsageError and StoreError."""
    if run.recording:
        raise UsageError(
            f"{run.name} is being recorded",
            code="still_recording",
            remedy="wait until it has ended; until then the client that is watched follows its responses",
        )
    text = run.text(CALLS)
    if text is None:
        raise StoreError(
            f"{run.path / CALLS}: cannot be read",
            code="unreadable_file",
            remedy="check the permissions of the file",
        )
    if not text and not (run.path / METRICS).exists():
        raise UsageError(
            f"{run.name}: no such run", code="unknown_run", remedy="`reconcile list --all` names every run"
        )
    return text


def _ended(response: object, response_id: str, before: dict[str, Any], clock: WallClock) -> dict[str, object] | None:
    """The row of a response that has ended, in the place of the one before; None where it goes on."""
    told = told_of(response)
    if told.response_id != response_id or told.state in {Telling.PENDING, Telling.PART}:
        return None
    members = {name: value for name, value in before.items() if name in {"attempt", "provider"}}
    aborted = {"aborted": True} if told.state is Telling.CUT else {}
    model = told.model or before.get("model")
    return row_of(told.counted, before["started_at"], spelled(clock.now()), model, response_id, members | aborted)
