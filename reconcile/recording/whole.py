"""The begin and the end of a run that is recorded, whoever records it."""

from __future__ import annotations

import json

from reconcile.recording.clock import Clock
from reconcile.recording.folder import CALLS, JOURNAL, RunFolder, translated
from reconcile.recording.journal import read
from reconcile.recording.metrics import Ending, left, read_calls

UNREADABLE = "?"
"""Stands for a call log that cannot be read: a line that is none."""


def begin(folder: RunFolder, clock: Clock) -> float:
    """The run starts now. Raises StoreError."""
    started_at = clock.now()
    with translated("written", folder.path / JOURNAL):
        folder.append(JOURNAL, {"run": folder.name, "at": started_at})
    return started_at


def end(folder: RunFolder, ending: Ending) -> tuple[str, ...]:
    """Put the run's files in place. Returns why its calls may not all have been counted, and what else went wrong.

    The log says that it is complete only now, when nothing can be missing any more. Raises StoreError.
    """
    text, told = folder.text(CALLS), folder.text(JOURNAL)
    calls = read_calls(UNREADABLE if text is None else text)
    found = left(folder.run_id, read(told or ""), calls, ending)
    said = {"complete": found.complete, **({"every_attempt": True} if found.every_attempt else {})}
    lines = [*([json.dumps(said)] if found.complete or found.every_attempt else []), *calls.lines]
    after = "".join(f"{line}\n" for line in lines)
    if text is not None and after != text:
        folder.replace_log(after)
    folder.close(found.document)
    return found.problems
