"""One recorded execution: its name, its files, the calls that it wrote down itself, and its right to usage."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from reconcile.minutes import EXACT, Clock, Window, any_meets, hull, minute_of
from reconcile.providers.base import Scope
from reconcile.runs.state import State
from reconcile.usage import NOTHING_RECORDED, UNRECORDED, Recorded, Usage

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


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


BOOKING_SLACK = 2.0
"""Seconds that a call is looked for around its own, however well the clock is known: it is not documented whether a
provider books the start of a call or its end, nor when that is."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call of a log, in Unix seconds of the clock that wrote it."""

    start: float
    end: float
    usage: Usage
    line: int
    """Of the file: where it stands."""


@dataclass(frozen=True, slots=True)
class PlacedCalls:
    """Calls of a log that can have been reported in the same minutes, `first` to `last`, added up."""

    first: int
    last: int
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """A run's `calls.ndjson`: every call that it wrote down and that had an answer, as far as completions go."""

    calls: tuple[LoggedCall, ...]
    total: Usage
    complete: bool
    """Whether the file states that no call is missing."""
    duplicates: int = 0
    """Rows that a later one with the same response id took the place of."""
    aborted: int = 0
    """Calls whose answer was cut off. They may be billed or not, so nothing is concluded from them."""
    unknown: int = 0
    """Requests of which nobody knows what they were. They may be billed or not, so such a log is not complete."""
    pending: int = 0
    """Background responses that had not ended when the run did. A log with any is not complete."""
    others: tuple[tuple[str, int], ...] = ()
    """Calls that are not in the figure of completions, by endpoint, in the order of names."""
    every_attempt: bool = False
    """Whether the file states that every attempt of every call is in it."""
    strays: int = 0
    """Calls that cannot have been made in the run's window."""
    api_key_ids: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    digest: str
    """SHA-256 of its lines by value, in hexadecimal."""
    former: tuple[str, ...] = field(default=(), compare=False)
    """By what the first version may have named it: digests of the file's bytes, whatever its line ends were then."""

    @property
    def names(self) -> tuple[str, ...]:
        """All digests that stand for it."""
        return (self.digest, *self.former)

    def is_named(self, digest: str) -> bool:
        """Whether a digest, of this version or the first, is this log's."""
        return digest in self.names

    def placed(self, clock: Clock) -> tuple[PlacedCalls, ...]:
        """The calls by the minutes in which the provider can have booked them, by what is known of the clock."""
        slack = max(BOOKING_SLACK, clock.uncertainty)
        found: dict[tuple[int, int], list[int]] = {}
        for call in self.calls:
            first = minute_of(call.start + clock.offset - slack)
            last = minute_of(call.end + clock.offset + slack)
            sums = found.setdefault((first, last), [0, 0, 0, 0])
            for kind, part in enumerate(call.usage.parts):
                sums[kind] += part
        return tuple(PlacedCalls(*span, Usage(*sums)) for span, sums in sorted(found.items()))

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
    beside = replace(
        recorded,
        aborted=max(recorded.aborted, log.aborted),
        unknown=max(recorded.unknown, log.unknown),
        others=_most(recorded.others, log.others),
        every_attempt=(recorded.every_attempt or log.every_attempt) and not doubted,
    )
    if doubted:
        return replace(beside, tokens_in=None, tokens_out=None, cached_tokens=None, api_calls=calls)
    if not log.complete:
        return replace(beside, api_calls=calls)
    return replace(
        beside,
        tokens_in=max(recorded.tokens_in or 0, log.total.tokens_in),
        tokens_out=max(recorded.tokens_out or 0, log.total.tokens_out),
        cached_tokens=max(recorded.cached_tokens or 0, log.total.cached_tokens),
        api_calls=calls,
    )


def _most(*counts: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Of every name the largest count."""
    return tuple(dict(sorted(pair for each in counts for pair in each)).items())


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to the usage in its scope and minutes, with what it counted itself.

    `minutes` are its own by the best guess at its clock. Its usage may have been booked anywhere in `reach`, which is
    wider by what that clock may be off; there it may be a stranger's as well.
    """

    run: RunKey
    scope: Scope
    window: Window
    recorded: Recorded = UNRECORDED
    """What the run's own file says."""
    log: CallLog | None = None
    gone: bool = False
    """Whether only a neighbour's file knows it still: its own is not there any more, or cannot be read."""
    clock: Clock = EXACT
    """By what its times and those of its log may be off. `window`, `sessions` and `reached` have the offset in them."""
    sessions: tuple[Window, ...] = ()
    """The parts of its window in which it ran, where it was interrupted."""
    reached: tuple[Window, ...] = ()
    """Where its usage may have been booked, sorted and apart; its own minutes where nothing is said."""

    @property
    def minutes(self) -> tuple[Window, ...]:
        """Its own minutes, sorted and apart."""
        return self.sessions or (self.window,)

    @property
    def reach(self) -> tuple[Window, ...]:
        """Every minute in which its usage may have been booked, sorted and apart."""
        return self.reached or self.minutes

    @property
    def span(self) -> Window:
        """From the first minute of its reach to the last."""
        reach = self.reach
        return reach[0] if len(reach) == 1 else hull(reach)

    def shares_reach(self, other: Claim) -> bool:
        """Whether some minute may hold usage of both."""
        return any(any_meets(other.reach, window) for window in self.reach)

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
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded execution, as its file describes it."""

    key: RunKey
    path: str
    generation: Generation
    window: Window
    started_at: datetime
    ended_at: datetime
    """Both by the provider's clock, as far as the run's is known."""
    spans: tuple[tuple[float, float], ...] = ()
    """When it ran, in seconds of that clock: once, or in each of its sessions."""
    sessions: tuple[Window, ...] = ()
    """The minutes of its sessions, sorted and apart; empty where its file tells of none."""
    recorded: Recorded = UNRECORDED
    log: CallLog | None = None
    clock: Clock | None = None
    """How far the provider's clock was from that of the run's machine; None where nobody measured it."""
    own_scope: OwnScope | None = None
    steps: tuple[Step, ...] = ()
    """Empty in v2 files, whose steps carry no usage."""
    cost_usd: int | float | None = None
    """What the file says that its tokens cost."""
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
        state = self.state
        return state is not None and state.ours and (state.window, state.sessions) != (self.window, self.sessions)

    @property
    def settled(self) -> bool:
        return (
            self.state is not None
            and not self.edited
            and (self.state.inherited or (self.state.ours and self.state.status.settled))
        )
