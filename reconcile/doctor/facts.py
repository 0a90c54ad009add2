"""What the shell found out about a set-up. Where something could not be found out, the error stands in its place."""

from __future__ import annotations

from collections.abc import Mapping
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
