"""The command line: parses, calls one workflow function, prints what it returns and exits. Nothing else does either.

stdout is the report, stderr the log. A command is imported when it is called: a step of a run waits for no HTTP client.
"""

from __future__ import annotations

from importlib import import_module

import click

from reconcile import __version__

HOMES = {
    "action": "action",
    "audit": "insight",
    "backtest": "insight",
    "compare": "money",
    "costs": "money",
    "doctor": "doctor",
    "explain": "insight",
    "finish": "recording",
    "init": "doctor",
    "keys": "doctor",
    "lag": "insight",
    "list": "insight",
    "record": "recording",
    "report": "insight",
    "run": "passes",
    "simulate": "simulate",
    "status": "insight",
    "step": "recording",
    "validate": "insight",
    "watch": "passes",
}
"""The module of each command, which has a function of its name."""


class Commands(click.Group):
    """Those of HOMES."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the same in every context
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in HOMES:
            return None
        module = import_module(f"{__name__}.{HOMES[cmd_name]}")
        found: click.Command = vars(module)[{"list": "list_"}.get(cmd_name, cmd_name)]
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reconcile")
def main() -> None:
    """Find out what each recorded LLM run really used, prove the figure, and write it into the run's file.

    Durations are 30m, 24h or 2d. Settings come from flags, then the environment, then reconcile.yml.
    """
