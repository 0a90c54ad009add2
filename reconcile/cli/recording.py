"""`record` and `step`, a run as it happens, and `finish`, what it left going on.

A step imports little, because it runs as often as a script has steps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from reconcile import config, recording
from reconcile.cli import output
from reconcile.cli.session import CONFIG, RUNS, Session
from reconcile.errors import ReconcileError
from reconcile.providers import openai

UNMIXED = {"allow_interspersed_args": False}
"""What stands behind the first argument is another command's own."""

COMMAND = click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")


@click.command(short_help="Run a command as a step of the run around it.", context_settings=UNMIXED)
@click.argument("name")
@COMMAND
def step(name: str, command: Sequence[str]) -> None:
    """Run a command inside of `reconcile record`, and note when it began and ended, and whether it succeeded.

    Its exit status is passed on, and so are signals.
    """
    try:
        sys.exit(recording.step_command(name, command[1:] if command[0] == "--" else command))
    except ReconcileError as error:
        from reconcile.cli.session import Session  # noqa: PLC0415  what is wrong is told as by every command

        Session.plain().fail(error)


@click.command(short_help="Run a command, and leave a file of the run.", context_settings=UNMIXED)
@click.option("--framework", metavar="NAME", required=True, help="The framework that the run belongs to.")
@click.option("--run-id", metavar="ID", help="The run's name. [default: a new one]")
@click.option("--model", metavar="NAME", help="The model of the run, for people.")
@click.option("--wait-minute", is_flag=True, help="Start and end on the turn of a minute, to share none.")
@click.option("--runs", metavar="DIR", help="Folder of runs. [default: runs]")
@click.option("--config", "config_", metavar="FILE", help="Configuration. [default: reconcile.yml, if there is one]")
@COMMAND
def record(runs: str | None, config_: str | None, command: Sequence[str], **options: Any) -> None:  # noqa: ANN401
    """Run a command and leave runs/NAME/ID/metrics.json with its window, its steps and what it counted itself.

    The command finds the folder of its run in the variable RECONCILE_RECORD. However it ends, the run is recorded;
    signals are passed on to it, and its exit status is passed on: 128+n where signal n killed it. An existing run is
    never overwritten.
    """
    session = Session.plain(runs=runs, config_=config_)
    try:
        ended = recording.record_command(session.settings().runs, command, **options)
    except ReconcileError as error:
        session.fail(error)
    if ended.error:
        click.echo(output.answer_error(ended.error, session.look).text, err=True)
        sys.exit(ended.exit_status or ended.error.exit_code)
    for problem in ended.problems:
        click.echo(f"note: {problem}", err=True)
    click.echo(f"recorded {ended.file}, exit status {ended.exit_status}", err=True)
    sys.exit(ended.exit_status)


@click.command(short_help="Log the background responses that a recorded run left going on.")
@click.argument("framework")
@click.argument("run_id")
@RUNS
@CONFIG
def finish(framework: str, run_id: str, *, runs: str | None, config: str | None) -> None:
    """Ask once after each background response that had not ended with its run, and add those that have to its call log.

    Asks with the experiment's own key, OPENAI_API_KEY, where its client does: at OPENAI_BASE_URL, or at OpenAI. The
    admin key is never sent there.

    \b
    Exit codes:
      0  none goes on
      1  one goes on still, or a setting is missing or wrong
      2  usage
      3  the provider or a file could not be reached; what was told before that is logged
    """
    session = Session.plain(runs=runs, config_=config)
    try:
        settings = session.settings()
        found = recording.finish_run(settings.runs / framework / run_id, _client(settings))
    except ReconcileError as error:
        session.fail(error)
    click.echo(f"{framework}/{run_id}: {found.ended:,} ended, {found.left:,} still going on")
    sys.exit(1 if found.left else 0)


def _client(settings: config.Settings) -> object:
    own = config.experiment_of(settings.variables, os.environ)
    return openai.openai_responses(own.key.reveal(), own.url, own.headers)
