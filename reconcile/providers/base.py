"""What one provider is to the rest of the program: what it can tell, what it is asked, and what it answers.

A scope says which of its usage a run may call its own. Keys are told as it lists them: never a secret, only what is
left of one in its redacted value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from reconcile.errors import ReconcileError
from reconcile.minutes import Window, minute_of
from reconcile.providers import abilities
from reconcile.usage import Bucket, Call, OddRow, names

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""This machine's own names, where a simulator answers: no proxy is asked for them, and no TLS needed."""


EXCLUDED, INCLUDED, ONLY = "exclude", "include", "only"


@dataclass(frozen=True, slots=True)
class Scope:
    """What identifies a run's traffic. An empty tuple admits everything of that dimension."""

    provider: str
    api_key_ids: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    batch: str = EXCLUDED
    """Whether rows of batch jobs are among its traffic: `exclude`, `include`, or `only` these."""

    @property
    def counted(self) -> bool:
        """Whether its provider tells requests."""
        return abilities(self.provider).counted

    def admits(self, bucket: Bucket) -> bool:
        return self.sees(bucket) and (self.batch == INCLUDED or bool(bucket.batch) == (self.batch == ONLY))

    def sees(self, bucket: Bucket) -> bool:
        """Whether the bucket is of its keys, projects and models, be it of a batch job or not."""
        return (
            (not self.api_key_ids or bucket.api_key_id in self.api_key_ids)
            and (not self.project_ids or bucket.project_id in self.project_ids)
            and (not self.models or any(names(alias, bucket.model) for alias in self.models))
        )

    def may_admit(self, row: OddRow) -> bool:
        """Whether the row may be usage of this scope, as far as it can be read."""
        unreadable = row.unreadable
        return (
            (not self.api_key_ids or "api_key_id" in unreadable or row.api_key_id in self.api_key_ids)
            and (not self.project_ids or "project_id" in unreadable or row.project_id in self.project_ids)
            and (not self.models or "model" in unreadable or any(names(alias, row.model) for alias in self.models))
        )

    def may_name(self, model: str) -> bool:
        """Whether usage of what a call log names `model` can be admitted, under that name or a dated one."""
        return not self.models or any(names(alias, model) or names(model, alias) for alias in self.models)

    def meets(self, other: Scope) -> bool:
        """Whether one bucket can be admitted by both; may say yes where only odd model names would decide."""
        return (
            self.provider == other.provider
            and {self.batch, other.batch} != {EXCLUDED, ONLY}
            and _common(self.api_key_ids, other.api_key_ids)
            and _common(self.project_ids, other.project_ids)
            and (
                not self.models
                or not other.models
                or any(names(a, b) or names(b, a) for a in self.models for b in other.models)
            )
        )


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return not one or not other or bool(set(one) & set(other))


@dataclass(frozen=True, slots=True)
class Query:
    """One request to a provider: whole minutes `[start, end)`; no key ids means every key."""

    provider: str
    window: Window
    api_key_ids: tuple[str, ...] = ()
    grouped: bool = True
    """Whether a minute has a row for each project, key, model, batch flag and tier, or one for all of them."""
    scopes: tuple[Scope, ...] = field(default=(), compare=False)
    """Those of all claims. A row that cannot be true fails the query, unless none of them can admit it. Where none is
    given, every such row does."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete answer to a `Query`: every bucket of every page, and what it took to get them."""

    query: Query
    buckets: tuple[Bucket, ...]
    pages: int = 1
    retries: int = 0
    date: datetime | None = None
    """When it was answered, by the provider's own clock."""
    odd: tuple[OddRow, ...] = ()
    """Rows that cannot be true and that no scope of the query can admit."""
    whole_until: datetime | None = None
    """The provider's own watermark: what was used before it is all there, of what was used after it nothing is said.
    None where every minute of the query is there."""

    @property
    def covered(self) -> Window:
        """The minutes that are answered whole; an empty window where none is."""
        asked = self.query.window
        if self.whole_until is None:
            return asked
        return Window(asked.start, max(asked.start, min(asked.end, minute_of(self.whole_until.timestamp()))))


class UsageProvider(Protocol):
    """A source of reported usage. One that has no `name` is the default provider."""

    def fetch(self, query: Query) -> Fetched:
        """Every minute of the query's window, or `ProviderError`: never a part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One key of one project. Names are its owner's text; two keys may have the same."""

    id: str
    name: str
    redacted: str
    """`sk-abc...def`: its beginning and its end."""
    project_id: str
    project: str
    archived: bool = False
    """Whether its project is."""
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What one question to a provider came to."""

    asked_at: datetime
    """By this machine's clock, when the answer had come."""
    served_at: datetime | None = None
    """By the provider's, where it tells."""
    local: bool = False
    """Whether the provider is on this machine, as a simulator is."""
    problem: ReconcileError | None = None
    """Why the key was refused, or nobody answered."""


def minutes_of_calls(calls: Iterable[Call]) -> list[Bucket]:
    """Single calls as rows of the minutes in which they ended, in the order of time; a call is told once, by its id."""
    once = {call.id: call for call in calls}
    rows = (
        Bucket(minute_of(call.ended), call.usage, call.api_key_id, call.model, call.project_id)
        for call in once.values()
    )
    return sorted(rows, key=lambda row: row.minute)


class Unit(StrEnum):
    """What a provider reports one by one."""

    MINUTES = "minutes"
    CALLS = "calls"


class Whole(StrEnum):
    """What shows that an answer lacks nothing."""

    CONTIGUOUS = "contiguous"
    """Every minute is there, those without usage too."""
    WATERMARK = "watermark"
    """Minutes without usage are left out; the provider says up to which instant it has told all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a provider can tell, which decides what a verdict may rest on."""

    unit: Unit = Unit.MINUTES
    counted: bool = True
    """Whether requests are told beside tokens. Without them tokens that match support a figure, and prove none."""
    whole: Whole = Whole.CONTIGUOUS
    totals: bool = False
    """Whether the same minutes can be asked for in one row each, which the rows then have to add up to."""
    page_minutes: int = 1440
    """The most minutes that one query may span."""
    keeps: timedelta | None = None
    """How long minutes can be asked for; None where that is not documented."""
    currency: str | None = None
    """Of its bill; None where it tells no money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """All that the rest of the program knows of one provider."""

    name: str
    """As scopes, settings and files spell it."""
    title: str
    abilities: Abilities
    key_id: re.Pattern[str]
    """What can be the id of a key, and is no secret."""
    key_example: str
    key_page: str
    """Where ids stand beside their keys."""
    key_variable: str
    """The environment variable of one framework's key, with {} for the framework; with `_ID` behind it, of its id."""
    admin_key_variables: tuple[str, ...]
    """Where the key that reads usage may stand; the first that is set is used."""
    admin_key_page: str
    """Where such a key is made, without its scheme."""
    right: str
    """That such a key needs."""
    url: str
    """The address that is asked where nobody names another."""
    url_variable: str
    gateway_variable: str
    """Where experiments send their calls, as every client of it understands it. That may be anybody's gateway."""
    usage: Callable[..., UsageProvider]
    """What answers queries: of an admin key, an address, and named `now` and `on_progress`."""
    spelled: Callable[..., str]
    """A query, to an address where one is given, as a curl line."""
    billing: Callable[..., Any] | None = None
    """What answers for whole days, with their costs."""
    keys: Callable[..., tuple[ListedKey, ...]] | None = None
    """What lists its keys: of an admin key and an address."""
    contact: Callable[..., Contact] | None = None
    """One question to an address, which tells whether the key is taken and what time it is there."""

    @property
    def admin_key_variable(self) -> str:
        return self.admin_key_variables[0]
