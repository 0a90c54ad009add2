"""Commands about money and whole days: `compare` a usage log with the provider, and `costs`, by who pays."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import Progress

from reconcile import config
from reconcile.cli import output
from reconcile.cli.session import Session, command, follow, progress_bar, show, workspace_of
from reconcile.errors import ConfigurationError
from reconcile.ledger import charge_back, usage_logs
from reconcile.ledger.usage_logs import Billing, period_of
from reconcile.providers.openai import MOST_REQUESTS, openai_billing
from reconcile.report import exports
from reconcile.workspace import clock

MAX_REQUESTS = click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    default=MOST_REQUESTS,
    show_default=True,
    help="To the provider.",
)


def billing(
    settings: config.Settings, progress: Progress, *, cached: bool, max_requests: int
) -> Billing | ConfigurationError:
    """What tells usage and costs of whole days; the error where there is no key that could ask."""
    follow(settings)
    try:
        return openai_billing(
            config.usable_key(settings).reveal(),
            settings.base_url,
            now=settings.now,
            on_progress=lambda done, whole: show(progress, done, whole),
            cached=cached,
            max_requests=max_requests,
        )
    except ConfigurationError as error:
        return error


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
    wanted = usage_logs.wanted(
        now=now, start=start, end=end, by=by, tolerance=tolerance, invoice=invoice, costs=not no_costs
    )
    if session.flags.runs is not None and not logs:
        log = usage_logs.log_of_runs(workspace_of(settings))
    else:
        sources = config.log_files(settings.logs, logs, log_format, time_zone)
        log = usage_logs.read_usage_log(sources, wanted.period)
    session.notice(settings)
    with progress_bar("queries") as progress:
        client = billing(settings, progress, cached=not no_cache, max_requests=max_requests)
        found = usage_logs.compare_usage_log(
            log, client, wanted, policy=settings.policy, now=now, price_of=usage_logs.known_prices()
        )
    if export:
        exports.export(found, export)
    session.finish(output.answer_compare(found, session.look, as_csv=as_csv))


@click.command(short_help="Who pays: costs by project, model, key, framework or label.")
@click.option("--start", metavar="DATE", help="First UTC day. [default: six days before the last]")
@click.option("--end", metavar="DATE", help="Last UTC day, included. [default: yesterday]")
@click.option("--by", metavar="NAME", help="framework, model, project, key or a label. [default: project]")
@click.option("--no-cache", is_flag=True, help="Ask for closed days too, and keep none.")
@MAX_REQUESTS
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@command()
def costs(  # noqa: PLR0913  its options
    session: Session,
    *,
    start: str | None,
    end: str | None,
    by: str | None,
    no_cache: bool,
    max_requests: int,
    as_csv: bool,
) -> None:
    """Charge the provider's costs to projects, models, keys, frameworks, or labels of reconcile.yml: team, department.

    With --runs the exact figures of the runs in that folder are charged, at list prices; --by is then framework where
    nothing is said. The rows sum to the total to the last digit, with a row for what nobody is named for.

    \b
    Exit codes:
      0  charged
      1  a setting is missing or wrong
      2  usage
      3  the provider or a file could not be reached
    """
    settings = session.settings()
    now = settings.now or clock()
    source = charge_back.ChargeSource.COSTS if session.flags.runs is None else charge_back.ChargeSource.RUNS
    period = period_of(start, end, now)
    name = charge_back.dimension(by, settings.labels, source)
    if source is charge_back.ChargeSource.RUNS:
        found = usage_logs.charge_runs(workspace_of(settings), period, name, settings.labels)
    else:
        session.notice(settings)
        with progress_bar("queries") as progress:
            client = billing(settings, progress, cached=not no_cache, max_requests=max_requests)
            found = usage_logs.charge_costs(
                client, period, name, settings.labels, settings.scopes, policy=settings.policy, now=now
            )
    session.finish(output.answer_costs(found, session.look, as_csv=as_csv))
