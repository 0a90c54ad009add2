"""Three hourly passes over a copy of the sample runs, against the embedded simulator: what `make demo` shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import sample_world

from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator

ROOT = Path(__file__).parent.parent
PASSES = [sample_world.DAY + timedelta(hours=hour, minutes=47, seconds=3) for hour in (15, 16, 17)]
BROKEN = {
    "run_id": "0badf11e",
    "start_timestamp": "2026-01-05T15:20:00Z",
    "end_timestamp": "2026-01-05T15:26:00",
    "steps": [],
    "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name, Simulator(Ledger(sample_world.all_calls())) as simulator:
        folder = Path(name)
        _prepare(folder)
        say("A copy of the sample runs, a broken file among them, and a simulated usage API whose truth is known.")
        environment = {
            **os.environ,
            "RECONCILE_OPENAI_URL": simulator.base_url,
            "OPENAI_ADMIN_KEY": simulator.admin_key,
            "PYTHONPATH": str(ROOT),
        }
        for number, now in enumerate(PASSES, start=1):
            simulator.set_now(now)
            say(f"Pass {number} of 3, at {now:%H:%M} UTC")
            reconcile(folder, environment, now, "run")
        say("What the passes changed in one file: only the lines that hold figures, and what they rest on")
        show(folder, "git", "diff", "--unified=0", "--", "runs/chatdev/d7741b9a/metrics.json")
        say("Why two runs are not verified")
        reconcile(folder, environment, PASSES[-1], "explain", "baes", "e01b7c95")
        _check(folder)


def _prepare(folder: Path) -> None:
    shutil.copytree(ROOT / "runs", folder / "runs")
    shutil.copy(ROOT / "reconcile.yml", folder)
    broken = folder / "runs" / "chatdev" / BROKEN["run_id"] / "metrics.json"
    broken.parent.mkdir()
    broken.write_text(json.dumps(BROKEN, indent=2) + "\n", encoding="utf-8")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=demo", "-c", "user.email=demo@localhost", "commit", "-qm", "runs"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S603, S607


def say(text: str) -> None:
    sys.stdout.write(f"\n=== {text}\n\n")
    sys.stdout.flush()


def reconcile(folder: Path, environment: Mapping[str, str], now: datetime, *arguments: str) -> None:
    sys.stdout.write(f"$ reconcile {' '.join(arguments)} --now {now:%Y-%m-%dT%H:%M:%SZ}\n\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "reconcile", *arguments, "--now", now.isoformat()]
    subprocess.run(command, cwd=folder, env=environment, check=False)  # noqa: S603


def show(folder: Path, *command: str) -> None:
    sys.stdout.write(f"$ {' '.join(command)}\n\n")
    sys.stdout.flush()
    subprocess.run(["git", "--no-pager", *command[1:]], cwd=folder, check=True)  # noqa: S603, S607


def _check(folder: Path) -> None:
    """Every figure that was called verified is what the run's calls really used."""
    verified = 0
    for sample in sample_world.SAMPLES:
        block = json.loads((folder / "runs" / sample.path).read_text("utf-8")).get("usage_api_reconciliation", {})
        if block.get("verification_status") == "verified":
            truth = sum(call.tokens_in for call in sample.calls()), sum(call.tokens_out for call in sample.calls())
            if (block["total_tokens_in"], block["total_tokens_out"]) != truth:
                sys.exit(f"{sample.path}: verified at {block['total_tokens_in']}, but the truth is {truth}")
            verified += 1
    say(f"{verified} runs verified, and each of them at exactly what the simulator knows its calls used.")


if __name__ == "__main__":
    main()
