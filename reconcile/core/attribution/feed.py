"""How far the provider's figures are: for all that was read, and for the traffic of one run.

A provider may be hours late with one key or one model while the others are up to date. Then its newest minute lags
behind, and what a run used of it cannot be told from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconcile.core.model import MINUTE, Bucket, Claim, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The newest minutes that hold usage, as one run is concerned."""

    newest: int | None = None
    """Of all that was read."""
    own: int | None = None
    """Of the run's own traffic."""
    silent: tuple[str, ...] = ()
    """Models of its traffic that were used before the run, and of which nothing has been reported since."""

    def stalled(self, claim: Claim) -> bool:
        """Whether the run's traffic ends before its last two minutes, though others are further."""
        ahead = self.newest is not None and self.newest >= claim.window.end
        return ahead and self.own is not None and self.own < claim.window.end - 2 * MINUTE


UNWATCHED = Feed()


class Feeds:
    """The feeds of the claims of one pool."""

    def __init__(self, rows: Iterable[Bucket], newest: int | None) -> None:
        self._rows = list(rows)
        self._newest = newest
        self._models: dict[Scope, dict[str | None, int]] = {}

    def of(self, claim: Claim) -> Feed:
        """What was seen of the claim's traffic."""
        models = self._of(claim.scope)
        ahead = self._newest is not None and self._newest >= claim.window.end
        silent = (model for model, minute in models.items() if model and minute < claim.span.start) if ahead else ()
        return Feed(newest=self._newest, own=max(models.values(), default=None), silent=tuple(sorted(silent)))

    def _of(self, scope: Scope) -> dict[str | None, int]:
        """By model, the newest minute with usage that the scope admits."""
        if scope not in self._models:
            found: dict[str | None, int] = {}
            for row in self._rows:
                if scope.admits(row) and not row.usage.is_zero:
                    found[row.model] = max(found.get(row.model, 0), row.minute)
            self._models[scope] = found
        return self._models[scope]
