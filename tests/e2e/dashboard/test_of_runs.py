"""Real runs on the dashboard in a real browser: the samples, recorded ones with the seeds' own, and simulated ones."""

import json
import re
import shutil
from pathlib import Path

import pytest
from support.browser import opened

from benchmarks.dashboard import DAYS, lived
from reconcile.report.exports import report
from reconcile.workspace import open_workspace

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared"
DATA = re.compile(r'id="data">(.*?)</script>', re.DOTALL)


def complaints(chromium, made, runs=5):
    """What a browser has to say against the page, by view; and how many runs it shows."""
    document = json.loads(DATA.search(made.path.read_text("utf-8"))[1])
    seen = opened(chromium, made.path)
    some = document["runs"][:: max(1, len(document["runs"]) // runs)]
    days = {day[:10] for day in ("2025-10-01", "2026-03-01")}
    seen.page.goto(f"{seen.address}?start_date={min(days)}&end_date={max(days)}#/")
    for view in ("", "runs", "usage", "timing", "gap", "comparisons", *map(place, some)):
        seen.go(f"#/{view}")
        assert seen.texts("h2") != [], view
    seen.go("#/runs")
    return seen.complaints, seen.texts(".found")


def place(run):
    return f"run/{run['framework']}/{run['run_id']}"


def test_the_samples(chromium, tmp_path):
    made = report(open_workspace(ROOT / "runs"), tmp_path)
    assert complaints(chromium, made, 11) == ([], ["All 11 runs."])


@pytest.mark.long
@pytest.mark.skipif(not SHARED.exists(), reason="recorded runs are not beside this repository")
def test_recorded_runs_and_those_of_the_seeds(chromium, tmp_path):
    folder = tmp_path / "runs"
    shutil.copytree(SHARED / "data" / "devbench" / "runs", folder)
    seeds = re.findall("```json\n(.*?)```", (SHARED / "seeds" / "000-quick-reference.md").read_text("utf-8"), re.DOTALL)
    for number, text in enumerate(each for each in seeds if '"run_id"' in each):
        value = {**json.loads(text), "run_id": f"seed-{number}"}
        file = folder / "seeds" / f"seed-{number}" / "metrics.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(value), "utf-8")
    made = report(open_workspace(folder), tmp_path / "site")
    assert (made.dashboard.summary.findings, len({run.run.key.framework for run in made.dashboard.summary.runs})) == (
        (),
        4,
    )
    assert complaints(chromium, made) == ([], ["All 235 runs."])


@pytest.mark.long
def test_a_thousand_simulated_runs(chromium, tmp_path):
    made = report(lived(1_000, days=[DAYS]), tmp_path)
    assert (made.dashboard.summary.counts["verified"] > 900, made.size < 1_500_000) == (True, True)
    assert complaints(chromium, made) == ([], ["All 1,000 runs."])
