"""`report`: the dashboard, one page for whoever would rather look than read."""

from __future__ import annotations

from pathlib import Path

import click

from reconcile.cli.session import Session, command, workspace
from reconcile.workflow import reporting


@click.command(short_help="Write the dashboard: one self-contained page.")
@click.option(
    "--html",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write DIR/index.html.",
)
@click.option(
    "--comparison",
    "comparisons",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Show this comparison too, as `compare --json` printed it. Any number of times.",
)
@click.option(
    "--hash-keys", is_flag=True, help="Replace ids of keys and projects by hashes, for a page that is published."
)
@command()
def report(session: Session, folder: Path, comparisons: tuple[Path, ...], *, hash_keys: bool) -> None:
    """Write one page with the board, every run, usage, timing and saved comparisons.

    It loads nothing and needs no server: open the file, publish it with GitHub Pages, or keep it as an artifact.
    Asks the provider nothing and changes no run. Whoever sees the page sees names of runs, models and keys, and usage.
    """
    saved = reporting.saved_comparisons(comparisons)
    made = reporting.report(workspace(session.settings()), folder, comparisons=saved, hash_keys=hash_keys)
    session.finish(reporting.answer_report(made))
