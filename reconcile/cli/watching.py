"""`watch`: pass after pass on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from reconcile import config, workflow
from reconcile.cli.asking import announced, progress_bar, provider
from reconcile.cli.session import CONFIG, MAX_AGE, MIN_AGE, RUNS, URL, VERBOSE, Session, workspace
from reconcile.config.settings import duration
from reconcile.errors import ReconcileError, UsageError
from reconcile.workflow import watching

SHORTEST = timedelta(minutes=1)


@click.command(short_help="A pass every hour, for as long as you like.")
@click.option("--until-settled", is_flag=True, help="End when no run awaits anything; exit 1 if one is not verified.")
@click.option("--every", metavar="DURATION", default="1h", show_default=True, help="From one pass to the next.")
@RUNS
@CONFIG
@URL
@VERBOSE
@MIN_AGE
@MAX_AGE
def watch(every: str, *, until_settled: bool, verbose: bool, **flags: Any) -> None:  # noqa: ANN401
    """Make a pass now and every hour from now on, as `reconcile run` does, and print one line for each.

    Settings and runs are read anew for each pass. An error is told in the line of its pass and ends nothing. Ctrl-C
    and SIGTERM end it with exit code 0, once a pass that is running is finished; a second one does not wait for that.
    With --until-settled the exit code is then 1, because not all was settled.

    \b
    Exit codes with --until-settled:
      0  every run is verified
      1  a run is not, or a file is not valid
      3  the same, but for a file that could not be read
    """
    session = Session(as_json=False, verbose=verbose, flags=config.Flags(**flags))
    try:
        _refuse_given_instant(os.environ)
        interval = _interval(every)
    except ReconcileError as error:
        session.fail(error)
    with watching.stop_signals() as timer:
        code = watching.watch(lambda: _pass(session), timer, click.echo, every=interval, until_settled=until_settled)
        if timer.stopped:
            click.echo("stopped", err=True)
    sys.exit(code)


def _pass(session: Session) -> workflow.Summary:
    settings = session.settings()
    session.notice(settings)
    _refuse_given_instant(settings.variables)
    with progress_bar() as progress:
        return workflow.run_pass(
            workspace(settings),
            provider(settings, progress),
            announce=lambda queries: announced(queries, verbose=session.verbose),
        )


def _interval(text: str) -> timedelta:
    interval = duration(text, "every")
    if interval < SHORTEST:
        raise UsageError(
            f"every: {text} is less than a minute",
            code="bad_duration",
            remedy="write 1m or more; usage is stored by the minute, and an hour is often enough",
        )
    return interval


def _refuse_given_instant(variables: Mapping[str, str]) -> None:
    if variables.get("RECONCILE_NOW"):
        raise UsageError(
            "RECONCILE_NOW is set, and a watch under a clock that stands still sees nothing happen",
            code="instant_given",
            remedy="unset it, or replay passes one by one with `reconcile run --now INSTANT`",
        )
