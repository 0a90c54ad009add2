"""What a verdict changes in a metrics.json, as edits of the document. Nothing else in the file is touched.

From the run's figure follow AEI and the shares of the steps of a v1 file. Usage is known per minute only. A minute that
several steps share is split by the seconds each of them took of it; a minute outside every step goes to the nearest.
The parts of a split always add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.claims import record_of
from reconcile.attribution.uncounted import UNTOLD
from reconcile.minutes import MINUTE, Window, instant_of, spelled
from reconcile.money.entry import PriceOf
from reconcile.providers.base import EXCLUDED
from reconcile.runs.edits import Change, Insert, Put, Remove
from reconcile.runs.metrics import AGGREGATES, BLOCK, bounds_json, policy_json, usage_json
from reconcile.runs.run import Generation, Json, Run, Step
from reconcile.runs.state import Observation, Policy, Reason, Status
from reconcile.usage import KINDS, Usage, total
from reconcile.verdict.cost import PRICING, Object, cost_changes, pricing_json, run_cost, stored_pricing
from reconcile.verdict.settlement import Verdict
from reconcile.verdict.wording import seen_early

FLOORED_WARNINGS = {Reason.CALLS_MISSING, Reason.TOKENS_MISSING, Reason.ZERO_UNCONFIRMED}
"""Warnings whose figure is known to lack usage: it does not go below what the run recorded."""


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
    unknown = attribution.unknown if attribution else run.state.unknown if run.state else frozenset[str]()
    written |= {f"total_{kind}": part for kind, part in usage_json(figure, unknown).items()}
    written["query_window"] = {"start": run.window.start, "end": run.window.end}
    written["sessions"] = _pairs(run.sessions)
    if run.edited:
        written["seen_in_future"] = None
    if attribution:
        written["reach_seconds"] = _number(attribution.claim.clock.uncertainty) or None
        written["attribution"] = _attribution(attribution, verdict)
        written |= _steps_updated(run, attribution)
    elif verdict.bounds or verdict.neighbours:
        inexact: dict[str, Json] = (
            {"exact": False, "bounds": bounds_json(verdict.bounds, unknown & UNTOLD)} if verdict.bounds else {}
        )
        beside = {"neighbours": _neighbours(verdict)} if verdict.neighbours else {}
        written["attribution"] = {**block.get("attribution", {}), **inexact, **beside}
    written["restatement"] = _restatement(verdict, unknown & UNTOLD)
    written["policy"] = policy_json(policy)
    if verdict.observation and "attempts" not in block:
        written["attempts"] = [_attempt(verdict.observation)]
    return written


def _attempt(observation: Observation) -> Json:
    written: dict[str, Json] = {
        "timestamp": spelled(observation.at),
        "status": observation.status,
        **{f"total_{kind}": part for kind, part in _told(observation).items()},
    }
    if observation.bounds:
        written["bounds"] = bounds_json(observation.bounds, observation.unknown)
    if observation.reported != observation.figure:
        written["reported"] = usage_json(observation.reported, observation.unknown)
    if observation.forced:
        written["forced"] = True
    if observation.window_changed:
        written["window_changed"] = True
    if observation.matched:
        written["matched"] = True
    return written


def _told(observation: Observation) -> dict[str, Json]:
    figure = usage_json(observation.figure, observation.unknown)
    return {kind: part for kind, part in figure.items() if part is not None}


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
        written["bounds"] = bounds_json(bounds, attribution.unknown)
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
        Put(("aggregate_metrics", name), part)
        for name, kind, part in zip(AGGREGATES, KINDS, figure.parts, strict=True)
        if kind not in attribution.unknown
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


def _restatement(verdict: Verdict, unknown: Collection[str]) -> Json:
    if verdict.restatement is None:
        return None
    settled, since = verdict.restatement
    return {"from": usage_json(settled, unknown), "to": usage_json(since, unknown)}


def _spelled(moment: datetime | None) -> str | None:
    return spelled(moment) if moment else None


def aei(autr: float, tokens_in: int) -> float:
    """Autonomy per input token, as the origin project defines it: AUTR / ln(1 + TOK_IN), and 0 without tokens."""
    return autr / math.log(1 + tokens_in) if tokens_in else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUsage:
    """A step's share. Estimated where a minute was shared out; None where the step has no times."""

    number: int
    usage: Usage | None
    estimated: bool = False


def step_usage(steps: Sequence[Step], attribution: Attribution) -> tuple[StepUsage, ...]:
    """The run's figure shared out among its steps; their sum is the figure where at least one step has times."""
    timed = [position for position, step in enumerate(steps) if step.span]
    spans = [step.span for step in steps if step.span]
    if not timed:
        return tuple(StepUsage(number=step.number, usage=None) for step in steps)
    shares: list[Usage] = [Usage()] * len(steps)
    whole = attribution.exact and attribution.figure == total(row.usage for row in attribution.rows)
    estimated = [not whole] * len(steps)
    for minute, usage in _minutes(attribution):
        weights = _overlaps(spans, minute)
        takers = [position for position, weight in zip(timed, weights, strict=True) if weight]
        for position, part in zip(timed, apportion(usage, weights), strict=True):
            shares[position] += part
        for position in takers if len(takers) > 1 else ():
            estimated[position] = True
    return tuple(
        StepUsage(number=step.number, usage=share if step.span else None, estimated=bool(step.span) and guess)
        for step, share, guess in zip(steps, shares, estimated, strict=True)
    )


def _minutes(attribution: Attribution) -> list[tuple[int, Usage]]:
    """The run's figure by minute: its own minutes as reported, and what it holds beyond them over the shared ones."""
    reported: dict[int, Usage] = {}
    for row in attribution.rows:
        reported[row.minute] = reported.get(row.minute, Usage()) + row.usage
    own = {minute: usage for minute, usage in reported.items() if minute not in attribution.shared}
    rest = attribution.figure - total(own.values())
    if min(rest.parts) < 0 or rest.cached_tokens > rest.tokens_in:
        own, rest = {}, attribution.figure  # not even its own minutes are wholly its own
    spread = [minute for minute in reported if minute not in own]
    weights = [Fraction(reported[minute].tokens_in + reported[minute].tokens_out + 1) for minute in spread]
    return sorted([*own.items(), *zip(spread, apportion(rest, weights), strict=True)])


def _overlaps(spans: Sequence[tuple[float, float]], minute: int) -> list[Fraction]:
    """The seconds of the minute that each span takes; the nearest span takes all of a minute that none touches."""
    overlaps = [max(0.0, min(end, minute + MINUTE) - max(start, minute)) for start, end in spans]
    if any(overlaps):
        return [Fraction(seconds) for seconds in overlaps]
    distances = [max(start - minute - MINUTE, minute - end, 0.0) for start, end in spans]
    nearest = distances.index(min(distances))
    return [Fraction(position == nearest) for position in range(len(spans))]


def apportion(usage: Usage, weights: Sequence[Fraction]) -> list[Usage]:
    """`usage` in parts as the weights stand to each other, whole numbers that sum to it kind by kind.

    Cached and uncached input are split apart and then added, so that no part has more cached than input.
    """
    cached = _split(usage.cached_tokens, weights)
    uncached = _split(usage.tokens_in - usage.cached_tokens, weights)
    output = _split(usage.tokens_out, weights)
    calls = _split(usage.api_calls, weights)
    parts = zip(cached, uncached, output, calls, strict=True)
    return [Usage(read + fresh, out, read, requests) for read, fresh, out, requests in parts]


def _split(amount: int, weights: Sequence[Fraction]) -> list[int]:
    """Largest remainders: each part is its exact share, rounded down, and the rest goes to the largest fractions."""
    whole = sum(weights)
    exact = [amount * weight / whole for weight in weights]
    parts = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda position: parts[position] - exact[position])
    for position in by_remainder[: amount - sum(parts)]:
        parts[position] += 1
    return parts
