"""The command line: parses, calls one workflow function, prints what it returns and exits. Nothing else does either.

stdout is the report, stderr the log.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reconcile import __version__, config, recording, workflow
from reconcile.errors import ConfigurationError, ReconcileError, UsageError
from reconcile.simulator.imitation import imitate
from reconcile.simulator.ledger import Call, Ledger
from reconcile.simulator.scenarios import Feed, at_once, clean, slow_tail, stalling, weather
from reconcile.simulator.server import Simulator

ANNOUNCED_REQUESTS = 10
FEEDS = {"at-once": at_once, "clean": clean, "slow-tail": slow_tail, "stalling": stalling(seed=0)}


class Session:
    """The options that every command has, and what follows from them."""

    def __init__(self, *, as_json: bool, verbose: bool, flags: config.Flags) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.flags = flags
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
        self.look = workflow.Look(colour=colour, width=max(60, min(columns, 140)))

    def settings(self) -> config.Settings:
        return config.load(self.flags, os.environ, read_dotenv=True)

    def finish(self, answer: workflow.Answer) -> NoReturn:
        """Print the answer and exit with its code."""
        if self.as_json:
            click.echo(json.dumps(answer.document, indent=2))
        else:
            click.echo(answer.text)
        sys.exit(answer.exit_code)

    def fail(self, error: ReconcileError) -> NoReturn:
        """Say what kept the command from being carried out: on stdout as JSON, else on stderr."""
        if self.as_json:
            self.finish(workflow.answer_error(error, self.look))
        look = workflow.Look(colour=sys.stderr.isatty() and self.look.colour, width=self.look.width)
        click.echo(workflow.answer_error(error, look).text, err=True)
        sys.exit(error.exit_code)


def workspace(settings: config.Settings) -> workflow.Workspace:
    """The folder of runs that the settings describe."""
    return workflow.open_workspace(
        settings.runs,
        scopes=settings.scopes,
        policy=settings.policy,
        variables=settings.variables,
        now=settings.now,
        evidence=settings.evidence,
    )


# ------------------------------------------------------------------------------------------------- options


def command(*, ages: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with the options that all have; `ages` adds those of the policy."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def body(**given: Any) -> None:  # noqa: ANN401  options of every type
            names = ("runs", "config", "now", *(("min_age", "max_age") if ages else ()))
            flags = config.Flags(**{name: given.pop(name) for name in names})
            session = Session(as_json=given.pop("as_json"), verbose=given.pop("verbose"), flags=flags)
            try:
                function(session, **given)
            except ReconcileError as error:
                session.fail(error)

        body.__doc__ = function.__doc__
        body.__name__ = function.__name__
        for option in reversed([*COMMON, *(AGES if ages else [])]):
            body = option(body)
        return body

    return decorate


COMMON = [
    click.option("--runs", metavar="DIR", help="Folder of runs. [default: runs]"),
    click.option("--config", metavar="FILE", help="Configuration. [default: reconcile.yml, if there is one]"),
    click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document."),
    click.option("--now", metavar="INSTANT", help="Pretend it is then, as in 2026-01-05T14:17:00Z: for replays."),
    click.option("-v", "--verbose", is_flag=True, help="Tell on stderr what is asked of the provider."),
]
AGES = [
    click.option("--min-age", metavar="DURATION", help="Leave younger runs alone. [default: 30m]"),
    click.option("--max-age", metavar="DURATION", help="The cutoff: older runs are no longer awaited. [default: 24h]"),
]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconcile")
def main() -> None:
    """Find out what each recorded LLM run really used, prove the figure, and write it into the run's file.

    Durations are 30m, 24h or 2d. Settings come from flags, then the environment, then reconcile.yml.
    """


UNMIXED = {"allow_interspersed_args": False}
"""What stands behind the first argument is another command's own."""


# ------------------------------------------------------------------------------------------------ commands


@main.command(short_help="One pass over the runs that are due.")
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
    if settings.rehearsal and not dry_run:
        click.echo("--now with a provider that is not on loopback: nothing is written, as with --dry-run", err=True)
    asked = workflow.Asked(framework=framework, run_id=run_id, force=force)
    with _progress() as progress:
        summary = workflow.run_pass(
            workspace(settings),
            _provider(settings, progress),
            asked,
            dry_run=dry_run or settings.rehearsal,
            announce=lambda queries: _announced(queries, verbose=session.verbose),
        )
    session.finish(workflow.answer_run(summary, session.look))


@main.command(name="list", short_help="What awaits reconciliation, and why.")
@click.argument("framework", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run, with status and reason.")
@click.option("--require-verified", is_flag=True, help="Exit 1 while a run is not verified: a gate before analysis.")
@command(ages=True)
def list_(session: Session, framework: str | None, *, everything: bool, require_verified: bool) -> None:
    """The runs that await reconciliation: why, and what happens next."""
    summary = workflow.list_runs(workspace(session.settings()), workflow.Asked(framework=framework))
    session.finish(
        workflow.answer_list(summary, session.look, everything=everything, require_verified=require_verified)
    )


@main.command(short_help="Check every metrics.json.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@command()
def validate(session: Session, paths: Sequence[Path]) -> None:
    """Check every metrics.json and call log, or those below the given paths, and print each defect with its place."""
    session.finish(workflow.answer_validate(*workflow.validate(workspace(session.settings()), paths)))


@main.command(short_help="How one run's figure came about.")
@click.argument("framework")
@click.argument("run_id")
@command(ages=True)
def explain(session: Session, framework: str, run_id: str) -> None:
    """How one run's figure came about, what its verdict rests on and what happens next."""
    settings = session.settings()
    account = workflow.explain(
        workspace(settings), workflow.RunKey(framework, run_id), workflow.curl_lines(settings.base_url)
    )
    session.finish(workflow.answer_explain(account, session.look))


@main.command(short_help="Compute every verdict again from its evidence.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--refetch", is_flag=True, help="Hold the evidence against a fresh read of the provider too.")
@command()
def audit(session: Session, paths: Sequence[Path], *, refetch: bool) -> None:
    """Compute every figure, bound and verdict again, offline, from usage_evidence.json and the stored observations.

    Exits 1 on any difference. What was forged coherently, figure, evidence and digest alike, only --refetch finds.
    """
    settings = session.settings()
    opened = workspace(settings)
    done = workflow.audit_runs(opened, paths)
    if refetch:
        with _progress() as progress:
            done = workflow.refetched(opened, done, _provider(settings, progress))
    session.finish(workflow.answer_audit(done, session.look))


@main.command(short_help="How long usage takes to be reported in full.")
@click.argument("framework", required=False)
@command()
def lag(session: Session, framework: str | None) -> None:
    """How long after a run's window its figure is complete, learnt from the reads that files have kept.

    Asks the provider nothing and writes nothing.
    """
    found = workflow.lag(workspace(session.settings()), workflow.Asked(framework=framework))
    session.finish(workflow.answer_lag(found, session.look))


@main.command(short_help="What another policy would have made of the reads.")
@click.option("--min-age", metavar="DURATION", help="Try this: leave younger runs alone.")
@click.option("--verification-interval", metavar="DURATION", help="Try this: how far apart equal reads count.")
@click.option("--min-stable", metavar="COUNT", help="Try this: how many equal reads make a figure stable.")
@click.option("--max-age", metavar="DURATION", help="Try this: the cutoff.")
@command()
def backtest(session: Session, **tried: str | None) -> None:
    """Replay the reads that files have kept under another policy, beside the present one.

    What is not given stays as it is. A policy that depends on reads that nobody made or kept is refused.
    Asks the provider nothing and writes nothing.
    """
    present = session.settings()
    flags = replace(session.flags, **tried)
    found = workflow.backtest(workspace(present), config.load(flags, os.environ, read_dotenv=True).policy)
    session.finish(workflow.answer_backtest(found, session.look))


@main.command(short_help="Serve a made-up usage API to try things with.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option(
    "--feed", type=click.Choice(list(FEEDS)), default="clean", show_default=True, help="How late usage shows."
)
@click.option("--weather", "stormy", is_flag=True, help="One answer in ten is a 429, a passing zero or a part.")
@command()
def simulate(session: Session, port: int, feed: str, *, stormy: bool) -> None:
    """Serve a usage API on this machine that shows made-up usage for the runs in the folder.

    Try a pass without a provider account: start this, copy the lines it prints into another terminal, and call
    `reconcile run` there.

    What a run recorded of itself is believed; the calls of the others are made up from their names, always the same.
    --now sets its clock; POST {"now": "..."} to /simulator/now moves it.
    """
    settings = session.settings()
    pairs = workflow.claims(workspace(settings))
    calls = [call for run, claim in pairs for call in _imitated(run, claim, FEEDS[feed])]
    with Simulator(Ledger(calls), now=settings.now, port=port) as server:
        if stormy:
            server.script(*weather(seed=0, replies=10_000))
        variables = {"OPENAI_BASE_URL": server.base_url, "OPENAI_ADMIN_KEY": server.admin_key}
        for _, claim in pairs:
            variables[workflow.key_id_variable(claim.run.framework)] = ",".join(claim.scope.api_key_ids)
        if session.as_json:
            click.echo(json.dumps({"runs": len(pairs), "calls": len(calls), "variables": variables}))
        else:
            click.echo(f"runs: {len(pairs):,}, calls: {len(calls):,}; stop with Ctrl-C\n")
            click.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()))
        try:
            Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _imitated(run: workflow.Run, claim: workflow.Claim, feed: Feed) -> Sequence[Call]:
    start, end = run.started_at.timestamp(), run.ended_at.timestamp()
    key = claim.scope.api_key_ids[0] if claim.scope.api_key_ids else "key_simulated"
    return imitate(str(claim.run), start, end, key, claim.known, feed)


# --------------------------------------------------------------------------------------------- recording runs

COMMAND = click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")


@main.command(short_help="Run a command, and leave a file of the run.", context_settings=UNMIXED)
@click.option("--framework", metavar="NAME", required=True, help="The framework that the run belongs to.")
@click.option("--run-id", metavar="ID", help="The run's name. [default: a new one]")
@click.option("--model", metavar="NAME", help="The model of the run, for people.")
@click.option("--wait-minute", is_flag=True, help="Start and end on the turn of a minute, to share none.")
@click.option("--runs", metavar="DIR", help="Folder of runs. [default: runs]")
@click.option("--config", "config_", metavar="FILE", help="Configuration. [default: reconcile.yml, if there is one]")
@COMMAND
def record(runs: str | None, config_: str | None, command: Sequence[str], **options: Any) -> None:  # noqa: ANN401
    """Run a command and leave runs/NAME/ID/metrics.json with its window, its steps and what it counted itself.

    The command finds the folder of its run in the variable RECONCILE_RECORD. However it ends, the run is recorded;
    signals are passed on to it, and its exit status is passed on: 128+n where signal n killed it. An existing run is
    never overwritten.
    """
    session = Session(as_json=False, verbose=False, flags=config.Flags(runs=runs, config=config_))
    try:
        ended = recording.record_command(session.settings().runs, command, **options)
    except ReconcileError as error:
        session.fail(error)
    if ended.error:
        click.echo(workflow.answer_error(ended.error, session.look).text, err=True)
        sys.exit(ended.exit_status or ended.error.exit_code)
    for problem in ended.problems:
        click.echo(f"note: {problem}", err=True)
    click.echo(f"recorded {ended.file}, exit status {ended.exit_status}", err=True)
    sys.exit(ended.exit_status)


@main.command(short_help="Run a command as a step of the run around it.", context_settings=UNMIXED)
@click.argument("name")
@COMMAND
def step(name: str, command: Sequence[str]) -> None:
    """Run a command inside of `reconcile record`, and note when it began and ended, and whether it succeeded.

    Its exit status is passed on, and so are signals.
    """
    try:
        sys.exit(recording.step_command(name, command[1:] if command[0] == "--" else command))
    except ReconcileError as error:
        Session(as_json=False, verbose=False, flags=config.Flags()).fail(error)


@main.command(short_help="What the GitHub Action runs: a pass, then publish.")
def action() -> None:
    """A job of the GitHub Action, from its inputs in the environment to outputs, summary and comments.

    On a machine of your own `reconcile run` makes the same pass.
    """
    try:
        inputs = config.read_inputs(os.environ)
        acted = _acted(inputs, os.environ)
        click.echo(acted.annotations, nl=False)
        click.echo(acted.log, nl=False)
        workflow.write_job(os.environ, acted)
    except ReconcileError as error:
        answer = workflow.answer_error(error, workflow.Look())
        click.echo(workflow.error_annotation(error), nl=False)
        click.echo(workflow.unheeded(answer.text), nl=False)
        sys.exit(answer.exit_code)
    sys.exit(acted.exit_code)


def _acted(inputs: config.Inputs, environ: Mapping[str, str]) -> workflow.Acted:
    """The job done, or why it could not be: that has outputs, a summary and an exit code by `fail-on` too."""
    try:
        return workflow.act(_job_action(inputs, environ))
    except UsageError:
        raise
    except ReconcileError as error:
        return workflow.not_acted(inputs.request, error)


def _job_action(inputs: config.Inputs, environ: Mapping[str, str]) -> workflow.Action:
    """The job with its clients. Secrets are masked before anything else is printed."""
    for secret in (inputs.admin_key, inputs.token):
        if secret:
            click.echo(workflow.mask(secret.reveal()), nl=False)
    variables = dict(environ) | ({"OPENAI_BASE_URL": inputs.api_url} if inputs.api_url else {})
    variables |= {"OPENAI_ADMIN_KEY": inputs.admin_key.reveal()} if inputs.admin_key else {}
    if inputs.github_api_url:  # GraphQL is answered beside it, not at the job's own server
        variables |= {"GITHUB_API_URL": inputs.github_api_url, "GITHUB_GRAPHQL_URL": ""}
    source = config.Source(flags=inputs.flags, variables=variables)
    settings = source.settings("")
    return workflow.open_action(
        replace(inputs.request, dry_run=inputs.request.dry_run or settings.rehearsal),
        variables,
        token=inputs.token.reveal() if inputs.token else None,
        source=source,
        provider=_job_provider(settings),
        now=settings.now,
    )


def _job_provider(settings: config.Settings) -> workflow.Provider:
    """Without a bar, whatever terminal is around the job: a command behind its control codes is none to the runner."""
    return _provider(settings, Progress(disable=True))


# ------------------------------------------------------------------------------------------------- provider


def _provider(settings: config.Settings, progress: Progress) -> workflow.Provider:
    if settings.admin_key is None:
        return config.missing_admin_key()
    if settings.project_key:
        return config.project_key()
    try:
        return workflow.openai_usage(
            settings.admin_key.reveal(),
            settings.base_url,
            now=settings.now,
            on_progress=lambda done, whole: _show(progress, done, whole),
        )
    except ConfigurationError as error:
        return error


def _progress() -> Progress:
    """A bar on a terminal's stderr, which vanishes when it is done."""
    console = Console(stderr=True)
    columns = (TextColumn("asking the provider"), BarColumn(), TextColumn("{task.completed} of {task.total} minutes"))
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)


def _show(progress: Progress, done: int, whole: int) -> None:
    if not progress.tasks:
        progress.add_task("")
    progress.update(progress.tasks[0].id, completed=done, total=whole)


def _announced(queries: Sequence[workflow.Query], *, verbose: bool) -> None:
    if len(queries) > ANNOUNCED_REQUESTS:
        click.echo(f"this pass makes {len(queries)} requests or more, one for each day it has to read", err=True)
    for query in queries if verbose else ():
        keys = f"{len(query.api_key_ids)} keys" if query.api_key_ids else "all keys"
        click.echo(f"asking {query.provider} for {query.window.minutes} minutes of {keys}", err=True)
