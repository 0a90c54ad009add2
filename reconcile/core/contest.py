"""Where another run claims minutes of a settled one, and no read has told yet what is whose. Changes no verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcile.core.judgement import late_claims
from reconcile.core.model import Claim, Run, RunKey, Window, joined


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
