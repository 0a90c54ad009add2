"""Builds what a command works with, from plain values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from reconcile import schema_files
from reconcile.adapters.period_cache import PeriodCache
from reconcile.adapters.prices import list_prices
from reconcile.adapters.providers import openai
from reconcile.adapters.run_store import RunStore
from reconcile.core.calls import LogChecker
from reconcile.core.model import Policy, Query, Scope, UsageProvider
from reconcile.core.validation import Checker
from reconcile.workflow.tree import Workspace

DEFAULT_POLICY = Policy()
MOST_REQUESTS = openai.MOST_REQUESTS


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
    )


@cache
def checkers() -> tuple[Checker, LogChecker]:
    """What validates run files, and what validates the logs of their calls: compiled once."""
    runs = Checker(schema_files.load("metrics-v1"), schema_files.load("metrics-v2"))
    return runs, LogChecker(schema_files.load("calls"))


def clock() -> datetime:
    """This instant, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def openai_usage(
    admin_key: str,
    base_url: str = openai.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> UsageProvider:
    """OpenAI's usage API. `on_progress` hears how many minutes of a query are answered, and how many it has."""
    return openai.OpenAIUsage(admin_key, base_url, now=now, on_progress=on_progress)


def openai_billing(
    admin_key: str,
    base_url: str = openai.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cached: bool = True,
    max_requests: int | None = MOST_REQUESTS,
) -> openai.OpenAIBilling:
    """OpenAI's usage and costs of whole days. `on_progress` hears how many queries are answered, and how many there
    are; `cached`: closed days are kept in the user's cache directory and not asked for again.
    """
    cache = PeriodCache() if cached else None
    return openai.OpenAIBilling(
        admin_key, base_url, now=now, on_progress=on_progress, cache=cache, max_requests=max_requests
    )


def curl_lines(base_url: str) -> Callable[[Query], str]:
    """What spells a query as a curl line."""
    return lambda query: openai.curl_line(query, base_url)
