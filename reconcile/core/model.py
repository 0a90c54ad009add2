"""The values that the stages of a pass hand to each other, in the words of CONTRIBUTING.md.

Tokens and calls are whole numbers, minutes are Unix seconds divisible by 60, instants are aware UTC datetimes.
Nothing here reads, writes or decides.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, TypeAlias

MINUTE = 60
"""Seconds in the smallest bucket: providers store usage per UTC minute, and nothing tells it apart more finely."""

GUARD_MINUTES = 60
"""How many unclaimed minutes on either side of a claim are watched for usage that nobody claims."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""This machine's own names, where a simulator answers: no proxy is asked for them, and no TLS needed."""

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Pointer: TypeAlias = tuple[str | int, ...]
"""A place in a JSON document: the keys and indexes that lead to it."""


# ------------------------------------------------------------------------------------------------ figures


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and calls. Input includes cached input, output includes reasoning."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached_tokens: int = 0
    api_calls: int = 0

    @property
    def parts(self) -> tuple[int, int, int, int]:
        return (self.tokens_in, self.tokens_out, self.cached_tokens, self.api_calls)

    @property
    def is_zero(self) -> bool:
        return not any(self.parts)

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def __sub__(self, other: Usage) -> Usage:
        """The difference, kind by kind; a part of it may be below zero."""
        return Usage(*(a - b for a, b in zip(self.parts, other.parts, strict=True)))

    def rose_from(self, other: Usage) -> bool:
        """Some kind is higher than in `other` and none is lower."""
        return self != other and all(a >= b for a, b in zip(self.parts, other.parts, strict=True))


KINDS = ("tokens_in", "tokens_out", "cached_tokens", "api_calls")
"""The fields of a `Usage`, in the order of its `parts`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """An interval that holds the true figure, kind by kind, both ends included."""

    low: Usage
    high: Usage

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run counted by itself; None where it did not count that kind."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    cached_tokens: int | None = None
    api_calls: int | None = None
    source: str | None = None

    @property
    def parts(self) -> tuple[int | None, int | None, int | None, int | None]:
        return (self.tokens_in, self.tokens_out, self.cached_tokens, self.api_calls)

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None]:
        return self.parts[:3]


NOTHING_RECORDED = Recorded().parts


# ---------------------------------------------------------------------------------------------- call logs


@dataclass(frozen=True, slots=True)
class LoggedCalls:
    """Calls of a log that can have been reported in the same minutes, `first` to `last`, added up."""

    first: int
    last: int
    usage: Usage
    line: int
    """Of the file: where the first of them stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """A run's `calls.ndjson`: every call that it wrote down, without those that were aborted."""

    calls: tuple[LoggedCalls, ...]
    total: Usage
    complete: bool
    """Whether the file states that no call is missing."""
    duplicates: int = 0
    """Rows that a later one with the same response id took the place of."""
    aborted: int = 0
    """Calls whose answer was cut off. They may be billed or not, so nothing is concluded from them."""
    strays: int = 0
    """Calls that cannot have been made in the run's window."""
    api_key_ids: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    digest: str
    """SHA-256 of the file, in hexadecimal."""

    def contradicts(self, recorded: Recorded) -> bool:
        """Whether the log and what the run's own file says of it cannot both be right.

        A log that states to be complete is to say the same; one that does not is to say no more. Aborted calls may
        be counted in the file, for they are not in the log.
        """
        if recorded.parts == NOTHING_RECORDED:
            return False
        pairs = list(zip(recorded.parts, self.total.parts, strict=True))
        if any(said is not None and said < logged for said, logged in pairs):
            return True
        if not self.complete:
            return False
        if self.aborted:
            return (recorded.api_calls or 0) > self.total.api_calls + self.aborted
        return any(said is not None and said > logged for said, logged in pairs)


def known(recorded: Recorded, log: CallLog | None, *, doubted: bool) -> Recorded:
    """What a run counted itself: what its file says, and what its call log adds to that.

    Calls are the larger of both numbers. Tokens are those of a complete log, and nobody's where the log is `doubted`:
    one of the two counts wrongly, and nothing tells which.
    """
    if log is None:
        return recorded
    stated = log.complete or recorded.api_calls is not None
    calls = max(recorded.api_calls or 0, log.total.api_calls) if stated else None
    if doubted:
        return Recorded(api_calls=calls, source=recorded.source)
    if not log.complete:
        return replace(recorded, api_calls=calls)
    return Recorded(
        max(recorded.tokens_in or 0, log.total.tokens_in),
        max(recorded.tokens_out or 0, log.total.tokens_out),
        max(recorded.cached_tokens or 0, log.total.cached_tokens),
        calls,
        recorded.source,
    )


# ------------------------------------------------------------------------------------- time, scope, buckets


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open `[start, end)` in Unix seconds, both whole UTC minutes."""

    start: int
    end: int

    @classmethod
    def around(cls, start: float, end: float) -> Window:
        """The least whole minutes that hold `[start, end)`, at least one of them."""
        first = int(start // MINUTE) * MINUTE
        last = int(-(-end // MINUTE)) * MINUTE
        return cls(first, max(last, first + MINUTE))

    @property
    def minutes(self) -> int:
        return (self.end - self.start) // MINUTE

    def meets(self, other: Window) -> bool:
        return self.start < other.end and other.start < self.end

    def holds(self, other: Window) -> bool:
        return self.start <= other.start and other.end <= self.end

    def widened(self, minutes: int) -> Window:
        return Window(self.start - minutes * MINUTE, self.end + minutes * MINUTE)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One minute of reported usage of one project, key, model, batch flag and service tier."""

    minute: int
    usage: Usage
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    batch: bool | None = None
    service_tier: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What identifies a run's traffic. An empty tuple admits everything of that dimension."""

    provider: str
    api_key_ids: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def admits(self, bucket: Bucket) -> bool:
        return (
            (not self.api_key_ids or bucket.api_key_id in self.api_key_ids)
            and (not self.project_ids or bucket.project_id in self.project_ids)
            and (not self.models or any(names(alias, bucket.model) for alias in self.models))
        )

    def may_name(self, model: str) -> bool:
        """Whether usage of what a call log names `model` can be admitted, under that name or a dated one."""
        return not self.models or any(names(alias, model) or names(model, alias) for alias in self.models)

    def meets(self, other: Scope) -> bool:
        """Whether one bucket can be admitted by both; may say yes where only odd model names would decide."""
        return (
            self.provider == other.provider
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


SNAPSHOT = "-[0-9]{4}(-[0-9]{2}-[0-9]{2})?"
"""What a dated snapshot adds to the name of its model: gpt-4o-mini-2024-07-18, and of older ones gpt-4-0613."""


@lru_cache(maxsize=4096)
def names(alias: str, model: str | None) -> bool:
    """Whether `alias` is the reported `model` or its undated form: usage is reported under dated snapshots."""
    return model is not None and (model == alias or re.fullmatch(re.escape(alias) + SNAPSHOT, model) is not None)


@dataclass(frozen=True, slots=True)
class Query:
    """One request to a provider: whole minutes `[start, end)`; no key ids means every key."""

    provider: str
    window: Window
    api_key_ids: tuple[str, ...] = ()
    grouped: bool = True
    """Whether a minute has a row for each project, key, model, batch flag and tier, or one for all of them."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A complete answer to a `Query`: every bucket of every page, and what it took to get them."""

    query: Query
    buckets: tuple[Bucket, ...]
    pages: int = 1
    retries: int = 0


class UsageProvider(Protocol):
    """A source of reported usage."""

    def fetch(self, query: Query) -> Fetched:
        """Every minute of the query's window, or `ProviderError`: never a part of it."""


# ------------------------------------------------------------------------------------------ verdicts' words


class Status(StrEnum):
    PENDING = "pending"
    DATA_NOT_AVAILABLE = "data_not_available"
    VERIFIED = "verified"
    WARNING = "warning"
    FAILED = "failed"

    @property
    def settled(self) -> bool:
        return self in (Status.VERIFIED, Status.WARNING, Status.FAILED)


class Reason(StrEnum):
    """Why a run has its status: a closed list, CONTRIBUTING.md says which goes with which status."""

    FIRST_READ = "first_read"
    RISING = "rising"
    AWAITING_STABILITY = "awaiting_stability"
    CALLS_MISSING = "calls_missing"
    LOWER_READ = "lower_read"
    EDGE_USAGE = "edge_usage"
    NO_USAGE_YET = "no_usage_yet"
    STABLE = "stable"
    NO_API_CALLS = "no_api_calls"
    LOG_MATCHED = "log_matched"
    SHARED_MINUTES = "shared_minutes"
    EXTRA_CALLS = "extra_calls"
    RECORDED_MISMATCH = "recorded_mismatch"
    RESTATED = "restated"
    ZERO_UNCONFIRMED = "zero_unconfirmed"
    CUTOFF_PASSED = "cutoff_passed"
    ZERO_USAGE_WITH_CALLS = "zero_usage_with_calls"


class Completeness(StrEnum):
    """What the completeness of a figure rests on, strongest first."""

    CALLS_AND_TOKENS_MATCHED = "calls_and_tokens_matched"
    CALLS_MATCHED = "calls_matched"
    ASSUMED = "assumed"


# ------------------------------------------------------------------------------------------ files and runs


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


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """A run's name: the two folders that lead to its file. Untrusted text; escape it wherever it goes."""

    framework: str
    run_id: str

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


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to the usage in its scope and window, with what it counted itself."""

    run: RunKey
    scope: Scope
    window: Window
    recorded: Recorded = Recorded()
    """What the run's own file says."""
    log: CallLog | None = None
    gone: bool = False
    """Whether only a neighbour's file knows it still: its own is not there any more, or cannot be read."""

    @property
    def doubted(self) -> bool:
        """Whether its log cannot be right beside its file, its window or its scope. Then it only counts calls."""
        log, scope = self.log, self.scope
        return log is not None and (
            log.strays > 0
            or log.contradicts(self.recorded)
            or (bool(scope.api_key_ids) and not log.api_key_ids.issubset(scope.api_key_ids))
            or not all(scope.may_name(model) for model in log.models)
        )

    @property
    def known(self) -> Recorded:
        """What the run counted itself, in its file and its log."""
        return known(self.recorded, self.log, doubted=self.doubted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a run is due and when its figure counts as stable."""

    min_age: timedelta = timedelta(minutes=30)
    max_age: timedelta = timedelta(minutes=1440)
    verification_interval: timedelta = timedelta(minutes=30)
    min_stable_verifications: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A complete read of a run's usage at one instant: an entry of `attempts` in its file."""

    at: datetime
    figure: Usage
    reported: Usage
    """All usage of window and scope; the figure where the run was alone. Stability is judged on it."""
    bounds: Bounds | None = None
    """None where the figure was exact, or where calls were missing."""
    status: str | None = None
    """What the file said after this read; None in the reads of another tool, which measured another window."""
    forced: bool = False
    window_changed: bool = False

    @property
    def restarts(self) -> bool:
        """Whether what was read before says nothing about this figure."""
        return self.forced or self.window_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another claim that shared minutes with a run when its verdict was made."""

    run: str
    window: Window
    gone: bool = False
    """Whether its file was gone by then, so that it was judged without what that said."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How many unclaimed minutes around a claim were read, and the requests they hold."""

    minutes: int
    requests: int

    @property
    def most_hidden(self) -> float | None:
        """Where these minutes are quiet: the most requests a minute that foreign traffic may make unseen, at 95 per
        cent (the rule of three). None where they are not, and where none was read."""
        return None if self.requests or not self.minutes else 3 / self.minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a file says about its reconciliation so far."""

    status: Status
    reasons: tuple[str, ...] = ()
    completeness: str | None = None
    assumes: tuple[str, ...] = ()
    message: str = ""
    ours: bool = True
    """False where another tool wrote it: its reads are observations, its verdicts are inherited."""
    observations: tuple[Observation, ...] = ()
    figure: Usage = Usage()
    bounds: Bounds | None = None
    exact: bool = False
    neighbours: tuple[Neighbour, ...] = ()
    shared_minutes: int = 0
    guard: Guard | None = None
    window: Window | None = None
    reconciled_at: datetime | None = None
    verified_at: datetime | None = None
    restatement: tuple[Usage, Usage] | None = None
    policy: Policy | None = None
    """The settings under which its reads were last kept; None where another tool wrote it."""

    @property
    def inherited(self) -> bool:
        """Settled by another tool: shown apart, left alone until it is forced."""
        return not self.ours and self.status is Status.VERIFIED

    @property
    def closed_by_cutoff(self) -> bool:
        """Given up for its age, not for its figures: a later cutoff reopens it."""
        return self.ours and self.status is Status.FAILED and Reason.CUTOFF_PASSED in self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a v1 file: the seconds it took, or None where the file does not know them."""

    number: int
    span: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScope:
    """What a run's own `usage_scope` says; None where it leaves the configured one in force."""

    provider: str | None = None
    api_key_ids: tuple[str, ...] | None = None
    project_ids: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded execution, as its file describes it."""

    key: RunKey
    path: str
    generation: Generation
    window: Window
    started_at: datetime
    ended_at: datetime
    recorded: Recorded = Recorded()
    log: CallLog | None = None
    own_scope: OwnScope | None = None
    steps: tuple[Step, ...] = ()
    """Empty in v2 files, whose steps carry no usage."""
    state: State | None = None

    @property
    def known(self) -> Recorded:
        """What the run counted itself, in its file and its log."""
        log = self.log
        doubted = log is not None and (log.strays > 0 or log.contradicts(self.recorded))
        return known(self.recorded, log, doubted=doubted)

    @property
    def edited(self) -> bool:
        """Whether its times were changed after it was read: what was read then is about another window."""
        return self.state is not None and self.state.ours and self.state.window != self.window

    @property
    def settled(self) -> bool:
        return (
            self.state is not None
            and not self.edited
            and (self.state.inherited or (self.state.ours and self.state.status.settled))
        )


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of figures; nothing sums to zero."""
    sums = [0, 0, 0, 0]
    for usage in usages:
        for kind, value in enumerate(usage.parts):
            sums[kind] += value
    return Usage(*sums)


def minutes_of(window: Window) -> range:
    return range(window.start, window.end, MINUTE)


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same minutes as sorted windows that neither meet nor touch."""
    apart: list[Window] = []
    for window in sorted(windows):
        if apart and window.start <= apart[-1].end:
            apart[-1] = Window(apart[-1].start, max(apart[-1].end, window.end))
        else:
            apart.append(window)
    return apart


def any_meets(apart: Sequence[Window], window: Window) -> bool:
    """Whether one of the windows, sorted and apart, meets `window`."""
    position = bisect_left(apart, window.end, key=lambda candidate: candidate.start)
    return position > 0 and apart[position - 1].end > window.start


def any_holds(apart: Sequence[Window], window: Window) -> bool:
    """Whether one of the windows, sorted and apart, holds all of `window`."""
    position = bisect_left(apart, window.end, key=lambda candidate: candidate.start)
    return position > 0 and apart[position - 1].holds(window)
