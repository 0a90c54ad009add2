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
    from reconcile.core.model import (
        Bucket,
        Fetched,
        Policy,
        Query,
        Run,
        RunKey,
        Scope,
        Usage,
        UsageProvider,
        Window,
    )
    from reconcile.core.selection import Asked
    from reconcile.core.summary import RunReport, Summary, as_json
    from reconcile.errors import ConfigurationError, ProviderError, ReconcileError, StoreError, UsageError
    from reconcile.recording import Recording, finish, record
    from reconcile.workflow import (
        Workspace,
        backtest,
        explain,
        lag,
        list_runs,
        open_workspace,
        openai_usage,
        run_pass,
        validate,
    )
    from reconcile.workflow.reporting import report
    from reconcile.workflow.status import board, situation
    from reconcile.workflow.tracking import (
        calculate_usage_stats,
        compare_usage,
        fetch_openai_usage,
        parse_openai_usage_response,
        parse_usage_logs,
    )

__version__ = "0.1.0"

_HOMES = {
    "reconcile.core.model": (
        "Bucket",
        "Fetched",
        "Policy",
        "Query",
        "Run",
        "RunKey",
        "Scope",
        "Usage",
        "UsageProvider",
        "Window",
    ),
    "reconcile.core.selection": ("Asked",),
    "reconcile.core.summary": ("RunReport", "Summary", "as_json"),
    "reconcile.errors": ("ConfigurationError", "ProviderError", "ReconcileError", "StoreError", "UsageError"),
    "reconcile.recording": ("Recording", "finish", "record"),
    "reconcile.workflow": (
        "Workspace",
        "backtest",
        "explain",
        "lag",
        "list_runs",
        "open_workspace",
        "openai_usage",
        "run_pass",
        "validate",
    ),
    "reconcile.workflow.reporting": ("report",),
    "reconcile.workflow.status": ("board", "situation"),
    "reconcile.workflow.tracking": (
        "calculate_usage_stats",
        "compare_usage",
        "fetch_openai_usage",
        "parse_openai_usage_response",
        "parse_usage_logs",
    ),
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
