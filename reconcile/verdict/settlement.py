"""The verdict on a run, from what was read of it so far, today's attribution and the policy.

Stability is judged on all reported usage of reach and scope, so that a neighbour who appears or leaves moves no
plateau; exactness is judged on today's claims. Nothing here ever takes a figure from a read that failed: a failed
read is no observation and does not get here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.booking import STATED_CLOCK
from reconcile.runs.metrics import completed
from reconcile.runs.run import Claim, Run
from reconcile.runs.state import Completeness, Observation, Policy, Proof, Reason, State, Status
from reconcile.usage import Bounds, Usage
from reconcile.verdict import wording
from reconcile.verdict.judgement import (
    Case,
    Judgement,
    judge,
    late_claims,
    misses_a_neighbour,
    restated_from,
    restored,
    since_restart,
    unknown,
    warnings,
)
from reconcile.verdict.plateau import RIVAL_READ, Effect, Plateau, placed, plateau_of, stamped
from reconcile.words import plural

LOWER_READ = "lower_read"
OTHER_READ = "other_read"
"""What an attempt is called that showed less than the figure, or more of one kind and less of another. They are no
statuses of a run."""

CLOSED_KEY = "closed_key"
SCOPE_COMPLETE = "scope_complete"
USAGE_COMPLETE = "usage_complete"
NO_UNRECORDED_RETRIES = "no_unrecorded_retries"
CLOCK = "clock"
COMPLETIONS_ONLY = "completions_only"
UNREADABLE_RUNS = "unreadable_runs"

AGGREGATE = "aggregate_metrics"
"""The source of figures that nobody says were counted call by call: they support, and prove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a read, or a claim that came late, changes in a run's file."""

    status: Status
    reasons: tuple[Reason, ...]
    message: str
    """The reasons in words, with the numbers."""
    stands: bool = False
    """Whether the file's verdict is as it was, and only the read is added to it."""
    attribution: Attribution | None
    """Whose figure and bounds are written; None leaves those of the file as they are."""
    observation: Observation | None
    """The read, where it is kept."""
    neighbours: tuple[Claim, ...] = ()
    """The claims beside the run's that the verdict took account of: once it is settled, any other is a late one."""
    completeness: Completeness | None = None
    assumes: tuple[str, ...] = ()
    """Both belong to the attribution and are written with it."""
    proof: Proof | None = None
    """How a verified figure is held; belongs to the attribution too."""
    restatement: tuple[Usage, Usage] | None = None
    """The settled figure and the one that was read, stably, after it."""
    bounds: Bounds | None = None
    """Nothing to everything: all that is known where a claim came late and nothing tells what it took."""
    reconciled_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What one read did. No verdict: it taught nothing, and nothing is written."""

    effect: Effect
    plateau: Plateau
    verdict: Verdict | None


def settle(  # noqa: PLR0913  the last three are rare
    run: Run,
    attribution: Attribution,
    at: datetime,
    policy: Policy,
    *,
    begun: datetime | None = None,
    forced: bool = False,
    unreadable: int = 0,
) -> Settled:
    """Judge `run` after a complete read of its window, asked for at `begun` and answered at `at`.

    `forced` reopens a settled run. `unreadable` counts the files that may claim its minutes and cannot be read.
    """
    history = completed(run.state.observations, attribution.reported) if run.state else ()
    earlier = tuple(observation for observation in history if observation.at <= at)
    before = plateau_of(earlier, policy)
    moved = before is not None and not run.edited and (run.settled or attribution.reported != before.figure)
    read = Observation(
        at=at,
        figure=attribution.figure,
        reported=attribution.reported,
        bounds=None if attribution.exact else attribution.bounds,
        status=Status.PENDING,
        forced=forced and moved,
        window_changed=run.edited,
        matched=attribution.record_matched,
        unknown=attribution.unknown,
        fresh=True,
    )
    read = stamped(before, read, max([begun or at, *(observation.at for observation in earlier[-1:])]), policy)
    later = history[len(earlier) :]
    plateau, effect = placed(before, read, later, policy)
    case = Case(
        run=run,
        attribution=attribution,
        plateau=plateau,
        effect=effect,
        history=earlier,
        at=later[-1].at if later else read.at,
        policy=policy,
    )
    return Settled(effect=effect, plateau=plateau, verdict=_verdict(case, read, unreadable))


def _taken_back(state: State) -> Verdict | None:
    """The verdict on a settled run whose minutes were claimed late, where no read tells what the claim took.

    None where the file says so already.
    """
    everything = Bounds(Usage(), state.bounds.high if state.bounds else state.figure)
    if state.bounds == everything and Reason.SHARED_MINUTES in state.reasons:
        return None
    return Verdict(
        status=Status.WARNING,
        reasons=(Reason.SHARED_MINUTES, *warnings(state, but={Reason.SHARED_MINUTES})),
        message=wording.LATE_CLAIM,
        attribution=None,
        observation=None,
        restatement=state.restatement,
        bounds=everything,
    )


def _verdict(case: Case, read: Observation, unreadable: int) -> Verdict | None:
    state, judgement = case.run.state, judge(case)
    late = bool(late_claims(case.run, case.attribution.neighbours))
    untold = not case.at_figure or (case.attribution.exact and Reason.SHARED_MINUTES in judgement[1])
    if state and late and untold:
        return _contested(case, state, read, unreadable, judgement)
    return _told(case, read, unreadable, judgement, late=late)


def _contested(case: Case, state: State, read: Observation, unreadable: int, judgement: Judgement) -> Verdict | None:
    """Somebody claims minutes of a settled run, and this read does not show what that took: anything may be the
    other's. What it shows of a rival is told as well."""
    taken = _taken_back(state)
    if case.effect is not Effect.RIVAL:
        return taken
    rival = case.plateau.rival
    if taken and not (rival and rival.stable(case.policy)):
        return replace(taken, observation=_kept(case, read, taken.status))
    told = _told(case, read, unreadable, judgement, late=False)
    if told is None or taken is None or taken.bounds is None:
        return told
    others = tuple(reason for reason in told.reasons if reason is not Reason.SHARED_MINUTES)
    return replace(
        told,
        reasons=(Reason.SHARED_MINUTES, *others),
        message=f"{wording.LATE_CLAIM}; {told.message}",
        bounds=Bounds(Usage(), told.bounds.high if told.bounds else taken.bounds.high),
    )


def _told(case: Case, read: Observation, unreadable: int, judgement: Judgement, *, late: bool) -> Verdict | None:
    """The judgement as a verdict; None where the file says it already and the read adds nothing."""
    state, (status, reasons) = case.run.state, judgement
    unmoved = state is not None and status is state.status and not late and not _newly_beside(case, state)
    closing = case.past_cutoff and not case.at_rest
    quiet = unmoved or (case.effect is Effect.ZERO and not closing)
    if case.effect in {Effect.ZERO, Effect.EARLY} and quiet:
        return None
    restatement = _restatement(case, reasons)
    same = state is not None and (status, reasons, restatement) == (state.status, state.reasons, state.restatement)
    anew = late or not case.at_rest or (restored(case) and not misses_a_neighbour(case))
    fell = _fallen_share(case, status) if late else None
    writes = case.at_figure and anew and fell is None and not _waits_for_force(case, read)
    between = fell or _between(case, status, reasons)
    doubtful = between or Reason.CLOCK_OFF in reasons
    completeness = case.attribution.completeness if case.attribution.exact and not doubtful else None
    return Verdict(
        status=status,
        reasons=reasons,
        message=_message(case, reasons, unreadable),
        stands=same and not anew,
        attribution=case.attribution if writes else None,
        observation=_kept(case, read, status),
        neighbours=case.attribution.neighbours if anew else (),
        completeness=completeness,
        assumes=assumptions(case.attribution, unreadable) if completeness else (),
        proof=proof_of(case.attribution) if status is Status.VERIFIED and writes else None,
        restatement=restatement,
        bounds=Bounds(Usage(), read.reported) if writes and late else between,
        reconciled_at=_reconciled_at(case, read),
        verified_at=_verified_at(case) if status is Status.VERIFIED else None,
    )


def _fallen_share(case: Case, status: Status) -> Bounds | None:
    """From the share that a late claim leaves to the settled figure, where it leaves less: a settled figure falls by
    itself only where the run's own record shows it to be lower, which verifies it."""
    state, share = case.run.state, case.attribution.figure
    if state is None or not case.at_figure or status is Status.VERIFIED:
        return None
    if _by_part(min, share, state.figure) == state.figure:
        return None
    left = case.attribution.bounds or Bounds(share, share)
    return Bounds(_by_part(min, left.low, state.figure), _by_part(max, left.high, state.figure))


def _by_part(pick: Callable[..., int], *usages: Usage) -> Usage:
    return Usage(*map(pick, *(usage.parts for usage in usages)))


def _newly_beside(case: Case, state: State) -> bool:
    """Whether the file of a run that waits does not name a claim yet, which may be gone by the next read."""
    return state.ours and not case.at_rest and case.at_figure and bool(unknown(state, case.attribution.neighbours))


def _kept(case: Case, read: Observation, status: Status) -> Observation | None:
    """The read as an attempt of the file. A zero after a figure is none, though it may be the last look at a run."""
    if case.effect is Effect.ZERO:
        return None
    return replace(read, status=status if case.at_figure else _differs(case), fresh=False)


def _differs(case: Case) -> str:
    """What a read is called that does not show the figure."""
    read, figure = case.attribution.reported, case.plateau.figure
    return RIVAL_READ if read.rose_from(figure) else LOWER_READ if figure.rose_from(read) else OTHER_READ


def _between(case: Case, status: Status, reasons: tuple[Reason, ...]) -> Bounds | None:
    """From the figure to its rival, where a verdict stands between them, and what else the rival may come to."""
    rival, state = case.plateau.rival, case.run.state
    if rival is None or case.at_figure or state is None:
        return None
    warned = case.at_rest and bool({Reason.RESTATED, Reason.EXTRA_CALLS} & set(reasons)) and rival.stable(case.policy)
    if not warned and status is not Status.FAILED:
        return None
    exact = Bounds(state.figure, state.figure), Bounds(rival.figure, rival.figure)
    either = [*exact, *filter(None, (state.bounds, case.attribution.bounds))]
    return Bounds(_by_part(min, *(each.low for each in either)), _by_part(max, *(each.high for each in either)))


def _message(case: Case, reasons: tuple[Reason, ...], unreadable: int) -> str:
    said = wording.message(case, reasons)
    if not unreadable:
        return said
    return f"{said}; {plural(unreadable, 'unreadable file')} may claim its minutes too"


def _restatement(case: Case, reasons: tuple[Reason, ...]) -> tuple[Usage, Usage] | None:
    """The settled figure and today's, where the reasons say that they differ."""
    state, rival = case.run.state, case.plateau.rival
    if state is None or not {Reason.RESTATED, Reason.EXTRA_CALLS} & set(reasons):
        return None
    settled = restated_from(case) if case.at_figure else None
    if settled:
        return settled.figure, case.attribution.figure
    confirmed = case.at_rest and rival is not None and rival.stable(case.policy)
    if confirmed:
        return state.figure, case.attribution.reported
    stands = Reason.RESTATED in reasons or (case.at_rest and not restored(case))
    return state.restatement if stands else None


def _waits_for_force(case: Case, read: Observation) -> bool:
    """A forced read shows its figure once it is stable or proven, and a zero never replaces a figure on its own."""
    since = [read] if read.restarts else [*since_restart(case.history), read]
    open_force = since[0].forced and not any(observation.status in {"verified", "warning"} for observation in since)
    unproven = case.attribution.reported.is_zero and not case.idle
    settled = case.stable or case.attribution.log_matched
    return open_force and (not settled or unproven)


def _reconciled_at(case: Case, read: Observation) -> datetime:
    state = case.run.state
    unchanged = state is not None and state.figure == read.figure and state.reconciled_at
    return unchanged or read.at


def _verified_at(case: Case) -> datetime:
    """Now, unless it was verified already and still is."""
    before = case.run.state.verified_at if case.run.state and case.at_rest else None
    return before or case.at


def proof_of(attribution: Attribution) -> Proof:
    """How an exact figure is held: by the run's own calls and tokens, by either, or by nothing that it recorded."""
    known, figure = attribution.claim.known, attribution.figure
    if attribution.record_matched and known.source != AGGREGATE:
        return Proof.PROVEN
    if attribution.completeness is not Completeness.ASSUMED:
        return Proof.SUPPORTED
    calls = known.api_calls is not None and known.api_calls == figure.api_calls
    tokens = (known.tokens_in, known.tokens_out) == (figure.tokens_in, figure.tokens_out)
    return Proof.SUPPORTED if calls or tokens else Proof.ASSUMED


def assumptions(attribution: Attribution, unreadable: int = 0) -> tuple[str, ...]:
    """All that an exact figure takes for granted."""
    known, proof = attribution.claim.known, proof_of(attribution)
    completeness = attribution.completeness
    counted = {Completeness.ASSUMED, Completeness.CALLS_MATCHED}
    held = {
        CLOSED_KEY: completeness is Completeness.ASSUMED,
        SCOPE_COMPLETE: proof is Proof.ASSUMED,
        USAGE_COMPLETE: completeness in counted or bool(known.aborted),
        NO_UNRECORDED_RETRIES: proof is not Proof.ASSUMED and not known.every_attempt,
        CLOCK: attribution.claim.clock.source == STATED_CLOCK,
        COMPLETIONS_ONLY: bool(known.others),
        UNREADABLE_RUNS: bool(unreadable),
    }
    return tuple(name for name, taken in held.items() if taken)
