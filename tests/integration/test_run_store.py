"""The folder of runs on a real disk: what is found, and that a file is replaced whole or not at all."""

import contextlib
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconcile.errors import ConfigurationError, StoreError
from reconcile.runs.run import Rewritten, RunKey
from reconcile.runs.run_store import RunStore

KEY = RunKey("chatdev", "a")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "runs"
    (root / "chatdev" / "a").mkdir(parents=True)
    (root / "chatdev" / "a" / "metrics.json").write_bytes(b"{}")
    return root


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_discovery_finds_just_the_files_two_folders_down(root):
    (root / "manifest.json").write_text("{}")
    (root / "chatdev" / "metrics.json").write_text("{}")
    (root / "chatdev" / "a" / "deeper").mkdir()
    (root / "chatdev" / "a" / "deeper" / "metrics.json").write_text("{}")
    (root / "chatdev" / "still-running").mkdir()
    (root / ".git" / "x").mkdir(parents=True)
    files, findings = RunStore(root).discover()
    assert ([file.key for file in files], [file.size for file in files], findings) == ([KEY], [2], [])


def test_a_call_log_beside_a_run_is_found_and_read_and_is_nobodys_finding(root):
    store = RunStore(root)
    assert store.log(KEY) is None
    (root / "chatdev" / "a" / "calls.ndjson").write_bytes(b"{}\n")
    found = store.log(KEY)
    assert (found.path.endswith("runs/chatdev/a/calls.ndjson"), found.size) == (True, 3)
    assert store.read_log(KEY) == b"{}\n"
    assert store.discover()[1] == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param(lambda path: path.symlink_to("/etc/hostname"), "is a symbolic link", id="a link"),
        pytest.param(os.mkfifo, "is a pipe", id="a pipe"),
        pytest.param(Path.mkdir, "is a folder", id="a folder"),
    ],
)
def test_what_lies_in_the_place_of_a_call_log_is_never_opened(root, place, words):
    place(root / "chatdev" / "a" / "calls.ndjson")
    assert RunStore(root).log(KEY).message == f"{words}; put the run's own call log in its place"


def test_a_link_put_in_the_place_of_a_call_log_meanwhile_is_not_followed(root):
    (root / "chatdev" / "a" / "calls.ndjson").symlink_to("metrics.json")
    with pytest.raises(StoreError, match=r"calls\.ndjson: cannot be read"):
        RunStore(root).read_log(KEY)


def test_a_call_log_that_cannot_be_looked_for_is_a_finding(root):
    finding = RunStore(root).log(RunKey("chatdev", "x" * 300))
    assert "cannot be read (File name too long)" in finding.message


def place_link(folder):
    (folder / "metrics.json").symlink_to("/etc/hostname")


def place_dangling_link(folder):
    (folder / "metrics.json").symlink_to("nowhere")


def place_pipe(folder):
    os.mkfifo(folder / "metrics.json")


def place_folder(folder):
    (folder / "metrics.json").mkdir()


def place_socket(folder):
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as server:  # the address of a socket is short
        server.bind("metrics.json")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param(place_link, "a symbolic link", id="a link"),
        pytest.param(place_dangling_link, "a symbolic link", id="a link to nothing"),
        pytest.param(place_pipe, "a pipe", id="a pipe"),
        pytest.param(place_folder, "a folder", id="a folder"),
        pytest.param(place_socket, "a socket", id="a socket"),
    ],
)
def test_what_is_no_plain_file_is_a_finding_and_is_never_opened(root, place, words):
    (root / "chatdev" / "b").mkdir()
    place(root / "chatdev" / "b")
    files, (finding,) = RunStore(root).discover()
    assert [file.key for file in files] == [KEY]
    assert finding.path.endswith("runs/chatdev/b/metrics.json")
    assert words in finding.message


@pytest.mark.parametrize("link", ["linked", "chatdev/linked"], ids=["a framework", "a run"])
def test_a_linked_folder_is_a_finding(root, tmp_path, link):
    elsewhere = tmp_path / "elsewhere" / "b"
    elsewhere.mkdir(parents=True)
    (elsewhere / "metrics.json").write_text("{}")
    (root / link).symlink_to(elsewhere.parent if link == "linked" else elsewhere)
    files, (finding,) = RunStore(root).discover()
    assert [file.key for file in files] == [KEY]
    assert finding.path.endswith(link)


def test_a_name_that_is_no_text_is_a_finding(root):
    folder = root / "chatdev" / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "metrics.json").touch()
    _, (finding,) = RunStore(root).discover()
    assert "not UTF-8" in finding.message


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_cannot_be_read_says_which_option_names_another(tmp_path, kind):
    root = tmp_path / "nothing"
    if kind == "file":
        root.write_text("")
    with pytest.raises(ConfigurationError, match="nothing") as raised:
        RunStore(root).discover()
    assert "--runs" in raised.value.remedy


def test_reading_a_file_that_is_gone_is_an_error_with_its_path(root):
    (root / "chatdev" / "a" / "metrics.json").unlink()
    with pytest.raises(StoreError, match=r"chatdev/a/metrics\.json"):
        RunStore(root).read(KEY)


def test_reading_never_follows_a_link_that_took_the_place_of_the_file(root, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    file = root / "chatdev" / "a" / "metrics.json"
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(StoreError):
        RunStore(root).read(KEY)


def test_an_update_keeps_the_mode_of_the_file_and_leaves_nothing_else_behind(root):
    file = root / "chatdev" / "a" / "metrics.json"
    file.chmod(0o640)
    assert RunStore(root).update(KEY, lambda data: Rewritten(data + b" ")) is True
    assert (file.read_bytes(), file.stat().st_mode & 0o777, names(file.parent)) == (
        b"{} ",
        0o640,
        ["metrics.json"],
    )


@pytest.mark.parametrize(
    "change", [lambda _: None, lambda data: Rewritten(data, b"{}")], ids=["nothing", "the same bytes"]
)
def test_an_update_that_changes_nothing_does_not_touch_the_file(root, change):
    file = root / "chatdev" / "a" / "metrics.json"
    before = file.stat().st_ino
    assert RunStore(root).update(KEY, change) is False
    assert file.stat().st_ino == before


def test_evidence_is_written_beside_the_file_with_its_mode(root):
    file = root / "chatdev" / "a" / "metrics.json"
    file.chmod(0o640)
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" ", b"rows"))
    evidence = file.with_name("usage_evidence.json")
    assert (RunStore(root).read_evidence(KEY), evidence.stat().st_mode & 0o777) == (b"rows", 0o640)
    assert sorted(names(file.parent)) == ["metrics.json", "usage_evidence.json"]


def test_evidence_is_there_before_the_figure_that_names_it(root, monkeypatch):
    replaced = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda file, to: (replaced.append(Path(to).name), replace(file, to)))
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" ", b"rows"))
    assert replaced == ["usage_evidence.json", "metrics.json"]


def test_evidence_that_is_not_made_anew_stays(root):
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" ", b"rows"))
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" "))
    assert RunStore(root).read_evidence(KEY) == b"rows"


def test_there_may_be_no_evidence(root):
    assert RunStore(root).read_evidence(KEY) is None


def test_a_link_in_the_place_of_evidence_is_replaced_and_never_followed(root):
    outside = root.parent / "outside.json"
    outside.write_bytes(b"as it was")
    evidence = root / "chatdev" / "a" / "usage_evidence.json"
    evidence.symlink_to(outside)
    with pytest.raises(StoreError):
        RunStore(root).read_evidence(KEY)
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" ", b"rows"))
    assert (evidence.is_symlink(), evidence.read_bytes(), outside.read_bytes()) == (False, b"rows", b"as it was")


def test_a_change_that_fails_leaves_the_file_as_it_was(root):
    def fail(_):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        RunStore(root).update(KEY, fail)
    assert names(root / "chatdev" / "a") == ["metrics.json"]


def test_the_next_write_deletes_what_a_killed_writer_left(root):
    leftover = root / "chatdev" / "a" / ".metrics.json.0011aabb.tmp"
    leftover.write_text("half")
    RunStore(root).update(KEY, lambda data: Rewritten(data + b" "))
    assert not leftover.exists()


def test_git_ignores_what_a_killed_writer_leaves(root):
    repository = root.parent
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    (repository / ".gitignore").write_bytes((Path(__file__).parents[2] / ".gitignore").read_bytes())
    (root / "chatdev" / "a" / ".metrics.json.0011aabb.tmp").write_text("half")
    said = subprocess.run(
        ["git", "status", "--short", "-uall"], cwd=repository, check=True, capture_output=True, text=True
    )
    assert ".tmp" not in said.stdout


def test_a_file_that_changes_between_reading_and_replacing_is_read_again(root):
    file = root / "chatdev" / "a" / "metrics.json"
    seen = []

    def change(data):
        if not seen:
            file.write_bytes(b'{"by": "hand"}')
        seen.append(data)
        return Rewritten(data + b"!")

    RunStore(root).update(KEY, change)
    assert (seen, file.read_bytes()) == ([b"{}", b'{"by": "hand"}'], b'{"by": "hand"}!')


def test_an_unwritable_folder_is_an_error_with_its_remedy(root, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(StoreError, match="No space left") as raised:
        RunStore(root).update(KEY, lambda data: Rewritten(data + b" "))
    assert "space" in raised.value.remedy


ADD_ONE = """
import sys
from pathlib import Path
from reconcile.runs.run_store import RunStore
from reconcile.runs.run import Rewritten, RunKey
for _ in range(20):
    RunStore(Path(sys.argv[1])).update(RunKey("chatdev", "a"), lambda data: Rewritten(str(int(data) + 1).encode()))
"""


def test_processes_that_write_the_same_file_lose_no_update(root):
    (root / "chatdev" / "a" / "metrics.json").write_bytes(b"0")

    def work(_):
        return subprocess.run([sys.executable, "-c", ADD_ONE, str(root)], check=True).returncode

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert RunStore(root).read(KEY) == b"80"
