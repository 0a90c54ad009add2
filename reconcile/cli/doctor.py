"""`doctor`, is the set-up right; `keys`, which key is whose; `init`, which sets a folder up, by questions or flags."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from reconcile import config
from reconcile.cli import output
from reconcile.cli.session import Session, command, workspace_of
from reconcile.doctor import examination, key_file
from reconcile.doctor.beginning import Beginning, key_ids
from reconcile.doctor.project_files import start
from reconcile.errors import ReconcileError, UsageError
from reconcile.recording.folder import check_name
from reconcile.report.diagnosis import started_text


@click.command(short_help="What is wrong with the set-up, and what to do.")
@command()
def doctor(session: Session) -> None:
    """Check the set-up: a line a check with ok, warning or error, and the remedy. What is wrong comes first.

    Makes a few requests to the provider, and to GitHub where GITHUB_TOKEN and GITHUB_REPOSITORY are set. Writes nothing
    and never prints a secret.

    \b
    Exit codes:
      0  nothing is wrong, or only warnings
      1  errors
      2  usage
      3  the provider could not be reached
    """
    settings, problem = _settings(session)
    session.notice(settings)
    opened = workspace_of(settings, pricing=False)
    session.finish(output.answer_doctor(examination.examine(opened, _setup(session, settings, problem)), session.look))


@click.command(short_help="Which API key is whose.")
@click.option("--write", is_flag=True, help="Put the ids that are certain into the configuration.")
@command()
def keys(session: Session, *, write: bool) -> None:
    """List projects, their API keys with id and last use, and the frameworks that are configured with them.

    Takes an admin key with the scope api.management.read. Where the secret of a framework is at hand, as in
    OPENAI_API_KEY_CHATDEV, it is compared with what the list shows of each key, and with --write the id goes into
    reconcile.yml. The secret itself goes nowhere.

    \b
    Exit codes:
      0  listed, and written where that was asked for
      1  a setting is missing or wrong, or an id could not be written
      2  usage
      3  the provider could not be reached
    """
    settings = session.settings()
    session.notice(settings)
    key = config.usable_key(settings).reveal()
    setup = _setup(session, settings, None)
    found = key_file.find_keys(workspace_of(settings, pricing=False), setup, key)
    session.finish(output.answer_keys(key_file.write_keys(found, setup.file) if write else found, session.look))


def _settings(session: Session) -> tuple[config.Settings, ReconcileError | None]:
    """The settings; where they cannot be read, what is left of them, and why."""
    try:
        return session.settings(), None
    except ReconcileError as error:
        return config.without_file(session.flags, os.environ), error


def _setup(session: Session, settings: config.Settings, problem: ReconcileError | None) -> examination.Setup:
    return examination.Setup(
        file=Path(session.flags.config or config.CONFIG_FILE),
        problem=problem,
        runs=settings.runs,
        admin_variable=settings.admin_variable,
        admin_key=settings.admin_key.reveal() if settings.admin_key else None,
        base_url=settings.base_url,
        now=settings.now,
        pricing=settings.pricing,
    )


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
