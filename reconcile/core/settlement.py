"""The verdict on a run, from what was read of it so far, today's attribution and the policy.

Stability is judged on all reported usage of window and scope, so that a neighbour who appears or leaves moves no
plateau; exactness is judged on today's claims. Nothing here ever takes a figure from a read that failed: a failed
read is no observation and does not get here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from reconcile.core import wording
from reconcile.core.attribution import Attribution
from reconcile.core.completing import completed
from reconcile.core.judgement import Case, judge, late_claims, restated_from, since_restart, unknown, warnings
from reconcile.core.model import (
    Bounds,
    Claim,
    Completeness,
    Observation,
    Policy,
    Reason,
    Run,
    State,
    Status,
    Usage,
)
from reconcile.core.plateau import Effect, Plateau, placed, plateau_of, stamped
from reconcile.core.wire import plural

LOWER_READ = "lower_read"
"""What an attempt that was lower than the figure is called; it is no status of a run."""

CLOSED_KEY = "closed_key"
UNREADABLE_RUNS = "unreadable_runs"


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
    restatement: tuple[Usage, Usage] | None = None
    """The settled figure and the one that was read, stably, after it."""
    bounds: Bounds | None = None
    """Nothing to everything: all that is known where a claim came late and nothing tells what it took."""
    reconciled_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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
) -> Outcome:
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
    return Outcome(effect=effect, plateau=plateau, verdict=_verdict(case, read, unreadable))


def taken_back(run: Run) -> Verdict | None:
    """The verdict on a settled run whose minutes were claimed late, where no read tells what the claim took.

    None where the file says so already, and where the run is not settled any more.
    """
    state = run.state
    if state is None or not run.settled:
        return None
    everything = Bounds(Usage(), state.figure)
    if state.bounds == everything and Reason.SHARED_MINUTES in state.reasons:
        return None
    return Verdict(
        status=Status.WARNING,
        reasons=(Reason.SHARED_MINUTES, *warnings(state, but=Reason.SHARED_MINUTES)),
        message=wording.LATE_CLAIM,
        attribution=None,
        observation=None,
        restatement=state.restatement,
        bounds=everything,
    )


def _verdict(case: Case, read: Observation, unreadable: int) -> Verdict | None:
    state = case.run.state
    status, reasons = judge(case)
    late = bool(late_claims(case.run, case.attribution.neighbours))
    if late and (not case.at_figure or (case.attribution.exact and Reason.SHARED_MINUTES in reasons)):
        return taken_back(case.run)
    unmoved = state is not None and status is state.status and not late and not _newly_beside(case, state)
    closing = case.past_cutoff and not case.at_rest
    quiet = unmoved or (case.effect is Effect.ZERO and not closing)
    if case.effect in {Effect.ZERO, Effect.EARLY} and quiet:
        return None
    restatement = _restatement(case, reasons)
    same = state is not None and (status, reasons, restatement) == (state.status, state.reasons, state.restatement)
    anew = late or not case.at_rest
    writes = case.at_figure and anew and not _waits_for_force(case, read)
    completeness = case.attribution.completeness if case.attribution.exact else None
    return Verdict(
        status=status,
        reasons=reasons,
        message=_message(case, reasons, unreadable),
        stands=same and not anew,
        attribution=case.attribution if writes else None,
        observation=_kept(case, read, status),
        neighbours=case.attribution.neighbours if anew else (),
        completeness=completeness,
        assumes=_assumptions(completeness, unreadable),
        restatement=restatement,
        bounds=Bounds(Usage(), read.reported) if writes and late else None,
        reconciled_at=_reconciled_at(case, read),
        verified_at=_verified_at(case) if status is Status.VERIFIED else None,
    )


def _newly_beside(case: Case, state: State) -> bool:
    """Whether the file of a run that waits does not name a claim yet, which may be gone by the next read."""
    return state.ours and not case.at_rest and case.at_figure and bool(unknown(state, case.attribution.neighbours))


def _kept(case: Case, read: Observation, status: Status) -> Observation | None:
    """The read as an attempt of the file. A zero after a figure is none, though it may be the last look at a run."""
    if case.effect is Effect.ZERO:
        return None
    return replace(read, status=status if case.at_figure else LOWER_READ)


def _message(case: Case, reasons: tuple[Reason, ...], unreadable: int) -> str:
    said = wording.message(case, reasons)
    if not unreadable:
        return said
    return f"{said}; {plural(unreadable, 'unreadable file')} may claim its minutes too"


def _restatement(case: Case, reasons: tuple[Reason, ...]) -> tuple[Usage, Usage] | None:
    """The settled figure and today's, where the reasons say that they differ."""
    state, lower = case.run.state, case.plateau.lower
    if state is None or Reason.RESTATED not in reasons:
        return None
    settled = restated_from(case) if case.at_figure else None
    if settled:
        return settled.figure, case.attribution.figure
    confirmed = lower is not None and lower.stable(case.policy)
    return (state.figure, case.attribution.figure) if confirmed else state.restatement


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


def _assumptions(completeness: Completeness | None, unreadable: int) -> tuple[str, ...]:
    if completeness is None:
        return ()
    closed = (CLOSED_KEY,) if completeness is Completeness.ASSUMED else ()
    return (*closed, *((UNREADABLE_RUNS,) if unreadable else ()))
