"""The client of the provider for usage and costs of whole days."""

from __future__ import annotations

import click
from rich.progress import Progress

from reconcile import config
from reconcile.cli.asking import follow, show
from reconcile.errors import ConfigurationError
from reconcile.workflow.comparing import Billing
from reconcile.workflow.providing import MOST_REQUESTS, openai_billing

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
