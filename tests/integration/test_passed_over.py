"""Files named metrics.json that no command reads are told in one line, by every command and by a job."""

import json
import subprocess

import pytest
from click.testing import CliRunner
from support.git import git
from support.job import run_file

from reconcile import cli
from reconcile.git.checkout import ignored_around
from reconcile.runs.run_store import RunStore

ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def write(folder, *names):
    for name in names:
        file = folder / "runs" / name / "metrics.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(run_file(name.rpartition("/")[2], "12:00:10", "12:05"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A repository with a run, one a folder too deep, one a folder too high, and one that git ignores."""
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("scratch*/\n")
    (tmp_path / "reconcile.yml").write_text("frameworks: {chatdev: {api_key_ids: [key_chatdev]}}\n")
    write(tmp_path, "chatdev/a", "chatdev/task/rep1", "flat", "chatdev/scratch1", ".hidden/x/y/z")
    return tmp_path


LINE = "4 files named metrics.json: 1 run, 2 at another depth, 1 ignored by git"


@pytest.mark.parametrize(
    "command",
    [
        ["validate"],
        ["list"],
        ["list", "--all"],
        ["status"],
        ["status", "--format", "markdown"],
        ["run", "--dry-run", "--now", "2026-01-05T14:17:00Z"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_every_command_says_so_once(folder, command):
    result = CliRunner().invoke(cli.main, command, terminal_width=400)
    said = " ".join(result.output.split()).replace("&#58;", ":").replace("&#44;", ",").replace("&#46;", ".")
    assert said.count(LINE) == 1


@pytest.mark.parametrize("command", ["validate", "list", "status"])
def test_it_is_in_the_document_too(folder, command):
    document = json.loads(CliRunner().invoke(cli.main, [command, "--json"]).stdout)
    assert document["files"] == {"runs": 1, "elsewhere": 2, "ignored": 1}


def test_a_file_in_the_index_is_not_ignored(folder):
    git(folder, "add", "--force", "runs")
    paths = ["runs/chatdev/scratch1/metrics.json"]
    assert ignored_around(folder / "runs", paths, ENVIRON) == frozenset()


@pytest.mark.parametrize("environ", [{"PATH": "/nowhere"}, {}], ids=["no git", "no path at all"])
def test_without_git_nothing_is_ignored(folder, environ):
    assert ignored_around(folder / "runs", ["runs/chatdev/scratch1/metrics.json"], environ) == frozenset()


def test_outside_of_a_repository_nothing_is_ignored(tmp_path):
    write(tmp_path, "chatdev/a")
    assert ignored_around(tmp_path / "runs", [str(tmp_path / "runs/chatdev/a/metrics.json")], ENVIRON) == frozenset()


def test_a_program_that_the_repository_names_is_not_started(folder):
    git(folder, "add", "reconcile.yml")
    git(folder, "config", "core.fsmonitor", f"touch {folder}/started")
    ignored_around(folder / "runs", ["runs/chatdev/a/metrics.json"], ENVIRON)
    assert not (folder / "started").exists()


def test_links_are_not_followed_and_a_folder_of_that_name_is_no_file(tmp_path):
    write(tmp_path, "chatdev/a")
    (tmp_path / "runs" / "chatdev" / "a" / "back").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "metrics.json").mkdir()
    assert RunStore(tmp_path / "runs").elsewhere() == []


def test_a_folder_that_cannot_be_read_hides_nothing_else(tmp_path):
    write(tmp_path, "chatdev/a/b")
    store = RunStore(tmp_path / "runs")
    subprocess.run(["/bin/rm", "-r", str(tmp_path / "runs")], check=True)
    assert store.elsewhere() == []


def test_a_job_says_so_of_the_branch_that_it_reads(repository):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    repository.forge.write(
        {"runs/chatdev/task/rep1/metrics.json": run_file("rep1", "12:00", "12:05")}, "main", message="x"
    )
    done = repository.job("13:17")
    line = "2 files named metrics.json: 1 run, 1 at another depth"
    assert (done.code, f"::notice::{line}" in done.log) == (0, True)
    assert "1 at another depth" in done.summary


def test_a_check_says_so_of_the_checkout(repository, double):
    repository.add("chatdev/a", "12:00:10", "12:05", branch="topic")
    repository.forge.write({".gitignore": b"scratch/\n"}, "topic", message="ignore")
    number = double.add_pull_request("topic")
    repository.check_out("topic")
    write(repository.workspace, "chatdev/scratch")
    done = repository.job("12:20", event="pull_request", payload=repository.event(number), openai_admin_key="")
    assert "2 files named metrics.json: 1 run, 1 ignored by git" in done.log
