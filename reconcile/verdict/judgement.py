"""The rules of the verdict: what a run's status is and why, after one more read.

The first row of a table that applies decides; docs/verdict-rules.md has the tables. Everything here looks at a `Case`
and says a status with its reasons; what is written follows in `settlement`. A `Contest` changes no verdict: it is where
another run claims minutes of a settled one, and no read has told yet what is whose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconcile.attribution.attribute import Attribution
from reconcile.minutes import Window, any_meets, joined
from reconcile.runs.run import Claim, Run, RunKey
from reconcile.runs.state import Completeness, Observation, Policy, Reason, State, Status
from reconcile.usage import names
from reconcile.verdict.plateau import Effect, Plateau, apart

CALM_AGE = timedelta(hours=4)
"""How old a run must be before matching counts are believed beside foreign traffic: a late call and a foreign one
cancel in the count, and late calls are in by then."""

Judgement = tuple[Status, tuple[Reason, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a judgement looks at."""

    run: Run
    attribution: Attribution
    plateau: Plateau
    effect: Effect
    history: tuple[Observation, ...]
    """What was read before this read."""
    at: datetime
    """When the latest read was made: this one, unless others overtook it."""
    policy: Policy

    @property
    def past_cutoff(self) -> bool:
        """Old enough to be closed, unless what was read last still has to be read again."""
        old = self.at - self.run.ended_at > self.policy.max_age
        return old and self.at - self.plateau.last >= apart(self.policy)

    @property
    def at_figure(self) -> bool:
        """Whether this read shows the figure of the plateau. If not, it says nothing of the figure, which stands."""
        return self.attribution.reported == self.plateau.figure

    @property
    def at_rest(self) -> bool:
        """Whether the run is settled and this read gives no reason to judge its figure anew."""
        given_up = self.run.state is not None and self.run.state.closed_by_cutoff
        return self.run.settled and not given_up and self.effect not in {Effect.FIRST, Effect.ROSE}

    @property
    def stable(self) -> bool:
        return self.plateau.stable(self.policy)

    @property
    def idle(self) -> bool:
        """Whether the run recorded that it made no calls, and nothing that contradicts it."""
        known, log = self.run.known, self.run.log
        doubtful = known.aborted or known.unknown or (log is not None and log.pending)
        return known.api_calls == 0 and not any(known.parts) and not doubtful

    @property
    def young(self) -> bool:
        """Whether late usage may still come in that nothing but its tokens would tell from another's."""
        return self.at - self.run.ended_at < CALM_AGE


def late_claims(run: Run, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims over minutes of a run that was settled before they were known. Inherited verdicts know no claims.

    A claim that may only reach into them, because its clock may be off, is none: it counts them as shared.
    """
    state = run.state
    if state is None or not run.settled or state.inherited or state.status is Status.FAILED:
        return ()
    held = state.held
    return unknown(state, [claim for claim in claims if any(any_meets(held, window) for window in claim.minutes)])


def unknown(state: State, claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims that the file does not name yet. One whose file was gone then, and is back, is another one."""
    known = {(neighbour.run, neighbour.window, neighbour.gone) for neighbour in state.neighbours}
    return tuple(
        claim for claim in claims if not known & {(str(claim.run), claim.window, gone) for gone in {False, claim.gone}}
    )


def since_restart(history: Sequence[Observation]) -> Sequence[Observation]:
    restarts = [position for position, observation in enumerate(history) if observation.restarts]
    return history[restarts[-1] :] if restarts else history


def restated_from(case: Case) -> Observation | None:
    """The observation that verified another figure than today's, or that warned when less was reported."""
    if case.effect is Effect.FIRST:
        return None
    if case.attribution.record_matched:
        return None
    for observation in since_restart(case.history):
        another = observation.status == Status.VERIFIED and observation.figure != case.attribution.figure
        less = observation.status == Status.WARNING and case.plateau.figure.rose_from(observation.reported)
        if another or less:
            return observation
    return None


def judge(case: Case) -> Judgement:
    """The status of the case's run and why."""
    state = case.run.state
    if state is not None and case.at_rest:
        return _judge_settled(case, state)
    status, reasons = _judge_figure(case) if case.at_figure else _judge_rival(case)
    seen_too_early = state is not None and state.seen_in_future is not None and not case.run.edited
    if not seen_too_early or status not in {Status.VERIFIED, Status.WARNING}:
        return status, reasons
    return Status.WARNING, (Reason.CLOCK_OFF, *(reasons if status is Status.WARNING else ()))


def _judge_settled(case: Case, state: State) -> Judgement:
    """A settled run changes only where another figure became stable or left again, or where a claim came late."""
    rival = case.plateau.rival
    if rival is not None and rival.stable(case.policy):
        extra = case.plateau.matched and rival.figure.rose_from(case.plateau.figure)
        reason = Reason.EXTRA_CALLS if extra else Reason.RESTATED
        return Status.WARNING, (reason, *warnings(state, but={Reason.EXTRA_CALLS, Reason.RESTATED} - _kept(state)))
    settled = state.status, tuple(Reason(reason) for reason in state.reasons)
    if restored(case) and not restated_from(case):
        others = warnings(state, but={Reason.RESTATED, Reason.EXTRA_CALLS} - _kept(state))
        if others:
            settled = Status.WARNING, others
        elif not misses_a_neighbour(case):  # without it the figure cannot be shown to be exact
            settled = Status.VERIFIED, (_proof(case),)
    late = case.at_figure and late_claims(case.run, case.attribution.neighbours)
    return _judge_late(case, state, settled) if late else settled


def restored(case: Case) -> bool:
    """Whether the figure of a settled run is read again, and its file warns of another one."""
    state = case.run.state
    warned = state is not None and state.restatement is not None and state.restatement[0] == state.figure
    return warned and case.at_rest and case.effect is Effect.RETURNED


def misses_a_neighbour(case: Case) -> bool:
    """Whether somebody is not looked at any more who was when the verdict was made: then its bounds say more."""
    beside = {str(claim.run) for claim in case.attribution.neighbours}
    return case.run.state is not None and any(each.run not in beside for each in case.run.state.neighbours)


def _kept(state: State) -> set[Reason]:
    """Of the two reasons that a rival gives, the one that was given for something else: it gives one of them only."""
    given = state.restatement is not None and Reason.RESTATED not in state.reasons
    return set() if given else {Reason.EXTRA_CALLS}


def _judge_late(case: Case, state: State, settled: Judgement) -> Judgement:
    """A claim came late. Where the read shows what it took, the run is judged with it as if it had always been there.

    But a neighbour who is gone lifts no warning of shared minutes.
    """
    status, reasons = _judge_figure(case)
    if not case.attribution.exact:
        others = tuple(reason for reason in reasons if status is Status.WARNING and reason is not Reason.SHARED_MINUTES)
        return Status.WARNING, (Reason.SHARED_MINUTES, *others)
    present = {str(claim.run) for claim in case.attribution.neighbours if not claim.gone}
    gone = any(neighbour.run not in present for neighbour in state.neighbours)
    lifts = status.settled and not (gone and Reason.SHARED_MINUTES in state.reasons)
    return (status, reasons) if lifts else settled


def warnings(state: State, *, but: Collection[Reason]) -> tuple[Reason, ...]:
    """What the run was warned of already, some reasons left out."""
    warned = state.reasons if state.status is Status.WARNING else ()
    return tuple(Reason(reason) for reason in warned if reason not in but)


WAITED_FOR = (Reason.CALLS_MISSING, Reason.TOKENS_MISSING, Reason.EDGE_USAGE)
"""What a stable figure waits for until the cutoff, which makes a warning of it."""


def _judge_rival(case: Case) -> Judgement:
    """A read of another figure of a run that is not settled: the figure stands, and so does what it waits for."""
    known = case.run.state.reasons if case.run.state and case.stable else ()
    waited = tuple(reason for reason in WAITED_FOR if reason in known)
    if not case.past_cutoff:
        lower = case.plateau.figure.rose_from(case.attribution.reported)
        return Status.PENDING, (Reason.LOWER_READ if lower else Reason.AWAITING_STABILITY, *waited)
    return (Status.WARNING, waited) if waited else (Status.FAILED, (Reason.CUTOFF_PASSED,))


def _judge_figure(case: Case) -> Judgement:
    """A read that shows the figure of the plateau."""
    if case.attribution.reported.is_zero:
        return _judge_zero(case)
    if not case.stable and not case.attribution.log_matched:
        return _judge_unstable(case)
    status, reasons = _judge_stable(case)
    if status.settled and restated_from(case):
        return Status.WARNING, (Reason.RESTATED, *(reasons if status is Status.WARNING else ()))
    return status, reasons


def _judge_zero(case: Case) -> Judgement:
    if case.idle and case.stable and case.attribution.exact and not case.young:
        return Status.VERIFIED, (Reason.NO_API_CALLS,)
    if case.past_cutoff:
        if any(case.run.known.parts):
            return Status.FAILED, (Reason.ZERO_USAGE_WITH_CALLS,)
        return Status.WARNING, (Reason.ZERO_UNCONFIRMED,)
    if case.idle:
        return Status.PENDING, _waiting(case)
    return Status.DATA_NOT_AVAILABLE, (Reason.NO_USAGE_YET,)


def _judge_unstable(case: Case) -> Judgement:
    if case.past_cutoff:
        restated = restated_from(case) is not None
        return (Status.WARNING, (Reason.RESTATED,)) if restated else (Status.FAILED, (Reason.CUTOFF_PASSED,))
    return Status.PENDING, _waiting(case)


def _waiting(case: Case) -> tuple[Reason, ...]:
    reasons = {Effect.FIRST: Reason.FIRST_READ, Effect.ROSE: Reason.RISING}
    missing = _missing(case)
    return (reasons.get(case.effect, Reason.AWAITING_STABILITY), *((missing,) if missing else ()))


def _judge_stable(case: Case) -> Judgement:
    """A figure that was confirmed, or that a complete call log proves. The first row that applies decides."""
    attribution, open_status = case.attribution, Status.WARNING if case.past_cutoff else Status.PENDING
    if attribution.log_matched:
        return Status.VERIFIED, (Reason.LOG_MATCHED,)
    if missing := _missing(case):
        return open_status, (missing,)
    warned = _warned_of(case)
    if warned:
        return Status.WARNING, warned
    if not attribution.exact or _may_cancel(case):
        return open_status, (Reason.EDGE_USAGE,)
    idle = attribution.claim.known.api_calls == 0
    weak = not attribution.claim.scope.counted and attribution.completeness is Completeness.ASSUMED
    if case.young and not case.past_cutoff and (idle or weak or _stalled(case)):
        return Status.PENDING, (Reason.AWAITING_STABILITY if idle or weak else Reason.STALLED_FEED,)
    return Status.VERIFIED, (Reason.NO_API_CALLS if idle else Reason.STABLE,)


def _missing(case: Case) -> Reason | None:
    """What the run recorded and the provider has not reported."""
    if case.attribution.lacking:
        return Reason.TOKENS_MISSING
    lacks = case.attribution.bounds is None or (case.young and _not_understood(case.attribution))
    return Reason.CALLS_MISSING if lacks else None


def _warned_of(case: Case) -> tuple[Reason, ...]:
    """What no further read would mend. Beside the run may lie a stranger's call in the place of a late one of its own:
    other tokens are then no fault of the recorder's before late calls are in."""
    attribution = case.attribution
    extra = (Reason.EXTRA_CALLS,) if attribution.extra else ()
    if not attribution.exact and attribution.shared:
        return (Reason.SHARED_MINUTES, *extra)
    differs = attribution.mismatched or _tokens_differ(attribution)
    differs = differs and not (case.young and attribution.beyond)
    return extra or ((Reason.RECORDED_MISMATCH,) if differs else ())


def _proof(case: Case) -> Reason:
    if case.attribution.reported.is_zero:
        return Reason.NO_API_CALLS
    return Reason.LOG_MATCHED if case.attribution.log_matched else Reason.STABLE


def _not_understood(attribution: Attribution) -> bool:
    """Whether something was sent that the recorder did not understand, and fewer requests were reported than that."""
    known = attribution.claim.known
    if not known.unknown or known.api_calls is None or attribution.neighbours:
        return False
    return attribution.reported.api_calls < known.api_calls + known.unknown


def _stalled(case: Case) -> bool:
    """Whether the figure rests on a feed that others have left behind: late usage would look like none."""
    attribution, own = case.attribution, case.run.own_scope
    if attribution.completeness not in {Completeness.ASSUMED, Completeness.CALLS_MATCHED}:
        return False
    named = own.models if own and own.models else ()
    seen = [row.model for row in attribution.rows]
    waited = any(not any(names(alias, model) for model in seen) for alias in named)
    assumed = attribution.completeness is Completeness.ASSUMED
    return waited or bool(attribution.feed.silent) or (assumed and attribution.feed.stalled(attribution.claim))


def _tokens_differ(attribution: Attribution) -> bool:
    if attribution.aborted_billed:
        return False
    pairs = zip(attribution.claim.known.tokens, attribution.figure.parts, strict=False)
    return any(recorded is not None and recorded != reported for recorded, reported in pairs)


def _may_cancel(case: Case) -> bool:
    """Whether a late call and a foreign one may hide each other in matching counts; one of them lies outside its own
    minutes, or somebody else uses the key."""
    attribution = case.attribution
    foreign = attribution.guard.requests > 0 or attribution.surplus_nearby or bool(attribution.beyond)
    return attribution.completeness is Completeness.CALLS_MATCHED and foreign and case.young


@dataclass(frozen=True, slots=True)
class Contest:
    """A claim that the next pass which reads these minutes has to look at."""

    run: RunKey
    """Whose claim it is."""
    minutes: tuple[Window, ...]
    """Those of the settled run that it claims, sorted and apart."""


def contests(run: Run, claims: Iterable[Claim]) -> tuple[Contest, ...]:
    """The contests of a run's verdict among the claims beside it."""
    held = run.state.held if run.state else ()
    return tuple(Contest(claim.run, _common(held, claim.minutes)) for claim in late_claims(run, claims))


def _common(some: Iterable[Window], others: tuple[Window, ...]) -> tuple[Window, ...]:
    met = [(one, other) for one in some for other in others if one.meets(other)]
    return tuple(joined(Window(max(one.start, other.start), min(one.end, other.end)) for one, other in met))
