"""`record`: a run as it happens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from reconcile import recording, workflow
from reconcile.cli.session import Session
from reconcile.cli.step import COMMAND, UNMIXED
from reconcile.errors import ReconcileError


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
        click.echo(workflow.answer_error(ended.error, session.look).text, err=True)
        sys.exit(ended.exit_status or ended.error.exit_code)
    for problem in ended.problems:
        click.echo(f"note: {problem}", err=True)
    click.echo(f"recorded {ended.file}, exit status {ended.exit_status}", err=True)
    sys.exit(ended.exit_status)
