"""Which files git ignores. Whoever asks outside of a repository, or without git, hears of none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconcile.adapters.git_repo.command import Git
from reconcile.errors import ConfigurationError, GitError


def ignored(git: Git, folder: Path, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths, which are below the folder and spelled from where git is started, that git ignores.

    A file that is in the index is not ignored, whatever a pattern says of it.
    """
    if not paths:
        return frozenset()
    asked = "".join(f"{Path(path).absolute()}\0" for path in paths).encode("utf-8", "surrogateescape")
    try:
        answer = git.ask("-C", str(folder.absolute()), "check-ignore", "-z", "--stdin", stdin=asked)
    except GitError:
        return frozenset()
    if answer.code != 0:  # 1: none of them; 128: no repository here
        return frozenset()
    found = set(answer.stdout.decode("utf-8", "surrogateescape").split("\0"))
    return frozenset(path for path in paths if str(Path(path).absolute()) in found)


def ignored_around(folder: Path, paths: Sequence[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The same by the git that this environment has, if it has one."""
    try:
        git = Git.found(environ, folder=folder, secrets=(), protocols="https")
    except ConfigurationError:
        return frozenset()
    return ignored(git, folder, paths)
