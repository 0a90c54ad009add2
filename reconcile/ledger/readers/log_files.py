"""The files of a log: which there are, and their bytes in blocks, of plain files and gzip alike.

Logs may be held to a folder: what a pattern finds must lie in it, wherever links and `..` would lead. In a job the
files of a workspace are anybody's who may push to it. A link there to a file of the machine would have lines of that
file quoted in a comment.
"""

from __future__ import annotations

import glob
import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from reconcile.errors import ConfigurationError, StoreError, UsageError

BLOCK = 1 << 20
HEAD = 64
GZIP = b"\x1f\x8b"
NAMES = re.compile(r".+[.](ndjson|jsonl|csv)([.-][0-9][0-9T_.-]*)?([.]gz)?")
"""What is read of a folder: logs, and those that were rotated away (`app.ndjson.1.gz`)."""

CSV = re.compile(r".+[.]csv([.-][0-9][0-9T_.-]*)?([.]gz)?", re.IGNORECASE)

Pattern = tuple[str | None, str]
"""An environment, and a path in which `*`, `?`, `[...]` and `**` stand for others; a folder stands for the logs in it
and below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file to be read."""

    path: str
    framework: str | None
    """The environment that its pattern names."""
    size: int
    """Bytes on the disk."""
    zipped: bool
    pattern: int = 0
    """Which of the patterns it was found by."""

    @property
    def csv(self) -> bool:
        return CSV.fullmatch(self.path) is not None


def find(patterns: Sequence[Pattern]) -> list[LogFile]:
    """Every file once, pattern by pattern and by name. Raises UsageError and StoreError."""
    found: dict[tuple[int, int], LogFile] = {}
    for number, (framework, pattern) in enumerate(patterns):
        paths = _matching(pattern)
        if not paths:
            raise UsageError(
                f"{pattern}: no such log",
                code="no_logs",
                remedy="name a file, a folder, or a pattern in quotes such as 'logs/**/*.ndjson'",
            )
        for path in paths:
            status = _status(path)
            before = found.get((status.st_dev, status.st_ino))
            if before is None:
                zipped = head(path).startswith(GZIP)
                file = LogFile(path=path, framework=framework, size=status.st_size, zipped=zipped, pattern=number)
                found[(status.st_dev, status.st_ino)] = file
            elif before.framework != framework:
                raise UsageError(
                    f"{path} is a log of {before.framework or 'no environment'} and of {framework or 'none'}",
                    code="log_in_two_environments",
                    remedy="let each file match the pattern of one environment",
                )
    return list(found.values())


def blocks(file: LogFile) -> Iterator[bytes]:
    """What the file holds, unpacked. Raises StoreError where it cannot be read to its end."""
    try:
        with closing(_opened(file)) as stream:
            while block := stream.read(BLOCK):
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StoreError(
            f"{file.path}: the gzip file is cut short or damaged ({error}), and nothing of it counts",
            code="broken_log",
            remedy="fetch it again, or leave it out; without it the comparison lacks what it holds",
        ) from error
    except OSError as error:
        raise _unreadable(file.path, error) from error


def _opened(file: LogFile) -> IO[bytes]:
    return gzip.open(file.path, "rb") if file.zipped else Path(file.path).open("rb")  # type: ignore[return-value]


def _matching(pattern: str) -> list[str]:
    folder = Path(pattern)
    if folder.is_dir():
        return sorted(str(path) for path in folder.rglob("*") if NAMES.fullmatch(path.name) and path.is_file())
    if folder.exists():
        return [pattern]
    return sorted(path for path in glob.glob(pattern, recursive=True) if not Path(path).is_dir())  # noqa: PTH207


def _status(path: str) -> os.stat_result:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is no plain file", code="unreadable_log", remedy="write it to a file first")
    return status


def head(path: str) -> bytes:
    """The first bytes of a file as they lie on the disk."""
    try:
        with Path(path).open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> StoreError:
    return StoreError(
        f"{path}: cannot be read ({error.strerror})",
        code="unreadable_log",
        remedy="check that it is there and readable",
    )


WILD = re.compile(r"[*?\[]")


def files_within(pattern: Pattern, folder: Path) -> list[Pattern]:
    """Every file that the pattern finds, by its own path. Raises ConfigurationError where the pattern or one of the
    files leads out of `folder`, and as `find` does."""
    environment, text = pattern
    if not _inside(Path(os.path.abspath(_fixed(text))), folder):  # noqa: PTH100  `..` folded, links not followed
        raise _outside(f"the pattern {text} begins", folder)
    paths = [file.path for file in find([pattern])]
    for path in paths:
        if not Path(path).resolve().is_relative_to(folder.resolve()):
            raise _outside(f"{path} leads", folder)
    return [(environment, path) for path in paths]


def folder_named(pattern: Pattern, workspace: Path) -> Path:
    """Where the files may lie of a pattern that somebody trusted wrote: in the workspace if it begins there, else in
    the folder that is named before the first wildcard."""
    fixed = Path(os.path.abspath(_fixed(pattern[1])))  # noqa: PTH100  `..` folded, links not followed
    if _inside(fixed, workspace):
        return workspace
    return fixed if fixed.is_dir() else fixed.parent


def _fixed(text: str) -> Path:
    """The path as far as it has no wildcard."""
    parts = Path(text).parts
    wild = next((place for place, part in enumerate(parts) if WILD.search(part)), len(parts))
    return Path(*parts[:wild])


def _inside(path: Path, folder: Path) -> bool:
    """Whether it lies there as it is written; the folder may itself be reached through a link."""
    return path.is_relative_to(folder) or path.is_relative_to(folder.resolve())


def _outside(what: str, folder: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{what} outside of {folder}, where logs are read from",
        code="log_outside",
        remedy="put the log there as a plain file; only the workflow can name another folder, with its input `logs`",
    )
