"""The client of the provider, and what is told on stderr while it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reconcile import config, workflow
from reconcile.errors import ConfigurationError
from reconcile.simulator.clock import move

ANNOUNCED_REQUESTS = 10


def provider(settings: config.Settings, progress: Progress) -> workflow.Provider:
    follow(settings)
    try:
        return workflow.openai_usage(
            config.usable_key(settings).reveal(),
            settings.base_url,
            now=settings.now,
            on_progress=lambda done, whole: show(progress, done, whole),
        )
    except ConfigurationError as error:
        return error


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


def announced(queries: Sequence[workflow.Query], *, verbose: bool) -> None:
    if len(queries) > ANNOUNCED_REQUESTS:
        click.echo(f"this pass makes {len(queries)} requests or more, one for each day it has to read", err=True)
    for query in queries if verbose else ():
        keys = f"{len(query.api_key_ids)} keys" if query.api_key_ids else "all keys"
        click.echo(f"asking {query.provider} for {query.window.minutes} minutes of {keys}", err=True)
