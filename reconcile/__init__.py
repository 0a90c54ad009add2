"""Proves what each recorded LLM run really used, from the provider's usage API. The interface for programs.

    from reconcile import Scope, open_workspace, openai_usage, run_pass

    workspace = open_workspace("runs", scopes={"chatdev": Scope("openai", ("key_abc123",))})
    summary = run_pass(workspace, openai_usage(os.environ["OPENAI_ADMIN_KEY"]))
    print(summary.counts)

Names are imported when they are first used, so that `import reconcile` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconcile.attribution.claims import Asked
    from reconcile.errors import ConfigurationError, ProviderError, ReconcileError, StoreError, UsageError
    from reconcile.insight.survey import backtest, board, explain, lag, list_runs, situation, validate
    from reconcile.ledger.trackers import (
        calculate_usage_stats,
        compare_usage,
        fetch_openai_usage,
        parse_openai_usage_response,
        parse_usage_logs,
    )
    from reconcile.minutes import Window
    from reconcile.passes.apply import run_pass
    from reconcile.passes.summary import RunReport, Summary, as_json
    from reconcile.passes.tree import Workspace
    from reconcile.providers.base import Fetched, Query, Scope, UsageProvider
    from reconcile.providers.openai import openai_usage
    from reconcile.recording import Recording, finish, record
    from reconcile.report.exports import report
    from reconcile.runs.run import Run, RunKey
    from reconcile.runs.state import Policy
    from reconcile.usage import Bucket, Usage
    from reconcile.workspace import open_workspace

__version__ = "0.1.0"

_HOMES = {
    "reconcile.attribution.claims": ("Asked",),
    "reconcile.errors": (
        "ConfigurationError",
        "ProviderError",
        "ReconcileError",
        "StoreError",
        "UsageError",
    ),
    "reconcile.insight.survey": (
        "backtest",
        "board",
        "explain",
        "lag",
        "list_runs",
        "situation",
        "validate",
    ),
    "reconcile.ledger.trackers": (
        "calculate_usage_stats",
        "compare_usage",
        "fetch_openai_usage",
        "parse_openai_usage_response",
        "parse_usage_logs",
    ),
    "reconcile.minutes": ("Window",),
    "reconcile.passes.apply": ("run_pass",),
    "reconcile.providers.openai": ("openai_usage",),
    "reconcile.passes.summary": (
        "RunReport",
        "Summary",
        "as_json",
    ),
    "reconcile.passes.tree": ("Workspace",),
    "reconcile.providers.base": (
        "Fetched",
        "Query",
        "Scope",
        "UsageProvider",
    ),
    "reconcile.recording": (
        "Recording",
        "finish",
        "record",
    ),
    "reconcile.report.exports": ("report",),
    "reconcile.runs.run": (
        "Run",
        "RunKey",
    ),
    "reconcile.runs.state": ("Policy",),
    "reconcile.usage": (
        "Bucket",
        "Usage",
    ),
    "reconcile.workspace": ("open_workspace",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Asked",
    "Bucket",
    "ConfigurationError",
    "Fetched",
    "Policy",
    "ProviderError",
    "Query",
    "ReconcileError",
    "Recording",
    "Run",
    "RunKey",
    "RunReport",
    "Scope",
    "StoreError",
    "Summary",
    "Usage",
    "UsageError",
    "UsageProvider",
    "Window",
    "Workspace",
    "as_json",
    "backtest",
    "board",
    "calculate_usage_stats",
    "compare_usage",
    "explain",
    "fetch_openai_usage",
    "finish",
    "lag",
    "list_runs",
    "open_workspace",
    "openai_usage",
    "parse_openai_usage_response",
    "parse_usage_logs",
    "record",
    "report",
    "run_pass",
    "situation",
    "validate",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'reconcile' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
