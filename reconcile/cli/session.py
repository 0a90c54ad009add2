"""What every command has: its options, the settings that follow from them, and how it ends.

Those that ask the provider get its client here, and what is told on stderr while it is asked.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reconcile import config, providers, workspace
from reconcile.cli import output
from reconcile.errors import ConfigurationError, ReconcileError
from reconcile.passes import containing, fetch, tree
from reconcile.passes.planning import ANNOUNCED_REQUESTS
from reconcile.providers import base
from reconcile.simulator.server import move


class Session:
    """The options that every command has, and what follows from them."""

    def __init__(self, *, as_json: bool, verbose: bool, flags: config.Flags) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.flags = flags
        self._said: set[str] = set()
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
        self.look = output.Look(colour=colour, width=max(60, min(columns, 140)))

    @classmethod
    def plain(cls, *, runs: str | None = None, config_: str | None = None) -> Session:
        """Of a command that has neither `--json` nor `--now`."""
        return cls(as_json=False, verbose=False, flags=config.Flags(runs=runs, config=config_))

    def settings(self) -> config.Settings:
        return config.load(self.flags, os.environ, read_dotenv=True)

    def notice(self, settings: config.Settings) -> None:
        """Say on stderr what is set and does not count where the provider is asked: once, however often it is."""
        for text in settings.notices:
            if text not in self._said:
                self._said.add(text)
                click.echo(text, err=True)

    def finish(self, answer: output.Answer) -> NoReturn:
        """Print the answer and exit with its code."""
        if self.as_json:
            click.echo(json.dumps(answer.document, indent=2))
        else:
            click.echo(answer.text)
        sys.exit(answer.exit_code)

    def fail(self, error: ReconcileError) -> NoReturn:
        """Say what kept the command from being carried out: on stdout as JSON, else on stderr."""
        if self.as_json:
            self.finish(output.answer_error(error, self.look))
        look = output.Look(colour=sys.stderr.isatty() and self.look.colour, width=self.look.width)
        click.echo(output.answer_error(error, look).text, err=True)
        sys.exit(error.exit_code)


def workspace_of(settings: config.Settings, *, pricing: bool | None = None) -> tree.Workspace:
    """The folder of runs that the settings describe. `pricing`: in place of what they say of it."""
    return workspace.open_workspace(
        settings.runs,
        scopes=settings.scopes,
        policy=settings.policy,
        variables=settings.variables,
        now=settings.now,
        evidence=settings.evidence,
        pricing=settings.pricing if pricing is None else pricing,
    )


def command(*, ages: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with the options that all have; `ages` adds those of the policy."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def body(**given: Any) -> None:  # noqa: ANN401  options of every type
            names = ("runs", "config", "openai_url", "now", *(("min_age", "max_age") if ages else ()))
            flags = config.Flags(**{name: given.pop(name) for name in names})
            session = Session(as_json=given.pop("as_json"), verbose=given.pop("verbose"), flags=flags)
            try:
                function(session, **given)
            except ReconcileError as error:
                session.fail(error)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise  # click's own ways to end, and a reader that has gone
            except Exception as error:  # noqa: BLE001  a bug ends as every error does: told, with its exit code
                if session.verbose:
                    click.echo("".join(traceback.format_exception(error)), err=True)
                session.fail(containing.unexpected(function.__name__.rstrip("_"), error))

        body.__doc__ = function.__doc__
        body.__name__ = function.__name__
        for option in reversed([*COMMON, *(AGES if ages else [])]):
            body = option(body)
        return body

    return decorate


RUNS = click.option("--runs", metavar="DIR", help="Folder of runs. [default: runs]")
CONFIG = click.option("--config", metavar="FILE", help="Configuration. [default: reconcile.yml, if there is one]")
URL = click.option("--openai-url", metavar="URL", help="Where usage is asked for. [default: the provider's own]")
VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Tell on stderr what is asked of the provider.")
MIN_AGE = click.option("--min-age", metavar="DURATION", help="Leave younger runs alone. [default: 30m]")
MAX_AGE = click.option(
    "--max-age", metavar="DURATION", help="The cutoff: older runs are no longer awaited. [default: 24h]"
)
COMMON = [
    RUNS,
    CONFIG,
    click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document."),
    click.option("--now", metavar="INSTANT", help="Pretend it is then, as in 2026-01-05T14:17:00Z: for replays."),
    URL,
    VERBOSE,
]
AGES = [MIN_AGE, MAX_AGE]


def provider(settings: config.Settings, progress: Progress) -> fetch.Provider:
    follow(settings)
    try:
        return providers.provider(providers.DEFAULT).usage(
            config.usable_key(settings).reveal(),
            settings.base_url,
            now=settings.now,
            on_progress=lambda done, whole: show(progress, done, whole),
        )
    except ConfigurationError as error:
        return error


def curl_lines(settings: config.Settings) -> Callable[[base.Query], str]:
    """What spells a query to the settings' address."""
    return lambda query: providers.provider(query.provider).spelled(query, settings.base_url)


def follow(settings: config.Settings) -> None:
    """A simulator goes where `--now` is: it would be asked for its future, and what it told would be dated by another
    clock."""
    if settings.now and settings.local:
        move(settings.base_url, settings.now)


def progress_bar(unit: str = "minutes") -> Progress:
    """A bar on a terminal's stderr, which vanishes when it is done."""
    console = Console(stderr=True)
    columns = (
        TextColumn("asking the provider"),
        BarColumn(),
        TextColumn(f"{{task.completed}} of {{task.total}} {unit}"),
    )
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)


def show(progress: Progress, done: int, whole: int) -> None:
    """How far the asking has come."""
    if not progress.tasks:
        progress.add_task("")
    progress.update(progress.tasks[0].id, completed=done, total=whole)


def announced(queries: Sequence[base.Query], *, verbose: bool) -> None:
    if len(queries) > ANNOUNCED_REQUESTS:
        click.echo(f"this pass makes {len(queries)} requests or more, one for each day it has to read", err=True)
    for query in queries if verbose else ():
        keys = f"{len(query.api_key_ids)} keys" if query.api_key_ids else "all keys"
        click.echo(f"asking {query.provider} for {query.window.minutes} minutes of {keys}", err=True)
