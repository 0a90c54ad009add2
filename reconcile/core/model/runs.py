"""One recorded execution, and its right to usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconcile.core.model.figures import UNRECORDED, Recorded
from reconcile.core.model.files import Generation, RunKey
from reconcile.core.model.logged import CallLog, known
from reconcile.core.model.minutes import EXACT, Clock, Window, any_meets, hull
from reconcile.core.model.traffic import Scope
from reconcile.core.model.verdicts import State


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to the usage in its scope and minutes, with what it counted itself.

    `minutes` are its own by the best guess at its clock. Its usage may have been booked anywhere in `reach`, which is
    wider by what that clock may be off; there it may be a stranger's as well.
    """

    run: RunKey
    scope: Scope
    window: Window
    recorded: Recorded = UNRECORDED
    """What the run's own file says."""
    log: CallLog | None = None
    gone: bool = False
    """Whether only a neighbour's file knows it still: its own is not there any more, or cannot be read."""
    clock: Clock = EXACT
    """By what its times and those of its log may be off. `window`, `sessions` and `reached` have the offset in them."""
    sessions: tuple[Window, ...] = ()
    """The parts of its window in which it ran, where it was interrupted."""
    reached: tuple[Window, ...] = ()
    """Where its usage may have been booked, sorted and apart; its own minutes where nothing is said."""

    @property
    def minutes(self) -> tuple[Window, ...]:
        """Its own minutes, sorted and apart."""
        return self.sessions or (self.window,)

    @property
    def reach(self) -> tuple[Window, ...]:
        """Every minute in which its usage may have been booked, sorted and apart."""
        return self.reached or self.minutes

    @property
    def span(self) -> Window:
        """From the first minute of its reach to the last."""
        reach = self.reach
        return reach[0] if len(reach) == 1 else hull(reach)

    def shares_reach(self, other: Claim) -> bool:
        """Whether some minute may hold usage of both."""
        return any(any_meets(other.reach, window) for window in self.reach)

    @property
    def doubted(self) -> bool:
        """Whether its log cannot be right beside its file, its window or its scope. Then it only counts calls."""
        log, scope = self.log, self.scope
        return log is not None and (
            log.strays > 0
            or log.contradicts(self.recorded)
            or (bool(scope.api_key_ids) and not log.api_key_ids.issubset(scope.api_key_ids))
            or not all(scope.may_name(model) for model in log.models)
        )

    @property
    def known(self) -> Recorded:
        """What the run counted itself, in its file and its log."""
        return known(self.recorded, self.log, doubted=self.doubted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a v1 file: the seconds it took, or None where the file does not know them."""

    number: int
    span: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScope:
    """What a run's own `usage_scope` says; None where it leaves the configured one in force."""

    provider: str | None = None
    api_key_ids: tuple[str, ...] | None = None
    project_ids: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded execution, as its file describes it."""

    key: RunKey
    path: str
    generation: Generation
    window: Window
    started_at: datetime
    ended_at: datetime
    """Both by the provider's clock, as far as the run's is known."""
    spans: tuple[tuple[float, float], ...] = ()
    """When it ran, in seconds of that clock: once, or in each of its sessions."""
    sessions: tuple[Window, ...] = ()
    """The minutes of its sessions, sorted and apart; empty where its file tells of none."""
    recorded: Recorded = UNRECORDED
    log: CallLog | None = None
    clock: Clock | None = None
    """How far the provider's clock was from that of the run's machine; None where nobody measured it."""
    own_scope: OwnScope | None = None
    steps: tuple[Step, ...] = ()
    """Empty in v2 files, whose steps carry no usage."""
    cost_usd: int | float | None = None
    """What the file says that its tokens cost."""
    state: State | None = None

    @property
    def known(self) -> Recorded:
        """What the run counted itself, in its file and its log."""
        log = self.log
        doubted = log is not None and (log.strays > 0 or log.contradicts(self.recorded))
        return known(self.recorded, log, doubted=doubted)

    @property
    def edited(self) -> bool:
        """Whether its times were changed after it was read: what was read then is about another window."""
        state = self.state
        return state is not None and state.ours and (state.window, state.sessions) != (self.window, self.sessions)

    @property
    def settled(self) -> bool:
        return (
            self.state is not None
            and not self.edited
            and (self.state.inherited or (self.state.ours and self.state.status.settled))
        )
