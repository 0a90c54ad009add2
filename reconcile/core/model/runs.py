"""One recorded execution, and its right to usage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconcile.core.model.figures import UNRECORDED, Recorded
from reconcile.core.model.files import Generation, RunKey
from reconcile.core.model.logged import CallLog, known
from reconcile.core.model.minutes import Clock, Window
from reconcile.core.model.traffic import Scope
from reconcile.core.model.verdicts import State


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's right to the usage in its scope and window, with what it counted itself."""

    run: RunKey
    scope: Scope
    window: Window
    recorded: Recorded = UNRECORDED
    """What the run's own file says."""
    log: CallLog | None = None
    gone: bool = False
    """Whether only a neighbour's file knows it still: its own is not there any more, or cannot be read."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One recorded execution, as its file describes it."""

    key: RunKey
    path: str
    generation: Generation
    window: Window
    started_at: datetime
    ended_at: datetime
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
        return self.state is not None and self.state.ours and self.state.window != self.window

    @property
    def settled(self) -> bool:
        return (
            self.state is not None
            and not self.edited
            and (self.state.inherited or (self.state.ours and self.state.status.settled))
        )
