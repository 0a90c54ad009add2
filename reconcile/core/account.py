"""How one run's figure came about, as a value that `explain` shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconcile.core.evidence import Evidence
from reconcile.core.instants import spelled
from reconcile.core.model import KINDS, Bucket, Claim, Json, Observation, Policy, Window
from reconcile.core.plateau import Plateau
from reconcile.core.summary import SCHEMA_VERSION, RunReport, error_json, run_json
from reconcile.core.wire import bounds_json, policy_json, usage_json
from reconcile.errors import ReconcileError


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
