"""Makes the sample runs in runs/: the files as the runs left them, then hourly passes until 14:17Z of their day."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path

import sample_world

from reconcile.passes.apply import run_pass
from reconcile.providers.openai import openai_usage
from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator
from reconcile.workspace import open_workspace

ROOT = Path(__file__).parent.parent
PASSES = [sample_world.DAY + timedelta(hours=hour, minutes=17, seconds=3) for hour in range(9, 15)]


def main() -> None:
    runs = ROOT / "runs"
    for sample in sample_world.SAMPLES:
        shutil.rmtree(runs / sample.framework, ignore_errors=True)
    sample_world.write(runs)
    variables = {f"OPENAI_API_KEY_{s.framework.upper()}_ID": s.key for s in sample_world.SAMPLES}
    with Simulator(Ledger(sample_world.all_calls())) as simulator:
        for now in PASSES:
            simulator.set_now(now)
            provider = openai_usage(simulator.admin_key, simulator.base_url, now=now)
            summary = run_pass(open_workspace(runs, variables=variables, now=now), provider)
            sys.stdout.write(f"{now:%H:%MZ}  {summary.counts}\n")


if __name__ == "__main__":
    main()
