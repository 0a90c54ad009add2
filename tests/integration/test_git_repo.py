"""The git adapter with real repositories: nothing is lost, nothing of the user's is touched, no secret gets out."""

import os
import shutil
import socket
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.git import (
    SHAPES,
    Forge,
    GitServer,
    detached,
    everything,
    git,
    hostile,
    make_forge,
    normal,
    partial,
    script,
    shallow,
)

from reconcile.errors import ConfigurationError, GitError
from reconcile.git import remote
from reconcile.git.remote import Push
from reconcile.git.repository import GitRepository
from reconcile.git.runner import UNPUSHED, UNREAD, lost_race, meaning

TOKEN = f"ghs_neverShown{os.getpid()}"  # of this process: others run the same tests with theirs in sight
BASIC = b64encode(f"x-access-token:{TOKEN}".encode()).decode()
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
A, B = "runs/chatdev/a/metrics.json", "runs/chatdev/b/metrics.json"
NOWHERE = "https://forge.example"


@pytest.fixture(scope="session")
def first_forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forge")
    make_forge(folder, {A: b'{"a": 0}\n', B: b'{"b": 0}\n', "README.md": b"ours\n"})
    return folder


@pytest.fixture
def forge(first_forge, tmp_path):
    shutil.copytree(first_forge, tmp_path, dirs_exist_ok=True)
    return Forge(tmp_path)


@pytest.fixture
def environ(tmp_path):
    """What the caller's environment holds; its home is empty, and is where a test puts a user's configuration."""
    (tmp_path / "home").mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}


@pytest.fixture
def opened(forge, environ, tmp_path):
    """Opens the adapter on a checkout, a plain one where none is given."""

    def open_repository(checkout=None, *, name="scratch", token=None, server_url=NOWHERE):
        return GitRepository(
            checkout=checkout or normal(forge, tmp_path / f"checkout-{name}"),
            scratch=tmp_path / name,
            token=token,
            server_url=server_url,
            environ=environ,
        )

    return open_repository


def raised(kind, act, *arguments, **named):
    with pytest.raises(kind) as caught:
        act(*arguments, **named)
    error = caught.value
    for shown in (error.message, error.remedy, repr(error)):
        assert TOKEN not in shown
        assert BASIC not in shown
    return error


def committed(repository, changes, parent=None):
    return repository.commit(parent or repository.remote.fetch("main"), changes, message="Reconcile usage\n", at=NOON)


# ------------------------------------------------------------------------------------------------ reading the tip


OLD_GIT = """#!/bin/sh
# The real git, which says that it is another version and takes no safe.directory from the environment, as that one.
[ "$1" = version ] && {{ echo "git version {version}"; exit; }}
n=0
while [ "$n" -lt "${{GIT_CONFIG_COUNT:-0}}" ]; do
    eval "key=\\$GIT_CONFIG_KEY_$n"
    [ "$key" = safe.directory ] && export "GIT_CONFIG_KEY_$n=unheard.of"
    n=$((n + 1))
done
{forget}
{owner}
exec {git} "$@"
"""

ANOTHERS = "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1"


def old_git(folder, environ, version, *, forget="", owner=ANOTHERS):
    """That git first on the PATH."""
    folder.mkdir()
    script(folder / "git", OLD_GIT.format(version=version, forget=forget, owner=owner, git=shutil.which("git")))
    environ["PATH"] = f"{folder}{os.pathsep}{environ['PATH']}"


@pytest.mark.skipif(sys.platform == "win32", reason="there a checkout has no owner that git asks for")
@pytest.mark.parametrize("version", ["2.34.1", "2.37.7 (Apple Git-143)"])
def test_a_checkout_of_another_user_is_read_by_a_git_that_hears_of_it_in_a_file_only(
    opened, environ, tmp_path, version
):
    old_git(tmp_path / "old", environ, version)
    (tmp_path / "home" / ".gitconfig").write_text("[safe]\n\tdirectory =\n[user]\n\tname = kept\n")
    repository = opened()
    assert repository.contents(repository.files(repository.remote.fetch("main"), A)) == {A: b'{"a": 0}\n'}
    assert repository.remote.push(committed(repository, {A: b"changed"}), "main") is Push.LANDED
    ours = str(tmp_path / "scratch" / "gitconfig")
    assert git(tmp_path, "config", "--file", ours, "--includes", "user.name") == "kept"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a checkout away")
@pytest.mark.parametrize("version", ["2.34.1", None], ids=["an old git", "the git that is here"])
def test_a_checkout_that_really_belongs_to_another_user_is_read(forge, opened, environ, tmp_path, version):
    """As in a container: the runner's user made it, and root reads it."""
    if version:
        old_git(tmp_path / "old", environ, version, owner="unset GIT_TEST_ASSUME_DIFFERENT_OWNER")
    checkout = normal(forge, tmp_path / "checkout")
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 1001, 1001)
    repository = opened(checkout)
    assert repository.contents(repository.files(repository.remote.fetch("main"), A)) == {A: b'{"a": 0}\n'}
    assert (tmp_path / "scratch" / "gitconfig").exists() == bool(version)


@pytest.mark.skipif(sys.platform == "win32", reason="there a checkout has no owner that git asks for")
def test_of_a_git_that_cannot_be_told_the_cause_is_named(opened, environ, tmp_path):
    old_git(tmp_path / "old", environ, "2.31.8", forget="unset GIT_CONFIG_GLOBAL")
    error = raised(ConfigurationError, opened)
    assert error.code == "unsafe_checkout"
    assert "belongs to another user, and git 2.31" in error.message
    assert "safe.directory" in error.remedy


def test_the_tip_is_that_of_the_remote_and_not_that_of_the_checkout(forge, opened):
    repository = opened()
    tip = forge.write({A: b"newer"})
    git(forge.bare, "tag", "v1", "main")
    assert repository.remote.fetch("main") == tip
    assert list(forge.folder.glob("scratch/*/refs/tags/*")) == []
    assert repository.contents(repository.files(tip, "runs")) == {A: b"newer", B: b'{"b": 0}\n'}


ODD_NAMES = {
    "spaces": "runs/f/two words/metrics.json",
    "quotes": 'runs/f/"it\'s"/metrics.json',
    "a line break and a tab": "runs/f/a\nb\tc/metrics.json",
    "letters beyond ASCII": "runs/f/日本-é/metrics.json",
    "bytes that are no UTF-8": os.fsdecode(b"runs/f/caf\xe9/metrics.json"),
    "a leading dash": "-runs/--force/metrics.json",
    "a pattern": "runs/f/*[a]?/metrics.json",
    "a backslash": "runs/f/a\\b/metrics.json",
}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_files_of_any_name_are_read_and_changed(forge, opened):
    content = {path: f"{number}\n".encode() for number, path in enumerate(ODD_NAMES.values())}
    tip = forge.write(content)
    repository = opened()
    files = [file for file in repository.files(repository.remote.fetch("main"), ".") if file.path in content]
    assert repository.contents(files) == content
    changed = {path: b"changed " + data for path, data in content.items()}
    commit = committed(repository, changed)
    assert repository.contents([f for f in repository.files(commit, ".") if f.path in content]) == changed
    assert repository.remote.push(commit, "main") is Push.LANDED
    assert git(forge.bare, "rev-parse", "main^") == tip


def test_a_file_says_its_mode_and_size_and_whether_it_is_plain(forge, opened):
    made = forge.write({"runs/f/run.sh": ("100755", b"#!/bin/sh\ntrue\n"), "runs/f/link": ("120000", b"/etc/hostname")})
    forge.write({"runs/f/module": made})
    repository = opened()
    files = repository.files(repository.remote.fetch("main"), "runs/f")
    assert [(file.path, file.mode, file.size, file.plain) for file in files] == [
        ("runs/f/link", "120000", 13, False),
        ("runs/f/module", "160000", None, False),
        ("runs/f/run.sh", "100755", 15, True),
    ]
    assert raised(GitError, repository.contents, files).code == "object_missing"


@pytest.mark.parametrize("folder", ["./runs/chatdev", "runs/chatdev/", "runs//chatdev"])
def test_a_folder_may_be_spelled_in_many_ways(opened, folder):
    repository = opened()
    assert [file.path for file in repository.files(repository.remote.fetch("main"), folder)] == [A, B]


@pytest.mark.parametrize("folder", ["none", "runs/chatdev/z"])
def test_a_folder_that_is_not_there_holds_no_files(opened, folder):
    repository = opened()
    assert repository.files(repository.remote.fetch("main"), folder) == []


def test_contents_of_no_files_are_none(opened):
    assert opened().contents([]) == {}


def test_files_come_back_as_they_are_whatever_their_size_and_line_ends(forge, opened):
    content = {"runs/empty": b"", "runs/crlf": b"a\r\n", "runs/zero": b"\0\n\n", "runs/large": b"0123456789" * 10**6}
    forge.write(content)
    repository = opened()
    found = repository.contents(repository.files(repository.remote.fetch("main"), "runs"))
    assert {path: found[path] for path in content} == content


def test_the_default_branch_is_the_one_the_remote_names(forge, opened):
    git(forge.bare, "branch", "data/usage", "main")
    git(forge.bare, "symbolic-ref", "HEAD", "refs/heads/data/usage")
    assert opened().remote.default_branch() == "data/usage"


def test_a_branch_that_is_missing_and_an_empty_repository_are_told_apart(forge, opened):
    git(forge.bare, "branch", "others-may-hold\u2028line-ends", "main")
    repository = opened()
    assert repository.remote.tip("other") is None
    error = raised(GitError, repository.remote.fetch, "other")
    assert (error.code, "no branch other" in error.message) == ("branch_missing", True)
    for branch in forge.branches():
        git(forge.bare, "update-ref", "-d", f"refs/heads/{branch}")
    error = raised(GitError, repository.remote.fetch, "main")
    assert (error.code, "empty" in error.message) == ("branch_missing", True)
    assert raised(GitError, repository.remote.default_branch).code == "branch_missing"


@pytest.mark.parametrize(
    "name",
    ["", "-f", "--force", "a b", "a\nb", "a..b", "a:b", "@{-1}", "HEAD", "a*", "a.lock", "/a", "a\x1b", "a\0b"],
    ids=ascii,
)
def test_what_is_no_name_of_a_branch_never_gets_further(opened, name):
    repository = opened()
    for act in (repository.remote.fetch, repository.remote.tip):
        assert raised(ConfigurationError, act, name).code == "bad_branch"
    assert raised(ConfigurationError, repository.remote.push, "main", name).code == "bad_branch"


def test_a_branch_may_have_a_name_with_slashes_and_letters_beyond_ascii(forge, opened):
    git(forge.bare, "branch", "feature/été#1", "main")
    assert opened().remote.fetch("feature/été#1") == forge.tip()


def test_a_folder_without_a_checkout_or_without_an_origin_says_what_to_do(opened, tmp_path):
    (tmp_path / "bare").mkdir()
    error = raised(ConfigurationError, opened, tmp_path / "bare")
    assert (error.code, "actions/checkout" in error.remedy) == ("no_checkout", True)
    git(tmp_path / "bare", "init", "-q")
    assert raised(ConfigurationError, opened, tmp_path / "bare").code == "no_origin"


def test_an_origin_given_as_a_path_is_taken_from_the_top_of_the_checkout(forge, opened, tmp_path):
    checkout = normal(forge, tmp_path / "deep" / "checkout")
    git(checkout, "remote", "set-url", "origin", "../../remote.git")
    assert opened(checkout).remote.tip("main") == forge.tip()


# ---------------------------------------------------------------------------------------------------- committing


def test_a_commit_changes_its_files_and_nothing_else(forge, opened):
    repository = opened()
    tip = repository.remote.fetch("main")
    commit = committed(repository, {A: b"1", "runs/chatdev/new/metrics.json": b"new"})
    assert repository.remote.push(commit, "main") is Push.LANDED
    said = git(forge.bare, "show", "-s", "--format=%P|%an <%ae>|%cn <%ce>|%aI|%cI|%B", commit)
    bot = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
    assert said.strip() == f"{tip}|{bot}|{bot}|{NOON.isoformat()}|{NOON.isoformat()}|Reconcile usage"
    assert git(forge.bare, "diff", "--name-status", tip, commit) == f"M\t{A}\nA\truns/chatdev/new/metrics.json"
    assert forge.read(A) == b"1"


def test_a_commit_keeps_the_mode_of_a_file(forge, opened):
    forge.write({"runs/tool": ("100755", b"#!/bin/sh\n")})
    repository = opened()
    assert repository.remote.push(committed(repository, {"runs/tool": b"changed"}), "main") is Push.LANDED
    assert git(forge.bare, "ls-tree", "main", "runs/tool").split()[0] == "100755"


def test_the_same_change_at_the_same_instant_is_the_same_commit(opened):
    assert committed(opened(name="one"), {A: b"1"}) == committed(opened(name="two"), {A: b"1"})


def test_no_filter_or_attribute_changes_the_bytes(forge, opened, environ):
    forge.write({".gitattributes": b"* text eol=crlf filter=shout\n"})
    Path(environ["HOME"], ".gitconfig").write_text('[core]\nautocrlf = true\n[filter "shout"]\nclean = tr a-z A-Z\n')
    repository = opened(detached(forge, forge.folder / "checkout"))
    commit = committed(repository, {A: b"a\r\nb\n"})
    assert repository.remote.push(commit, "main") is Push.LANDED
    assert git(forge.bare, "cat-file", "-s", f"main:{A}") == "5"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"../outside": b"x"}, id="a path outside"),
        pytest.param({"/etc/passwd": b"x"}, id="an absolute path"),
        pytest.param({".git/config": b"x"}, id="git's own folder"),
        pytest.param({"runs/chatdev/link": b"/etc/passwd"}, id="a link"),
        pytest.param({"runs": b"x"}, id="a file in the place of a folder"),
        pytest.param({f"{A}/deeper": b"x"}, id="a folder in the place of a file"),
        pytest.param({"runs/x\0" + "100644 " + "0" * 40 + "\tREADME.md": b"x"}, id="a zero byte"),
        pytest.param({A: b"1", B: b'{"b": 0}\n'}, id="a file that is as it was"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_commit_that_would_change_anything_else_is_not_made(forge, opened, changes):
    before = forge.write({"runs/chatdev/link": ("120000", b"a/metrics.json")})
    repository = opened()
    error = raised(GitError, committed, repository, changes)
    assert error.code in {"commit_refused", "git_failed"}
    assert forge.tip() == before
    assert committed(repository, {A: b"2"})  # what was refused left nothing behind


def test_the_refusal_of_a_commit_names_what_it_would_change(opened):
    error = raised(GitError, committed, opened(), {"runs": b"x"})
    assert (error.code, error.message) == (
        "commit_refused",
        f"the commit would change 3 files where 1 are to change, {A!r}, {B!r}",
    )


# ------------------------------------------------------------------------------------------------------- pushing


def test_who_loses_the_race_regenerates_and_nothing_is_lost(forge, opened):
    one, two = opened(name="one"), opened(name="two")
    first, second = committed(one, {A: b"one"}), committed(two, {B: b"two"})
    assert one.remote.push(first, "main") is Push.LANDED
    assert two.remote.push(second, "main") is Push.RACED
    assert two.remote.push(committed(two, {B: b"two"}), "main") is Push.LANDED
    assert (forge.read(A), forge.read(B), forge.read("README.md")) == (b"one", b"two", b"ours")


def test_a_push_over_a_branch_that_was_taken_back_is_a_lost_race(forge, opened):
    taken_back = forge.write({A: b"secret"})
    repository = opened()
    commit = committed(repository, {B: b"1"})
    forge.move("main", f"{taken_back}^")
    assert repository.remote.push(commit, "main") is Push.RACED
    assert forge.tip() != commit


def test_a_push_of_what_is_there_already_lands(forge, opened):
    repository = opened()
    assert repository.remote.push(repository.remote.fetch("main"), "main") is Push.LANDED


def test_a_branch_whose_lock_somebody_holds_is_a_lost_race(forge, opened):
    repository = opened()
    commit = committed(repository, {A: b"1"})
    (forge.bare / "refs" / "heads" / "main.lock").touch()
    assert repository.remote.push(commit, "main") is Push.RACED


def test_a_branch_that_moves_while_the_push_is_under_way_is_a_lost_race(forge, opened):
    repository = opened()
    commit = committed(repository, {A: b"1"})
    other = forge.write({B: b"other"}, branch="other")
    forge.hook("update", f"git update-ref refs/heads/main {other}")
    assert repository.remote.push(commit, "main") is Push.RACED
    assert forge.tip() == other


def test_a_commit_stays_pushable_after_another_branch_was_fetched(forge, opened):
    forge.write({"runs/only-there": b"x"}, branch="bot")
    repository = opened(shallow(forge, forge.folder / "checkout"))
    commit = committed(repository, {A: b"1"})
    forge.write({"runs/only-there": b"y"}, branch="bot")
    repository.remote.fetch("bot")
    assert repository.remote.push(commit, "main") is Push.LANDED


def test_the_bots_branch_is_made_and_rebuilt_only_where_it_is_as_expected(forge, opened):
    one, two = opened(name="one"), opened(name="two")
    first, second = committed(one, {A: b"1"}), committed(two, {A: b"2"})
    assert one.remote.replace(first, "bot", expected=None) is Push.LANDED
    assert two.remote.replace(second, "bot", expected=None) is Push.RACED
    assert two.remote.replace(second, "bot", expected=forge.tip("main")) is Push.RACED
    assert forge.tip("bot") == first
    assert two.remote.replace(second, "bot", expected=first) is Push.LANDED
    assert (two.remote.tip("bot"), one.remote.replace(first, "gone", expected=second)) == (second, Push.RACED)


def test_the_bots_branch_is_deleted_only_where_it_is_as_expected(forge, opened):
    repository = opened()
    commit = committed(repository, {A: b"1"})
    repository.remote.replace(commit, "bot", expected=None)
    assert repository.remote.delete("bot", expected=forge.tip("main")) is Push.RACED
    assert repository.remote.delete("bot", expected=commit) is Push.LANDED
    assert forge.branches() == ["main"]
    assert repository.remote.delete("bot", expected=commit) is Push.RACED


GITHUB_SAYS = {
    "a protected branch": (
        "error: GH006: Protected branch update failed for refs/heads/main.",
        "push_refused_by_rule",
        "mode: pull-request",
    ),
    "a ruleset": (
        "error: GH013: Repository rule violations found for refs/heads/main. / Changes must be made through a PR",
        "push_refused_by_rule",
        "may bypass",
    ),
    "signatures": (
        "error: GH013: Repository rule violations found. / - Commits must have verified signatures.",
        "signature_required",
        "sign: api",
    ),
    "a hook": ("no commits on Mondays", "hook_declined", "a hook of the remote"),
    "a hook that speaks of races": ("stale info, fetch first, cannot lock ref", "hook_declined", "what it says"),
}


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
@pytest.mark.parametrize(("said", "code", "remedy"), GITHUB_SAYS.values(), ids=GITHUB_SAYS)
def test_what_the_remote_declines_is_refused_at_once_with_its_words(forge, opened, hook, said, code, remedy):
    forge.hook(hook, f"echo '{said}' >&2", "exit 1")
    before = forge.tip()
    repository = opened()
    error = raised(GitError, repository.remote.push, committed(repository, {A: b"1"}), "main")
    assert (error.code, error.exit_code, remedy in error.remedy) == (code, 3, True)
    assert said in error.message
    assert error.message.startswith("main cannot be pushed: [remote rejected] (")
    assert forge.tip() == before


def test_a_remote_that_refuses_for_its_own_reasons_says_which(forge, opened):
    git(forge.bare, "config", "receive.denyDeletes", "true")
    git(forge.bare, "branch", "bot", "main")
    error = raised(GitError, opened().remote.delete, "bot", expected=forge.tip())
    assert (error.code, "deletion prohibited" in error.message) == ("push_refused", True)


def test_asking_whether_a_push_may_be_made_pushes_nothing(forge, opened):
    forge.hook("pre-receive", f'touch "{forge.folder}/ran"')
    repository = opened()
    commit, before = committed(repository, {A: b"1"}), forge.tip()
    repository.remote.check_push(commit, "main")
    assert (forge.tip(), (forge.folder / "ran").exists()) == (before, False)
    forge.write({B: b"1"})
    repository.remote.check_push(commit, "main")  # that it would race is no reason not to begin


SAYINGS = {
    "no write permission": (UNPUSHED, "remote: Permission to o/r.git denied to github-actions[bot].", "push_forbidden"),
    "no token": (
        UNPUSHED,
        "fatal: could not read Username for 'https://x': terminal prompts disabled",
        "push_forbidden",
    ),
    "ssh without a key": (UNPUSHED, "git@host: Permission denied (publickey).", "push_forbidden"),
    "workflow files": (
        UNPUSHED,
        "[remote rejected] (refusing to allow a GitHub App to update workflow `a.yml` without `workflows` permission)",
        "workflows_forbidden",
    ),
    "a cut connection": (UNPUSHED, "fatal: the remote end hung up unexpectedly", "remote_unreachable"),
    "a private repository": (
        UNREAD,
        "remote: Repository not found.\nfatal: repository 'x' not found",
        "fetch_forbidden",
    ),
    "no name server": (UNREAD, "fatal: unable to access 'x': Could not resolve host: x", "remote_unreachable"),
}


@pytest.mark.parametrize(("meanings", "said", "code"), SAYINGS.values(), ids=SAYINGS)
def test_a_failure_has_a_code_and_a_remedy(meanings, said, code):
    assert meaning(said, meanings)[0] == code


@pytest.mark.parametrize(
    "reason",
    [
        "[rejected] (fetch first)",
        "[rejected] (non-fast-forward)",
        "[rejected] (stale info)",
        "[remote rejected] (failed to update ref)",
        "[remote rejected] (incorrect old value provided)",
        "[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)",
        "[remote rejected] (reference already exists)",
        "[remote rejected] (reference does not exist)",
    ],
)
def test_git_has_many_words_for_a_lost_race(reason):
    assert lost_race(reason)


# -------------------------------------------------------------------------------------------- the user's checkout


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_checkout_of_any_shape_is_as_it_was(forge, opened, tmp_path, shape):
    checkout = shape(forge, tmp_path / "user" / "checkout")
    forge.write({B: b"meanwhile"})
    before = everything(tmp_path / "user")
    repository = opened(checkout)
    commit = committed(repository, {A: b"1"})
    repository.remote.check_push(commit, "main")
    assert repository.remote.push(commit, "main") is Push.LANDED
    assert repository.remote.tip("main") == commit
    assert everything(tmp_path / "user") == before
    assert (forge.read(A), forge.read(B)) == (b"1", b"meanwhile")


def test_a_checkout_lends_its_objects_unless_it_lacks_some(forge, opened, tmp_path):
    tip = forge.tip()
    for shape, fetched in ((normal, 0), (shallow, 0), (partial, 9)):
        repository = opened(shape(forge, tmp_path / shape.__name__), name=f"scratch-{shape.__name__}")
        repository.remote.fetch("main")
        own = [file for file in (tmp_path / f"scratch-{shape.__name__}").rglob("objects/??/*") if file.is_file()]
        assert (shape, len(own)) == (shape, fetched)
        assert repository.contents(repository.files(tip, "README.md")) == {"README.md": b"ours\n"}


def test_what_a_shallow_checkout_lacks_is_fetched(forge, opened, tmp_path):
    """A server with bitmaps leaves out whatever the history of a known commit ever held."""
    forge.write({A: b"then"})
    checkout = shallow(forge, tmp_path / "checkout")
    git(forge.bare, "repack", "-adbq")
    tip = forge.write({A: b'{"a": 0}\n'})
    repository = opened(checkout)
    assert repository.remote.fetch("main") == tip
    assert repository.contents(repository.files(tip, A)) == {A: b'{"a": 0}\n'}


def test_landed_bytes_reach_the_files_that_are_as_they_were_checked_out(forge, opened, tmp_path):
    checkout = normal(forge, tmp_path / "checkout")
    repository = opened(checkout)
    (checkout / A).chmod(0o750)
    (checkout / B).write_bytes(b"edited")
    before = {A: b'{"a": 0}\n', B: b'{"b": 0}\n', "runs/new": b"", "README.md": b"ours\n"}
    repository.refresh_checkout({A: b"1", B: b"1", "runs/new": b"1"}, before)
    assert ((checkout / A).read_bytes(), (checkout / A).stat().st_mode & 0o777) == (b"1", 0o750)
    assert ((checkout / B).read_bytes(), (checkout / "README.md").read_bytes()) == (b"edited", b"ours\n")
    assert sorted(path.name for path in checkout.rglob("*") if ".git" not in path.parts) == sorted(
        ["README.md", "a", "b", "chatdev", "metrics.json", "metrics.json", "runs"]
    )


def linked_file(checkout, outside):
    (checkout / A).unlink()
    (checkout / A).symlink_to(outside / "metrics.json")
    return A


def linked_folder(checkout, outside):
    (checkout / "linked").symlink_to(outside)
    return "linked/metrics.json"


def linked_higher(checkout, outside):
    (checkout / "linked").symlink_to(outside.parent)
    return f"linked/{outside.name}/metrics.json"


def pipe(checkout, outside):
    os.mkfifo(checkout / "pipe")
    return "pipe"


def absolute(checkout, outside):
    return str(outside / "metrics.json")


def upwards(checkout, outside):
    return f"runs/../../{outside.name}/metrics.json"


def below_a_file(checkout, outside):
    return f"{A}/metrics.json"


def deeper_below_a_file(checkout, outside):
    return f"{A}/runs/metrics.json"


@pytest.mark.parametrize(
    "place",
    [linked_file, linked_folder, linked_higher, pipe, absolute, upwards, below_a_file, deeper_below_a_file],
    ids=lambda place: place.__name__.replace("_", " "),
)
def test_nothing_outside_and_nothing_but_plain_files_is_written(forge, opened, tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "metrics.json").write_bytes(b"as it was")
    checkout = normal(forge, tmp_path / "checkout")
    path = place(checkout, outside)
    before = everything(checkout), everything(outside)
    opened(checkout).refresh_checkout({path: b"1"}, {path: b"as it was"})
    assert (everything(checkout), everything(outside)) == before


def test_a_checkout_that_cannot_be_written_is_an_error(forge, opened, tmp_path, monkeypatch):
    repository = opened(normal(forge, tmp_path / "checkout"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    error = raised(GitError, repository.refresh_checkout, {A: b"1"}, {A: b'{"a": 0}\n'})
    assert (error.code, "No space left" in error.message, A in error.message) == ("unwritable_file", True, True)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may give files away")
def test_a_checkout_of_another_user_is_read_nevertheless(forge, opened, tmp_path):
    checkout = normal(forge, tmp_path / "checkout")
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, 12345, 12345)
    repository = opened(checkout)
    assert repository.remote.push(committed(repository, {A: b"1"}), "main") is Push.LANDED


# ---------------------------------------------------------------------------------- what git gets to see and to do


def test_git_variables_of_the_caller_do_not_reach_git(forge, opened, environ, tmp_path):
    checkout = normal(forge, tmp_path / "checkout")
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "NAMESPACE", "EXEC_PATH"):
        environ[f"GIT_{name}"] = str(tmp_path / "elsewhere")
    environ |= {
        "GIT_TRACE": str(tmp_path / "traced"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "remote.reconcile.url",
        "GIT_CONFIG_VALUE_0": "/nowhere",
        "GIT_CONFIG_PARAMETERS": "'remote.reconcile.url=/nowhere'",
    }
    repository = opened(checkout)
    assert repository.remote.push(committed(repository, {A: b"1"}), "main") is Push.LANDED
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "traced").exists()


@pytest.mark.parametrize("path", [".", "", "bin"], ids=["the folder itself", "an empty entry", "a relative entry"])
def test_a_git_that_lies_in_the_workspace_is_never_started(opened, environ, tmp_path, monkeypatch, path):
    mark = tmp_path / "workspace" / path / "git"
    script(mark, f'touch "{tmp_path}/ran"')
    environ["PATH"] = os.pathsep.join([path, environ["PATH"]])
    monkeypatch.chdir(tmp_path / "workspace")
    opened()
    assert not (tmp_path / "ran").exists()


def test_what_cannot_be_executed_is_no_git(opened, environ, tmp_path):
    (tmp_path / "git").write_text("notes")
    environ["PATH"] = f"{tmp_path}{os.pathsep}{environ['PATH']}"
    assert opened().remote.tip("main")


def test_without_git_the_pass_says_what_to_install(opened, environ, tmp_path):
    environ["PATH"] = str(tmp_path)
    assert raised(ConfigurationError, opened).code == "git_missing"


def test_a_git_that_cannot_be_started_is_an_error(opened, environ, tmp_path):
    (tmp_path / "git").write_bytes(b"\x7fELF, but no more")
    (tmp_path / "git").chmod(0o755)
    environ["PATH"] = str(tmp_path)
    assert raised(GitError, opened).code == "git_failed"


def test_a_command_that_fails_says_which_and_why(opened):
    repository = opened()
    error = raised(GitError, repository.files, "0" * 40, "runs")
    assert (error.code, error.message) == ("git_failed", "git ls-tree failed (128): fatal: not a tree object")
    assert raised(GitError, repository.files, "0" * 40, "a\0b").code == "git_failed"


def test_a_scratch_folder_that_cannot_be_made_is_an_error(opened, tmp_path):
    (tmp_path / "scratch").write_bytes(b"")
    assert raised(GitError, opened).code == "unwritable_file"


@pytest.mark.parametrize("url", ["ext::{mark} %S", "http://127.0.0.1:1/x.git", "git://127.0.0.1:1/x.git"])
def test_only_safe_ways_lead_to_the_remote(forge, opened, tmp_path, url):
    mark = script(tmp_path / "mark", f'touch "{tmp_path}/ran"')
    checkout = normal(forge, tmp_path / "checkout")
    git(checkout, "remote", "set-url", "origin", url.format(mark=mark))
    error = raised(GitError, opened(checkout).remote.fetch, "main")
    assert (error.code, (tmp_path / "ran").exists()) == ("protocol_refused", False)


def test_an_ssh_origin_works_with_the_callers_ssh_and_not_with_the_checkouts(forge, opened, environ, tmp_path):
    checkout = hostile(forge, tmp_path / "user" / "checkout")
    git(checkout, "remote", "set-url", "origin", f"ssh://git@127.0.0.1{forge.bare}")
    ssh = script(tmp_path / "ssh", 'for command in "$@"; do :; done; sh -c "$command"')
    environ |= {"GIT_SSH_COMMAND": f'"{ssh}"', "GIT_SSH_VARIANT": "ssh"}
    repository = opened(checkout)
    assert repository.remote.push(committed(repository, {A: b"1"}), "main") is Push.LANDED
    assert not (tmp_path / "user" / "ran").exists()


def test_what_the_remote_says_is_shown_on_one_line_shortened_and_harmless(forge, opened, tmp_path):
    (tmp_path / "said").write_text(
        f"::error::x\r\n\x1b[31mred \u202e {TOKEN} {BASIC} https://u:p@h/\n" + "long " * 1000, "utf-8"
    )
    forge.hook("pre-receive", f'cat "{tmp_path}/said" >&2', "exit 1")
    repository = opened(token=TOKEN)
    message = raised(GitError, repository.remote.push, committed(repository, {A: b"1"}), "main").message
    assert message.isprintable()
    assert "::error::x / \\x1b[31mred \\u202e [token] [token] https://[credentials]@h/ / long" in message
    assert len(message) < 600


# --------------------------------------------------------------------------------------------------- the token


@pytest.fixture
def server(forge):
    git(forge.bare, "config", "http.receivepack", "true")
    with GitServer(forge.folder, TOKEN) as server:
        yield server


def http_checkout(server, folder, userinfo=""):
    checkout = normal(Forge(server.root), folder)
    git(checkout, "remote", "set-url", "origin", server.url.replace("//", f"//{userinfo}") + "/remote.git")
    return checkout


def own_header(where):
    """A header that somebody has configured for the server already, as actions/checkout does."""

    def configure(server, checkout, environ):
        file = {"checkout": checkout / ".git" / "config", "user": Path(environ["HOME"], ".gitconfig")}[where]
        git(checkout, "config", "--file", str(file), f"http.{server.url}/.extraheader", "AUTHORIZATION: basic b3RoZXI=")

    return configure


def included_header(server, checkout, environ):
    """actions/checkout from version 6 on keeps the header in a file that the configuration includes."""
    own_header("user")(server, checkout, environ)
    Path(environ["HOME"], ".gitconfig").rename(checkout.parent / "credentials.config")
    git(checkout, "config", f"includeIf.gitdir:{checkout}/.git.path", str(checkout.parent / "credentials.config"))
    git(
        checkout,
        "config",
        "--file",
        f"{environ['HOME']}/.gitconfig",
        "include.path",
        f"{checkout.parent}/credentials.config",
    )


@pytest.mark.parametrize(
    "configure",
    [
        pytest.param(lambda *_: None, id="no other header"),
        pytest.param(own_header("checkout"), id="a header of the checkout"),
        pytest.param(own_header("user"), id="a header of the user"),
        pytest.param(included_header, id="a header in an included file"),
    ],
)
@pytest.mark.parametrize("userinfo", ["", f"x-access-token:{TOKEN}@"], ids=["plain URL", "URL with credentials"])
def test_every_request_carries_the_token_in_one_header_and_it_is_nowhere_else(
    server, opened, environ, tmp_path, configure, userinfo
):
    checkout = http_checkout(server, tmp_path / "user" / "checkout", userinfo)
    configure(server, checkout, environ)
    before = everything(tmp_path / "user")
    repository = opened(checkout, token=TOKEN, server_url=server.url + "/")
    commit = committed(repository, {A: b"1"})
    assert repository.remote.push(commit, "main") is Push.LANDED
    assert repository.remote.tip("main") == commit
    assert {tuple(headers) for headers in server.seen} == {(f"basic {BASIC}",)}
    assert everything(tmp_path / "user") == before
    assert TOKEN not in repr(vars(repository))
    assert BASIC not in repr(vars(repository))
    kept = b"".join(path.read_bytes() for path in (tmp_path / "scratch").rglob("*") if path.is_file())
    for secret in (TOKEN.encode(), BASIC.encode()):
        assert secret not in kept
        assert secret not in server.arguments
    assert b"remote-http" in server.arguments or sys.platform != "linux"  # they were looked at


def test_only_commands_that_use_the_network_get_to_see_the_token(forge, server, opened, environ, tmp_path):
    """A git on the PATH that writes down its arguments, the names of its variables, and whether it saw the token."""
    real = environ["PATH"]
    script(
        tmp_path / "bin" / "git",
        f"seen=$(env | grep -c -e {BASIC} -e {TOKEN})",
        'names=$(env | cut -d= -f1 | tr "\\n" ",")',
        f'echo "$seen|$names|$@" >> "{tmp_path}/started"',
        f'PATH="{real}" exec git "$@"',
    )
    environ["PATH"] = f"{tmp_path}/bin:{real}"
    environ |= {"GIT_INDEX_FILE": "never", "RECONCILE_INPUT_TOKEN": TOKEN}
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url=server.url)
    assert repository.remote.push(committed(repository, {A: b"1"}), "main") is Push.LANDED
    rows = [row.split("|", 2) for row in (tmp_path / "started").read_text().splitlines()]
    assert {arguments.split()[0] for seen, _, arguments in rows if seen == "1"} == {"fetch", "push"}
    assert {seen for seen, _, _ in rows} == {"0", "1"}
    assert not any(TOKEN in arguments or BASIC in arguments for _, _, arguments in rows)
    assert not any("GIT_INDEX_FILE" in names for _, names, _ in rows)
    assert all("LC_ALL" in names for _, names, _ in rows)


def test_the_users_own_configuration_starts_nothing_and_changes_nothing(forge, server, opened, environ, tmp_path):
    mark = script(tmp_path / "mark", f'echo "$0 $@" >> "{tmp_path}/ran"')
    for name in ("pre-push", "reference-transaction", "post-index-change"):
        script(tmp_path / "template" / "hooks" / name, f'"{mark}" {name}')
    Path(environ["HOME"], ".gitconfig").write_text(
        f"""
        [core]
            hooksPath = {tmp_path}/template/hooks
            fsmonitor = {mark}
        [init]
            templateDir = {tmp_path}/template
        [commit]
            gpgSign = true
        [gpg]
            program = {mark}
        [push]
            gpgSign = true
            recurseSubmodules = only
        [i18n]
            commitEncoding = latin1
        [remote "origin"]
            url = /nowhere
        [gc]
            autoPackLimit = 1
            autoDetach = false
        [fetch]
            unpackLimit = 1
        """
    )
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url=server.url)
    for number in range(3):
        forge.write({B: b"%d" % number})
        commit = committed(repository, {A: b"%d" % number})
        assert repository.remote.push(commit, "main") is Push.LANDED
    assert forge.tip() == commit
    assert "encoding" not in git(forge.bare, "cat-file", "-p", commit)
    assert len(list(tmp_path.glob("scratch/*/objects/pack/*.pack"))) == 3
    assert not (tmp_path / "ran").exists()
    assert list((tmp_path / "scratch").glob("*/hooks")) == []


REFUSALS = {
    "forbidden": (403, "fetch_forbidden", "push_forbidden"),
    "unknown token": (401, "fetch_forbidden", "push_forbidden"),
    "hidden repository": (404, "fetch_forbidden", "push_forbidden"),
    "server out of order": (503, "remote_unreachable", "remote_unreachable"),
}


@pytest.mark.parametrize(("status", "unread", "unpushed"), REFUSALS.values(), ids=REFUSALS)
def test_a_server_that_refuses_is_told_apart(server, opened, environ, status, unread, unpushed):
    tmp_path = server.root
    mark = script(tmp_path / "mark", f'touch "{tmp_path}/ran"')
    Path(environ["HOME"], ".gitconfig").write_text(f'[credential]\nhelper = "!{mark}"\n[core]\naskPass = {mark}\n')
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url=server.url)
    commit = committed(repository, {A: b"1"})
    server.answers = {"git-upload-pack": status, "git-receive-pack": status}
    for act in (repository.remote.fetch, repository.remote.tip):
        assert raised(GitError, act, "main").code == unread
    for act in (repository.remote.push, repository.remote.check_push):
        error = raised(GitError, act, commit, "main")
        assert error.code == unpushed
        assert ("`permissions: contents: write`" in error.remedy) is (unpushed == "push_forbidden")
    if status == 401:
        assert "terminal prompts disabled" in error.message
    assert not (tmp_path / "ran").exists()
    assert all(len(headers) == 1 for headers in server.seen)


def test_the_token_does_not_follow_a_redirect(forge, server, opened, tmp_path):
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url=server.url)
    with GitServer(forge.folder, TOKEN) as other:
        server.answers = {"git-upload-pack": other.url}
        assert raised(GitError, repository.remote.fetch, "main").code == "remote_moved"
        assert other.seen == []


def test_the_token_goes_to_no_other_server(forge, server, opened, tmp_path):
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url="http://forge.example")
    assert raised(GitError, repository.remote.fetch, "main").code == "fetch_forbidden"
    assert set(map(tuple, server.seen)) == {()}


def test_credentials_of_another_server_stay_in_its_url_and_out_of_messages(forge, server, opened, tmp_path):
    checkout = http_checkout(server, tmp_path / "checkout", "me:pass@")
    repository = opened(checkout, token=TOKEN, server_url="http://forge.example")
    message = raised(GitError, repository.remote.fetch, "main").message
    assert "pass" not in message
    assert ["Basic " + b64encode(b"me:pass").decode()] in server.seen


def test_a_server_that_is_not_there_is_unreachable(forge, server, opened, tmp_path):
    repository = opened(http_checkout(server, tmp_path / "checkout"), token=TOKEN, server_url=server.url)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    git(tmp_path / "checkout", "remote", "set-url", "origin", f"http://127.0.0.1:{port}/x.git")
    repository = opened(tmp_path / "checkout", name="again", token=TOKEN, server_url=f"http://127.0.0.1:{port}")
    error = raised(GitError, repository.remote.fetch, "main")
    assert (error.code, "proxy" in error.remedy) == ("remote_unreachable", True)


def test_a_server_that_never_answers_is_given_up(forge, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "REMOTE_SECONDS", 0.3)
    checkout = normal(forge, tmp_path / "checkout")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        git(checkout, "remote", "set-url", "origin", f"{url}/x.git")
        error = raised(GitError, opened(checkout, server_url=url).remote.fetch, "main")
        assert error.code == "git_timeout"
        connection, _ = silent.accept()
        with connection:  # what git had started is gone as well: its end of the connection is closed
            while connection.recv(4096):
                pass
