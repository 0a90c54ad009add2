"""From a valid metrics.json to a `Run`: the document's own words end here; figures, bounds and policy get theirs.

Reads of another tool may have left kinds of tokens, or calls, out. Where a later read of every kind shows the same in
all kinds that such a read has, it confirms it: then the earlier read is taken to have seen what the later one shows in
the others too. Else what it left out stays unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconcile.minutes import Clock, Timestamp, Window, end_seconds, instant, instant_of, joined, start_seconds
from reconcile.providers.base import INCLUDED
from reconcile.runs.run import Generation, Json, OwnScope, Run, RunKey, Step, one_spelling
from reconcile.runs.state import Guard, Neighbour, Observation, Policy, Proof, State, Status
from reconcile.usage import KINDS, Bounds, Recorded, Usage

BLOCK = "usage_api_reconciliation"
"""The member that holds all that reconciliation knows; the origin tool's name for it."""

AGGREGATES = ("TOK_IN", "TOK_OUT", "CACHED_TOKENS", "API_CALLS")
"""The members of `aggregate_metrics` that hold a run's usage, in the order of a usage figure's parts."""

TOTALS = tuple(f"total_{kind}" for kind in KINDS)
"""The members of the block, and of an attempt, that hold a figure, in the same order."""

LONG = 1_000_000_000
"""In minutes, longer than anybody waits."""

NOTHING_UNKNOWN: frozenset[str] = frozenset()

Object = Mapping[str, Any]


def read_run(key: RunKey, path: str, value: Object, generation: Generation) -> Run:
    """The run that a document accepted by `validation.Checker` describes."""
    clock = _clock(value.get("clock"))
    offset = clock.offset if clock else 0.0
    spans = tuple((start_seconds(start) + offset, end_seconds(end) + offset) for start, end in _spans(value))
    sessions = tuple(joined(Window.around(*span) for span in spans)) if "sessions" in value else ()
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    state = _state(value[BLOCK], value["aggregate_metrics"]) if BLOCK in value else None
    return Run(
        key=key,
        path=path,
        generation=generation,
        window=Window.around(start, end),
        started_at=instant(start),
        ended_at=instant(end),
        spans=spans,
        sessions=sessions,
        recorded=_recorded(value, state),
        clock=clock,
        own_scope=_own_scope(value.get("usage_scope")),
        steps=tuple(_step(step) for step in value["steps"]) if generation is Generation.V1 else (),
        cost_usd=value["aggregate_metrics"].get("COST_USD"),
        state=state,
    )


def _spans(value: Object) -> Sequence[tuple[Timestamp, Timestamp]]:
    """When the run ran: its sessions; where it tells of none its own start and end, or those of its steps."""
    if "sessions" in value:
        return [(start, end) for start, end in value["sessions"]]
    starts = [step["start_timestamp"] for step in value["steps"] if step.get("start_timestamp") is not None]
    ends = [step["end_timestamp"] for step in value["steps"] if step.get("end_timestamp") is not None]
    start = value.get("start_timestamp")
    end = value.get("end_timestamp")
    first = start if start is not None else min(starts, key=start_seconds)
    return [(first, end if end is not None else max(ends, key=end_seconds))]


def _step(step: Object) -> Step:
    start, end = step.get("start_timestamp"), step.get("end_timestamp")
    span = None if start is None or end is None else (start_seconds(start), end_seconds(end))
    return Step(number=int(step["step_number"]), span=span)


def _recorded(value: Object, state: State | None) -> Recorded:
    """What the run counted itself. Figures of a file that nobody has read usage for are its own; a zero is unknown.

    They stand in for what `recorded_usage` leaves out, except where there would be more cached input than input.
    """
    stated: Object = value.get("recorded_usage", {})
    untouched = state is None or not (state.observations or state.inherited)
    aggregate: Object = value["aggregate_metrics"] if untouched else {}
    counted = {kind: aggregate.get(name) or None for kind, name in zip(KINDS, AGGREGATES, strict=True)}
    whole = {**counted, **stated}
    if whole["tokens_in"] is not None and (whole["cached_tokens"] or 0) > whole["tokens_in"]:
        whole = {**whole, "tokens_in": stated.get("tokens_in"), "cached_tokens": stated.get("cached_tokens")}
    alone = "recorded_usage" not in value and any(counted.values())
    counts = _counts([whole[kind] for kind in KINDS], "aggregate_metrics" if alone else stated.get("source"))
    return replace(
        counts,
        aborted=int(stated.get("aborted_calls", 0)),
        unknown=int(stated.get("unknown_calls", 0)),
        others=tuple(sorted((name, int(count)) for name, count in stated.get("other_calls", {}).items() if count)),
        every_attempt=stated.get("every_attempt", False),
    )


def _clock(value: Object | None) -> Clock | None:
    return Clock(value["offset_seconds"], value["uncertainty_seconds"], value["source"]) if value else None


def _own_scope(scope: Object | None) -> OwnScope | None:
    if scope is None:
        return None
    lists = {name: tuple(scope[name]) for name in ("api_key_ids", "project_ids", "models") if name in scope}
    return OwnScope(provider=scope.get("provider"), batch=scope.get("batch"), **lists)


def _state(block: Object, aggregate: Object) -> State:
    """What the block says. Another tool kept its figure among the aggregate metrics only."""
    ours = "policy" in block
    window = block.get("query_window")
    attribution = block.get("attribution", {})
    restatement = block.get("restatement")
    observations = _observations(block)
    figure, unknown = (_totals(block), _untold(block)) if ours else _their_figure(aggregate, observations)
    return State(
        status=_status(block),
        reasons=tuple(block.get("reasons", ())),
        completeness=block.get("completeness"),
        assumes=tuple(block.get("assumes", ())),
        message=block.get("verification_message", ""),
        ours=ours,
        observations=observations,
        figure=figure,
        unknown=unknown,
        bounds=_bounds(attribution.get("bounds")),
        exact=attribution.get("exact", False),
        neighbours=tuple(
            Neighbour(
                run=one_spelling(each["run"]),
                window=_window(each),
                gone=each.get("gone", False),
                record=each.get("record"),
                reach=_windows(each.get("reach", ())),
            )
            for each in attribution.get("neighbours", ())
        ),
        shared_minutes=int(attribution.get("shared_minutes", 0)),
        guard=_guard(attribution.get("guard")),
        window=_window(window) if window else None,
        reconciled_at=_instant(block.get("reconciled_at")),
        verified_at=_instant(block.get("verified_at")),
        restatement=(_usage(restatement["from"]), _usage(restatement["to"])) if restatement else None,
        policy=_policy(block["policy"]) if ours else None,
        evidence=block["evidence"]["sha256"] if "evidence" in block else None,
        proof=Proof(block["proof"]) if ours and "proof" in block else None,
        reach_seconds=float(block.get("reach_seconds", 0)) if ours else 0.0,
        shift=_shift(attribution.get("clock_seconds")) if ours else None,
        sessions=_windows(block.get("sessions", ())) if ours else (),
        batch=attribution.get("batch", INCLUDED),
        beyond_window=int(attribution.get("beyond_window", 0)),
        seen_in_future=instant_of(block["seen_in_future"]) if ours and "seen_in_future" in block else None,
    )


def _untold(block: Object) -> frozenset[str]:
    """The kinds that the provider did not tell: of a block that has figures those that it leaves out."""
    return _lacking(block, TOTALS) if TOTALS[0] in block else NOTHING_UNKNOWN


def _their_figure(aggregate: Object, observations: Sequence[Observation]) -> tuple[Usage, frozenset[str]]:
    """The figure of another tool, and the kinds that neither it nor a read of the same knows."""
    figure, unknown = Usage(*(int(aggregate.get(name) or 0) for name in AGGREGATES)), _lacking(aggregate, AGGREGATES)
    whole = filled(figure, unknown, observations) if unknown else None
    return (whole, NOTHING_UNKNOWN) if whole else (figure, unknown)


def _policy(value: Object) -> Policy:
    """A member that is missing stands for the default; one that no span of time can hold, for a very long one."""
    numbers = {name: min(value.get(name, usual), LONG) for name, usual in policy_json(Policy()).items()}
    uncertainty = value.get("clock_uncertainty_seconds")
    return Policy(
        min_age=timedelta(minutes=numbers["min_age_minutes"]),
        max_age=timedelta(minutes=numbers["max_age_minutes"]),
        verification_interval=timedelta(minutes=numbers["verification_interval_minutes"]),
        min_stable_verifications=int(numbers["min_stable_verifications"]),
        clock_uncertainty=None if uncertainty is None else timedelta(seconds=min(uncertainty, LONG)),
    )


def _status(block: Object) -> Status:
    """The status of the block. Another tool's words other than ours mean that it had not settled the run."""
    word = block.get("verification_status", "")
    known = set(Status) if "policy" in block else {Status.VERIFIED}
    return Status(word) if word in known else Status.PENDING


def _observations(block: Object) -> tuple[Observation, ...]:
    attempts: Sequence[Object] = block.get("attempts", ())
    if not attempts and block.get("reconciled_at") is not None:  # the oldest tool kept one read
        figures = {name: block[name] for name in TOTALS if name in block}
        attempts = [{**figures, "timestamp": block["reconciled_at"]}]
    observations = [_observation(attempt) for attempt in attempts]
    return completed(sorted(observations, key=lambda observation: observation.at))


def _observation(attempt: Object) -> Observation:
    figure = _totals(attempt)
    reported = attempt.get("reported")
    return Observation(
        at=instant_of(attempt["timestamp"]),
        figure=figure,
        reported=_usage(reported) if reported else figure,
        bounds=_bounds(attempt.get("bounds")),
        status=attempt.get("status"),
        forced=attempt.get("forced", False),
        window_changed=attempt.get("window_changed", False),
        matched=attempt.get("matched", False),
        unknown=_lacking(attempt, TOTALS),
    )


def _instant(stamp: Timestamp | None) -> datetime | None:
    """Null is what other tools write for not yet."""
    return None if stamp is None else instant_of(stamp)


def _lacking(figures: Object, names: Sequence[str]) -> frozenset[str]:
    """The kinds whose members are not there, or null."""
    return frozenset(kind for kind, name in zip(KINDS, names, strict=True) if figures.get(name) is None)


def _guard(value: Object | None) -> Guard | None:
    return Guard(int(value["minutes"]), int(value["requests"])) if value else None


def _shift(seconds: Sequence[float] | None) -> tuple[float, float] | None:
    return (float(seconds[0]), float(seconds[1])) if seconds else None


def _windows(pairs: Iterable[Sequence[int]]) -> tuple[Window, ...]:
    return tuple(joined(Window(int(start), int(end)) for start, end in pairs))


def _window(value: Object) -> Window:
    return Window(int(value["start"]), int(value["end"]))


def _counts(values: Sequence[float | None], source: str | None) -> Recorded:
    """Counts as whole numbers: JSON may spell one 84604.0."""
    tokens_in, tokens_out, cached_tokens, api_calls = (None if value is None else int(value) for value in values)
    return Recorded(tokens_in, tokens_out, cached_tokens, api_calls, source)


def _totals(value: Object) -> Usage:
    return Usage(*(int(value.get(name) or 0) for name in TOTALS))


def _usage(value: Object) -> Usage:
    return Usage(*(int(value[kind] or 0) for kind in KINDS))


def _bounds(value: Object | None) -> Bounds | None:
    if value is None:
        return None
    pairs = [value[kind] or (0, 0) for kind in KINDS]
    return Bounds(Usage(*(int(low) for low, _ in pairs)), Usage(*(int(high) for _, high in pairs)))


def usage_json(usage: Usage, unknown: Collection[str] = ()) -> dict[str, Json]:
    """Kind by kind. Null for the kinds that are unknown: what nobody told is not zero."""
    return {kind: None if kind in unknown else part for kind, part in zip(KINDS, usage.parts, strict=True)}


def bounds_json(bounds: Bounds, unknown: Collection[str] = ()) -> dict[str, Json]:
    """Kind by kind `[low, high]`. Null for the kinds that are unknown."""
    pairs = zip(KINDS, bounds.low.parts, bounds.high.parts, strict=True)
    return {kind: None if kind in unknown else [low, high] for kind, low, high in pairs}


def policy_json(policy: Policy) -> dict[str, Json]:
    """The policy in minutes."""
    stated = policy.clock_uncertainty
    clock: dict[str, Json] = {} if stated is None else {"clock_uncertainty_seconds": stated.total_seconds()}
    return {
        "min_stable_verifications": policy.min_stable_verifications,
        "verification_interval_minutes": _minutes(policy.verification_interval.total_seconds()),
        "min_age_minutes": _minutes(policy.min_age.total_seconds()),
        "max_age_minutes": _minutes(policy.max_age.total_seconds()),
        **clock,
    }


def _minutes(seconds: float) -> int | float:
    return int(seconds // 60) if seconds % 60 == 0 else seconds / 60


def completed(observations: Sequence[Observation], read: Usage | None = None) -> tuple[Observation, ...]:
    """The observations, in order of time, with what later ones tell of them. `read`: what was reported after all."""
    whole = [] if read is None else [read]
    found: list[Observation] = []
    for each in reversed(observations):
        same = next((later for later in whole if _fits(each, later)), None) if each.unknown else None
        found.append(replace(each, figure=same, reported=same, unknown=frozenset()) if same else each)
        whole = whole if each.unknown else [each.reported, *whole]
    return tuple(reversed(found))


def filled(figure: Usage, unknown: frozenset[str], observations: Sequence[Observation]) -> Usage | None:
    """The figure with what the latest read that shows the same tells of its unknown kinds; None where none does."""
    reads = (each.figure for each in reversed(observations) if not each.unknown)
    return next((read for read in reads if _same(figure, unknown, read)), None)


def _fits(earlier: Observation, later: Usage) -> bool:
    """Whether all that the earlier read knows is what the later one shows."""
    return _same(earlier.reported, earlier.unknown, later)


def _same(earlier: Usage, unknown: frozenset[str], later: Usage) -> bool:
    pairs = zip(KINDS, earlier.parts, later.parts, strict=True)
    return all(kind in unknown or was == is_ for kind, was, is_ in pairs)
