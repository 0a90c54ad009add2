"""`status`: how all runs stand, or one."""

from __future__ import annotations

import click

from reconcile import workflow
from reconcile.cli.session import Session, command, workspace
from reconcile.workflow.status import Form, answer_board, answer_situation, board, situation


@click.command(short_help="How all runs stand, or one run.")
@click.argument("framework", required=False)
@click.argument("run_id", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    help="text, markdown, or json, as --json. [default: text]",
)
@command(ages=True)
def status(session: Session, framework: str | None, run_id: str | None, *, form: str | None) -> None:
    """How the runs stand: verified, waiting, missed or broken, by age and framework, and what to look at.

    Of one run: since when and why, what was asked and answered, the calls it made, what runs like it used, what depends
    on it and what happens next. Asks the provider nothing and writes nothing.
    """
    if session.as_json and form not in {None, Form.JSON}:
        raise click.UsageError(f"--json and --format {form} contradict each other")
    session.as_json = session.as_json or form == Form.JSON
    told = Form(form or Form.TEXT)
    settings = session.settings()
    opened = workspace(settings, pricing=False)
    if framework is None or run_id is None:
        found = board(opened, workflow.Asked(framework=framework))
        session.finish(answer_board(found, session.look, told))
    key = workflow.RunKey(framework, run_id)
    session.finish(answer_situation(situation(opened, key, workflow.curl_lines(settings.base_url)), session.look, told))
