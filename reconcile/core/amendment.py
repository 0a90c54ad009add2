"""What a verdict changes in a metrics.json, as edits of the document. Nothing else in the file is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from reconcile.core.attribution import Attribution
from reconcile.core.claims import record_of
from reconcile.core.comparing.sides import PriceOf
from reconcile.core.derived import StepUsage, aei, step_usage
from reconcile.core.edits import Change, Insert, Put, Remove
from reconcile.core.instants import instant_of, spelled
from reconcile.core.model import (
    EXCLUDED,
    KINDS,
    Generation,
    Json,
    Observation,
    Policy,
    Reason,
    Run,
    Status,
    Usage,
    Window,
)
from reconcile.core.pricing import PRICING, cost_changes, pricing_json, run_cost, stored_pricing
from reconcile.core.reading import AGGREGATES, BLOCK
from reconcile.core.settlement import Verdict
from reconcile.core.wire import bounds_json, policy_json, usage_json
from reconcile.core.wording import seen_early

FLOORED_WARNINGS = {Reason.CALLS_MISSING, Reason.TOKENS_MISSING, Reason.ZERO_UNCONFIRMED}
"""Warnings whose figure is known to lack usage: it does not go below what the run recorded."""

Object = Mapping[str, Any]


def amendments(
    value: Object, run: Run, verdict: Verdict, policy: Policy, prices: PriceOf | None = None
) -> tuple[Change, ...]:
    """The edits that write `verdict` into the document `value` of `run`. Without `prices` nothing is priced."""
    block: Object = value.get(BLOCK, {})
    if verdict.stands and verdict.observation:
        return (_inserted(block, verdict.observation),)
    written = _block(block, run, verdict, policy)
    costs: list[Change] = []
    if verdict.attribution:
        figure = floored(verdict.status, verdict.reasons, verdict.attribution)
        cost = run_cost(verdict.attribution, figure, prices) if prices else None
        costs = cost_changes(value, cost)
        if cost or stored_pricing(value):
            written[PRICING] = pricing_json(cost)
    if BLOCK in value:
        changes = _changed(block, written, verdict.observation)
    else:
        changes = [Put((BLOCK,), {name: item for name, item in written.items() if item is not None})]
    if "verification_status" in value:
        changes.append(Put(("verification_status",), verdict.status))
    if verdict.attribution:
        changes = [*_recorded(value, run), *_figures(value, run, verdict, verdict.attribution), *costs, *changes]
    return tuple(changes)


def _changed(block: Object, written: Mapping[str, Json], observation: Observation | None) -> list[Change]:
    """The edits that turn an existing block into the one wanted."""
    changes: list[Change] = [Put((BLOCK, name), item) for name, item in written.items() if item is not None]
    changes += [Remove((BLOCK, name)) for name, item in written.items() if item is None]
    if observation and "attempts" in block:
        changes.append(_inserted(block, observation))
    return changes


def _inserted(block: Object, observation: Observation) -> Insert:
    earlier = sum(instant_of(attempt["timestamp"]) <= observation.at for attempt in block["attempts"])
    return Insert((BLOCK, "attempts"), earlier, _attempt(observation))


def _block(block: Object, run: Run, verdict: Verdict, policy: Policy) -> dict[str, Json]:
    """The members of the block in the order a new one has them; None where one no longer applies.

    What belongs to the figure is left out, and so stays as it is, where this verdict brings none; but a block that
    another tool began is made whole.
    """
    attribution = verdict.attribution
    figure = attribution.figure if attribution else run.state.figure if run.state else Usage()
    refigured = attribution is not None or verdict.bounds is not None
    written: dict[str, Json] = {"verification_status": verdict.status, "reasons": list(verdict.reasons)}
    written["proof"] = verdict.proof
    if refigured:
        written["completeness"] = verdict.completeness
        written["assumes"] = list(verdict.assumes) or None
    written["verification_message"] = verdict.message
    if attribution:
        written["reconciled_at"] = _spelled(verdict.reconciled_at)
    written["verified_at"] = _spelled(verdict.verified_at)
    written |= {f"total_{kind}": part for kind, part in usage_json(figure).items()}
    written["query_window"] = {"start": run.window.start, "end": run.window.end}
    written["sessions"] = _pairs(run.sessions)
    if run.edited:
        written["seen_in_future"] = None
    if attribution:
        written["reach_seconds"] = _number(attribution.claim.clock.uncertainty) or None
        written["attribution"] = _attribution(attribution, verdict)
        written |= _steps_updated(run, attribution)
    elif verdict.bounds or verdict.neighbours:
        inexact: dict[str, Json] = {"exact": False, "bounds": bounds_json(verdict.bounds)} if verdict.bounds else {}
        beside = {"neighbours": _neighbours(verdict)} if verdict.neighbours else {}
        written["attribution"] = {**block.get("attribution", {}), **inexact, **beside}
    written["restatement"] = _restatement(verdict)
    written["policy"] = policy_json(policy)
    if verdict.observation and "attempts" not in block:
        written["attempts"] = [_attempt(verdict.observation)]
    return written


def _attempt(observation: Observation) -> Json:
    written: dict[str, Json] = {
        "timestamp": spelled(observation.at),
        "status": observation.status,
        **{f"total_{kind}": part for kind, part in usage_json(observation.figure).items()},
    }
    if observation.bounds:
        written["bounds"] = bounds_json(observation.bounds)
    if observation.reported != observation.figure:
        written["reported"] = usage_json(observation.reported)
    if observation.forced:
        written["forced"] = True
    if observation.window_changed:
        written["window_changed"] = True
    if observation.matched:
        written["matched"] = True
    return written


def _attribution(attribution: Attribution, verdict: Verdict) -> Json:
    scope = attribution.claim.scope
    named = {
        "api_key_id": scope.api_key_ids,
        "project_id": scope.project_ids,
        "model": scope.models,
    }
    doubtful = Reason.CLOCK_OFF in verdict.reasons
    written: dict[str, Json] = {
        "exact": attribution.exact and not doubtful,
        "basis": ["completions", *(name for name, values in named.items() if values), "window"],
    }
    if scope.batch != EXCLUDED or attribution.claim.clock.uncertainty:
        written["batch"] = scope.batch
    if attribution.beyond:
        written["beyond_window"] = len(attribution.beyond)
    if attribution.shift:
        written["clock_seconds"] = [round(seconds, 1) for seconds in attribution.shift]
    if attribution.shared and not attribution.exact:
        written["shared_minutes"] = len(attribution.shared)
    bounds = attribution.bounds or verdict.bounds
    if bounds and not attribution.exact and not doubtful:
        written["bounds"] = bounds_json(bounds)
    written["guard"] = {"minutes": attribution.guard.minutes, "requests": attribution.guard.requests}
    if verdict.neighbours:
        written["neighbours"] = _neighbours(verdict)
    return written


def _neighbours(verdict: Verdict) -> Json:
    return [
        {
            "run": str(claim.run),
            "start": claim.window.start,
            "end": claim.window.end,
            **({"gone": True} if claim.gone else {"record": record_of(claim)}),
            **({"reach": _pairs(claim.reached)} if claim.reached else {}),
        }
        for claim in verdict.neighbours
    ]


def _pairs(windows: Iterable[Window]) -> Json:
    return [[window.start, window.end] for window in windows] or None


def _number(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else seconds


def in_future(run: Run, at: datetime, policy: Policy, value: Object) -> tuple[Change, ...]:
    """The edits for a run that is seen before it has ended, by its own file. Figures stay as they are."""
    written: dict[str, Json] = {
        "verification_status": Status.PENDING,
        "reasons": [Reason.ENDS_IN_FUTURE],
        "verification_message": seen_early(at, run),
        "query_window": {"start": run.window.start, "end": run.window.end},
        "sessions": _pairs(run.sessions),
        "seen_in_future": spelled(at),
        "policy": policy_json(policy),
    }
    copied = [Put(("verification_status",), Status.PENDING)] if "verification_status" in value else []
    if BLOCK in value:
        return (*copied, *_changed(value[BLOCK], written, None))
    return (*copied, Put((BLOCK,), {name: item for name, item in written.items() if item is not None}))


def _figures(value: Object, run: Run, verdict: Verdict, attribution: Attribution) -> list[Change]:
    """The run's figure and what follows from it."""
    figure = floored(verdict.status, verdict.reasons, attribution)
    changes: list[Change] = [
        Put(("aggregate_metrics", name), part) for name, part in zip(AGGREGATES, figure.parts, strict=True)
    ]
    autr = value["aggregate_metrics"].get("AUTR")
    if autr is not None:
        changes.append(Put(("aggregate_metrics", "AEI"), aei(autr, figure.tokens_in)))
    if verdict.status is Status.VERIFIED or not attribution.figure.is_zero:
        for position, share in enumerate(step_usage(run.steps, attribution)):
            changes += _step(value["steps"][position], position, share)
    return changes


def floored(status: Status, reasons: Iterable[str], attribution: Attribution) -> Usage:
    """A figure that is known or feared to lack usage never goes below what the run recorded."""
    proven = status in {Status.VERIFIED, Status.WARNING} and not FLOORED_WARNINGS & set(reasons)
    if proven:
        return attribution.figure
    tokens_in, tokens_out, cached_tokens, api_calls = (part or 0 for part in attribution.claim.known.parts)
    floor = Usage(max(tokens_in, cached_tokens), tokens_out, cached_tokens, api_calls)
    return Usage(*map(max, attribution.figure.parts, floor.parts))


def _step(step: Object, position: int, share: StepUsage) -> list[Change]:
    """The step's share; calls and cached tokens only where the file's steps have them."""
    if share.usage is None:
        return []
    names = dict(zip(KINDS, share.usage.parts, strict=True))
    wanted = [name for name in names if name in step or name in {"tokens_in", "tokens_out"}]
    return [Put(("steps", position, name), names[name]) for name in wanted]


def _steps_updated(run: Run, attribution: Attribution) -> dict[str, Json]:
    if run.generation is not Generation.V1:
        return {}
    shares = step_usage(run.steps, attribution)
    with_tokens = sum(share.usage is not None and not share.usage.is_zero for share in shares)
    return {
        "steps_updated": [_step_entry(share) for share in shares],
        "steps_with_tokens": with_tokens,
        "total_steps": len(shares),
    }


def _step_entry(share: StepUsage) -> Json:
    usage = share.usage or Usage()
    status = "missing_timestamps" if share.usage is None else "estimated" if share.estimated else "success"
    return {"step": share.number, "status": status, "tokens_in": usage.tokens_in, "tokens_out": usage.tokens_out}


def _recorded(value: Object, run: Run) -> list[Change]:
    """What the run had counted itself, kept before its place is taken."""
    known = {kind: part for kind, part in zip(KINDS, run.recorded.parts, strict=True) if part is not None}
    if "recorded_usage" in value:
        stated: Object = value["recorded_usage"]
        return [Put(("recorded_usage", kind), part) for kind, part in known.items() if kind not in stated]
    return [Put(("recorded_usage",), {**known, "source": run.recorded.source})] if known else []


def _restatement(verdict: Verdict) -> Json:
    if verdict.restatement is None:
        return None
    settled, since = verdict.restatement
    return {"from": usage_json(settled), "to": usage_json(since)}


def _spelled(moment: datetime | None) -> str | None:
    return spelled(moment) if moment else None
