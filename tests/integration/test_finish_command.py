"""`finish`: what became of the background responses of a run, asked for over HTTP with the experiment's own key."""

import pytest
from click.testing import CliRunner
from support.models import SECRET, SNAPSHOT
from support.recordings import Left, rows

from reconcile import cli
from reconcile.recording.record import record

ADMIN = "sk-admin-of-an-organization"


@pytest.fixture
def shell(tmp_path, monkeypatch, models):
    """A folder, and the variables of an experiment beside those of this program."""
    monkeypatch.chdir(tmp_path)
    for name, value in models.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", ADMIN)
    return monkeypatch


@pytest.fixture
def run(shell, models, openai):
    """A run that left two background responses going on."""
    with openai.OpenAI(max_retries=0) as client, record("chatdev", run_id="a", complete=True) as run:
        run.watch(client)
        for _ in range(2):
            client.responses.create(model="gpt-4o-mini", input=SECRET, background=True)
    models.keys.clear()
    return run


def finish(run_id="a"):
    done = CliRunner().invoke(cli.main, ["finish", "chatdev", run_id], terminal_width=400)
    return done.exit_code, done.stdout, done.stderr


def test_what_has_ended_is_logged_and_the_exit_code_tells_whether_all_have(run, models):
    models.look("resp_1")
    assert finish() == (1, "chatdev/a: 1 ended, 1 still going on\n", "")
    assert finish() == (0, "chatdev/a: 1 ended, 0 still going on\n", "")
    found = Left(run.folder)
    assert (found.log.complete, found.log.pending, found.log.total) == (True, 0, models.truth)
    assert [row.get("pending") for row in rows(run)] == [True, True, None, None]
    assert {row["model"] for row in rows(run)[2:]} == {SNAPSHOT}
    assert finish() == (0, "chatdev/a: 0 ended, 0 still going on\n", "")


@pytest.mark.usefixtures("run")
def test_it_asks_with_the_key_of_the_experiment_and_never_with_the_admin_key(models, shell):
    shell.setenv("OPENAI_ORG_ID", "org-1")
    shell.setenv("OPENAI_PROJECT_ID", "proj_1")
    finish()
    assert models.keys == [("Bearer sk-made-up", "org-1", "proj_1")] * 2


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param("", "missing_api_key", id="no key"),
        pytest.param(ADMIN, "admin_key_refused", id="the admin key"),
        pytest.param("sk-admin-another", "admin_key_refused", id="another admin key"),
        pytest.param("two words", "malformed_key", id="no key at all"),
    ],
)
def test_a_key_that_is_not_the_experiments_is_sent_nowhere(models, shell, key, code):
    shell.setenv("OPENAI_API_KEY", key)
    status, said, error = finish()
    assert (status, said, models.keys) == (1, "", [])
    assert code in error
    assert ADMIN not in error


@pytest.mark.usefixtures("run")
def test_an_address_of_a_file_gets_no_key_that_is_not_of_that_file(models, shell, tmp_path):
    shell.delenv("OPENAI_BASE_URL")
    (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={models.base_url}\n")
    status, _, error = finish()
    assert (status, "address_apart" in error, models.keys) == (1, True, [])
    shell.delenv("OPENAI_API_KEY")
    (tmp_path / ".env").write_text(f"OPENAI_BASE_URL={models.base_url}\nOPENAI_API_KEY=sk-of-the-file\n")
    assert finish()[0] == 1
    assert models.keys[0][0] == "Bearer sk-of-the-file"


def test_a_response_that_is_gone_hides_none_of_the_others(run, models):
    del models.background["resp_1"]
    models.look("resp_2")
    status, said, error = finish()
    assert (status, said) == (3, "")
    assert "not_found" in error
    assert "resp_1: answered 404" in error
    assert [row["response_id"] for row in rows(run)] == ["resp_1", "resp_2", "resp_2"]


@pytest.mark.usefixtures("run")
def test_an_address_in_clear_text_is_refused(models, shell):
    shell.setenv("OPENAI_BASE_URL", "http://gateway.example/v1")
    status, _, error = finish()
    assert (status, "insecure_base_url" in error, "send OPENAI_API_KEY to" in error) == (1, True, True)
    assert models.keys == []


@pytest.mark.usefixtures("shell")
def test_a_run_that_there_is_not_is_told():
    status, _, error = finish("b")
    assert (status, "chatdev/b: no such run" in error) == (2, True)
