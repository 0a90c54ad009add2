"""`doctor` and `keys`: is the set-up right, and which key is whose."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconcile import config
from reconcile.cli.session import Session, command, workspace
from reconcile.errors import ReconcileError
from reconcile.workflow import examining, keying


@click.command(short_help="What is wrong with the set-up, and what to do.")
@command()
def doctor(session: Session) -> None:
    """Check the set-up: a line a check with ok, warning or error, and the remedy. What is wrong comes first.

    Makes a few requests to the provider, and to GitHub where GITHUB_TOKEN and GITHUB_REPOSITORY are set. Writes nothing
    and never prints a secret.

    \b
    Exit codes:
      0  nothing is wrong, or only warnings
      1  errors
      2  usage
      3  the provider could not be reached
    """
    settings, problem = _settings(session)
    session.notice(settings)
    opened = workspace(settings, pricing=False)
    session.finish(examining.answer_doctor(examining.examine(opened, _setup(session, settings, problem)), session.look))


@click.command(short_help="Which API key is whose.")
@click.option("--write", is_flag=True, help="Put the ids that are certain into the configuration.")
@command()
def keys(session: Session, *, write: bool) -> None:
    """List projects, their API keys with id and last use, and the frameworks that are configured with them.

    Takes an admin key with the scope api.management.read. Where the secret of a framework is at hand, as in
    OPENAI_API_KEY_CHATDEV, it is compared with what the list shows of each key, and with --write the id goes into
    reconcile.yml. The secret itself goes nowhere.

    \b
    Exit codes:
      0  listed, and written where that was asked for
      1  a setting is missing or wrong, or an id could not be written
      2  usage
      3  the provider could not be reached
    """
    settings = session.settings()
    session.notice(settings)
    key = config.usable_key(settings).reveal()
    setup = _setup(session, settings, None)
    found = keying.find_keys(workspace(settings, pricing=False), setup, key)
    session.finish(keying.answer_keys(keying.write_keys(found, setup.file) if write else found, session.look))


def _settings(session: Session) -> tuple[config.Settings, ReconcileError | None]:
    """The settings; where they cannot be read, what is left of them, and why."""
    try:
        return session.settings(), None
    except ReconcileError as error:
        return config.without_file(session.flags, os.environ), error


def _setup(session: Session, settings: config.Settings, problem: ReconcileError | None) -> examining.Setup:
    return examining.Setup(
        file=Path(session.flags.config or config.CONFIG_FILE),
        problem=problem,
        runs=settings.runs,
        admin_variable=settings.admin_variable,
        admin_key=settings.admin_key.reveal() if settings.admin_key else None,
        base_url=settings.base_url,
        now=settings.now,
        pricing=settings.pricing,
    )
