"""Holds logs to a folder: what a pattern finds must lie in it, wherever links and `..` would lead.

In a job the files of a workspace are anybody's who may push to it. A link there to a file of the machine would have
lines of that file quoted in a comment.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from reconcile.adapters.usage_logs.files import Pattern, find
from reconcile.errors import ConfigurationError

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
