"""The run files at the tip of a branch, held in memory: what a pass changes is kept for a commit.

The same rules as on a disk: only plain files in their place are runs, links and submodules are findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from reconcile.errors import StoreError
from reconcile.runs.run import Finding, Rewritten, RunFile, RunKey, twin

FILE_NAME = "metrics.json"
LOG_NAME = "calls.ndjson"
EVIDENCE_NAME = "usage_evidence.json"
RUN_PARTS = 3
KINDS = {"120000": "a symbolic link", "160000": "a submodule"}
"""Modes of git that are no files of this repository."""


class TreeStore:
    """Files by path. `entries` are mode and size of all that is below `root`; `contents` the bytes of runs' files, of
    their call logs and of their evidence."""

    def __init__(
        self, root: PurePosixPath, entries: Mapping[str, tuple[str, int]], contents: Mapping[str, bytes]
    ) -> None:
        self.root = root
        self._entries = entries
        self._contents = dict(contents)
        self._changed: dict[str, bytes] = {}
        self._folders: dict[RunKey, tuple[str, str]] = {}
        """Framework and run as the folders that were found are spelled."""

    @property
    def changed(self) -> dict[str, bytes]:
        """What differs from the tip, by path."""
        return {path: data for path, data in self._changed.items() if data != self._contents.get(path)}

    def discover(self) -> tuple[list[RunFile], list[Finding]]:
        files: list[RunFile] = []
        findings: list[Finding] = []
        self._folders = {}
        for path, (mode, size) in sorted(self._entries.items()):
            parts = PurePosixPath(path).relative_to(self.root).parts
            if mode in KINDS and (len(parts) < 3 or is_run(self.root, path)):  # noqa: PLR2004  a framework or a run
                what = "put the run's own file in its place" if is_run(self.root, path) else "make it a folder"
                findings.append(Finding(path, 1, 1, "", f"is {KINDS[mode]}; {what}"))
            elif is_run(self.root, path):
                key = RunKey(*parts[:2])
                beside = str(PurePosixPath(path).with_name(EVIDENCE_NAME))
                kind = KINDS.get(self._entries.get(beside, ("", 0))[0])
                if kind:
                    findings.append(Finding(beside, 1, 1, "", f"is {kind}; take it out, and the run is read again"))
                elif self._folders.setdefault(key, (parts[0], parts[1])) != parts[:2]:
                    findings.append(Finding(path, 1, 1, "", twin("/".join(self._folders[key]))))
                else:
                    files.append(RunFile(key, path, size))
        return files, findings

    def elsewhere(self) -> list[str]:
        """Files with the name of a run's at another depth."""
        return [path for path, (mode, _) in sorted(self._entries.items()) if mode not in KINDS and self._strays(path)]

    def _strays(self, path: str) -> bool:
        below = PurePosixPath(path).relative_to(self.root)
        hidden = any(part.startswith(".") for part in below.parts)
        return below.name == FILE_NAME and len(below.parts) != RUN_PARTS and not hidden

    def read(self, key: RunKey) -> bytes:
        path = self._path(key)
        return self._changed[path] if path in self._changed else self._at_tip(path)

    def log(self, key: RunKey) -> RunFile | Finding | None:
        path = self._path(key, LOG_NAME)
        if path not in self._entries:
            return None
        mode, size = self._entries[path]
        if mode in KINDS:
            return Finding(path, 1, 1, "", f"is {KINDS[mode]}; put the run's own call log in its place")
        return RunFile(key, path, size)

    def read_log(self, key: RunKey) -> bytes:
        return self._at_tip(self._path(key, LOG_NAME))

    def read_evidence(self, key: RunKey) -> bytes | None:
        path = self._path(key, EVIDENCE_NAME)
        return self._changed.get(path, self._contents.get(path))

    def leftovers(self, key: RunKey) -> list[bytes]:  # noqa: ARG002  a branch has none
        return []

    def update(self, key: RunKey, change: Callable[[bytes], Rewritten | None]) -> bool:
        before = self.read(key)
        after = change(before)
        if after is None or after.data == before:
            return False
        self._changed[self._path(key)] = after.data
        if after.evidence is not None:
            self._changed[self._path(key, EVIDENCE_NAME)] = after.evidence
        return True

    def original(self, path: str) -> bytes | None:
        """The bytes of a file at the tip; None where there was none."""
        return self._contents.get(path)

    def with_changes(self, changed: Mapping[str, bytes]) -> TreeStore:
        """The same tip with files that already differ from it."""
        store = TreeStore(self.root, self._entries, self._contents)
        store._changed = dict(changed)
        return store

    def _at_tip(self, path: str) -> bytes:
        if path not in self._contents:
            raise StoreError(f"{path}: is not there", code="unreadable_file", remedy="run the pass again")
        return self._contents[path]

    def _path(self, key: RunKey, name: str = FILE_NAME) -> str:
        framework, run_id = self._folders.get(key, (key.framework, key.run_id))
        return str(self.root / framework / run_id / name)


def is_run(root: PurePosixPath, path: str) -> bool:
    """Whether the path is exactly that of a run's file: `<root>/<framework>/<run_id>/metrics.json`."""
    below = PurePosixPath(path)
    return (
        below.name == FILE_NAME
        and below.parent.parent.parent == root
        and not any(part.startswith(".") for part in below.relative_to(root).parts[:2])
    )
