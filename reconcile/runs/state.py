"""The words of verdicts, the policy they are made by, and what a file says about its reconciliation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconcile.minutes import MINUTE, Window, joined
from reconcile.providers.base import INCLUDED
from reconcile.usage import ZERO, Bounds, Usage


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
    """Why a run has its status: a closed list, docs/verdict-rules.md says which goes with which status."""

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
    TOKENS_MISSING = "tokens_missing"
    STALLED_FEED = "stalled_feed"
    ENDS_IN_FUTURE = "ends_in_future"
    CLOCK_OFF = "clock_off"
    RECORDED_MISMATCH = "recorded_mismatch"
    RESTATED = "restated"
    ZERO_UNCONFIRMED = "zero_unconfirmed"
    CUTOFF_PASSED = "cutoff_passed"
    ZERO_USAGE_WITH_CALLS = "zero_usage_with_calls"


class Completeness(StrEnum):
    """What the completeness of a figure rests on, strongest first."""

    CALLS_AND_TOKENS_MATCHED = "calls_and_tokens_matched"
    CALLS_MATCHED = "calls_matched"
    TOKENS_MATCHED = "tokens_matched"
    ASSUMED = "assumed"


class Proof(StrEnum):
    """How a verified figure is held, strongest first."""

    PROVEN = "proven"
    """The run's own calls and tokens, all of them, are what was reported."""
    SUPPORTED = "supported"
    """Its own calls are as many as were reported; or its tokens are, where calls are not told."""
    ASSUMED = "assumed"
    """The run recorded nothing that could contradict it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a run is due and when its figure counts as stable."""

    min_age: timedelta = timedelta(minutes=30)
    max_age: timedelta = timedelta(minutes=1440)
    verification_interval: timedelta = timedelta(minutes=30)
    min_stable_verifications: int = 2
    clock_uncertainty: timedelta | None = None
    """By how much the clocks of the machines that ran the runs may be off, where somebody stated it."""


ASIDE = frozenset({"lower_read", "higher_read", "other_read"})
"""What an attempt is called that showed another figure than the run's. They are no statuses of a run."""


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
    matched: bool = False
    """Whether it was all that the run recorded, call for call and token for token, and nothing else."""
    fresh: bool = False
    """Whether it is being judged, and in no file yet."""
    unknown: frozenset[str] = frozenset()
    """The kinds that another tool did not read. They count as 0 here, and nobody may take that for a figure."""

    @property
    def aside(self) -> bool:
        """Whether it showed another figure than the run's, and changed nothing of it."""
        return self.status in ASIDE

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
    record: str | None = None
    """What it recorded, as a digest; None in files of version one."""
    reach: tuple[Window, ...] = ()
    """Where it was thought to be booked; its window where nothing is said."""


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
    figure: Usage = ZERO
    bounds: Bounds | None = None
    unknown: frozenset[str] = frozenset()
    """The kinds of the figure that another tool left out: they are 0 in it."""
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
    evidence: str | None = None
    """The digest of the evidence that the file names."""
    proof: Proof | None = None
    """How the verified figure is held. None in files of version one, where `grade` tells."""
    reach_seconds: float = 0.0
    """By how much the run's clock may have been off, as it was judged."""
    shift: tuple[float, float] | None = None
    """The provider's clock less the run's, beyond what its file says of it, in seconds, as a complete log told."""
    sessions: tuple[Window, ...] = ()
    batch: str = INCLUDED
    """Which rows were admitted; version one told batch jobs apart by nothing."""
    beyond_window: int = 0
    """Minutes outside the window whose usage the figure holds."""
    seen_in_future: datetime | None = None
    """When the file was seen with an end that was still to come."""

    @property
    def grade(self) -> Proof | None:
        """How a verified figure is held. Of version one counts that matched are known, and nothing stronger."""
        if self.proof or not self.ours or self.status is not Status.VERIFIED:
            return self.proof
        matched = {Completeness.CALLS_AND_TOKENS_MATCHED, Completeness.CALLS_MATCHED}
        return Proof.SUPPORTED if self.completeness in matched else Proof.ASSUMED

    @property
    def held(self) -> tuple[Window, ...]:
        """The minutes that nobody else may claim without the verdict being looked at again."""
        minutes = self.sessions or ((self.window,) if self.window else ())
        if not self.beyond_window:
            return minutes
        wide = -int(-self.reach_seconds // MINUTE)
        return tuple(joined(window.widened(wide) for window in minutes))

    @property
    def inherited(self) -> bool:
        """Settled by another tool: shown apart, left alone until it is forced."""
        return not self.ours and self.status is Status.VERIFIED

    @property
    def closed_by_cutoff(self) -> bool:
        """Given up for its age, not for its figures: a later cutoff reopens it."""
        return self.ours and self.status is Status.FAILED and Reason.CUTOFF_PASSED in self.reasons
