"""`reconcile report`: the page it writes, what it puts in, and what it refuses."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.week import calls, compared

from reconcile import cli
from reconcile.errors import StoreError
from reconcile.ledger.comparison_json import comparison_json
from reconcile.report import exports
from reconcile.report.exports import report
from reconcile.workspace import open_workspace

SAMPLES = Path(__file__).parents[2] / "runs"
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLES, tmp_path / "runs")
    return tmp_path


def said(*arguments):
    return CliRunner().invoke(cli.main, ["report", *map(str, arguments)])


def shown(page=Path("site/index.html")):
    """The data of a page."""
    (found,) = DATA.findall(page.read_text("utf-8"))
    return json.loads(found)


def test_the_samples_are_all_on_the_page(folder):
    before = {path: path.read_bytes() for path in (folder / "runs").rglob("*") if path.is_file()}
    result = said("--html", "site")
    assert (result.exit_code, result.output.split(":")[0]) == (0, "site/index.html")
    names = {f"{run['framework']}/{run['run_id']}" for run in shown()["runs"]}
    assert names == {f"{file.parent.parent.name}/{file.parent.name}" for file in SAMPLES.glob("*/*/metrics.json")}
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in (folder / "site").iterdir()] == ["index.html"]


def test_what_it_says_as_json(folder):
    result = said("--html", "site", "--json")
    size = (folder / "site" / "index.html").stat().st_size
    assert json.loads(result.output) == {
        "schema_version": 1,
        "page": "site/index.html",
        "bytes": size,
        "runs": 11,
        "comparisons": 0,
        "hashed_keys": False,
    }


def test_a_broken_file_is_on_the_page_and_stops_nothing(folder):
    broken = folder / "runs" / "baes" / "broken" / "metrics.json"
    broken.parent.mkdir()
    broken.write_text('{"run_id": "broken"', "utf-8")
    assert said("--html", "site").exit_code == 0
    found = shown()
    assert ([each["path"] for each in found["invalid"]], found["board"]["invalid"], len(found["runs"])) == (
        ["runs/baes/broken/metrics.json"],
        1,
        11,
    )


def test_a_saved_comparison_is_on_the_page(folder):
    saved = comparison_json(compared(calls()))
    Path("c.json").write_text(json.dumps(saved), "utf-8")
    assert said("--html", "site", "--comparison", "c.json").exit_code == 0
    assert shown()["comparisons"] == [{"name": "c.json", "document": saved}]


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": 1}', "\x00", "[" * 100_000])
def test_a_file_that_is_no_comparison_is_named_and_nothing_is_written(folder, text):
    Path("c.json").write_text(text, "utf-8")
    result = said("--html", "site", "--comparison", "c.json")
    assert (result.exit_code, "c.json: no comparison" in result.output, Path("site").exists()) == (2, True, False)


def test_ids_of_keys_are_hashed_where_that_is_asked_for(folder, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY_BAES_ID", "key_9f8e7d6c5b4a")
    said("--html", "site")
    assert "key_9f8e7d6c5b4a" in Path("site/index.html").read_text("utf-8")
    said("--html", "site", "--hash-keys")
    assert "key_9f8e7d6c5b4a" not in Path("site/index.html").read_text("utf-8")
    assert [name for name in shown()["keys"] if not re.fullmatch("key-[0-9a-f]{12}", name)] == []


def test_a_folder_that_cannot_be_written_is_named(folder):
    Path("site").write_text("", "utf-8")
    result = said("--html", "site/deeper")
    assert (result.exit_code, "site/deeper: cannot be written" in result.output) == (3, True)


def test_a_figure_that_does_not_follow_from_its_evidence_is_told_of(folder):
    said("--html", "site")
    assert shown()["differences"] == []
    file = folder / "runs" / "chatdev" / "9b07d5e3" / "metrics.json"
    file.write_text(file.read_text("utf-8").replace("97347", "97000"), "utf-8")
    said("--html", "site")
    assert {each["path"] for each in shown()["differences"]} == {"runs/chatdev/9b07d5e3/metrics.json"}


def test_a_page_of_others_is_left_as_it_is_and_an_earlier_dashboard_is_replaced(folder):
    Path("index.html").write_text("<h1>mine</h1>", "utf-8")
    result = said("--html", ".")
    assert (result.exit_code, "no dashboard" in result.output) == (3, True)
    assert Path("index.html").read_text("utf-8") == "<h1>mine</h1>"
    assert [said("--html", "site").exit_code for _ in range(2)] == [0, 0]


def test_many_runs_at_a_time_make_no_large_page(tmp_path):
    """Each of them is a neighbour of all others."""
    times = {"start_timestamp": "2026-01-05T10:00:00Z", "end_timestamp": "2026-01-05T16:00:00Z", "steps": []}
    usage = {"aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0}, "usage_scope": {"api_key_ids": ["key_a"]}}
    for number in range(100):
        file = tmp_path / "runs" / "chatdev" / f"run-{number:03}" / "metrics.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"run_id": file.parent.name, **times, **usage}), "utf-8")
    made = report(open_workspace(tmp_path / "runs"), tmp_path / "site")
    assert [len(run["neighbours"]) for run in shown(made.path)["runs"]] == [99] * 100
    assert len(json.dumps([run["neighbours"] for run in shown(made.path)["runs"]])) < 50_000


def test_a_library_that_was_changed_is_not_used(tmp_path, monkeypatch):
    changed = tmp_path / "chart.js"
    changed.write_bytes(exports.LIBRARY.read_bytes() + b"\n")
    monkeypatch.setattr(exports, "LIBRARY", changed)
    with pytest.raises(StoreError, match="not the file that was shipped"):
        exports.parts()


def test_a_comparison_that_is_not_there_is_named(folder):
    result = said("--html", "site", "--comparison", "gone.json")
    assert (result.exit_code, "gone.json: cannot be read" in result.output, Path("site").exists()) == (3, True, False)
