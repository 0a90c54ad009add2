"""Commands that look at files: `validate`, `list`, `explain`, `audit`, `status`, `report`, `lag` and `backtest`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from reconcile import config
from reconcile.attribution import claims
from reconcile.cli import output
from reconcile.cli.output import Form, answer_board, answer_situation
from reconcile.cli.session import Session, command, curl_lines, workspace_of
from reconcile.git.versions import versions
from reconcile.insight import audit_files, survey
from reconcile.insight.survey import board, situation
from reconcile.passes import tree
from reconcile.report import exports
from reconcile.runs import run, state


@click.command(short_help="How long usage takes to be reported in full.")
@click.argument("framework", required=False)
@command()
def lag(session: Session, framework: str | None) -> None:
    """How long after a run's window its figure is complete, learnt from the reads that files have kept.

    Asks the provider nothing and writes nothing.
    """
    found = survey.lag(workspace_of(session.settings()), claims.Asked(framework=framework))
    session.finish(output.answer_lag(found, session.look))


@click.command(short_help="What another policy would have made of the reads.")
@click.option("--min-age", metavar="DURATION", help="Try this: leave younger runs alone.")
@click.option("--verification-interval", metavar="DURATION", help="Try this: how far apart equal reads count.")
@click.option("--min-stable", metavar="COUNT", help="Try this: how many equal reads make a figure stable.")
@click.option("--max-age", metavar="DURATION", help="Try this: the cutoff.")
@command()
def backtest(session: Session, **tried: Any) -> None:  # noqa: ANN401  flags, each by its name
    """Replay the reads that files have kept under another policy, beside the present one.

    What is not given stays as it is. A policy that depends on reads that nobody made or kept is refused.
    Asks the provider nothing and writes nothing.
    """
    present = session.settings()
    flags = replace(session.flags, **tried)
    found = survey.backtest(workspace_of(present), config.load(flags, os.environ, read_dotenv=True).policy)
    session.finish(output.answer_backtest(found, session.look))


GATE = "--require-verified"


@click.command(short_help="Check every metrics.json.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@command()
def validate(session: Session, paths: Sequence[Path]) -> None:
    """Check every metrics.json and call log, or those below the given paths, and print each defect with its place."""
    opened = workspace_of(session.settings())
    files, findings = survey.validate(opened, paths)
    session.finish(output.answer_validate(files, findings, None if paths else tree.take_census(opened)))


class Gated(click.Command):
    """A command whose gate takes its grade after `=` only: a word behind it stays the framework."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f"{GATE}={state.Proof.ASSUMED}" if arg == GATE else arg for arg in args])


@click.command(name="list", cls=Gated, short_help="What awaits reconciliation, and why.")
@click.argument("framework", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run, with status and reason.")
@click.option(
    GATE,
    "least",
    type=click.Choice([grade.value for grade in state.Proof]),
    metavar="[=GRADE]",
    help="Exit 1 while a run is not verified: a gate before analysis. With a GRADE, proven or "
    "supported, also while one is held less well.",
)
@command(ages=True)
def list_(session: Session, framework: str | None, *, everything: bool, least: str | None) -> None:
    """The runs that await reconciliation: why, and what happens next."""
    summary = survey.list_runs(workspace_of(session.settings()), claims.Asked(framework=framework))
    wanted = state.Proof(least) if least else None
    session.finish(output.answer_list(summary, session.look, everything=everything, least=wanted))


@click.command(short_help="How one run's figure came about.")
@click.argument("framework")
@click.argument("run_id")
@command(ages=True)
def explain(session: Session, framework: str, run_id: str) -> None:
    """How one run's figure came about, what its verdict rests on and what happens next."""
    settings = session.settings()
    account = survey.explain(workspace_of(settings), run.RunKey(framework, run_id), curl_lines(settings))
    session.finish(output.answer_explain(account, session.look))


@click.command(short_help="Compute every verdict again from its evidence.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--refetch", is_flag=True, help="Hold the evidence against a fresh read of the provider too.")
@command()
def audit(session: Session, paths: Sequence[Path], *, refetch: bool) -> None:
    """Compute every figure, bound and verdict again, offline, from usage_evidence.json and the stored observations.

    Exits 1 on any difference. What was forged coherently, figure, evidence and digest alike, only --refetch finds.
    """
    settings = session.settings()
    opened = workspace_of(settings)
    done = audit_files.audit_runs(opened, paths, partial(versions, Path.cwd(), environ=settings.variables))
    if refetch:
        from reconcile.cli.session import progress_bar, provider  # noqa: PLC0415  the other commands here ask nobody

        session.notice(settings)
        with progress_bar() as progress:
            done = audit_files.refetched(opened, done, provider(settings, progress))
    session.finish(output.answer_audit(done, session.look))


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
    saved = exports.saved_comparisons(comparisons)
    made = exports.report(workspace_of(session.settings()), folder, comparisons=saved, hash_keys=hash_keys)
    session.finish(output.answer_report(made))


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
    opened = workspace_of(settings, pricing=False)
    if framework is None or run_id is None:
        found = board(opened, claims.Asked(framework=framework))
        session.finish(answer_board(found, session.look, told))
    key = run.RunKey(framework, run_id)
    session.finish(answer_situation(situation(opened, key, curl_lines(settings)), session.look, told))
