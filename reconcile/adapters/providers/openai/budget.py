"""How many requests may be made: told before the first where they will not do, and never exceeded."""

from __future__ import annotations

from dataclasses import replace

from reconcile.adapters.http import Patience
from reconcile.errors import ConfigurationError


class Budget:
    """`most` requests, tries that fail among them; None is no limit. Counts every one that is made."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.made = 0

    def check(self, needed: int) -> None:
        """Raises ConfigurationError where so many more are too many."""
        if self._most is not None and self.made + needed > self._most:
            done = f"; {self.made} were made" if self.made else ""
            raise ConfigurationError(
                f"it takes {self.made + needed} or more requests to the provider, and {self._most} are allowed{done}",
                code="request_budget",
                remedy=f"allow {self.made + needed} or more with --max-requests, or compare fewer days",
            )

    def spend(self, patience: Patience) -> Patience:
        """Before a request: the patience to make it with, which stops where another try is one too many."""

        def sleep(seconds: float) -> None:
            self._spend()
            patience.sleep(seconds)

        self._spend()
        return replace(patience, sleep=sleep)

    def _spend(self) -> None:
        self.check(1)
        self.made += 1
