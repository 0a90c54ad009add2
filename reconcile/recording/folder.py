"""The folder of a run that is being recorded: begun by one recorder, appended to by many, closed by one file.

While the run goes on the folder holds a journal and maybe a call log. Lines are appended whole, by one write, so that
threads, processes and a kill at any moment tear none. At the end `metrics.json` is put in place, never over another.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconcile.errors import StoreError, UsageError
from reconcile.recording.clocks import WallClock
from reconcile.recording.journal import read
from reconcile.recording.left import RunEnding, left, read_calls

VARIABLE = "RECONCILE_RECORD"
"""Names the folder of the run to the command that is recorded."""

JOURNAL, CALLS, METRICS, EVIDENCE = "recording.ndjson", "calls.ndjson", "metrics.json", "usage_evidence.json"
TEMPORARY = ".metrics.json.{}.tmp"
"""As passes name theirs: git ignores it, and the next write to the run deletes what a kill left behind."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""What is a folder's name on every system and in every shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """`<runs>/<framework>/<run_id>`, as an absolute path."""

    path: Path

    @property
    def framework(self) -> str:
        return self.path.parent.name

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def name(self) -> str:
        return f"{self.framework}/{self.run_id}"

    @property
    def recording(self) -> bool:
        """Whether the run has begun and not ended."""
        return (self.path / JOURNAL).is_file()

    def append(self, name: str, line: Mapping[str, object]) -> None:
        """Add a line to the journal or the call log. Raises OSError, also where the run has ended meanwhile."""
        data = (json.dumps(line, ensure_ascii=True) + "\n").encode()
        if name == CALLS:
            (self.path / JOURNAL).stat()
        create = os.O_CREAT if name == CALLS else 0
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_APPEND | create | _plain(), 0o666)
        try:
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes were written")

    def text(self, name: str) -> str | None:
        """The journal or the call log; empty where there is none, None where it cannot be read."""
        try:
            return (self.path / name).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError:
            return None

    def replace_log(self, text: str) -> None:
        """Put another call log in the place of the one that is there, whole or not at all."""
        with translated("written", self.path / CALLS):
            temporary = self._write(text)
            temporary.replace(self.path / CALLS)

    def close(self, document: Mapping[str, object]) -> Path:
        """Put `metrics.json` in place and take the journal away. Raises StoreError, also where there is one already."""
        file = self.path / METRICS
        with translated("written", file):
            self.path.mkdir(parents=True, exist_ok=True)
            temporary = self._write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            try:
                _put(temporary, file)
            except FileExistsError as error:
                raise StoreError(
                    f"{file}: somebody else wrote it while the run was recorded; it was left as it is",
                    code="run_exists",
                    remedy=f"let only one of them write it; what was recorded is in {JOURNAL} beside it",
                ) from error
            finally:
                temporary.unlink(missing_ok=True)
        with suppress(OSError):
            (self.path / JOURNAL).unlink()
        return file

    def release(self) -> None:
        """Give up a run that never began."""
        with suppress(OSError):
            (self.path / JOURNAL).unlink()
            self.path.rmdir()

    def _write(self, text: str) -> Path:
        temporary = self.path / TEMPORARY.format(secrets.token_hex(8))
        with temporary.open("xb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        return temporary


def check_name(kind: str, name: str) -> None:
    """Raises UsageError where this cannot be the name of a framework or a run."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{kind}: {name!r} cannot be a folder's name",
            code="bad_name",
            remedy="write letters, digits, dots, dashes and underscores, at most 128, no dot or dash first",
        )


def claim(runs: Path, framework: str, run_id: str) -> RunFolder:
    """Take the folder of a new run. Raises UsageError where there is such a run, or can be none of this name."""
    check_name("framework", framework)
    check_name("run id", run_id)
    folder = RunFolder(path=runs.absolute() / framework / run_id)
    with translated("written", folder.path / JOURNAL):
        folder.path.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder.path / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError as error:
            raise _taken(folder, JOURNAL, "was begun and has not ended") from error
        os.close(descriptor)
    for name in (METRICS, CALLS, EVIDENCE):
        if os.path.lexists(folder.path / name):
            (folder.path / JOURNAL).unlink(missing_ok=True)
            raise _taken(folder, name, "is recorded already")
    return folder


class translated:  # noqa: N801  reads as a statement, like those of contextlib
    """Turns an OSError into a StoreError that names the file."""

    def __init__(self, action: str, file: Path) -> None:
        self._action, self._file = action, file

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            raise StoreError(
                f"{self._file}: cannot be {self._action} ({error.strerror or error})",
                code="unwritable_file",
                remedy="check the permissions of the folder and the space on the disk",
            ) from error


def _taken(folder: RunFolder, name: str, why: str) -> UsageError:
    return UsageError(
        f"run {folder.name} {why}: {folder.path / name} exists",
        code="run_exists",
        remedy="choose another run id, or leave it out to get a new one; nothing was written",
    )


def _put(temporary: Path, file: Path) -> None:
    """Give the file its name. Raises FileExistsError where that is taken."""
    if sys.platform == "win32":
        temporary.rename(file)  # which refuses there
        return
    try:
        file.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(file):
            raise FileExistsError(str(file)) from None
        temporary.replace(file)


def _plain() -> int:
    """Never follow a link, never wait for the other end of a pipe."""
    return getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


UNREADABLE = "?"
"""Stands for a call log that cannot be read: a line that is none."""


def begin(folder: RunFolder, clock: WallClock) -> float:
    """The run starts now. Raises StoreError."""
    started_at = clock.now()
    with translated("written", folder.path / JOURNAL):
        folder.append(JOURNAL, {"run": folder.name, "at": started_at})
    return started_at


def end(folder: RunFolder, ending: RunEnding) -> tuple[str, ...]:
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
