"""A folder is set up: what is written, what is left alone, and what is asked."""

import os

import pytest
from click.testing import CliRunner

from reconcile import cli, config
from reconcile.doctor.project_files import workflow_template
from reconcile.providers.base import Scope

GIVEN = ("--yes", "--framework", "chatdev", "--key-id", "key_abc123")
WRITTEN = {"reconcile.yml", ".github/workflows/reconcile.yml", "runs/chatdev/README.md", ".gitignore"}
POSIX = pytest.mark.skipif(os.name == "nt", reason="terminals and pipes as POSIX has them")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments, stdin=None):
    return CliRunner().invoke(cli.main, ["init", *arguments], input=stdin)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_empty_folder_becomes_one_that_every_command_works_in(project):
    result = init(*GIVEN)
    assert (result.exit_code, result.stderr) == (0, "")
    found = files(project)
    assert set(found) == WRITTEN
    assert found[".github/workflows/reconcile.yml"] == workflow_template()
    assert config.load(config.Flags(), {}, read_dotenv=True).scopes == {"chatdev": Scope("openai", ("key_abc123",))}
    said = CliRunner().invoke(cli.main, ["validate"])
    assert (said.exit_code, said.stdout) == (0, "0 files: no finding.\n")


def test_what_is_left_out_is_not_written(project):
    init("--yes", "--framework", "no", "--no-workflow")
    assert set(files(project)) == {"reconcile.yml", "runs/no/README.md", ".gitignore"}
    assert CliRunner().invoke(cli.main, ["validate"]).exit_code == 0


@pytest.mark.parametrize("name", sorted(WRITTEN - {".gitignore", "runs/chatdev/README.md"}))
def test_a_file_that_is_there_is_named_and_nothing_at_all_is_written(project, name):
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("mine")
    result = init(*GIVEN)
    assert (result.exit_code, files(project)) == (2, {name: b"mine"})
    assert f"file_exists: {name}: exists already" in " ".join(result.stderr.split())


def test_two_set_ups_of_one_folder_do_not_mix(project):
    init(*GIVEN)
    before = files(project)
    assert init("--yes", "--framework", "other").exit_code == 2
    assert files(project) == before


def test_a_folder_with_runs_is_left_as_it_is(project):
    (project / "runs" / "chatdev" / "a").mkdir(parents=True)
    assert init(*GIVEN).exit_code == 0
    assert set(files(project)) == WRITTEN - {"runs/chatdev/README.md"}


@pytest.mark.parametrize("before", [b"dist", b".env\r\nb\r\n"])
def test_lines_of_gitignore_stay_and_lines_are_added(project, before):
    (project / ".gitignore").write_bytes(before)
    assert init(*GIVEN).exit_code == 0
    after = (project / ".gitignore").read_bytes()
    assert after.startswith(before)
    assert {b".env", b".metrics.json.*.tmp", b"recording.ndjson"} <= set(after.split())


def test_a_gitignore_that_says_it_all_is_not_touched(project):
    init(*GIVEN)
    before = (project / ".gitignore").read_bytes()
    (project / "reconcile.yml").unlink()
    result = init("--yes", "--framework", "other", "--no-workflow")
    assert (result.exit_code, (project / ".gitignore").read_bytes()) == (0, before)
    assert ".gitignore" not in result.stdout


@pytest.mark.parametrize(
    ("blocker", "code"),
    [(".github", "unwritable_file"), ("runs", "unreadable_file")],
)
def test_a_file_in_the_place_of_a_folder_is_named_and_what_was_written_is_taken_away(project, blocker, code):
    (project / blocker).write_text("mine")
    result = init(*GIVEN)
    assert (result.exit_code, result.stderr.split(":")[0]) == (3, code)
    assert [path.name for path in project.iterdir()] == [blocker]


@POSIX
@pytest.mark.parametrize("make", [os.mkfifo, lambda file: file.symlink_to("elsewhere"), os.mkdir])
def test_a_gitignore_that_is_no_plain_file_is_refused(project, make):
    make(project / ".gitignore")
    result = init(*GIVEN)
    assert (result.exit_code, [path.name for path in project.iterdir()]) == (3, [".gitignore"])


@POSIX
@pytest.mark.parametrize("room", [0, 10])
def test_a_disk_that_fills_up_leaves_everything_as_it_was(project, room):
    import resource  # noqa: PLC0415  not on every system

    (project / ".gitignore").write_bytes(b"x" * 2_500)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500 + room, limits[1]))
    try:
        result = init(*GIVEN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (result.exit_code, result.stderr.split(":")[0]) == (3, "unwritable_file")
    assert files(project) == {".gitignore": b"x" * 2_500}
    assert [path.name for path in project.iterdir()] == [".gitignore"]


def test_the_workflow_is_not_put_where_github_does_not_look(project, monkeypatch):
    (project / ".git").mkdir()
    (project / "part").mkdir()
    monkeypatch.chdir(project / "part")
    result = init(*GIVEN)
    assert (result.exit_code, result.stderr.split(":")[0], files(project)) == (2, "not_the_root", {})
    assert init(*GIVEN, "--no-workflow").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param((), "no_answer", id="nobody to ask"),
        pytest.param(("--framework", "chatdev"), "no_answer", id="nobody to ask the rest"),
        pytest.param(("--yes",), "no_answer", id="no framework"),
        pytest.param(("--yes", "--framework", "../up"), "bad_name", id="no name of a folder"),
        pytest.param(("--yes", "--framework", "a", "--key-id", "sk-abc"), "malformed_key_id", id="a key for its id"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(project, arguments, code):
    result = init(*arguments)
    assert (result.exit_code, result.stderr.split(":")[0], files(project)) == (2, code, {})
    assert "sk-abc" not in result.output


def test_without_a_terminal_flags_can_answer_everything(project):
    assert init("--framework", "a", "--key-id", "", "--no-workflow").exit_code == 0


@pytest.fixture
def answered():
    """`init` at a terminal at which these lines are typed."""
    keyboard, terminal = os.openpty()

    def answered(*lines):
        os.write(keyboard, "".join(f"{line}\n" for line in lines).encode())
        with open(terminal, "rb", closefd=False) as stdin:
            return init(stdin=stdin)

    yield answered
    os.close(keyboard)
    os.close(terminal)


@POSIX
def test_a_person_is_asked_and_asked_again_where_an_answer_cannot_be(project, answered):
    result = answered("chat dev", "chat-dev", "sk-secret", "key_a,key_b", "n")
    assert result.exit_code == 0
    assert set(files(project)) == {"reconcile.yml", "runs/chat-dev/README.md", ".gitignore"}
    scopes = config.load(config.Flags(), {}, read_dotenv=True).scopes
    assert scopes == {"chat-dev": Scope("openai", ("key_a", "key_b"))}
    assert result.stdout.count("Error: ") == 2


@POSIX
def test_enter_takes_the_defaults(project, answered):
    assert answered("chatdev", "", "").exit_code == 0
    assert set(files(project)) == WRITTEN
