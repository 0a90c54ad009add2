"""`simulate`: a usage API on this machine, to try things with."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Sequence
from threading import Event

import click

from reconcile import workflow
from reconcile.cli.session import Session, command, workspace
from reconcile.simulator.imitation import imitate
from reconcile.simulator.ledger import Call, Ledger
from reconcile.simulator.scenarios import Feed, at_once, clean, slow_tail, stalling, weather
from reconcile.simulator.server import Simulator

FEEDS = {"at-once": at_once, "clean": clean, "slow-tail": slow_tail, "stalling": stalling(seed=0)}


@click.command(short_help="Serve a made-up usage API to try things with.")
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
    # A key of its own, so that nothing that was kept of an earlier simulation is taken for this one's.
    key = f"sk-admin-simulated-{secrets.token_hex(8)}"
    with Simulator(Ledger(calls), now=settings.now, port=port, admin_key=key) as server:
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
