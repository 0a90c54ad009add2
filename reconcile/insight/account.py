"""How one run's figure came about, as a value that `explain` shows, and how it agrees with what the run recorded.

Calls and tokens are held against what is reported for them, and their differences are read together. Where the figure
is not exact, what was recorded agrees with it as long as it lies within the bounds. But calls of a run that shares no
minute are all those of its minutes, whoever made them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reconcile.attribution.evidence import Evidence
from reconcile.errors import ReconcileError
from reconcile.minutes import Window, spelled
from reconcile.passes.summary import SCHEMA_VERSION, RunReport, error_json, run_json
from reconcile.runs.metrics import bounds_json, policy_json, usage_json
from reconcile.runs.run import Claim, Json, Run
from reconcile.runs.state import Observation, Policy
from reconcile.usage import KINDS, Bucket
from reconcile.verdict.plateau import Plateau


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One run, what stands beside it, and how it would be read again."""

    report: RunReport
    claim: Claim | None
    """None where its scope is not known; `problem` then says why."""
    neighbours: tuple[Claim, ...]
    plateau: Plateau | None
    policy: Policy
    now: datetime
    requests: tuple[str, ...]
    """Curl lines that make the same requests, the key taken from the environment."""
    evidence: Evidence | None = None
    """What the figure rests on, where that lies beside the file and belongs to it."""
    problem: ReconcileError | None = None


def account_json(account: Account) -> dict[str, Json]:
    """The account as one document: the run as a summary has it, and what led to its figure."""
    run = account.report.run
    observations = run.state.observations if run.state else ()
    return {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(account.now),
        "policy": policy_json(account.policy),
        "run": run_json(account.report, account.now),
        "window": _window(run.window),
        "recorded": dict(zip(KINDS, run.known.parts, strict=True)),
        "scope": _scope(account.claim) if account.claim else None,
        "neighbours": [
            {"run": str(other.run), **_window(other.window), "api_calls": other.known.api_calls}
            for other in account.neighbours
        ],
        "minutes": [_row(row) for row in account.evidence.rows] if account.evidence else None,
        "observations": [_observation(each) for each in observations],
        "counted_reads": account.plateau.counted if account.plateau else 0,
        "requests": list(account.requests),
        "errors": [error_json(account.problem)] if account.problem else [],
    }


def _window(window: Window) -> dict[str, Json]:
    return {"start": window.start, "end": window.end}


def _scope(claim: Claim) -> Json:
    scope = claim.scope
    return {
        "provider": scope.provider,
        "api_key_ids": list(scope.api_key_ids),
        "project_ids": list(scope.project_ids),
        "models": list(scope.models),
    }


def _row(row: Bucket) -> Json:
    return {"minute": row.minute, "api_key_id": row.api_key_id, "model": row.model, **usage_json(row.usage)}


def _observation(observation: Observation) -> Json:
    return {
        "timestamp": spelled(observation.at),
        "status": observation.status,
        **usage_json(observation.figure, observation.unknown),
        "reported": usage_json(observation.reported, observation.unknown),
        "bounds": bounds_json(observation.bounds) if observation.bounds else None,
        "forced": observation.forced,
        "window_changed": observation.window_changed,
    }


class Agreement(StrEnum):
    """The cases, and what to make of each."""

    CONFIRMED = "calls and tokens agree"
    MISCOUNTED = "as many calls, other tokens: the recorder counts wrongly"
    FEWER_TOKENS = "as many calls, fewer tokens than recorded: late data, or the recorder counts more than is billed"
    MORE_CALLS = "more calls reported than recorded: retries, an incomplete log, or foreign traffic"
    FEWER_CALLS = "fewer calls reported than recorded: late data, or a wrong key id"
    CALLS_AGREE = "calls agree, and not all tokens were recorded"
    CALLS_UNKNOWN = "calls were not recorded, so nothing tells whether all of them are here"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLine:
    """One kind: what was recorded, None where it was not, and the interval that is reported."""

    kind: str
    recorded: int | None
    low: int
    high: int

    @property
    def agrees(self) -> bool:
        return self.recorded is None or self.low <= self.recorded <= self.high


def against(run: Run) -> tuple[AgreementLine, ...]:
    """Kind by kind, of a run that recorded something and was read; else nothing."""
    state = run.state
    if state is None or not state.ours or all(part is None for part in run.known.parts):
        return ()
    low, high = (state.bounds.low, state.bounds.high) if state.bounds else (state.figure, state.figure)
    if not state.shared_minutes:
        low = replace(low, api_calls=high.api_calls)
    parts = zip(KINDS, run.known.parts, low.parts, high.parts, strict=True)
    return tuple(AgreementLine(kind=kind, recorded=count, low=least, high=most) for kind, count, least, most in parts)


def agreement(lines: tuple[AgreementLine, ...]) -> Agreement:
    """What the lines of `against` mean together."""
    *tokens, calls = lines
    if calls.recorded is None:
        return Agreement.CALLS_UNKNOWN
    if calls.recorded < calls.low:
        return Agreement.MORE_CALLS
    if calls.recorded > calls.high:
        return Agreement.FEWER_CALLS
    if not all(line.agrees for line in tokens):
        return Agreement.FEWER_TOKENS if any(_short(line) for line in tokens) else Agreement.MISCOUNTED
    return Agreement.CALLS_AGREE if any(line.recorded is None for line in tokens) else Agreement.CONFIRMED


def _short(line: AgreementLine) -> bool:
    return line.recorded is not None and line.recorded > line.high
