"""Puts what the program prints today into docs: help texts, the sessions of the tutorial and the bill, and the comment.

The tests hold documents and program equal; this does the pasting. README shortens its session, so that one is pasted by
hand. Look at the difference before you commit it.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner

ROOT = Path(__file__).parent.parent
WIDTH = 120
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests")]

import test_documents as documents  # noqa: E402  it knows how the blocks are told

from reconcile import cli, config  # noqa: E402
from reconcile.simulator.calls import Ledger  # noqa: E402
from reconcile.simulator.server import Simulator  # noqa: E402

HELP = re.compile(r"```console\n\$ reconcile ([a-z ]*)--help\n.*?```", re.DOTALL)
TOLD = re.compile(r"<!-- now: (\S+) -->\n```console\n(.*?)```", re.DOTALL)
COMMENT = re.compile(r"^> ### LLM usage: .*?\n(?!>)", re.DOTALL | re.MULTILINE)


def main() -> None:
    commands = ROOT / "docs" / "commands.md"
    commands.write_text(HELP.sub(_help, commands.read_text("utf-8")), encoding="utf-8")
    setup = ROOT / "docs" / "setup.md"
    with tempfile.TemporaryDirectory() as folder:
        comment = documents.quoted(documents.sample_comment(Path(folder)))
    setup.write_text(COMMENT.sub(lambda _: comment, setup.read_text("utf-8")), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, Simulator(Ledger()) as simulator:
        _prepare(Path(folder), simulator)
        for name in documents.SESSIONS["docs"]:
            page = ROOT / name
            text = TOLD.sub(lambda found: _told(found, simulator), page.read_text("utf-8"))
            page.write_text(text, encoding="utf-8")


def _help(found: re.Match[str]) -> str:
    arguments = [*found[1].split(), "--help"]
    said = CliRunner().invoke(cli.main, arguments, prog_name="reconcile", terminal_width=98)
    return f"```console\n$ reconcile {' '.join(arguments)}\n{said.output}```"


def _prepare(folder: Path, simulator: Simulator) -> None:
    documents.furnish(folder, simulator.ledger)
    os.chdir(folder)
    os.environ |= {"RECONCILE_OPENAI_URL": simulator.base_url, "OPENAI_ADMIN_KEY": simulator.admin_key}
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")


def _told(found: re.Match[str], simulator: Simulator) -> str:
    now, shown = found[1], found[2]
    simulator.set_now(datetime.fromisoformat(now))
    os.environ["RECONCILE_NOW"] = now
    real = ""
    for line in [line for line in shown.splitlines() if line.startswith("$ ")]:
        real += f"{line}\n{CliRunner().invoke(cli.main, shlex.split(line)[2:]).output}"
    real = real.replace(simulator.base_url, config.DEFAULT_BASE_URL)
    lines = [line if len(line) <= WIDTH else line[: WIDTH - 3] + "..." for line in real.splitlines()]
    return f"<!-- now: {now} -->\n```console\n" + "\n".join(lines) + "\n```"


if __name__ == "__main__":
    main()
