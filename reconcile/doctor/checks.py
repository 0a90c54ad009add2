"""What was found out about a set-up, and a check: one thing that was looked at, and how it is.

Where something could not be found out, the error stands in its place. What a secret key looks like, and whether a
redacted value can be what is left of one, is decided here. Nothing of it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconcile.errors import ReconcileError
from reconcile.passes.selection import Selected
from reconcile.providers.base import Contact, ListedKey, Scope
from reconcile.runs.census import Census
from reconcile.runs.run import Claim, Finding, RunKey
from reconcile.runs.state import Policy


class KeyKind(StrEnum):
    """What a secret looks like."""

    ADMIN = "admin"
    PROJECT = "project"
    """A project's or a service account's: it makes calls, and cannot read usage."""
    MALFORMED = "malformed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVariable:
    """A variable that holds a secret, and what may be said of it."""

    name: str
    kind: KeyKind
    alike: tuple[str, ...] = ()
    """Other variables that hold the same."""
    fits: tuple[str, ...] = ()
    """Ids of the listed keys whose redacted value it fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A workflow that may start passes. `last`: when its schedule last did."""

    path: str
    state: str
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """What GitHub says of the repository."""

    repository: str
    branch: str
    rules: frozenset[str] = frozenset()
    """Kinds of rules in force on the branch."""
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the checks look at."""

    now: datetime
    python: str
    version: str
    """Of this package."""
    lacking: tuple[str, ...] = ()
    """Extras that the configuration needs and that are not installed."""
    configuration: str
    """The file."""
    configured: bool = True
    """Whether there is one."""
    misconfigured: ReconcileError | None = None
    policy: Policy = field(default_factory=Policy)
    runs: str = "runs"
    """The folder."""
    unreadable: tuple[ReconcileError, ...] = ()
    """What kept the folder, or files in it, from being read."""
    findings: tuple[Finding, ...] = ()
    census: Census = Census()  # noqa: RUF009  a frozen value
    selected: tuple[Selected, ...] = ()
    neighbours: Mapping[RunKey, tuple[Claim, ...]] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """By framework, as far as they are known."""
    id_errors: tuple[ReconcileError, ...] = ()
    """Variables that should hold key ids and do not."""
    admin: KeyVariable | None = None
    keys: Mapping[str, KeyVariable] = field(default_factory=dict)
    """By framework, the variables with their secret keys."""
    contact: Contact | None = None
    """None where no key could be sent."""
    replayed: bool = False
    """Whether `now` was given, so that no clock is compared."""
    listing: tuple[ListedKey, ...] | ReconcileError | None = None
    used: frozenset[str] | ReconcileError | None = None
    """Ids of the keys with usage in the last 24 hours."""
    automation: Automation | ReconcileError | None = None
    """None where no repository or no token is known."""


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


LEFT_OUT = re.compile(r"\.{2,}|\u2026|\*+")
"""What stands in a redacted value for what is left out."""

FEWEST_SHOWN = 3
"""Characters of a secret's end that make it worth a comparison."""

KEY = re.compile(r"sk-[A-Za-z0-9_-]{12,}")
"""What is no text but a key, wherever it comes from."""

HIDDEN = "[key]"
SHORTEST = 8
"""Characters of a secret: shorter ones would be found in every other word."""


def kind_of(secret: str) -> KeyKind:
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        return KeyKind.MALFORMED
    if secret.startswith("sk-admin-"):
        return KeyKind.ADMIN
    return KeyKind.PROJECT if secret.startswith(("sk-proj-", "sk-svcacct-")) else KeyKind.OTHER


def fitting(secret: str, keys: Iterable[ListedKey]) -> tuple[str, ...]:
    """Ids of the keys whose redacted value begins and ends like the secret."""
    return tuple(dict.fromkeys(key.id for key in keys if _fits(secret, key.redacted)))


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without any of these secrets, and without what looks like another one."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return KEY.sub(HIDDEN, text)


def _fits(secret: str, redacted: str) -> bool:
    first, *between, last = LEFT_OUT.split(redacted) if LEFT_OUT.search(redacted) else (redacted, "?", "")
    shown = len(first) + len(last)
    return (
        not between
        and len(last) >= FEWEST_SHOWN
        and len(secret) > shown
        and secret.startswith(first)
        and secret.endswith(last)
    )
