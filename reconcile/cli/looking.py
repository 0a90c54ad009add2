"""`validate`, `list`, `explain` and `audit`: what files say, and whether it is true."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from reconcile import workflow
from reconcile.cli.session import Session, command, workspace

GATE = "--require-verified"


@click.command(short_help="Check every metrics.json.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@command()
def validate(session: Session, paths: Sequence[Path]) -> None:
    """Check every metrics.json and call log, or those below the given paths, and print each defect with its place."""
    opened = workspace(session.settings())
    files, findings = workflow.validate(opened, paths)
    session.finish(workflow.answer_validate(files, findings, None if paths else workflow.take_census(opened)))


class Gated(click.Command):
    """A command whose gate takes its grade after `=` only: a word behind it stays the framework."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f"{GATE}={workflow.Proof.ASSUMED}" if arg == GATE else arg for arg in args])


@click.command(name="list", cls=Gated, short_help="What awaits reconciliation, and why.")
@click.argument("framework", required=False)
@click.option("--all", "everything", is_flag=True, help="Every run, with status and reason.")
@click.option(
    GATE,
    "least",
    type=click.Choice([grade.value for grade in workflow.Proof]),
    metavar="[=GRADE]",
    help="Exit 1 while a run is not verified: a gate before analysis. With a GRADE, proven or "
    "supported, also while one is held less well.",
)
@command(ages=True)
def list_(session: Session, framework: str | None, *, everything: bool, least: str | None) -> None:
    """The runs that await reconciliation: why, and what happens next."""
    summary = workflow.list_runs(workspace(session.settings()), workflow.Asked(framework=framework))
    wanted = workflow.Proof(least) if least else None
    session.finish(workflow.answer_list(summary, session.look, everything=everything, least=wanted))


@click.command(short_help="How one run's figure came about.")
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


@click.command(short_help="Compute every verdict again from its evidence.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--refetch", is_flag=True, help="Hold the evidence against a fresh read of the provider too.")
@command()
def audit(session: Session, paths: Sequence[Path], *, refetch: bool) -> None:
    """Compute every figure, bound and verdict again, offline, from usage_evidence.json and the stored observations.

    Exits 1 on any difference. What was forged coherently, figure, evidence and digest alike, only --refetch finds.
    """
    settings = session.settings()
    opened = workspace(settings)
    done = workflow.audit_runs(opened, paths, partial(workflow.versions, Path.cwd(), environ=settings.variables))
    if refetch:
        from reconcile.cli.asking import progress_bar, provider  # noqa: PLC0415  the other commands here ask nobody

        session.notice(settings)
        with progress_bar() as progress:
            done = workflow.refetched(opened, done, provider(settings, progress))
    session.finish(workflow.answer_audit(done, session.look))
