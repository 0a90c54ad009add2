"""Files, what can be wrong with them, and JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

Pointer: TypeAlias = tuple[str | int, ...]
"""A place in a JSON document: the keys and indexes that lead to it."""


LFS_POINTER = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/")
"""How every pointer of Git LFS begins, which a repository holds in the place of a file's own bytes."""


def is_lfs_pointer(data: bytes) -> bool:
    """Whether these bytes, or those that a file begins with, only say where the file's own are kept."""
    return LFS_POINTER.match(data) is not None


class Generation(StrEnum):
    """The two shapes of metrics.json: in v1 steps carry tokens, in v2 they must not."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A defect of a file: where it is and a sentence that says how to mend it. Lines and columns count from 1."""

    path: str
    line: int
    column: int
    pointer: str
    message: str


def one_spelling(name: str) -> str:
    """The name in Unicode's composed form (NFC). Systems write an accented letter as one character or as two, and hand
    a folder on in another spelling than the one it was given: both are one name."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def twin(other: str) -> str:
    """What is wrong with a run's folder beside another that is the same run's."""
    return f"names the same run as {other!a}, in another spelling of Unicode; keep one of the two folders"


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """A run's name: the two folders that lead to its file, in one spelling whatever theirs is.

    Untrusted text; escape it wherever it goes.
    """

    framework: str
    run_id: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "framework", one_spelling(self.framework))
        object.__setattr__(self, "run_id", one_spelling(self.run_id))

    def __str__(self) -> str:
        return f"{self.framework}/{self.run_id}"


@dataclass(frozen=True, slots=True)
class RunFile:
    """Where one run's file is. `path` is how it is shown and named in commits: with forward slashes."""

    key: RunKey
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a run's file is to become, and the evidence beside it; None leaves that as it is."""

    data: bytes
    evidence: bytes | None = None


class RunFiles(Protocol):
    """The files of runs, on a disk or at the tip of a branch."""

    def discover(self) -> tuple[list[RunFile], list[Finding]]:
        """Every run's file, by name, and what lies in the place of one but cannot be one."""

    def elsewhere(self) -> list[str]:
        """Paths of files with the name of a run's that lie at another depth."""

    def read(self, key: RunKey) -> bytes:
        """The bytes of the run's file, or StoreError."""

    def update(self, key: RunKey, change: Callable[[bytes], Rewritten | None]) -> bool:
        """Replace the file by what `change` makes of it as it is now; None leaves it. Says whether it did."""

    def read_evidence(self, key: RunKey) -> bytes | None:
        """The bytes of the evidence beside the run's file; None where there is none. Raises StoreError."""

    def leftovers(self, key: RunKey) -> list[bytes]:
        """What killed writers were about to put into the run's file."""

    def log(self, key: RunKey) -> RunFile | Finding | None:
        """The run's call log, what lies in its place but cannot be one, or None: most runs keep none."""

    def read_log(self, key: RunKey) -> bytes:
        """The bytes of the run's call log, or StoreError."""
