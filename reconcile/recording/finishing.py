"""After a run: what became of the background responses that it left going on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from reconcile.errors import StoreError, UsageError
from reconcile.recording.clock import Clock, SystemClock
from reconcile.recording.folder import CALLS, RunFolder
from reconcile.recording.known import going_on
from reconcile.recording.metrics import spelled
from reconcile.recording.responses import State, told_of
from reconcile.recording.rows import row_of


def finish(folder: str | os.PathLike[str], client: Any, *, clock: Clock | None = None) -> int:  # noqa: ANN401  any SDK
    """Ask the client, a sync one, after each response that the run in this folder left going on.

    What has ended becomes a row of the run's call log, in the place of the one that said it was going on; the run's
    other file stays as it is. Returns how many go on still. Raises UsageError while the run is being recorded,
    StoreError where the log cannot be read or written, and what the client raises.
    """
    run, clock = RunFolder(path=Path(folder).absolute()), clock or SystemClock()
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
    rows, left = [], 0
    for response_id, before in going_on(text).items():
        told = told_of(client.responses.retrieve(response_id))
        if told.response_id != response_id or told.state in {State.PENDING, State.PART}:
            left += 1
            continue
        members = {name: value for name, value in before.items() if name in {"attempt", "provider"}}
        aborted = {"aborted": True} if told.state is State.CUT else {}
        model = told.model or before.get("model")
        rows.append(
            row_of(told.counted, before["started_at"], spelled(clock.now()), model, response_id, members | aborted)
        )
    if rows:
        run.replace_log(text + "".join(json.dumps(row) + "\n" for row in rows))
    return left
