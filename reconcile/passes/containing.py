"""The boundary around one file, branch or command: a bug that it meets is told with its place, and stops no other.

Errors of this package pass through: whoever raises one says what it stops.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from reconcile.errors import ReconcileError, UnexpectedError
from reconcile.runs.run import Finding, Run

T = TypeVar("T")

PACKAGE = Path(__file__).resolve().parents[1]


def contained(path: str, make: Callable[[], T]) -> T | Finding:
    """What is made of a file, or the finding that a bug in our code kept it from being made."""
    try:
        return make()
    except ReconcileError:
        raise
    except Exception as error:  # noqa: BLE001  a bug that one file meets must not stop the others
        return unexpected_finding(path, error)


def attempted(what: str, make: Callable[[], T]) -> T | ReconcileError:
    """What is made of a branch or a step of a job, or the error that kept it from being made."""
    try:
        return make()
    except ReconcileError as error:
        return error
    except Exception as error:  # noqa: BLE001  a bug in one step must not undo what the others have told
        return unexpected(what, error)


def of_the_sound(runs: Sequence[Run], make: Callable[[Sequence[Run]], T]) -> tuple[T, tuple[Finding, ...]]:
    """What is made of all runs; where that meets a bug, what is made of those that meet none alone, and the findings
    of the others. A bug that only shows where runs come together is raised."""
    try:
        return make(runs), ()
    except ReconcileError:
        raise
    except Exception:
        tried = [(run, contained(run.path, lambda run=run: make([run]))) for run in runs]  # type: ignore[misc]
        findings = tuple(found for _, found in tried if isinstance(found, Finding))
        if not findings:
            raise
        return make([run for run, found in tried if not isinstance(found, Finding)]), findings


def unexpected_finding(path: str, error: BaseException) -> Finding:
    """A bug that a file has met."""
    return Finding(path, 1, 1, "", f"unexpected error ({place_of(error)}): report it with the file")


def unexpected(what: str, error: BaseException) -> UnexpectedError:
    """A bug that a branch, a step of a job or a command has met."""
    return UnexpectedError(
        f"{what}: unexpected error ({place_of(error)})",
        code="unexpected",
        remedy="this is a defect of the tool: report it with this line and the files that were read",
    )


def place_of(error: BaseException) -> str:
    """The kind of an exception and the innermost line of ours that it passed; never its text, which may quote files."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if PACKAGE in Path(frame.filename).parents]
    if not ours:
        return type(error).__name__
    place = Path(ours[-1].filename).relative_to(PACKAGE.parent).as_posix()
    return f"{type(error).__name__} at {place}:{ours[-1].lineno}"
