"""`run`: a pass over the folder of runs."""

from __future__ import annotations

import click

from reconcile import workflow
from reconcile.cli.asking import announced, progress_bar, provider
from reconcile.cli.session import Session, command, workspace


@click.command(short_help="One pass over the runs that are due.")
@click.argument("framework", required=False)
@click.argument("run_id", required=False)
@click.option(
    "--force", is_flag=True, help="Read settled runs again; the old figure stays until the new one is stable."
)
@click.option("--dry-run", is_flag=True, help="Show the exact changes and write nothing.")
@command(ages=True)
def run(session: Session, framework: str | None, run_id: str | None, *, force: bool, dry_run: bool) -> None:
    """One pass: read, attribute, settle and write every run that is due, or only those named.

    \b
    Exit codes:
      0  nothing wrong (waiting is not wrong)
      1  invalid files, configuration errors, or runs that this pass
         moved to warning or failed
      2  usage
      3  the provider or a file could not be reached
    """
    settings = session.settings()
    session.notice(settings)
    if settings.rehearsal and not dry_run:
        click.echo("--now with a provider that is not on loopback: nothing is written, as with --dry-run", err=True)
    asked = workflow.Asked(framework=framework, run_id=run_id, force=force)
    with progress_bar() as progress:
        summary = workflow.run_pass(
            workspace(settings),
            provider(settings, progress),
            asked,
            dry_run=dry_run or settings.rehearsal,
            announce=lambda queries: announced(queries, verbose=session.verbose),
        )
    session.finish(workflow.answer_run(summary, session.look))
