"""Builds what a command works on, from plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from reconcile import schemas
from reconcile.git.checkout import ignored_around
from reconcile.money.list_prices import list_prices
from reconcile.passes.tree import Workspace
from reconcile.providers.base import Scope
from reconcile.runs.call_log import LogChecker
from reconcile.runs.run_store import RunStore
from reconcile.runs.state import Policy
from reconcile.runs.validation import Checker

DEFAULT_POLICY = Policy()
OWN = ("RECONCILE_", "OPENAI_", "OPEN_AI_")
"""How variables begin that are this program's."""


def open_workspace(  # noqa: PLR0913  settings, each given by its name
    runs: str | os.PathLike[str] = "runs",
    *,
    scopes: Mapping[str, Scope] | None = None,
    policy: Policy = DEFAULT_POLICY,
    variables: Mapping[str, str] | None = None,
    now: datetime | None = None,
    evidence: bool = True,
    pricing: bool = False,
) -> Workspace:
    """The folder `runs` with the scopes of its frameworks. `variables`: key ids by variable, like an environment.

    `now` is an aware instant, for tests and replays, in which reading takes no time; the clock where it is None.
    `pricing`: whether COST_USD of reconciled runs is filled at list prices, which takes the extra `pricing`.
    """
    checker, log_checker = checkers()
    return Workspace(
        store=RunStore(Path(runs)),
        checker=checker,
        log_checker=log_checker,
        policy=policy,
        configured=scopes or {},
        variables=variables or {},
        now=now.astimezone(UTC).replace(microsecond=0) if now else clock(),
        clock=None if now else clock,
        evidence=evidence,
        prices=list_prices() if pricing else None,
        ignored=lambda paths: ignored_around(Path(runs), paths, without_own(variables or {})),
    )


def without_own(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what git has no business with, secrets among it."""
    return {name: value for name, value in environ.items() if not name.startswith(OWN)}


@cache
def checkers() -> tuple[Checker, LogChecker]:
    """What validates run files, and what validates the logs of their calls: compiled once."""
    runs = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))
    return runs, LogChecker(schemas.load("calls"))


def clock() -> datetime:
    """This instant, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
