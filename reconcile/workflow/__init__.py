"""One short function a command: it calls the stages in their order and holds nothing else.

    discover -> validate -> select -> plan -> fetch -> attribute -> settle -> write -> report

Clients, settings and the instant are arguments, so that a pass is the same in a test, a replay and a job. A job of the
GitHub Action has its functions in `workflow.acting`.
"""

from reconcile.core.claims import key_id_variable
from reconcile.core.model import Claim, Query, Run, RunKey
from reconcile.core.selection import Asked
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
from reconcile.workflow.learning import backtest, lag
from reconcile.workflow.looking import claims, explain, list_runs, validate
from reconcile.workflow.opening import curl_lines, open_workspace, openai_usage
from reconcile.workflow.reading import Provider
from reconcile.workflow.running import run_pass
from reconcile.workflow.tree import Workspace

__all__ = [
    "Answer",
    "Asked",
    "Claim",
    "Look",
    "Provider",
    "Query",
    "Run",
    "RunKey",
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
    "openai_usage",
    "refetched",
    "run_pass",
    "validate",
]
