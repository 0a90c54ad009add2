"""Logs of a job lie where they may: no `..`, no link and no pattern finds a file outside of the folder."""

from contextlib import chdir

import pytest

from reconcile.errors import ConfigurationError
from reconcile.ledger.readers.log_files import files_within, folder_named


@pytest.fixture
def machine(tmp_path):
    """A workspace with a log, and a file of the machine beside it with links to it from everywhere."""
    outside, workspace = tmp_path / "outside", tmp_path / "workspace"
    for file in (outside / "secret.ndjson", workspace / "logs" / "app.ndjson"):
        file.parent.mkdir(parents=True)
        file.write_text("{}\n")
    (workspace / "away").symlink_to(outside)
    (workspace / "file.ndjson").symlink_to(outside / "secret.ndjson")
    (workspace / "within.ndjson").symlink_to(workspace / "logs" / "app.ndjson")
    (tmp_path / "door").symlink_to(workspace)
    with chdir(workspace):
        yield tmp_path


@pytest.mark.parametrize("text", ["logs/app.ndjson", "logs", "l*/**/*.ndjson", "within.ndjson"])
def test_what_lies_in_the_folder_is_found(machine, text):
    ((environment, path),) = files_within(("prod", text), machine / "workspace")
    assert (environment, path.endswith(".ndjson")) == ("prod", True)


@pytest.mark.parametrize(
    "text",
    [
        *("file.ndjson", "*.ndjson", "away/secret.ndjson", "away", "*/secret.ndjson", "**/secret.ndjson"),
        *("../outside/secret.ndjson", "logs/../../outside", "../*/*.ndjson", "*/../../outside/secret.ndjson"),
    ],
)
def test_what_lies_outside_is_an_error(machine, text):
    with pytest.raises(ConfigurationError, match="outside of") as caught:
        files_within((None, text), machine / "workspace")
    assert caught.value.code == "log_outside"


def test_an_absolute_pattern_is_refused_before_anything_is_looked_for(machine):
    with pytest.raises(ConfigurationError, match="the pattern /no/such/"):
        files_within((None, "/no/such/*.ndjson"), machine / "workspace")


@pytest.mark.parametrize("place", ["workspace", "door"])
def test_a_workspace_behind_a_link_is_one(machine, place):
    assert files_within((None, str(machine / "door" / "logs")), machine / "door")
    assert files_within((None, "logs"), machine / place)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("logs/*.ndjson", "workspace"),
        ("file.ndjson", "workspace"),
        ("away/*.ndjson", "workspace"),
        ("{machine}/workspace/away/*.ndjson", "workspace"),
        ("../outside/*.ndjson", "outside"),
        ("{machine}/outside/secret.ndjson", "outside"),
        ("{machine}/outside", "outside"),
        ("{machine}/out*/secret.ndjson", ""),
    ],
)
def test_a_trusted_pattern_may_begin_anywhere_and_leads_no_further(machine, text, folder):
    named = folder_named((None, text.format(machine=machine)), machine / "workspace")
    assert named == machine / folder
