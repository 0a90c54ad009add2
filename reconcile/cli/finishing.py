"""`finish`: what a recorded run left going on."""

from __future__ import annotations

import os
import sys

import click

from reconcile import config, recording, workflow
from reconcile.cli.session import CONFIG, RUNS, Session
from reconcile.errors import ReconcileError


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
    return workflow.openai_responses(own.key.reveal(), own.url, own.headers)
