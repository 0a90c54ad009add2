"""`simulate`: a usage API on this machine, to try things with."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event

import click

from reconcile import config, providers
from reconcile.attribution import claims
from reconcile.cli.session import Session, command, workspace_of
from reconcile.errors import ReconcileError
from reconcile.insight import survey
from reconcile.runs import run
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.scenarios import Feed, at_once, clean, imitate, slow_tail, stalling, weather
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
    Runs that come later are found. `reconcile run --now INSTANT` takes the clock of the simulator along.
    """
    settings = session.settings()
    stage = _Stage(session, FEEDS[feed])
    runs = stage.enter()
    # A key of its own, so that nothing that was kept of an earlier simulation is taken for this one's.
    key = f"sk-admin-simulated-{secrets.token_hex(8)}"
    with Simulator(stage.ledger, now=settings.now, port=port, admin_key=key, before=stage.look) as server:
        if stormy:
            server.script(*weather(seed=0, replies=10_000))
        variables = {
            config.URL_VARIABLE: server.base_url,
            providers.provider(providers.DEFAULT).admin_key_variable: server.admin_key,
        } | stage.variables
        if session.as_json:
            click.echo(json.dumps({"runs": runs, "calls": stage.calls, "variables": variables}))
        else:
            click.echo(_greeting(runs, stage.calls, variables, server.now))
        try:
            Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _greeting(runs: int, calls: int, variables: Mapping[str, str], now: float) -> str:
    later = [datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0) + timedelta(hours=h) for h in (1, 2)]
    return "\n".join(
        [
            f"runs: {runs:,}, calls: {calls:,}, made up; stop with Ctrl-C",
            "",
            "In another terminal (the key is a new one at each start):",
            "",
            *_exports(variables),
            "",
            "Nobody has to wait for a run to be old enough. Passes an hour and two hours from now:",
            "",
            *(f"reconcile run --now {moment:%Y-%m-%dT%H:%M:%SZ}" for moment in later),
        ]
    )


def _exports(variables: Mapping[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


class _Stage:
    """The runs of the folder and their calls. Those that come while it is played are found when usage is asked for."""

    def __init__(self, session: Session, feed: Feed) -> None:
        self._session = session
        self._feed = feed
        self._known: set[run.RunKey] = set()
        self.ledger = Ledger()
        self.variables: dict[str, str] = {}
        self.calls = 0

    def enter(self) -> int:
        """How many runs are new. Raises StoreError where the folder cannot be read."""
        pairs = survey.claims(workspace_of(self._session.settings()))
        new = [(run, claim) for run, claim in pairs if run.key not in self._known]
        calls = [call for run, claim in new for call in _imitated(run, claim, self._feed)]
        self.ledger.add(calls)
        self.calls += len(calls)
        self._known |= {run.key for run, _ in new}
        for _, claim in new:
            self.variables[claims.key_id_variable(claim.run.framework)] = ",".join(claim.scope.api_key_ids)
        return len(new)

    def look(self) -> None:
        """Before an answer. A folder that cannot be read has no new runs, and a new framework has a line to copy."""
        before = set(self.variables)
        with suppress(ReconcileError):
            self.enter()
        new = {name: value for name, value in self.variables.items() if name not in before}
        if new and not self._session.as_json:
            click.echo("\n".join(_exports(new)))


def _imitated(run: run.Run, claim: run.Claim, feed: Feed) -> Sequence[BilledCall]:
    start, end = run.started_at.timestamp(), run.ended_at.timestamp()
    key = claim.scope.api_key_ids[0] if claim.scope.api_key_ids else "key_simulated"
    return imitate(str(claim.run), start, end, key, claim.known, feed)
