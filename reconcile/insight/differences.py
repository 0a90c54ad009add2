"""Whether a run's file says what its evidence and its observations come to.

A difference is a place of the file and a sentence. What was written coherently, figure and evidence and digest alike,
is not found here, whoever wrote it: that takes a fresh read of the provider.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.evidence import Evidence, belongs
from reconcile.minutes import instant, spelled
from reconcile.money.exact import spelled_out
from reconcile.providers.base import Scope
from reconcile.runs.metrics import AGGREGATES, BLOCK, bounds_json, usage_json
from reconcile.runs.run import CallLog, Claim, Run
from reconcile.runs.seal import EVIDENCE, digest, seal
from reconcile.runs.state import Guard, Observation, Policy, Reason, State, Status
from reconcile.usage import KINDS, Bounds, Bucket, Usage, total
from reconcile.verdict.amendment import aei, floored, step_usage
from reconcile.verdict.cost import AMOUNTS, BREAKDOWN, COST, PRICING, differs, stored_cost, stored_parts
from reconcile.verdict.judgement import WAITED_FOR
from reconcile.verdict.settlement import CLOSED_KEY, UNREADABLE_RUNS, assumptions, proof_of, settle
from reconcile.words import Pointer, plural

Object = Mapping[str, Any]
Difference = tuple[Pointer, str]
RESTORE = "restore it from version control, or read it again with --force"


def named_evidence(value: Object) -> str | None:
    """The digest of the evidence that a file names."""
    evidence = value[BLOCK].get(EVIDENCE)
    return evidence["sha256"] if evidence else None


def differing_values(value: Object, data: bytes, evidence: Evidence) -> Iterator[Difference]:
    """Whether file and evidence, which these bytes hold, still say what was written together."""
    if not belongs(named_evidence(value), data, evidence):
        yield (BLOCK, EVIDENCE, "sha256"), f"usage_evidence.json is another one ({digest(data)[:12]}...); {RESTORE}"
    if seal(value) != value[BLOCK][EVIDENCE]["seal"]:
        yield (BLOCK, EVIDENCE, "seal"), f"a figure, a verdict or a record was edited since it was written; {RESTORE}"


def differing_claim(run: Run, state: State, evidence: Evidence, *, moved: bool) -> Iterator[Difference]:
    """Whether the run still says of itself what it said when it was read. A log that came later changes nothing, nor
    does another name of its folder where nothing is left at the old one (`moved`)."""
    was = evidence.own.claim
    name = str(was.run) if moved else str(run.key)
    log = _named(run.log, evidence.own.log_digest) if run.log and evidence.own.log_digest else None
    pairs: tuple[tuple[Pointer, str, object, object], ...] = (
        ((), "run", name, str(was.run)),
        ((BLOCK, "query_window"), "window", run.window, was.window),
        (("sessions",), "sessions", run.sessions, was.sessions),
        ((BLOCK, "reach_seconds"), "reach", state.reach_seconds, was.clock.uncertainty),
        ((BLOCK, "attribution", "batch"), "use of batch jobs", state.batch, was.scope.batch),
        (("recorded_usage",), "recorded usage", run.recorded.parts, was.recorded.parts),
        ((), "call log", log, evidence.own.log_digest),
    )
    for pointer, name, now, then in pairs:
        if now != then:
            yield pointer, f"its {name} was changed since its usage was read; the next pass reads it again, or --force"


def differing_settings(state: State, evidence: Evidence, scope: Scope | None, policy: Policy) -> Iterator[Difference]:
    """Whether it was read for the traffic that the settings name today, and judged no less strictly than they ask."""
    was = evidence.own.claim.scope
    if scope and replace(scope, batch=was.batch) != was:
        said = f"its usage was read for {_traffic(was)}, and the settings name {_traffic(scope)}"
        yield (BLOCK, "attribution"), f"{said}; correct reconcile.yml or the key id's variable, or read it with --force"
    mine = state.policy
    if mine is None or state.status is not Status.VERIFIED:
        return
    fewer = mine.min_stable_verifications < policy.min_stable_verifications
    if fewer or mine.verification_interval < policy.verification_interval:
        then, now = _strictness(mine), _strictness(policy)
        yield (BLOCK, "policy"), f"was verified by {then}, and the settings ask for {now}; read it again with --force"


def _strictness(policy: Policy) -> str:
    minutes = policy.verification_interval.total_seconds() / 60
    return f"{plural(policy.min_stable_verifications, 'equal read')}, {minutes:g} minutes apart"


def _traffic(scope: Scope) -> str:
    named = [*scope.api_key_ids, *scope.project_ids, *scope.models]
    return f"{', '.join(named)} of {scope.provider}" if named else f"all of {scope.provider}"


def differing_log(run: Run, state: State) -> Iterator[Difference]:
    """Whether a complete call log beside a verified figure says another one."""
    log = run.log
    if log is None or not log.complete or log.aborted or log.strays or state.status is not Status.VERIFIED:
        return
    if log.total != state.figure:
        pairs = zip(KINDS, log.total.parts, state.figure.parts, strict=True)
        shown = ", ".join(
            f"{kind} {logged:,} logged, {told:,} verified" for kind, logged, told in pairs if logged != told
        )
        yield (), f"its complete call log contradicts the verdict: {shown}; read it again with --force"


def differing_neighbours(state: State, others: Iterable[Claim]) -> Iterator[Difference]:
    """Whether another verdict claims minutes of a verified run, and this one was made without it."""
    if state.status is not Status.VERIFIED:
        return
    for claim in others:
        said = f"{claim.run} has a verdict over minutes of this run too, which this one does not know of"
        yield (BLOCK, "attribution", "neighbours"), f"{said}; run a pass, which reads both"


def _named(log: CallLog, then: str) -> str:
    """The log's digest, as it was spelled then where the log is still the same."""
    return then if log.is_named(then) else log.digest


def differing_rows(evidence: Evidence, again: Attribution) -> Iterator[Difference]:
    """Whether the rows are those that the figure was made of."""
    if again.component.fingerprint != evidence.fingerprint:
        yield (BLOCK, EVIDENCE), f"the rows of usage_evidence.json are not those that it was made of; {RESTORE}"


def differing_copies(value: Object, state: State) -> Iterator[Difference]:
    """What follows from figure and verdict: whether it does, beside being as it was sealed."""
    metrics = value["aggregate_metrics"]
    autr, told = metrics.get("AUTR"), metrics.get("AEI")
    if autr is not None and told is not None:
        expected = aei(autr, int(metrics["TOK_IN"]))
        if not math.isclose(told, expected, rel_tol=1e-9):
            yield ("aggregate_metrics", "AEI"), f"is {told}, and AUTR and TOK_IN come to {expected}; {RESTORE}"
    copied = value.get("verification_status", state.status)
    if copied != state.status:
        yield ("verification_status",), f"is {copied}, and the verdict is {state.status}; {RESTORE}"


def differing_figures(
    run: Run, state: State, value: Object, again: Attribution, evidence: Evidence
) -> Iterator[Difference]:
    """Figure, bounds, what they rest on, and what follows from them."""
    block, figure = value[BLOCK], again.figure
    for kind, part in usage_json(figure, again.unknown).items():
        yield from _compared((BLOCK, f"total_{kind}"), block.get(f"total_{kind}"), part)
    stored = tuple(value["aggregate_metrics"].get(name) for name in AGGREGATES)
    expected = floored(state.status, state.reasons, again)
    overtaken = any(each.at > evidence.read_at for each in state.observations)
    if not (overtaken and stored == figure.parts):  # later reads that left the figure may have changed the status
        for name, kind, is_, part in zip(AGGREGATES, KINDS, stored, expected.parts, strict=True):
            if kind not in again.unknown:
                yield from _compared(("aggregate_metrics", name), is_, part)
    if stored_parts(value):
        yield from _differing_cost(value, again)
    if _taken_back(state) or Reason.CLOCK_OFF in state.reasons:
        return
    if _between_figures(state):
        yield from _differing_interval(state, figure)
        return
    bounds = None if again.exact or again.bounds is None else bounds_json(again.bounds, again.unknown)
    yield from _compared((BLOCK, "attribution", "exact"), state.exact, again.exact)
    yield from _compared((BLOCK, "attribution", "bounds"), block.get("attribution", {}).get("bounds"), bounds)
    completeness = again.completeness.value if again.exact else None
    yield from _compared((BLOCK, "completeness"), state.completeness, completeness)
    if evidence.feed is None:
        yield from _compared((BLOCK, "assumes"), CLOSED_KEY in state.assumes, completeness == "assumed")
    else:
        yield from _differing_proof(state, again)
    if state.status is Status.VERIFIED or not figure.is_zero:
        yield from _differing_steps(run, value, again)


def _differing_proof(state: State, again: Attribution) -> Iterator[Difference]:
    """How a figure is held, and what it takes for granted."""
    expected = assumptions(again) if again.exact else ()
    told = tuple(name for name in state.assumes if name != UNREADABLE_RUNS)
    yield from _compared((BLOCK, "assumes"), told, expected)
    if state.status is Status.VERIFIED:
        yield from _compared((BLOCK, "proof"), state.proof, proof_of(again))


def _between_figures(state: State) -> bool:
    """Whether the verdict stands between the figure and another one that was read since."""
    rivalled = state.restatement is not None and state.restatement[0] == state.figure
    return state.bounds is not None and (rivalled or state.status is Status.FAILED)


def _differing_interval(state: State, figure: Usage) -> Iterator[Difference]:
    bounds = state.bounds or Bounds(figure, figure)
    for each in (figure, state.restatement[1] if state.restatement else figure):
        pairs = zip(bounds.low.parts, each.parts, bounds.high.parts, strict=True)
        if not all(low <= part <= high for low, part, high in pairs):
            yield (
                (BLOCK, "attribution", "bounds"),
                f"do not hold {each.tokens_in:,} in, {each.tokens_out:,} out, which was read; {RESTORE}",
            )


def differing_verdict(
    run: Run, state: State, again: Attribution, policy: Policy, evidence: Evidence
) -> Iterator[Difference]:
    """The verdict that its observations and this attribution come to.

    A verdict that was settled before it was judged anew depends on how it came there. Of such only `verified` is held
    to the rules again, as if it had not been settled: no other claims that the figure is right. And a run that waited
    may have been closed at the cutoff by a read that showed nothing, which is kept nowhere.
    """
    at = evidence.read_at
    earlier = tuple(each for each in state.observations if each.at < at)
    expected = _judged_again(run, state, again, policy, evidence)
    told = (state.status, state.reasons)
    resettled = _was_settled(earlier) or len(earlier) + 1 < len(state.observations) or _taken_back(state)
    if evidence.feed is None and expected is not None and _by_older_rules(told, expected):
        return
    closed = expected is not None and told in _closings(*expected)
    if expected != told and (state.status is Status.VERIFIED or not (resettled or closed)):
        word = f"{expected[0]} ({', '.join(expected[1])})" if expected else "no verdict"
        message = f"is {told[0]} ({', '.join(told[1])}), but its observations and evidence come to {word}; {RESTORE}"
        yield (BLOCK, "verification_status"), message


def _judged_again(
    run: Run, state: State, again: Attribution, policy: Policy, evidence: Evidence
) -> tuple[Status, tuple[str, ...]] | None:
    """The verdict of the read that the evidence is of, had the run not been settled before."""
    at = evidence.read_at
    earlier = tuple(each for each in state.observations if each.at < at)
    here = next((each for each in state.observations if each.at == at), None)
    window = None if here and here.window_changed else run.window
    known = bool(earlier) or state.seen_in_future is not None
    before = (
        State(
            status=Status.PENDING,
            observations=earlier,
            window=window,
            sessions=state.sessions,
            seen_in_future=state.seen_in_future,
        )
        if known
        else None
    )
    bare = replace(run, log=again.claim.log, state=before)
    unreadable = int(UNREADABLE_RUNS in state.assumes)
    judged = settle(bare, again, at, policy, forced=bool(here and here.forced), unreadable=unreadable).verdict
    return (judged.status, tuple(judged.reasons)) if judged else None


def _by_older_rules(told: tuple[Status, tuple[str, ...]], expected: tuple[Status, tuple[str, ...]]) -> bool:
    """Whether version one came to this verdict where today's rules wait: for a run without calls to grow old, and for
    one verification interval more before a run is closed."""
    waits = expected[0] in {Status.PENDING, Status.DATA_NOT_AVAILABLE}
    early = told == (Status.VERIFIED, (Reason.NO_API_CALLS,)) or told[0] is not Status.VERIFIED
    return waits and early and told[0].settled


def _closings(status: Status, reasons: Iterable[str]) -> tuple[tuple[Status, tuple[str, ...]], ...]:
    """What becomes of a verdict at the cutoff if nothing is shown there."""
    if status is not Status.PENDING:
        return ()
    waited = tuple(reason for reason in WAITED_FOR if reason in reasons)
    return (Status.WARNING, waited), (Status.FAILED, (Reason.CUTOFF_PASSED,))


def differing_read(evidence: Evidence, rows: Iterable[Bucket], guard: Guard | None) -> Difference | None:
    """What is reported today against what the evidence holds, row by row, and around it where no run claims anything.
    `guard` is None where that cannot be told."""
    here, there = _cells(rows), _cells(evidence.rows)
    if here == there:
        return _differing_guard(evidence.guard, guard)
    now, then = total(here.values()), total(there.values())
    if now == then:
        minute = min(cell.minute for cell in here.keys() | there.keys() if here.get(cell) != there.get(cell))
        return (), (
            f"the provider reports other rows today, from {spelled(instant(minute))} on, though they add up to the "
            "same; read it again with --force"
        )
    pairs = zip(KINDS, then.parts, now.parts, strict=True)
    shown = ", ".join(f"{kind} {was:,} then, {is_:,} now" for kind, was, is_ in pairs if was != is_)
    return (), f"the provider reports other usage today: {shown}; read it again with --force"


def _cells(rows: Iterable[Bucket]) -> dict[Bucket, Usage]:
    """Usage by minute, project, key, model, batch flag and tier."""
    cells: dict[Bucket, Usage] = {}
    for row in rows:
        cells[row.cell] = cells.get(row.cell, Usage()) + row.usage
    return {cell: usage for cell, usage in cells.items() if not usage.is_zero}


def _differing_guard(then: Guard, now: Guard | None) -> Difference | None:
    if now is None or now.requests <= then.requests:
        return None
    return (BLOCK, "attribution", "guard"), (
        f"{plural(now.requests, 'request')} that no run claims today, around it, and its evidence holds "
        f"{then.requests:,}; read it again with --force"
    )


def _differing_cost(value: Object, again: Attribution) -> Iterator[Difference]:
    """COST_USD and its parts against the prices beside them. Amounts are compared as a reader of JSON takes them."""
    cost = stored_cost(value)
    if differs(cost, again):
        yield (BLOCK, PRICING, "parts"), f"prices other usage than the evidence holds; {RESTORE}"
        return
    breakdown = value.get(BREAKDOWN, {})
    pairs = [(COST, value["aggregate_metrics"].get(COST[1]), cost.usd)]
    pairs += [((BREAKDOWN, name), breakdown.get(name), part) for name, part in zip(AMOUNTS, cost.amounts, strict=True)]
    for pointer, stored, expected in pairs:
        if stored is None or float(stored) != float(expected):
            yield pointer, f"is {stored}, and the evidence at its prices comes to {spelled_out(expected)}; {RESTORE}"


def _differing_steps(run: Run, value: Object, again: Attribution) -> Iterator[Difference]:
    for position, share in enumerate(step_usage(run.steps, again)):
        if share.usage is None:
            continue
        step = value["steps"][position]
        for kind, part in zip(KINDS, share.usage.parts, strict=True):
            if kind in step:
                yield from _compared(("steps", position, kind), step[kind], part)


def _compared(pointer: Pointer, stored: object, expected: object) -> Iterator[Difference]:
    if stored != expected:
        yield pointer, f"is {_shown(stored)}, and the evidence comes to {_shown(expected)}; {RESTORE}"


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _taken_back(state: State) -> bool:
    """Whether a claim came late over its minutes: its bounds are then nothing to everything, until it is read."""
    return Reason.SHARED_MINUTES in state.reasons and state.bounds == Bounds(Usage(), state.figure)


def _was_settled(earlier: Iterable[Observation]) -> bool:
    return any(each.status in {Status.VERIFIED, Status.WARNING, Status.FAILED} for each in earlier)
