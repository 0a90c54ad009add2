"""Where one run stands, with all that a person asks next: since when, what it called, what to expect, what hangs on it.

Holds the run's `Account` and adds only what follows from it and from runs like it. Judges nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from reconcile.insight.account import Account, account_json
from reconcile.insight.board import Group, group_of
from reconcile.insight.expectation import Expectation, Models, expectation_json, expectation_of, models_of
from reconcile.minutes import MINUTE, instant, minute_of, spelled
from reconcile.passes.summary import finding_json, standing
from reconcile.runs.metrics import usage_json
from reconcile.runs.run import Finding, Generation, Json, Run, RunKey
from reconcile.runs.state import State
from reconcile.usage import Usage
from reconcile.verdict.cost import rows_of
from reconcile.verdict.plateau import plateau_of

FIELDS = ("TOK_IN", "TOK_OUT", "CACHED_TOKENS", "API_CALLS")
"""What follows from a run's usage in every file. So does AEI, where a file has it."""
COST_FIELD = "COST_USD"
STEP_FIELDS = ("steps[].tokens_in", "steps[].tokens_out")
"""And in one of the first generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """What depends on the run's verdict. All that was measured otherwise does not."""

    fields: tuple[str, ...]
    """Of its file, those that are not verified; and AEI, where it has one."""
    runs: tuple[RunKey, ...]
    """Those that share its minutes; where its own claim is not known, those that its file names."""
    gate: bool
    """Whether it keeps `list --require-verified` from passing, which takes no other tool's verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One run."""

    account: Account
    group: Group
    since: datetime | None
    """Since when it has its status; None where no read of its file tells."""
    closes_at: datetime | None
    """The cutoff of a run that waits: when it is closed as it stands then."""
    by_model: tuple[tuple[str | None, Usage], ...]
    """Its figure by reported model; nothing where it is not exact, or that is not known."""
    expected: Expectation
    affected: Affected
    differences: tuple[Finding, ...] = ()
    """What its file says that does not follow from its evidence, as an audit tells it."""


def situation_of(
    account: Account, others: Sequence[Run], models: Mapping[RunKey, Models], differences: Sequence[Finding] = ()
) -> Situation:
    """The account's run beside `others`, which are its candidates for a comparison, with their models."""
    run, group = account.report.run, group_of(account.report)
    own = {run.key: models_of(run, account.evidence)}
    return Situation(
        account=account,
        group=group,
        since=_since(run),
        closes_at=run.ended_at + account.policy.max_age if group is Group.WAITING else None,
        by_model=by_model(account),
        expected=expectation_of(run, others, {**models, **own}),
        affected=Affected(
            fields=() if group is Group.VERIFIED else _fields(run),
            runs=tuple(claim.run for claim in account.neighbours) if account.claim else _named(run),
            gate=standing(run) != "verified",
        ),
        differences=tuple(differences),
    )


def _named(run: Run) -> tuple[RunKey, ...]:
    """The neighbours that the file names."""
    names = (neighbour.run.partition("/") for neighbour in (run.state.neighbours if run.state else ()))
    return tuple(RunKey(framework, run_id) for framework, _, run_id in names)


def _since(run: Run) -> datetime | None:
    """The first of the last reads after all of which the file said what it says today."""
    if run.state is None:
        return run.ended_at
    if run.state.status.value != standing(run) and not run.state.inherited:
        return None  # its times were edited, and no read is about them
    if run.state.verified_at:
        return run.state.verified_at
    kept = [read for read in run.state.observations if not read.aside]
    same = list(takewhile(lambda read: read.status == standing(run), reversed(kept)))
    return same[-1].at if same else _confirmed_at(run.state)


def _confirmed_at(state: State) -> datetime | None:
    """When the figure was confirmed that a warning sets against the settled one: none of its reads has a status."""
    if state.restatement is None or state.policy is None:
        return None
    reads, policy = state.observations, state.policy
    plateaus = ((read, plateau_of(reads[:count], policy)) for count, read in enumerate(reads, start=1))
    rivals = ((read, plateau.rival) for read, plateau in plateaus if plateau and plateau.rival)
    return next((read.at for read, rival in rivals if rival.stable(policy)), None)


def _fields(run: Run) -> tuple[str, ...]:
    cost = () if run.cost_usd is None else (COST_FIELD,)
    return (*FIELDS, *cost, *(STEP_FIELDS if run.generation is Generation.V1 else ()))


def by_model(account: Account) -> tuple[tuple[str | None, Usage], ...]:
    """The run's figure by reported model; nothing where it is not exact, or that is not known."""
    state, evidence = account.report.run.state, account.evidence
    rows = rows_of(state.figure, evidence.rows) if state and state.exact and evidence else None
    usage: dict[str | None, Usage] = defaultdict(Usage)
    for row in rows or ():
        usage[row.model] += row.usage
    return tuple(sorted(usage.items(), key=lambda each: each[0] or ""))


def seconds_taken(run: Run) -> float:
    """How long the run took by its own clock."""
    return (run.ended_at - run.started_at).total_seconds()


def logged_span(run: Run) -> tuple[datetime, datetime] | None:
    """The minutes that hold the calls of the run's log: the beginning of the first, the end of the last."""
    if not run.log or not run.log.calls:
        return None
    return (
        instant(minute_of(min(each.start for each in run.log.calls))),
        instant(minute_of(max(each.end for each in run.log.calls)) + MINUTE),
    )


# ------------------------------------------------------------------------------------------- as JSON


def situation_json(situation: Situation) -> dict[str, Json]:
    """The account as `explain` gives it, and what is added to it, as schemas/status.schema.json describes them."""
    account = situation.account
    return {
        **account_json(account),
        "group": situation.group.value,
        "since": spelled(situation.since) if situation.since else None,
        "closes_at": spelled(situation.closes_at) if situation.closes_at else None,
        "evidence_read_at": spelled(account.evidence.read_at) if account.evidence else None,
        "calls": _calls_json(account.report.run),
        "by_model": [{"model": model, **usage_json(usage)} for model, usage in situation.by_model],
        "expected": expectation_json(situation.expected),
        "affected": {
            "fields": list(situation.affected.fields),
            "runs": [str(key) for key in situation.affected.runs],
            "gate": situation.affected.gate,
        },
        "differences": [finding_json(finding) for finding in situation.differences],
    }


def _calls_json(run: Run) -> Json:
    log, span = run.log, logged_span(run)
    return {
        "counted": run.known.api_calls,
        "source": run.recorded.source,
        "log": {
            "calls": log.total.api_calls,
            "complete": log.complete,
            "cut_off": log.aborted,
            "outside": log.strays,
            "models": sorted(log.models),
            "from": spelled(span[0]) if span else None,
            "to": spelled(span[1]) if span else None,
        }
        if log
        else None,
        "seconds": seconds_taken(run),
        "steps": [
            {
                "step": step.number,
                "start": spelled(instant(step.span[0])) if step.span else None,
                "seconds": step.span[1] - step.span[0] if step.span else None,
            }
            for step in run.steps
        ],
    }
