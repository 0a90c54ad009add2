"""`init`: a folder is set up, by a few questions or by flags."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from reconcile.cli.session import Session
from reconcile.errors import ReconcileError, UsageError
from reconcile.recording.folder import check_name
from reconcile.workflow.starting import Beginning, key_ids, start, started_text

Answer = TypeVar("Answer")


@click.command(short_help="Set this folder up: settings, workflow, .gitignore.")
@click.option("--framework", metavar="NAME", help="The framework whose runs come first: the name of its folder.")
@click.option("--key-id", metavar="ID", help="The id of its API key, as in key_abc123; several with commas between.")
@click.option("--workflow/--no-workflow", default=None, help="Whether to write the workflow for GitHub Actions.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given has its default. Needs --framework.")
def init(framework: str | None, key_id: str | None, *, workflow: bool | None, yes: bool) -> None:
    """Write reconcile.yml, .github/workflows/reconcile.yml, lines of .gitignore and a folder for the first runs.

    Asks for what is not given. A file that is there is never overwritten: then nothing is written at all, but for
    .gitignore, to which lines are added.
    """
    try:
        beginning = _beginning(framework, key_id, workflow, asks=not yes)
        click.echo(started_text(beginning, start(Path(), beginning)))
    except ReconcileError as error:
        Session.plain().fail(error)


def _beginning(framework: str | None, key_id: str | None, workflow: bool | None, *, asks: bool) -> Beginning:
    """The answers: those given are looked at before anything is asked."""
    name = None if framework is None else _framework(framework)
    ids = None if key_id is None else key_ids(key_id)
    open_questions = name is None or (asks and (ids is None or workflow is None))
    if open_questions and not (asks and sys.stdin.isatty()):
        why = "stdin is no terminal" if asks else "--yes was given without --framework"
        raise UsageError(
            f"there is nobody to ask: {why}",
            code="no_answer",
            remedy="write `reconcile init --yes --framework NAME --key-id key_...`; nothing was written",
        )
    if name is None:
        name = _asked("Name of the framework, which is the folder of its runs", _framework)
    if ids is None:
        ids = _asked("Id of its API key (key_..., not the key), or Enter", key_ids, default="") if asks else ()
    if workflow is None:
        workflow = not asks or click.confirm("Write the workflow for GitHub Actions?", default=True)
    return Beginning(framework=name, key_ids=ids, workflow=workflow)


def _framework(text: str) -> str:
    check_name("framework", text)
    return text


def _asked(question: str, understand: Callable[[str], Answer], default: str | None = None) -> Answer:
    """The answer, asked for again while it cannot be one."""

    def understood(text: str) -> Answer:
        try:
            return understand(text)
        except ReconcileError as error:
            raise click.BadParameter(f"{error.message}: {error.remedy}") from error

    answer: Answer = click.prompt(question, default=default, show_default=False, value_proc=understood)
    return answer
