"""`costs`: who pays what of the provider's bill, or of committed runs."""

from __future__ import annotations

import click

from reconcile.cli.asking import progress_bar
from reconcile.cli.billing import MAX_REQUESTS, billing
from reconcile.cli.session import Session, command, workspace
from reconcile.workflow import charging
from reconcile.workflow.comparing import period_of
from reconcile.workflow.opening import clock


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
    source = charging.Source.COSTS if session.flags.runs is None else charging.Source.RUNS
    period = period_of(start, end, now)
    name = charging.dimension(by, settings.labels, source)
    if source is charging.Source.RUNS:
        found = charging.charge_runs(workspace(settings), period, name, settings.labels)
    else:
        session.notice(settings)
        with progress_bar("queries") as progress:
            client = billing(settings, progress, cached=not no_cache, max_requests=max_requests)
            found = charging.charge_costs(
                client, period, name, settings.labels, settings.scopes, policy=settings.policy, now=now
            )
    session.finish(charging.answer_costs(found, session.look, as_csv=as_csv))
