"""`lag` and `backtest`: what the reads that files have kept tell of the provider and of the policy."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from reconcile import config, workflow
from reconcile.cli.session import Session, command, workspace


@click.command(short_help="How long usage takes to be reported in full.")
@click.argument("framework", required=False)
@command()
def lag(session: Session, framework: str | None) -> None:
    """How long after a run's window its figure is complete, learnt from the reads that files have kept.

    Asks the provider nothing and writes nothing.
    """
    found = workflow.lag(workspace(session.settings()), workflow.Asked(framework=framework))
    session.finish(workflow.answer_lag(found, session.look))


@click.command(short_help="What another policy would have made of the reads.")
@click.option("--min-age", metavar="DURATION", help="Try this: leave younger runs alone.")
@click.option("--verification-interval", metavar="DURATION", help="Try this: how far apart equal reads count.")
@click.option("--min-stable", metavar="COUNT", help="Try this: how many equal reads make a figure stable.")
@click.option("--max-age", metavar="DURATION", help="Try this: the cutoff.")
@command()
def backtest(session: Session, **tried: Any) -> None:  # noqa: ANN401  flags, each by its name
    """Replay the reads that files have kept under another policy, beside the present one.

    What is not given stays as it is. A policy that depends on reads that nobody made or kept is refused.
    Asks the provider nothing and writes nothing.
    """
    present = session.settings()
    flags = replace(session.flags, **tried)
    found = workflow.backtest(workspace(present), config.load(flags, os.environ, read_dotenv=True).policy)
    session.finish(workflow.answer_backtest(found, session.look))
