"""Sets a folder up: settings, the hourly workflow, what git ignores, and a place for the first runs.

Files are created all or none, and never over one that is there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from reconcile.doctor.beginning import IGNORE, SETTINGS, WORKFLOW, Beginning, readme_text, settings_text, to_ignore
from reconcile.errors import StoreError, UsageError


def start(root: Path, beginning: Beginning) -> tuple[str, ...]:
    """Write what is missing, all of it or nothing. Returns the files that were created or added to.

    No file that is there is overwritten; a folder of runs that has something in it already is left as it is. Raises
    UsageError or StoreError.
    """
    project = ProjectFiles(root)
    files = {SETTINGS: settings_text(beginning).encode()}
    if beginning.workflow:
        _refuse_elsewhere(project)
        files[WORKFLOW] = workflow_template()
    if not project.holds_something(beginning.folder):
        files[beginning.readme] = readme_text(beginning).encode()
    before = project.text(IGNORE)
    ignored = to_ignore(before or b"")
    appended: Mapping[str, bytes] = {IGNORE: ignored} if ignored and before is not None else {}
    if before is None:
        files[IGNORE] = ignored
    project.create(files, appended)
    return (*files, *appended)


def _refuse_elsewhere(project: ProjectFiles) -> None:
    """GitHub runs the workflows of a repository's root, and says nothing of others."""
    root = project.repository()
    if root is not None and root != project.root.resolve():
        raise UsageError(
            f"this folder is not the root of its repository, which is {root}: GitHub would not find the workflow here",
            code="not_the_root",
            remedy="go there, or leave the workflow out with --no-workflow; nothing was written",
        )


TEMPLATE = Path(__file__).parent.parent / "templates" / "workflow.yml"


def workflow_template() -> bytes:
    """The hourly workflow, as README shows it."""
    with _translated(TEMPLATE, "read"):
        return TEMPLATE.read_bytes()


class ProjectFiles:
    """The files below `root`, by their names with slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def repository(self) -> Path | None:
        """The root of the git repository that this folder is in; None where it is in none."""
        here = self.root.resolve()
        return next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), None)

    def holds_something(self, name: str) -> bool:
        """Whether there is a folder of this name that is not empty. Raises StoreError."""
        with _translated(self.root / name, "read"):
            try:
                with os.scandir(self.root / name) as entries:
                    return any(entries)
            except FileNotFoundError:
                return False

    def text(self, name: str) -> bytes | None:
        """The bytes of a plain file; None where there is none. Raises StoreError."""
        file = self.root / name
        with _translated(file, "read"):
            try:
                mode = file.lstat().st_mode
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(mode):
                raise OSError(0, "it is no plain file")
            return file.read_bytes()

    def create(self, files: Mapping[str, bytes], appended: Mapping[str, bytes]) -> None:
        """Create these files, and put bytes behind those. Raises UsageError or StoreError: then nothing was done."""
        if taken := [name for name in files if os.path.lexists(self.root / name)]:
            raise _taken(taken)
        made: list[Path] = []
        try:
            for name, data in files.items():
                self._create(name, data, made)
            for name, data in appended.items():
                with _translated(self.root / name, "written"):
                    _append(self.root / name, data)
        except BaseException:
            _undo(made)
            raise

    def _create(self, name: str, data: bytes, made: list[Path]) -> None:
        file = self.root / name
        with _translated(file, "written"):
            for folder in reversed([each for each in file.parents if not each.exists()]):
                folder.mkdir()
                made.append(folder)
            try:
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            except FileExistsError as error:
                raise _taken([name]) from error
            made.append(file)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)


def _append(file: Path, data: bytes) -> None:
    """All of it or nothing: what a full disk took is cut off again."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, before)
            raise OSError(0, "the disk is full")
    finally:
        os.close(descriptor)


def _undo(made: Sequence[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _taken(names: Sequence[str]) -> UsageError:
    return UsageError(
        f"{', '.join(names)}: {'exists' if len(names) == 1 else 'exist'} already; nothing was written",
        code="file_exists",
        remedy="move it away, or go on with the settings that are there; --no-workflow leaves the workflow out",
    )


@contextmanager
def _translated(file: Path, action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{file}: cannot be {action} ({error.strerror})",
            code="unreadable_file" if action == "read" else "unwritable_file",
            remedy="check what it is, its permissions and the space on the disk; nothing was written",
        ) from error
