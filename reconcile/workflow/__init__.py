"""One short function a command: it calls the stages in their order and holds nothing else.

    discover -> validate -> select -> plan -> fetch -> attribute -> settle -> write -> report

Clients, settings and the instant are arguments, so that a pass is the same in a test, a replay and a job. A job of the
GitHub Action has its functions in `workflow.acting`.

Names are imported when they are first used, so that a command waits for no HTTP client that it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconcile.adapters.git_repo import versions
    from reconcile.core.claims import key_id_variable
    from reconcile.core.model import Claim, Proof, Query, Run, RunKey
    from reconcile.core.selection import Asked
    from reconcile.core.summary import Summary
    from reconcile.workflow.answering import (
        Answer,
        Look,
        answer_audit,
        answer_backtest,
        answer_error,
        answer_explain,
        answer_lag,
        answer_list,
        answer_run,
        answer_validate,
    )
    from reconcile.workflow.auditing import audit_runs, refetched
    from reconcile.workflow.containing import unexpected
    from reconcile.workflow.learning import backtest, lag
    from reconcile.workflow.looking import claims, explain, list_runs, validate
    from reconcile.workflow.opening import open_workspace
    from reconcile.workflow.providing import curl_lines, openai_responses, openai_usage
    from reconcile.workflow.reading import Provider
    from reconcile.workflow.running import run_pass
    from reconcile.workflow.tree import Workspace, take_census

_HOMES = {
    "reconcile.adapters.git_repo": ("versions",),
    "reconcile.core.claims": ("key_id_variable",),
    "reconcile.core.model": (
        "Claim",
        "Proof",
        "Query",
        "Run",
        "RunKey",
    ),
    "reconcile.core.selection": ("Asked",),
    "reconcile.core.summary": ("Summary",),
    "reconcile.workflow.answering": (
        "Answer",
        "Look",
        "answer_audit",
        "answer_backtest",
        "answer_error",
        "answer_explain",
        "answer_lag",
        "answer_list",
        "answer_run",
        "answer_validate",
    ),
    "reconcile.workflow.auditing": (
        "audit_runs",
        "refetched",
    ),
    "reconcile.workflow.containing": ("unexpected",),
    "reconcile.workflow.learning": (
        "backtest",
        "lag",
    ),
    "reconcile.workflow.looking": (
        "claims",
        "explain",
        "list_runs",
        "validate",
    ),
    "reconcile.workflow.opening": ("open_workspace",),
    "reconcile.workflow.providing": (
        "curl_lines",
        "openai_responses",
        "openai_usage",
    ),
    "reconcile.workflow.reading": ("Provider",),
    "reconcile.workflow.running": ("run_pass",),
    "reconcile.workflow.tree": ("Workspace", "take_census"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "Asked",
    "Claim",
    "Look",
    "Proof",
    "Provider",
    "Query",
    "Run",
    "RunKey",
    "Summary",
    "Workspace",
    "answer_audit",
    "answer_backtest",
    "answer_error",
    "answer_explain",
    "answer_lag",
    "answer_list",
    "answer_run",
    "answer_validate",
    "audit_runs",
    "backtest",
    "claims",
    "curl_lines",
    "explain",
    "key_id_variable",
    "lag",
    "list_runs",
    "open_workspace",
    "openai_responses",
    "openai_usage",
    "refetched",
    "run_pass",
    "take_census",
    "unexpected",
    "validate",
    "versions",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'reconcile.workflow' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
