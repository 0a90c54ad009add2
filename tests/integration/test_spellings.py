"""A name in either spelling of Unicode, composed or not, is one name: of a folder, in a file, on the command line."""

import json
import sys
import unicodedata

import pytest
from click.testing import CliRunner
from support.bench import at

from reconcile import cli
from reconcile.runs.run import RunKey

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="its file systems know one spelling only")

COMPOSED, APART = unicodedata.normalize("NFC", "caf\u00e9"), unicodedata.normalize("NFD", "caf\u00e9")
SPELLINGS = pytest.mark.parametrize(
    ("folder", "said"), [(APART, COMPOSED), (COMPOSED, APART)], ids=["apart", "composed"]
)


@pytest.fixture
def here(bench, monkeypatch):
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("RECONCILE_OPENAI_URL", bench.simulator.base_url)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", bench.simulator.admin_key)
    return bench


def call(here, *arguments, clock="13:17"):
    here.simulator.set_now(at(clock))
    return CliRunner().invoke(cli.main, [*arguments, "--now", at(clock).isoformat()])


@SPELLINGS
def test_a_framework_is_found_by_its_name_whatever_the_spelling(here, folder, said):
    here.add(f"{folder}/a", "12:00:10", "12:05", [("12:01", 500)], key="key_a")
    (here.folder / "reconcile.yml").write_text(f"frameworks: {{{said}: {{api_key_ids: [key_a]}}}}")
    for clock in ("13:17", "14:17"):
        assert call(here, "run", said, clock=clock).exit_code == 0
    assert here.verdict(f"{folder}/a") == "verified: stable"
    assert call(here, "explain", said, "a").exit_code == 0
    assert call(here, "audit").stdout == "1 run: 1 sound.\n"


@SPELLINGS
def test_a_run_may_spell_its_folder_otherwise(here, folder, said):
    here.add(f"chatdev/{folder}", "12:00:10", "12:05", run_id=said)
    assert call(here, "validate").exit_code == 0


def test_two_folders_of_one_run_are_a_finding_and_the_first_is_read(here):
    (here.folder / "reconcile.yml").write_text(f"frameworks: {{{COMPOSED}: {{api_key_ids: [key_a]}}}}")
    for folder in (COMPOSED, APART):
        here.add(f"{folder}/a", "12:00:10", "12:05", key="key_a")
    here.add(f"{COMPOSED}/b", "12:20", "12:25", key="key_a")
    document = json.loads(call(here, "list", "--all", "--json").stdout)
    assert [each["run_id"] for each in document["runs"]] == ["a", "b"]
    assert document["counts"]["invalid"] == 1
    assert "names the same run as" in document["invalid"][0]["message"]


@SPELLINGS
def test_a_job_finds_a_framework_in_another_spelling(repository, folder, said):
    settings = f"frameworks: {{{said}: {{api_key_ids: [key_a]}}}}\n".encode()
    repository.forge.write({"reconcile.yml": settings}, "main", message="settings")
    repository.add(f"{folder}/a", "12:00:10", "12:05", [("12:01", 500)], key="key_a")
    assert repository.job("13:17")["pushed"] == "true"
    assert repository.verdict(f"{folder}/a") == "pending: first_read"


def test_a_job_over_two_folders_of_one_run_reads_the_first(repository):
    repository.add(f"{APART}/a", "12:00:10", "12:05")
    repository.add(f"{COMPOSED}/a", "12:00:10", "12:05")
    done = repository.job("13:17")
    assert (done["discovered"], done["invalid"]) == ("2", "1")
    assert "names the same run as" in done.log


def test_a_key_is_the_same_in_every_spelling():
    assert RunKey(APART, APART) == RunKey(COMPOSED, COMPOSED)
