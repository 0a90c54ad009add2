"""`status`: the folder of runs as a board, or one run with all that a person asks of it. Looks, and writes nothing.

read the runs -> stand -> report
"""

from __future__ import annotations

from enum import StrEnum

from reconcile.core.board import Board, board_json, board_of
from reconcile.core.census import census_json
from reconcile.core.expectation import candidates, models_of
from reconcile.core.instants import spelled
from reconcile.core.model import Json, RunKey
from reconcile.core.selection import EVERYTHING, Asked
from reconcile.core.situation import Situation, situation_json, situation_of
from reconcile.core.summary import SCHEMA_VERSION, error_json
from reconcile.reports.board import board_text
from reconcile.reports.status import situation_text
from reconcile.reports.status_markdown import board_markdown, situation_markdown
from reconcile.reports.words import painter
from reconcile.workflow.answering import Answer, Look
from reconcile.workflow.auditing import differences_of_run, evidence_of_run
from reconcile.workflow.looking import Spelling, explain_tree, list_runs
from reconcile.workflow.tree import Workspace, read_tree


class Form(StrEnum):
    """How it is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def board(workspace: Workspace, asked: Asked = EVERYTHING) -> Board:
    """How all runs stand, or those of one framework. Raises UsageError where there is no such framework."""
    return board_of(list_runs(workspace, asked), asked.framework)


def situation(workspace: Workspace, key: RunKey, curl_line: Spelling | None = None) -> Situation:
    """How one run stands, and what runs like it let expect. Raises UsageError where there is no such run."""
    tree = read_tree(workspace)
    account = explain_tree(workspace, tree, key, curl_line)
    others = candidates(account.report.run, tree.runs)
    models = {run.key: models_of(run, evidence_of_run(workspace, run)) for run in others}
    return situation_of(account, others, models, differences_of_run(workspace, tree, account.report.run))


def answer_board(found: Board, look: Look, form: Form = Form.TEXT) -> Answer:
    """The board. What is wrong with a run fails nothing here: `list --require-verified` is the gate."""
    summary = found.summary
    text = (
        board_markdown(found) if form is Form.MARKDOWN else board_text(found, painter(colour=look.colour), look.width)
    )
    worst = max((error.exit_code for error in summary.errors if error.code != "missing_key_id"), default=0)
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "now": spelled(summary.now),
        "framework": found.framework,
        "files": census_json(summary.census),
        "board": board_json(found),
        "next_due": spelled(found.next_due) if found.next_due else None,
        "errors": [error_json(error) for error in summary.errors],
    }
    return Answer(text=text, document=document, exit_code=worst)


def answer_situation(found: Situation, look: Look, form: Form = Form.TEXT) -> Answer:
    """One run."""
    text = (
        situation_markdown(found)
        if form is Form.MARKDOWN
        else situation_text(found, painter(colour=look.colour), look.width)
    )
    return Answer(text=text, document=situation_json(found), exit_code=0)
