"""The text of reconcile.yml, read byte for byte and replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

from reconcile.adapters.whole_file import write_whole
from reconcile.errors import StoreError


def read(file: Path) -> str:
    """Empty where there is no file."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _problem(file, "read", "check its permissions; it must be UTF-8") from error


def replace(file: Path, before: str, after: str) -> None:
    """Puts `after` in the place of `before`; a file that says something else by now is left alone.

    A link stays one: the file behind it is replaced. Permissions stay as they are.
    """
    place = file.resolve()
    if read(place) != before:
        raise _problem(file, "written: somebody else has changed it", "run again")
    try:
        write_whole(place, after.encode(), place.stat().st_mode & 0o777 if place.exists() else 0o644)
    except OSError as error:
        raise _problem(file, "written", "check the permissions of the file and its folder") from error


def _problem(file: Path, what: str, remedy: str) -> StoreError:
    code = "unreadable_file" if what == "read" else "unwritable_file"
    return StoreError(f"{file} cannot be {what}", code=code, remedy=remedy)
