"""The folder of runs: finds `<framework>/<run_id>/metrics.json`, reads it, and replaces it whole or not at all.

Beside it may lie a call log, which is read and never written.

A file that is no plain file is a finding, for its name came from somewhere else: links, pipes and folders are never
opened. Writers of one run take turns by locking its folder, which leaves no file behind; a file that somebody else
changed in between is read again.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconcile.errors import ConfigurationError, StoreError
from reconcile.runs.run import Finding, Rewritten, RunFile, RunKey, twin
from reconcile.runs.tree_store import EVIDENCE_NAME, FILE_NAME, LOG_NAME

TEMPORARY = ".metrics.json.*.tmp"
"""Left behind by a writer that was killed; git ignores it, and the next write to the run deletes it."""

MOST_BYTES = 64_000_000
"""Of any file that is read: of a call log, which is the largest."""

RUN_DEPTH = 2
DEEPEST, MOST_LOOKED_AT = 8, 500_000
"""Folders below the root, and entries in them, among which misplaced files are looked for."""

PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Never follow a link, never wait for the other end of a pipe."""


class RunStore:
    """The files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[RunKey, tuple[str, str]] = {}
        """Framework and run as the folders that were found are spelled."""

    def discover(self) -> tuple[list[RunFile], list[Finding]]:
        """Every run's file, by name, and what lies in the place of one but cannot be one."""
        files: list[RunFile] = []
        findings: list[Finding] = []
        self._folders = {}
        try:
            frameworks = _folders(self.root)
        except OSError as error:
            raise ConfigurationError(
                f"{self.root}: the folder of runs cannot be read ({error.strerror})",
                code="unreadable_runs",
                remedy="name the folder that holds <framework>/<run_id>/metrics.json with --runs or `runs:` in "
                "reconcile.yml, and check that you may read it",
            ) from error
        for framework in frameworks:
            for found in self._framework(framework):
                (files if isinstance(found, RunFile) else findings).append(found)  # type: ignore[arg-type]
        return files, findings

    def elsewhere(self) -> list[str]:
        """Files with the name of a run's at another depth. Links are not followed, and hidden folders not looked at."""
        found: list[str] = []
        open_, seen = [(str(self.root), 0)], 0
        while open_ and seen < MOST_LOOKED_AT:
            folder, depth = open_.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        seen += 1
                        if entry.is_dir(follow_symlinks=False):
                            if depth < DEEPEST and not entry.name.startswith("."):
                                open_.append((entry.path, depth + 1))
                        elif entry.name == FILE_NAME and depth != RUN_DEPTH and entry.is_file(follow_symlinks=False):
                            found.append(_readable(entry.path.replace(os.sep, "/")))
            except OSError:  # what discovers the runs says so
                continue
        return sorted(found)

    def read(self, key: RunKey) -> bytes:
        """The bytes of the run's file."""
        return self._read(key, FILE_NAME)

    def log(self, key: RunKey) -> RunFile | Finding | None:
        """The run's call log, what lies in its place but cannot be one, or None."""
        shown = self._shown(key, LOG_NAME)
        try:
            status = os.lstat(self._file(key, LOG_NAME))
        except FileNotFoundError:
            return None
        except OSError as error:
            return Finding(shown, 1, 1, "", f"cannot be read ({error.strerror}); check its permissions")
        if not stat.S_ISREG(status.st_mode):
            return Finding(shown, 1, 1, "", f"is {_kind(status.st_mode)}; put the run's own call log in its place")
        return RunFile(key, shown, status.st_size)

    def read_log(self, key: RunKey) -> bytes:
        """The bytes of the run's call log."""
        return self._read(key, LOG_NAME)

    def read_evidence(self, key: RunKey) -> bytes | None:
        """The bytes of the evidence beside the run's file; None where there is none."""
        try:
            return self._read(key, EVIDENCE_NAME)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise

    def leftovers(self, key: RunKey) -> list[bytes]:
        """What killed writers were about to put into the run's file."""
        found: list[bytes] = []
        for leftover in sorted(Path(self._file(key)).parent.glob(TEMPORARY)):
            with suppress(StoreError):
                found.append(self._read(key, leftover.name))
        return found

    def update(self, key: RunKey, change: Callable[[bytes], Rewritten | None]) -> bool:
        """Replace the run's file by what `change` makes of it as it is now; None leaves it. Says whether it did.

        Evidence goes first: a writer that is killed in between leaves the old figure beside newer evidence. `change`
        may be called more than once: it always gets the file as it is at that moment.
        """
        try:
            with _locked(Path(self._file(key)).parent):
                return self._replace(key, change)
        except OSError as error:
            raise _failed("written", self._shown(key), error) from error

    def _framework(self, framework: os.DirEntry[str]) -> Iterator[RunFile | Finding]:
        if framework.is_symlink():
            yield self._finding(framework.name, "is a symbolic link; make it a folder of this repository")
            return
        try:
            runs = _folders(Path(framework.path))
        except OSError as error:
            yield self._finding(framework.name, f"cannot be read ({error.strerror}); check its permissions")
            return
        for run in runs:
            yield from self._run(RunKey(framework.name, run.name), run, framework.name)

    def _run(self, key: RunKey, folder: os.DirEntry[str], framework: str) -> Iterator[RunFile | Finding]:
        shown = os.sep.join((folder.path, FILE_NAME)).replace(os.sep, "/")  # noqa: PTH118
        try:
            if folder.is_symlink():
                yield self._finding(str(key), "is a symbolic link; make it a folder of this repository")
                return
            status = os.lstat(os.sep.join((folder.path, FILE_NAME)))  # noqa: PTH118
        except FileNotFoundError:
            return  # a run that is still going, or a folder of something else
        except OSError as error:
            yield Finding(shown, 1, 1, "", f"cannot be read ({error.strerror}); check its permissions")
            return
        if not stat.S_ISREG(status.st_mode):
            yield Finding(shown, 1, 1, "", f"is {_kind(status.st_mode)}; put the run's own file in its place")
        elif not _is_text(shown):
            yield Finding(_readable(shown), 1, 1, "", "has a name that is not UTF-8; rename its folder")
        elif (spelled := self._spelled(key, framework, folder.name)) is not None:
            yield Finding(shown, 1, 1, "", twin("/".join(spelled)))
        else:
            yield RunFile(key, shown, status.st_size)

    def _spelled(self, key: RunKey, framework: str, run_id: str) -> tuple[str, str] | None:
        """Note how the folders of the run are spelled; the spelling of another folder that already is that run."""
        before = self._folders.setdefault(key, (framework, run_id))
        return before if before != (framework, run_id) else None

    def _replace(self, key: RunKey, change: Callable[[bytes], Rewritten | None]) -> bool:
        file = Path(self._file(key))
        while True:
            before = self.read(key)
            after = change(before)
            if after is None or after.data == before:
                return False
            with _beside(file, after.data) as new:
                if self.read(key) == before:
                    self._put_evidence(key, file, after.evidence)
                    new.replace(file)
                    for leftover in file.parent.glob(TEMPORARY):  # until now they told whose evidence lies there
                        leftover.unlink(missing_ok=True)
                    return True

    def _put_evidence(self, key: RunKey, like: Path, data: bytes | None) -> None:
        if data is not None:
            with _beside(like, data) as new:
                new.replace(self._file(key, EVIDENCE_NAME))

    def _read(self, key: RunKey, name: str) -> bytes:
        try:
            descriptor = os.open(self._file(key, name), PLAIN)
            with os.fdopen(descriptor, "rb") as stream:
                size = os.fstat(descriptor).st_size
                if size <= MOST_BYTES:
                    return stream.read()
        except OSError as error:
            raise _failed("read", self._shown(key, name), error) from error
        raise StoreError(
            f"{_readable(self._shown(key, name))}: has {size:,} bytes, more than the {MOST_BYTES:,} that are read",
            code="unreadable_file",
            remedy="restore the file from version control, or take it out",
        )

    def _file(self, key: RunKey, name: str = FILE_NAME) -> str:
        """Text, because building a path costs as much as opening the file."""
        framework, run_id = self._folders.get(key, (key.framework, key.run_id))
        return os.sep.join((str(self.root), framework, run_id, name))  # noqa: PTH118

    def _shown(self, key: RunKey, name: str = FILE_NAME) -> str:
        return self._file(key, name).replace(os.sep, "/")

    def _finding(self, name: str, message: str) -> Finding:
        return Finding(_readable((self.root / name).as_posix()), 1, 1, "", message)


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    """Folders and links to them, by name; files and hidden folders are none of ours."""
    with os.scandir(folder) as entries:
        return sorted((e for e in entries if e.is_dir() and not e.name.startswith(".")), key=lambda e: e.name)


@contextmanager
def _beside(file: Path, data: bytes) -> Iterator[Path]:
    """A new file in the same folder with these bytes and the mode of `file`, to be renamed or gone at the end."""
    temporary = file.with_name(TEMPORARY.replace("*", secrets.token_hex(8)))
    try:
        temporary.write_bytes(data)
        temporary.chmod(stat.S_IMODE(file.lstat().st_mode))
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Writers of one run take turns. Windows has no lock on folders: there the comparison before the replace guards."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415  not on every system

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _failed(action: str, path: str, error: OSError) -> StoreError:
    return StoreError(
        f"{_readable(path)}: cannot be {action} ({error.strerror})",
        code="unreadable_file" if action == "read" else "unwritable_file",
        remedy="check the permissions of the file and its folder and the space on the disk, then run the pass again",
    )


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "no plain file")


def _is_text(path: str) -> bool:
    return _readable(path) == path


def _readable(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")
