"""What the commits of the main line had in some files: read from the repository around them; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconcile.errors import ReconcileError
from reconcile.git.runner import Git

MOST_VERSIONS = 50
"""Versions of one file that are looked at, the newest first: a run is written twice, and forced now and then."""

MOST_BYTES = 256_000_000
"""Of all versions together."""

SHORT = 10
CHANGED = {"A", "M"}
RAW = ("--raw", "--no-renames", "--no-abbrev", "-z")


def versions(folder: Path, paths: Sequence[str], environ: Mapping[str, str]) -> dict[str, list[tuple[str, bytes]]]:
    """By path, what the commits before had there: the commit, shortened, and the bytes, the newest first.

    Empty where the folder lies in no repository, and where there is no git: then nothing is known.
    """
    try:
        git = Git.found(environ, folder=folder, secrets=(), protocols="none")
        top = Path(git.run("rev-parse", "--show-toplevel").decode().strip())
    except (ReconcileError, OSError):
        return {}
    return had(git, top, folder, paths)


def had(
    git: Git, top: Path, folder: Path, paths: Sequence[str], *, head: str = "HEAD", base: str | None = None
) -> dict[str, list[tuple[str, bytes]]]:
    """The same of the line that ends in `head`. A `base` that was fetched without its history counts as before it."""
    try:
        listed = git.run("log", "--first-parent", "-m", "--format=%H", *RAW, head)
        if base:
            listed = f"{base}\0".encode() + git.run("diff-tree", "-r", *RAW, head, base) + listed
        found = _blobs(listed.decode("utf-8", "surrogateescape"))
        wanted = {path: found.get(_within(top, folder, path), []) for path in paths}
        contents = _contents(git, [blob for each in wanted.values() for _, blob in each])
    except (ReconcileError, OSError, ValueError):
        return {}
    return {
        path: [(commit[:SHORT], contents[blob]) for commit, blob in each if blob in contents]
        for path, each in wanted.items()
    }


def _within(top: Path, folder: Path, path: str) -> str:
    return (folder / path).resolve().relative_to(top.resolve()).as_posix()


def _blobs(listed: str) -> dict[str, list[tuple[str, str]]]:
    """By path from the top, commit and blob of each change that left one. The lists are of `git log --raw -z`, and of
    `git diff-tree` behind the name of a commit."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    commit = ""
    words = iter(listed.split("\0"))
    for each in words:
        word = each.lstrip("\n")
        if not word.startswith(":"):
            commit = word or commit
            continue
        _, _, _, blob, change = word.split(" ")
        path = next(words)
        if change in CHANGED and len(found[path]) < MOST_VERSIONS:
            found[path].append((commit, blob))
    return found


def _contents(git: Git, blobs: Sequence[str]) -> dict[str, bytes]:
    """The bytes of each blob, as far as all of them together stay below the bound."""
    asked = list(dict.fromkeys(blobs))
    sizes = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=_lines(asked)).decode().splitlines()
    kept, room = [], MOST_BYTES
    for line in sizes:
        name, _, size = line.partition(" ")
        if size.isdigit() and int(size) <= room:
            kept.append(name)
            room -= int(size)
    return dict(_batch(git.run("cat-file", "--batch", stdin=_lines(kept))))


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def _batch(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each object that `git cat-file --batch` printed."""
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        name, _, size = data[at:end].decode().split(" ")
        start = end + 1
        yield name, data[start : start + int(size)]
        at = start + int(size) + 1
