"""Whole jobs over names, messages and answers that want to be more than text: they change their own cell, no more."""

import json

import pytest
from support.bench import called
from support.github.bench import says
from support.hostile import HOSTILE, obeyed, references, rendered
from support.job import path, run_file

from reconcile.simulator.calls import BilledCall
from reconcile.simulator.replies import Reply

ODD_BRANCH = "a|<b>`c`@team#1${{github.token}};$(id)&%0A--force"


def as_folder(text):
    """The text as far as a folder may have it for its name."""
    return text.replace("/", "|").replace("\0", "").encode("utf-8", "ignore").decode()[:120].strip(".") or "x"


FOLDERS = sorted({as_folder(text) for text in HOSTILE.values()})


def fill(repository, names, said, branch="main"):
    """A run with usage, a broken file and unclaimed usage under each of these names."""
    files = {path(f"chatdev/{name}"): run_file(name, "12:00:10", "12:05") for name in names}
    broken = {path(f"baes/{name}"): json.dumps({said: said, "run_id": said, "steps": said}).encode() for name in names}
    repository.forge.write({**files, **broken}, branch, message=said)
    model = {"api_key_id": "key_chatdev", "model": said}
    usual = called("12:01", 500, key="key_chatdev")
    odd = BilledCall(at=usual.at + 3000, tokens_in=7, tokens_out=1, visible_at=usual.at, **model)
    repository.simulator.ledger.add([usual, odd])
    return list(files)


def commanded(done):
    """What the runner does for the log of a job, the masks apart."""
    return [name for name, _ in obeyed(done.log) if name != "add-mask"]


def test_names_and_models_change_nothing_but_their_own_cells(repository, double):
    said = "".join(text for text in HOSTILE.values() if text.isascii() and len(text) < 200)
    files = fill(repository, FOLDERS, said)
    number = double.add_pull_request("main", sha=repository.forge.tip())
    before = repository.forge.tip()
    done = repository.job("13:17", pr_number=number, fail_on="never")
    assert (done.code, done["changed"], done["invalid"]) == (0, str(len(FOLDERS)), str(len(FOLDERS)))
    assert commanded(done) == ["error"] * 10
    assert set(done.outputs) == set(repository.job("13:18", pr_number=number, fail_on="never").outputs)
    changed = repository.show(done["commit-sha"], "--format=", "--name-only", "-z").split("\0")
    beside = [file.replace("metrics.json", "usage_evidence.json") for file in files]
    assert sorted(filter(None, changed)) == sorted([*files, *beside])
    assert (repository.parent("main"), repository.forge.branches()) == (before, ["main"])
    assert {repository.verdict(f"chatdev/{name}") for name in FOLDERS} == {
        "warning: shared_minutes",
        "pending: first_read",
    } & {repository.verdict(f"chatdev/{name}") for name in FOLDERS}
    for markdown in (done.summary, *repository.comments(number)):
        shown = rendered(markdown)
        known = {"h3", "p", "strong", "ul", "li", "a", "code", "table", "thead", "tbody", "tr", "th", "td", "sub"}
        assert {tag.removeprefix("/") for tag, _ in shown.elements} <= known
        assert all(each.startswith(("https://github.com/octo/science/", "https://j")) for each in shown.addresses)
        assert references(shown.prose) == []


def test_the_runner_obeys_no_name_in_the_log(repository):
    """Every line that a job prints is looked through for commands, even behind spaces and in the middle."""
    odd = ["::set-output name=status::clean", "##[set-output name=status]clean", "::stop-commands::x", "::add-mask::a"]
    fill(repository, odd, "\n::set-output name=commit-sha::0\n")
    done = repository.job("13:17", dry_run="true", fail_on="never")
    assert set(commanded(done)) == {"error"}
    assert "::set-output name=status::clean" in done.log


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_the_provider_answers_is_quoted(repository, text):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    body = json.dumps({"error": {"message": text, "type": text, "code": text}}).encode()
    repository.simulator.script(lambda *_: Reply(400, body))
    done = repository.job("13:17")
    shown = rendered(done.summary)
    assert (done.code, commanded(done), references(shown.prose)) == (3, ["error"], [])
    assert [tag for tag, _ in shown.elements].count("li") == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_github_answers_is_quoted(repository, double, text):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    number = double.add_pull_request("main", sha=repository.forge.tip())
    double.script(None, says(403, text))
    done = repository.job("13:17", pr_number=number)
    assert (done.code, done["pushed"]) == (0, "true")
    assert set(commanded(done)) <= {"notice"}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_name_of_a_branch_is_one_or_an_error(repository, text):
    tip = repository.forge.tip()
    done = repository.job("13:17", branch=text.replace("\0", ""))
    assert (done.code, set(commanded(done))) in [(1, {"error"}), (3, {"error"})]
    assert (repository.forge.branches(), repository.forge.tip()) == (["main"], tip)


def test_an_open_pull_request_from_a_branch_with_an_odd_name_is_served(repository, double):
    repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)], branch=ODD_BRANCH)
    number = double.add_pull_request(ODD_BRANCH, title="::error::x")
    done = repository.job("13:17", open_pull_requests="true")
    assert (done.code, commanded(done)) == (0, [])
    assert repository.verdict("baes/b", ODD_BRANCH) == "pending: first_read"
    (body,) = repository.comments(number)
    assert "baes" in rendered(body).text
    assert sorted(repository.forge.branches()) == sorted(["main", ODD_BRANCH])


def test_a_word_of_another_tool_ends_no_job(repository):
    """Another tool's file may hold any word where ours come from closed lists."""
    block = {"verification_status": "verified", "completeness": "by\n::error::hand", "assumes": ["<b>"]}
    repository.add("chatdev/a", "12:00:10", "12:05", usage_api_reconciliation=block)
    done = repository.job("13:17")
    assert (done.code, commanded(done), "by\n" in done.log) == (0, [], False)
