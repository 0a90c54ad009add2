"""`step`: a part of a run as it happens. Imports little, because it runs as often as a script has steps."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from reconcile import recording
from reconcile.errors import ReconcileError

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
