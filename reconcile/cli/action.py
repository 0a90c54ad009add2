"""`action`: a job of the GitHub Action."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

import click
from rich.progress import Progress

from reconcile import config, providers
from reconcile.action import act, end, job, runtime
from reconcile.cli import output
from reconcile.cli.money import billing
from reconcile.cli.session import provider
from reconcile.config.inputs import Inputs, read_inputs
from reconcile.errors import ReconcileError, UsageError
from reconcile.passes.containing import attempted
from reconcile.providers.openai import MOST_REQUESTS
from reconcile.report import job_log


@click.command(short_help="What the GitHub Action runs: a pass, then publish.")
def action() -> None:
    """A job of the GitHub Action, from its inputs in the environment to outputs, summary and comments.

    On a machine of your own `reconcile run` makes the same pass.
    """
    try:
        inputs = read_inputs(os.environ)
        acted = _acted(inputs, os.environ)
        click.echo(acted.annotations, nl=False)
        click.echo(acted.log, nl=False)
        unwritten = end.write_job(os.environ, acted)
        for error in unwritten:
            click.echo(job_log.error_annotation(error), nl=False)
    except ReconcileError as error:
        answer = output.answer_error(error, output.Look())
        click.echo(job_log.error_annotation(error), nl=False)
        click.echo(runtime.unheeded(answer.text), nl=False)
        sys.exit(answer.exit_code)
    sys.exit(max([acted.exit_code, *(error.exit_code for error in unwritten)]))


def _acted(inputs: Inputs, environ: Mapping[str, str]) -> end.Acted:
    """The job done, or why it could not be: that has outputs, a summary and an exit code by `fail-on` too."""
    done = attempted("this job", lambda: act.act(_job_action(inputs, environ)))
    if isinstance(done, UsageError):
        raise done
    return end.not_acted(inputs.request, done) if isinstance(done, ReconcileError) else done


def _job_action(inputs: Inputs, environ: Mapping[str, str]) -> job.Action:
    """The job with its clients. Secrets are masked before anything else is printed."""
    for secret in (inputs.admin_key, inputs.token):
        if secret:
            click.echo(runtime.mask(secret.reveal()), nl=False)
    variables = dict(environ) | (
        {providers.provider(providers.DEFAULT).admin_key_variable: inputs.admin_key.reveal()}
        if inputs.admin_key
        else {}
    )
    if inputs.github_api_url:  # GraphQL is answered beside it, not at the job's own server
        variables |= {"GITHUB_API_URL": inputs.github_api_url, "GITHUB_GRAPHQL_URL": ""}
    source = config.SettingsOrigin(flags=inputs.flags, variables=variables)
    settings = source.settings("")

    def clients(url: str) -> job.Clients:
        there = replace(settings, address=replace(settings.address, url=url))
        return job.Clients(
            provider=provider(there, _no_bar()),
            billing=billing(there, _no_bar(), cached=False, max_requests=MOST_REQUESTS),
            rehearsal=there.rehearsal,
            notices=there.notices,
        )

    return job.open_action(
        inputs.request,
        variables,
        token=inputs.token.reveal() if inputs.token else None,
        source=source,
        clients=clients,
        now=settings.now,
    )


def _no_bar() -> Progress:
    """Whatever terminal is around the job: a command behind the control codes of a bar is none to the runner."""
    return Progress(disable=True)
