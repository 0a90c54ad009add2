"""`compare`: a usage log, or committed runs, against the provider's usage and costs."""

from __future__ import annotations

from pathlib import Path

import click

from reconcile import config
from reconcile.cli.asking import progress_bar
from reconcile.cli.billing import MAX_REQUESTS, billing
from reconcile.cli.session import Session, command, workspace
from reconcile.workflow import compared, comparing
from reconcile.workflow.opening import clock

BY = click.Choice(["day", "model", "key", "project", "framework"])


@click.command(short_help="Hold a usage log against the provider and the bill.")
@click.option("--logs", multiple=True, metavar="[NAME=]GLOB", help="Log files; NAME= tells environments apart.")
@click.option("--format", "log_format", metavar="NAME", help="calls, openai, seeds, or a log of reconcile.yml.")
@click.option("--time-zone", metavar="ZONE", help="Of timestamps without an offset: UTC or an IANA name.")
@click.option("--start", metavar="DATE", help="First UTC day. [default: six days before the last]")
@click.option("--end", metavar="DATE", help="Last UTC day, included. [default: yesterday]")
@click.option("--by", type=BY, default="day", show_default=True, help="What a row of the table is.")
@click.option("--tolerance", metavar="TEXT", help="5%, or tokens=5%,requests=2,cost=1%. [default: 5%, no requests]")
@click.option("--invoice", metavar="AMOUNT", help="What the bill says, in USD, to be set beside the costs.")
@click.option("--no-costs", is_flag=True, help="Compare usage only.")
@click.option("--no-cache", is_flag=True, help="Ask for closed days too, and keep none.")
@MAX_REQUESTS
@click.option("--export", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write both data sets.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@command()
def compare(  # noqa: PLR0913  its options
    session: Session,
    *,
    logs: tuple[str, ...],
    log_format: str | None,
    time_zone: str | None,
    start: str | None,
    end: str | None,
    by: str,
    tolerance: str | None,
    invoice: str | None,
    no_costs: bool,
    no_cache: bool,
    max_requests: int,
    export: Path | None,
    as_csv: bool,
) -> None:
    """Set a usage log side by side with the provider's usage and costs: whether they agree, where not, and why.

    Without --logs the logs that reconcile.yml describes are read; with --runs and no --logs, the committed figures of
    the runs in that folder stand in for a log.

    \b
    Exit codes:
      0  reconciled
      1  out of tolerance, or nothing to compare
      2  usage
      3  the provider or a file could not be reached
    """
    settings = session.settings()
    now = settings.now or clock()
    wanted = comparing.wanted(
        now=now, start=start, end=end, by=by, tolerance=tolerance, invoice=invoice, costs=not no_costs
    )
    if session.flags.runs is not None and not logs:
        log = comparing.log_of_runs(workspace(settings))
    else:
        sources = config.log_files(settings.logs, logs, log_format, time_zone)
        log = comparing.read_usage_log(sources, wanted.period)
    session.notice(settings)
    with progress_bar("queries") as progress:
        client = billing(settings, progress, cached=not no_cache, max_requests=max_requests)
        found = comparing.compare_usage_log(
            log, client, wanted, policy=settings.policy, now=now, price_of=comparing.known_prices()
        )
    if export:
        compared.export(found, export)
    session.finish(compared.answer_compare(found, session.look, as_csv=as_csv))
