"""One thing that was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_NAMED = 3
"""Things of a kind that a line names; the others are counted."""


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`message` says what was found, `remedy` what to do; None where there is nothing to do. Names in them are
    untrusted."""

    name: str
    status: Health
    message: str
    remedy: str | None = None


def ok(name: str, message: str) -> Check:
    return Check(name=name, status=Health.OK, message=message)


def warning(name: str, message: str, remedy: str) -> Check:
    return Check(name=name, status=Health.WARNING, message=message, remedy=remedy)


def error(name: str, message: str, remedy: str) -> Check:
    return Check(name=name, status=Health.ERROR, message=message, remedy=remedy)


def listed(names: Iterable[object]) -> str:
    """`a, b, c and 4 more`."""
    every: Sequence[str] = [str(name) for name in names]
    left = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {left:,} more" if left > 0 else "")
