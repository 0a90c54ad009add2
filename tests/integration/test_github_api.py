"""The GitHub adapter against a double of the API over real HTTP, which holds both to GitHub's own description of it."""

import json
import shutil
import socket
from dataclasses import replace
from email.utils import formatdate
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git import Forge, git, make_forge
from support.github import BOT, PERSON, READ_ONLY, TOKEN, GitHubDouble

from reconcile.adapters.github_api import Comment, GitHub, Issue, PullRequest, Rule
from reconcile.adapters.http import Patience
from reconcile.errors import ConfigurationError, GitHubError
from reconcile.simulator import faults
from reconcile.simulator.answers import Reply

A, B = "runs/chatdev/a/metrics.json", "runs/chatdev/b/metrics.json"
NOWHERE = "0" * 40
NOW = 1767621600


@pytest.fixture
def double():
    with GitHubDouble() as double:
        yield double
    assert double.violations == []


@pytest.fixture(scope="session")
def first_forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("github")
    make_forge(folder, {A: b'{"a": 0}\n', "README.md": b"ours\n"})
    return folder


@pytest.fixture
def forge(first_forge, tmp_path, double):
    """Branches for the double, and a person who writes them."""
    shutil.copytree(first_forge, tmp_path, dirs_exist_ok=True)
    forge = Forge(tmp_path)
    double.state.bare = forge.bare
    return forge


def client(double, slept=None, **settings):
    waits = [] if slept is None else slept
    patience = Patience(tries=3, read_timeout=5, sleep=waits.append, random=lambda: 0.0)
    return GitHub(TOKEN, "octo/science", **({"api_url": double.url, "patience": patience} | settings))


def refused(act, *arguments, kind=GitHubError, **named):
    with pytest.raises(kind) as caught:
        act(*arguments, **named)
    error = caught.value
    assert TOKEN not in f"{error.message} {error.remedy} {error!r} {error.__cause__!r}"
    assert error.exit_code == (3 if kind is GitHubError else 1)
    return error


def says(status, message, **headers):
    """A refusal in place of the right answer; nothing is done."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, json.dumps({"message": message, "status": str(status)}).encode(), headers=named)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


# ------------------------------------------------------------------------------------------- comments


def test_comments__come_from_every_page_in_their_order(double):
    number = double.add_pull_request("a-run")
    for index in range(250):
        double.state.comment(number, f"comment {index}", PERSON)
    found = client(double).comments(number)
    assert [each.body for each in found] == [f"comment {index}" for index in range(250)]
    assert [request.query for request in double.requests] == [
        "per_page=100",
        "per_page=100&page=2",
        "per_page=100&page=3",
    ]


def test_comments__tell_a_bots_from_a_persons_and_from_those_of_nobody(double):
    number = double.add_pull_request("a-run")
    for author in (BOT, PERSON, None):
        double.state.comment(number, "text", author)
    url = f"https://github.com/octo/science/pull/{number}#issuecomment-"
    assert client(double).comments(number) == [
        Comment(id=1000, body="text", author="github-actions[bot]", author_is_bot=True, url=f"{url}1000"),
        Comment(id=1001, body="text", author="octocat", author_is_bot=False, url=f"{url}1001"),
        Comment(id=1002, body="text", author="", author_is_bot=False, url=f"{url}1002"),
    ]


def test_comments__are_created_once_and_changed_in_place(double):
    number = double.add_pull_request("a-run")
    hub = client(double)
    made = hub.create_comment(number, "<!-- marker -->\n| a |\u202e ünd 🎉 |\r\n")
    assert (made.body, made.author_is_bot) == ("<!-- marker -->\n| a |\u202e ünd 🎉 |\r\n", True)
    assert hub.update_comment(made.id, "changed") == replace(made, body="changed")
    assert hub.comments(number) == [replace(made, body="changed")]


def test_comments__of_a_token_of_a_person_are_a_persons(double):
    double.tokens.add("github_pat_of_a_person")
    number = double.add_pull_request("a-run")
    hub = GitHub("github_pat_of_a_person", "octo/science", api_url=double.url)
    assert hub.create_comment(number, "by hand").author_is_bot is False


# -------------------------------------------------------------------------------------- pull requests


def test_pull_request__with_its_branch_and_base(double, forge):
    head = forge.write({B: b"{}"}, branch="a-run")
    number = double.add_pull_request("a-run", title="A run", body="of chatdev")
    assert client(double).pull_request(number) == PullRequest(
        number=number,
        url=f"https://github.com/octo/science/pull/{number}",
        state="open",
        merged=False,
        title="A run",
        body="of chatdev",
        head_ref="a-run",
        head_sha=head,
        head_repository="octo/science",
        base_ref="main",
        base_repository="octo/science",
    )


@pytest.mark.parametrize(
    ("repository", "named", "fork"),
    [
        pytest.param("octo/science", "octo/science", False, id="the-same-repository"),
        pytest.param("someone/science", "someone/science", True, id="a-fork"),
        pytest.param("", None, True, id="a-fork-that-was-deleted"),
    ],
)
def test_pull_request__tells_whose_branch_it_is(double, repository, named, fork):
    number = double.add_pull_request("a-run", repository=repository)
    found = client(double).pull_request(number)
    assert (found.head_repository, found.from_fork) == (named, fork)


def test_pull_request__without_a_text_has_an_empty_one(double):
    number = double.add_pull_request("a-run", body=None)
    assert client(double).pull_request(number).body == ""


def test_open_pull_requests__come_from_every_page_without_the_closed(double):
    numbers = [double.add_pull_request(f"run-{index}") for index in range(130)]
    double.state.threads[numbers[0]].state = "closed"
    assert [found.number for found in client(double).open_pull_requests()] == numbers[:0:-1]


def test_open_pull_requests__of_one_branch_into_another(double):
    ours = double.add_pull_request("reconcile/usage")
    double.add_pull_request("reconcile/usage", base="next")
    double.add_pull_request("reconcile/usage", repository="octo/fork-of-science")
    double.add_pull_request("another")
    found = client(double).open_pull_requests(head="reconcile/usage", base="main")
    assert [each.number for each in found] == [ours]
    assert double.requests[-1].query == "per_page=100&state=open&head=octo%3Areconcile%2Fusage&base=main"


def test_open_pull_requests__a_filter_that_github_ignores_lets_nothing_else_in(double):
    ours = double.add_pull_request("reconcile/usage")
    double.add_pull_request("reconcile/usage", base="next")
    double.add_pull_request("reconcile/usage", repository="someone/science")
    double.add_pull_request("another")
    kept = []
    double.script(lambda _, right: kept.append(right) or right, lambda *_: kept[0])
    assert len(client(double).open_pull_requests()) == 4
    found = client(double).open_pull_requests(head="reconcile/usage", base="main")
    assert [each.number for each in found] == [ours]


def test_pull_requests_of_commit__are_the_open_ones_of_a_commit_that_is_not_merged(double, forge):
    first = forge.write({B: b"1"}, branch="a-run")
    second = forge.write({B: b"2"}, branch="a-run")
    number = double.add_pull_request("a-run")
    other = double.add_pull_request("elsewhere", sha=first, repository="someone/science")
    hub = client(double)
    assert [found.number for found in hub.pull_requests_of_commit(first)] == [other, number]
    assert [found.number for found in hub.pull_requests_of_commit(second)] == [number]
    assert hub.pull_requests_of_commit(forge.tip("main")) == []


@pytest.mark.parametrize("squash", [pytest.param(False, id="merged"), pytest.param(True, id="squashed")])
def test_the_pull_request_that_brought_a_run_in_is_that_of_its_first_commit(double, forge, squash):
    forge.write({"notes.txt": b"1", B: b"1"}, branch="a-run")
    number = double.add_pull_request("a-run")
    double.merge(number, squash=squash)
    forge.write({B: b"2"}, message="figures")
    hub = client(double)
    sha = hub.first_commit_of_path(B, "main")
    (found,) = hub.pull_requests_of_commit(sha)
    assert (found.number, found.state, found.merged) == (number, "closed", True)


def test_first_commit_of_path__is_the_last_of_all_pages(double, forge):
    first = forge.tip()
    for index in range(101):
        tree = git(forge.bare, "rev-parse", "main^{tree}")
        blob = git(forge.bare, "hash-object", "-w", "--stdin", stdin=b"%d" % index)
        listed = f"100644 blob {blob}\tREADME.md\n".encode()
        tree = git(forge.bare, "mktree", stdin=listed)
        forge.move("main", git(forge.bare, "commit-tree", tree, "-p", "main", "-m", "x"))
    assert client(double).first_commit_of_path("README.md", "main") == first
    assert len(double.requests) == 2


def test_first_commit_of_path__that_is_not_there_is_none(double, forge):
    assert client(double).first_commit_of_path(B, "main") is None


def test_pull_request_files__as_the_pull_request_leaves_them(double, forge):
    forge.write({A: None, "README.md": None, "ours.md": b"ours\n", B: b"{}"}, branch="a-run")
    number = double.add_pull_request("a-run")
    assert client(double).pull_request_files(number) == ["ours.md", B]


def test_create_pull_request__then_change_and_close_it(double, forge):
    forge.write({B: b"1"}, branch="reconcile/usage")
    hub = client(double)
    made = hub.create_pull_request("reconcile/usage", "main", "Usage", "figures", draft=True)
    assert (made.head_ref, made.base_ref, made.head_sha) == ("reconcile/usage", "main", forge.tip("reconcile/usage"))
    assert double.state.threads[made.number].head.draft
    assert hub.update_pull_request(made.number, body="more figures") == replace(made, body="more figures")
    assert hub.update_pull_request(made.number, title="All usage", state="closed").title == "All usage"
    assert hub.open_pull_requests(head="reconcile/usage") == []


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        pytest.param("reconcile/usage", "A pull request already exists for octo:reconcile/usage.", id="second"),
        pytest.param("no-such", "Validation Failed; PullRequest head invalid", id="no-such-branch"),
        pytest.param("same", "No commits between main and same", id="nothing-to-merge"),
    ],
)
def test_create_pull_request__refused_in_githubs_words(double, forge, head, shown):
    forge.write({B: b"1"}, branch="reconcile/usage")
    forge.move("same", "main")
    double.add_pull_request("reconcile/usage")
    error = refused(client(double).create_pull_request, head, "main", "Usage", "figures")
    assert error.code == "refused"
    assert shown in error.message


# --------------------------------------------------------------------------------- issues, rules, branches


def test_open_issues__come_from_every_page_without_pull_requests_and_closed_ones(double):
    for index in range(120):
        double.state.add(f"issue {index}", None, PERSON)
    double.add_pull_request("a-run")
    hub = client(double)
    made = hub.create_issue("Usage", "broken")
    assert made == Issue(
        number=122,
        url="https://github.com/octo/science/issues/122",
        state="open",
        title="Usage",
        body="broken",
        author="github-actions[bot]",
        author_is_bot=True,
    )
    assert [issue.number for issue in hub.open_issues()] == [122, *range(120, 0, -1)]
    assert hub.update_issue(122, body="still") == replace(made, body="still")
    assert hub.update_issue(122, state="closed") == replace(made, body="still", state="closed")
    assert 122 not in [issue.number for issue in hub.open_issues()]


def test_an_issue_that_is_a_pull_request_has_its_fields_too(double):
    number = double.add_pull_request("a-run", title="A run")
    assert client(double).update_issue(number, body="x").title == "A run"


def test_rules__in_force_on_a_branch(double):
    double.state.rules["release/1"] = [
        {"type": "pull_request", "ruleset_source": "octo"},
        {"type": "required_signatures"},
        {"type": "required_status_checks", "ruleset_source": "octo/science"},
    ]
    hub = client(double)
    assert hub.rules("release/1") == [
        Rule(type="pull_request", source="octo"),
        Rule(type="required_signatures", source=None),
        Rule(type="required_status_checks", source="octo/science"),
    ]
    assert hub.rules("main") == []
    assert double.requests[0].path == "/repos/octo/science/rules/branches/release%2F1"


def test_default_branch(double):
    double.state.default_branch = "trunk"
    assert client(double).default_branch() == "trunk"


# ------------------------------------------------------------------------------------------- signed commits


def test_commit_on_branch__lands_whole_files_and_nothing_else(double, forge):
    before = forge.tip()
    changes = {A: b'{"a": 1}\r\n', "runs/x y/\u00fc/metrics.json": bytes(range(256))}
    made = client(double).commit_on_branch("main", before, "Usage of 2 runs", "chatdev/a\n\nmore", changes)
    assert made == forge.tip()
    assert git(forge.bare, "rev-parse", f"{made}^") == before
    assert git(forge.bare, "log", "-1", "--format=%B", made) == "Usage of 2 runs\n\nchatdev/a\n\nmore"
    assert git(forge.bare, "log", "-1", "--format=%an|%cn", made) == "github-actions[bot]|GitHub"
    assert git(forge.bare, "diff", "--name-only", "-z", before, made).split("\0")[:-1] == sorted(changes)
    for path, data in changes.items():
        assert git(forge.bare, "rev-parse", f"{made}:{path}") == git(forge.bare, "hash-object", "--stdin", stdin=data)


def test_commit_on_branch__a_branch_that_has_moved_on_is_a_lost_race(double, forge):
    stale = forge.tip()
    tip = forge.write({B: b"by a person"})
    assert client(double).commit_on_branch("main", stale, "Usage", "", {A: b"{}"}) is None
    assert forge.tip() == tip


def test_commit_on_branch__a_push_between_the_look_and_the_write_is_a_lost_race(double, forge, monkeypatch):
    stale, theirs = forge.tip(), []
    monkeypatch.setattr("support.github.graphql._moved", lambda *_: bool(theirs.append(forge.write({B: b"1"}))))
    assert client(double).commit_on_branch("main", stale, "Usage", "", {A: b"{}"}) is None
    assert [forge.tip()] == theirs


def errors(*entries):
    return lambda request, right: replace(right, body=json.dumps({"data": None, "errors": list(entries)}).encode())


@pytest.mark.parametrize(
    ("entry", "code", "shown"),
    [
        pytest.param({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, "rate_limited", "API", id="rate"),
        pytest.param({"message": SECONDARY}, "rate_limited", "secondary", id="secondary-rate"),
        pytest.param(
            {"type": "BRANCH_PROTECTION_RULE_VIOLATION", "message": "Changes must be made through a pull request."},
            "push_refused_by_rule",
            "through a pull request",
            id="classic-protection",
        ),
        pytest.param({"type": "OTHER", "message": "A\nB"}, "refused", "OTHER A\\nB", id="anything-else"),
        pytest.param({"message": 7}, "refused", "no commit", id="an-error-without-words"),
        pytest.param("text", "refused", "no commit", id="an-error-that-is-a-text"),
    ],
)
def test_commit_on_branch__an_error_in_the_answer_is_no_commit(double, forge, entry, code, shown):
    double.script(errors(entry))
    error = refused(client(double).commit_on_branch, "main", NOWHERE, "Usage", "", {A: b"{}"})
    assert error.code == code
    assert shown in error.message
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("branch", "prepare", "code", "shown", "remedy"),
    [
        pytest.param("gone", lambda _: None, "not_found", "No such branch", "names", id="no-such-branch"),
        pytest.param(
            "main",
            lambda double: double.state.rules.update(main=[{"type": "pull_request"}]),
            "push_refused_by_rule",
            "Changes must be made through a pull request.",
            "mode: pull-request",
            id="a-ruleset",
        ),
        pytest.param(
            "main",
            lambda double: setattr(double, "permissions", READ_ONLY),
            "missing_permission",
            "Resource not accessible by integration",
            "`contents: write`",
            id="no-permission",
        ),
    ],
)
def test_commit_on_branch__refused(double, forge, branch, prepare, code, shown, remedy):
    prepare(double)
    error = refused(client(double).commit_on_branch, branch, forge.tip(), "Usage", "", {A: b"{}"})
    assert error.code == code
    assert shown in error.message
    assert remedy in error.remedy


# --------------------------------------------------------------------------------------------- refusals


CALLS = [
    pytest.param(lambda hub: hub.comments(1), "pull-requests: read", id="comments"),
    pytest.param(lambda hub: hub.create_comment(1, "x"), "pull-requests: write", id="create-comment"),
    pytest.param(lambda hub: hub.update_comment(1000, "x"), "pull-requests: write", id="update-comment"),
    pytest.param(lambda hub: hub.pull_request(1), "pull-requests: read", id="pull-request"),
    pytest.param(lambda hub: hub.pull_request_files(1), "pull-requests: read", id="pull-request-files"),
    pytest.param(lambda hub: hub.open_pull_requests(), "pull-requests: read", id="open-pull-requests"),
    pytest.param(lambda hub: hub.pull_requests_of_commit(NOWHERE), "pull-requests: read", id="of-a-commit"),
    pytest.param(
        lambda hub: hub.create_pull_request("a", "b", "t", ""), "pull-requests: write", id="create-pull-request"
    ),
    pytest.param(lambda hub: hub.update_pull_request(1, body=""), "pull-requests: write", id="update-pull-request"),
    pytest.param(lambda hub: hub.open_issues(), "issues: read", id="open-issues"),
    pytest.param(lambda hub: hub.create_issue("t", ""), "issues: write", id="create-issue"),
    pytest.param(lambda hub: hub.update_issue(1, body=""), "issues: write", id="update-issue"),
    pytest.param(lambda hub: hub.first_commit_of_path(A, "main"), "contents: read", id="commits"),
    pytest.param(lambda hub: hub.commit_on_branch("main", NOWHERE, "h", "", {}), "contents: write", id="commit"),
]


@pytest.mark.parametrize(("call", "permission"), CALLS)
def test_a_missing_permission_is_named_as_a_workflow_spells_it(double, call, permission):
    double.add_pull_request("a-run")
    double.permissions = frozenset()
    error = refused(call, client(double))
    assert error.code == "missing_permission"
    assert f"add `{permission}` to the job's `permissions:`" in error.remedy
    assert len(double.requests) == 1


@pytest.mark.parametrize(("write", "permission"), [call for call in CALLS if call.values[1].endswith("write")])
def test_the_token_of_a_fork_may_write_nothing(double, forge, write, permission):
    number = double.add_pull_request("a-run", repository="someone/science")
    double.state.comment(number, "theirs", BOT)
    double.permissions = READ_ONLY
    hub = client(double)
    assert refused(write, hub).code == "missing_permission"
    assert [each.body for each in hub.comments(number)] == ["theirs"]
    assert hub.pull_request(number).body == ""


@pytest.mark.parametrize(("call", "permission"), CALLS)
def test_a_wrong_token_is_told_without_it(double, call, permission):
    double.tokens = {"ghs_another"}
    error = refused(call, client(double))
    assert error.code == "bad_token"
    assert "401: Bad credentials" in error.message


@pytest.mark.parametrize(
    ("reply", "code", "shown", "remedy"),
    [
        pytest.param(says(403, "Repository was archived so is read-only."), "forbidden", "archived", "says", id="403"),
        pytest.param(says(404, "Not Found"), "not_found", "404: Not Found", "`pull-requests: write`", id="404"),
        pytest.param(says(409, "Git Repository is empty."), "repository_empty", "empty", "first commit", id="409"),
        pytest.param(says(410, "This issue was deleted"), "gone", "410", "deleted", id="410"),
        pytest.param(says(422, "Validation Failed"), "refused", "422", "says", id="422"),
        pytest.param(says(418, "I'm a teapot"), "unexpected_status", "418", "address", id="unheard-of"),
        pytest.param(Reply(403, b"<html>No</html>", "text/html"), "forbidden", "<html>No", "says", id="403-as-a-page"),
        pytest.param(Reply(400, b""), "unexpected_status", "an empty body", "address", id="nothing-said"),
        pytest.param(Reply(422, b"[" * 100000), "refused", "[[[", "says", id="nested-too-deeply"),
        pytest.param(Reply(422, b'{"message": 7}'), "refused", "7", "says", id="message-a-number"),
        pytest.param(Reply(200, b"<html>Sign in</html>", "text/html"), "not_json", "Sign in", "stands", id="a-page"),
        pytest.param(Reply(201, b'{"id": 1'), "not_json", "8 bytes", "stands", id="half-of-the-json"),
        pytest.param(Reply(204, b""), "not_json", "0 bytes", "stands", id="nothing-at-all"),
        pytest.param(Reply(201, b"[" * 100000), "not_json", "100000 bytes", "stands", id="nested-too-deeply-too"),
        pytest.param(Reply(201, b'{"id": NaN}'), "unexpected_shape", "id is float", "again", id="not-a-number"),
        pytest.param(Reply(201, b"[]"), "unexpected_shape", "missing", "again", id="a-list"),
        pytest.param(Reply(201, b"null"), "unexpected_shape", "missing", "again", id="null"),
    ],
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(double, reply, code, shown, remedy):
    double.script(reply)
    error = refused(client(double).create_comment, 1, "text")
    assert error.code == code
    assert shown in error.message
    assert remedy in error.remedy
    assert len(double.requests) == 1


def test_the_details_of_a_refusal_are_shown(double):
    details = [
        {"resource": "Issue", "field": "title", "code": "missing_field"},
        {"code": "custom", "message": "Title is bad"},
        "as a text",
    ]
    double.script(Reply(422, json.dumps({"message": "Validation Failed", "errors": details}).encode()))
    error = refused(client(double).create_issue, "", "")
    assert "Validation Failed; Issue title missing_field; Title is bad; as a text" in error.message


def test_a_comment_that_is_too_long_is_refused_in_githubs_words(double):
    number = double.add_pull_request("a-run")
    hub = client(double)
    made = hub.create_comment(number, "x" * 65536)
    for act in (lambda: hub.create_comment(number, "x" * 65537), lambda: hub.update_comment(made.id, "x" * 65537)):
        assert "maximum is 65536 characters" in refused(act).message


def test_a_locked_conversation(double):
    number = double.add_pull_request("a-run")
    double.state.threads[number].locked = True
    error = refused(client(double).create_comment, number, "text")
    assert error.code == "locked"
    assert "unlock" in error.remedy


@pytest.mark.parametrize(("call", "permission"), [call for call in CALLS if "issues" in call.values[1]])
def test_issues_that_are_switched_off(double, call, permission):
    double.state.issues_enabled = False
    error = refused(call, client(double))
    assert error.code == "gone"
    assert "Settings > General > Features" in error.remedy


def test_pull_requests_that_actions_may_not_open(double, forge):
    forge.write({B: b"1"}, branch="reconcile/usage")
    double.state.actions_may_open_pull_requests = False
    error = refused(client(double).create_pull_request, "reconcile/usage", "main", "Usage", "")
    assert error.code == "pull_requests_forbidden"
    assert "Allow GitHub Actions to create and approve pull requests" in error.remedy


def test_an_empty_repository_has_no_commits(double):
    assert refused(client(double).first_commit_of_path, A, "main").code == "repository_empty"


@pytest.mark.parametrize("act", [lambda hub: hub.pull_request(9), lambda hub: hub.update_comment(9, "x")])
def test_what_is_not_there(double, act):
    assert refused(act, client(double)).code == "not_found"


@pytest.mark.parametrize("act", [lambda hub: hub.comments(1), lambda hub: hub.create_comment(1, "x")])
def test_a_renamed_repository_is_refused_and_the_token_not_sent_on(double, act):
    double.former_name = "octo/old"
    hub = GitHub(TOKEN, "octo/old", api_url=double.url)
    error = refused(act, hub)
    assert error.code == "moved"
    assert "as it is called now" in error.remedy
    assert [request.path for request in double.requests] == ["/repos/octo/old/issues/1/comments"]


# ------------------------------------------------------------------------------------ patience


PASSING = [
    pytest.param(faults.instead(says(500, "Server Error")), "github_unavailable", "500: Server Error", id="500"),
    pytest.param(faults.instead(Reply(502, b"<html>Unicorn!</html>")), "github_unavailable", "Unicorn!", id="502"),
    pytest.param(faults.instead(says(503, "")), "github_unavailable", "503", id="503"),
    pytest.param(faults.instead(says(408, "")), "github_unavailable", "408", id="408"),
    pytest.param(faults.cut_short, "unreachable", "no whole answer", id="half-a-body"),
    pytest.param(faults.silent, "timed_out", "no answer in time", id="silence"),
]
"""Failures that may come although everything was done."""


def quick(double, slept):
    return client(double, patience=Patience(tries=3, read_timeout=0.2, sleep=slept.append, random=lambda: 0.0))


@pytest.mark.parametrize(("fault", "code", "shown"), PASSING)
def test_reading_and_changing_are_tried_again_and_then_given_up(double, fault, code, shown):
    number = double.add_pull_request("a-run")
    comment = double.state.comment(number, "text", BOT).id
    slept = []
    hub = quick(double, slept)
    for act in (lambda: hub.comments(number), lambda: hub.update_comment(comment, "changed")):
        double.script(fault, fault)
        act()
        double.script(fault, fault, fault)
        error = refused(act)
        assert error.code == code
        assert shown in error.message
        assert "(3 tries)" in error.message
    assert slept == [1.0, 2.0] * 4
    assert [each.body for each in hub.comments(number)] == ["changed"]


@pytest.mark.parametrize(("fault", "code", "shown"), PASSING)
def test_what_may_have_been_created_is_not_created_again(double, forge, fault, code, shown):
    number = double.add_pull_request("by-hand")
    forge.write({B: b"1"}, branch="a-run")
    slept = []
    hub = quick(double, slept)
    tip = forge.tip()
    for act in (
        lambda: hub.create_comment(number, "text"),
        lambda: hub.create_issue("title", "text"),
        lambda: hub.create_pull_request("a-run", "main", "title", "text"),
        lambda: hub.commit_on_branch("main", tip, "headline", "", {A: b"{}"}),
    ):
        double.script(fault)
        error = refused(act)
        assert error.code == "outcome_unknown"
        assert shown in error.message
        assert "whether it was done is not known" in error.message
    assert slept == []
    assert [each.body for each in hub.comments(number)] == ["text"]
    assert [thread.title for thread in double.state.threads.values()] == ["A run", "title", "title"]
    assert git(forge.bare, "rev-list", "--count", f"{tip}..main") == "1"


def test_what_was_never_sent_is_sent_again(double):
    """Nobody listens at first; a failure to connect proves that nothing was created."""
    number = double.add_pull_request("a-run")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    waits = []
    hub = client(double, waits, api_url=closed)
    error = refused(hub.create_comment, number, "text")
    assert (error.code, waits) == ("unreachable", [1.0, 2.0])


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        pytest.param(says(403, SECONDARY, Retry_After="7"), 7.0, id="secondary-with-seconds"),
        pytest.param(says(429, SECONDARY, Retry_After="7"), 7.0, id="secondary-as-429"),
        pytest.param(says(403, SECONDARY), 60.0, id="secondary-without-seconds"),
        pytest.param(says(403, SECONDARY, Retry_After="soon"), 60.0, id="secondary-with-nonsense"),
        pytest.param(says(403, "You have triggered an abuse detection mechanism."), 60.0, id="abuse"),
        pytest.param(says(403, "No.", Retry_After="1"), 1.0, id="403-that-asks-to-wait"),
        pytest.param(says(429, ""), 60.0, id="429-without-words"),
        pytest.param(
            says(
                403,
                "API rate limit exceeded for installation.",
                X_RateLimit_Remaining="0",
                X_RateLimit_Reset=str(NOW + 45),
                Date=formatdate(NOW, usegmt=True),
            ),
            45.0,
            id="primary-until-its-reset",
        ),
        pytest.param(
            says(
                429,
                "API rate limit exceeded.",
                X_RateLimit_Remaining="0",
                X_RateLimit_Reset=str(NOW - 5),
                Date=formatdate(NOW, usegmt=True),
            ),
            1.0,
            id="primary-already-reset",
        ),
        pytest.param(
            says(403, SECONDARY, X_RateLimit_Remaining="14", X_RateLimit_Reset=str(NOW)), 60.0, id="rest-of-the-primary"
        ),
    ],
)
def test_a_rate_limit_is_waited_for_as_github_asks_even_where_something_is_created(double, reply, wait):
    number = double.add_pull_request("a-run")
    slept = []
    hub = client(double, slept)
    double.script(reply)
    hub.create_comment(number, "text")
    assert slept == [wait]
    double.script(reply, reply, reply)
    error = refused(hub.create_comment, number, "text")
    assert (error.code, len(slept)) == ("rate_limited", 3)
    assert [each.body for each in hub.comments(number)] == ["text"]


@pytest.mark.parametrize(
    ("reply", "code", "when"),
    [
        pytest.param(says(403, SECONDARY, Retry_After="61"), "rate_limited", "in 61 s or later", id="secondary"),
        pytest.param(says(503, "", Retry_After="3600"), "github_unavailable", "in 3600 s or later", id="outage"),
        pytest.param(
            says(
                403,
                "API rate limit exceeded.",
                X_RateLimit_Remaining="0",
                X_RateLimit_Reset=str(NOW + 1800),
                Date=formatdate(NOW, usegmt=True),
            ),
            "rate_limited",
            "in 1800 s or later",
            id="primary",
        ),
        pytest.param(
            says(403, "rate limit", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(NOW), Date="today"),
            "rate_limited",
            f"in {NOW} s or later",
            id="a-server-without-a-clock",
        ),
    ],
)
def test_a_longer_pause_is_named_and_not_waited(double, reply, code, when):
    slept = []
    double.script(reply)
    error = refused(client(double, slept).comments, 1)
    assert (error.code, slept, len(double.requests)) == (code, [], 1)
    assert when in error.remedy


def test_a_body_without_end_is_not_read_to_it(double, monkeypatch):
    monkeypatch.setattr("reconcile.adapters.github_api.wire.MAX_BYTES", 10_000)
    number = double.add_pull_request("a-run")
    double.state.comment(number, "x" * 10_000, BOT)
    error = refused(client(double).comments, number)
    assert error.code == "request_failed"
    assert "more than 10000 bytes" in error.message


# ------------------------------------------------------------------------------------- addresses and links


def linked(url, rel="next"):
    return lambda request, right: replace(right, headers=(("Link", f'<{url}>; rel="{rel}"'),))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://attacker.example/repos/octo/science/issues/1/comments?page=2", id="another-host"),
        pytest.param("http://127.0.0.1:1/repos/octo/science/issues/1/comments?page=2", id="another-port"),
        pytest.param("https://{host}/repos/octo/science/issues/1/comments?page=2", id="another-scheme"),
        pytest.param("//attacker.example/?page=2", id="without-a-scheme"),
        pytest.param("?page=2", id="a-query-alone"),
        pytest.param("http://{host}@attacker.example/?page=2", id="host-as-a-name"),
        pytest.param("http://[::1/?page=2", id="no-address-at-all"),
        pytest.param("http://127.0.0.1:99999/?page=2", id="no-port-at-all"),
        pytest.param(f"http://{TOKEN}.example/?page=2", id="with-the-token"),
    ],
)
def test_a_link_to_another_server_is_not_followed(double, url):
    number = double.add_pull_request("a-run")
    double.script(linked(url.format(host=double.url.removeprefix("http://"))))
    assert refused(client(double).comments, number).code == "foreign_link"
    assert len(double.requests) == 1


@pytest.mark.parametrize("path", ["/user/keys", "/repos/octo/secret/issues/1/comments", "/../../admin"])
def test_a_link_to_another_place_on_the_server_gives_its_query_only(double, path):
    number = double.add_pull_request("a-run")
    double.script(linked(f"{double.url}{path}?per_page=100&page=2"))
    assert client(double).comments(number) == []
    assert {request.path for request in double.requests} == {f"/repos/octo/science/issues/{number}/comments"}


def test_links_that_go_round_in_circles_end(double):
    number = double.add_pull_request("a-run")
    double.script(*(linked(f"{double.url}/?per_page=100&page={page}") for page in (2, 3, 2)))
    error = refused(client(double).comments, number)
    assert (error.code, len(double.requests)) == ("page_repeated", 3)


@pytest.mark.parametrize("value", ["", "<", ">;;=", 'x; rel="next"', '<{url}>; rel="prev"', "<>; rel=next"])
def test_a_header_that_links_no_next_page_ends_the_list(double, value):
    number = double.add_pull_request("a-run")
    named = (("Link", value.format(url=double.url)),)
    double.script(lambda request, right: replace(right, headers=named))
    assert client(double).comments(number) == []
    assert len(double.requests) == 1


def test_a_page_that_is_no_list(double):
    double.script(Reply(200, b"{}"))
    error = refused(client(double).comments, 1)
    assert error.code == "unexpected_shape"
    assert "dict, not a list" in error.message


def test_enterprise_server_has_both_apis_below_one_path(double, forge):
    number = double.add_pull_request("a-run")
    for given_url in ({}, {"graphql_url": f"{double.url}/api/graphql"}):
        hub = client(double, api_url=f"{double.url}/api/v3/", **given_url)
        assert hub.pull_request(number).number == number
        assert hub.commit_on_branch("main", NOWHERE, "Usage", "", {A: b"{}"}) is None
    assert {request.path for request in double.requests} == {
        f"/api/v3/repos/octo/science/pulls/{number}",
        "/api/graphql",
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://ghe.example/api/v3",
        "https://user:pass@ghe.example",
        "https://ghe.example/?x=1",
        "https://ghe.example/#x",
        "https://ghe.example:0",
        "https://ghe.example:x",
        "https://[::1",
        "https://",
        "ghe.example",
        "file:///etc/passwd",
        "https://ghe.example/\nX: y",
        "",
    ],
)
def test_an_address_that_a_token_may_not_go_to_is_refused(url):
    for given_url in ({"api_url": url}, {"graphql_url": url or "-"}):
        error = refused(GitHub, TOKEN, "octo/science", kind=ConfigurationError, **given_url)
        assert error.code == "malformed_api_url"
        assert "pass" not in error.message


@pytest.mark.parametrize(
    "name",
    [
        "",
        "octo",
        "octo/",
        "/science",
        "octo/science/x",
        "octo/..",
        "../science",
        "./.",
        "a/b?c",
        "a/b#c",
        "a/%2e",
        "a/b\n",
        "ä/b",
    ],
)
def test_a_repository_that_cannot_be_one_is_refused(name):
    assert refused(GitHub, TOKEN, name, kind=ConfigurationError).code == "malformed_repository"


@pytest.mark.parametrize(
    "branch",
    [
        "a b",
        "a?b=c",
        "a#b",
        "a%2Fb",
        "a%",
        "%2e%2e",
        "../../../user",
        "a/../b",
        "-x",
        "{a}",
        "ä/🎉",
        "a&b=c",
        "a;b",
        "a\\b",
        "...",
    ],
)
def test_a_hostile_branch_stays_one_name(double, branch):
    double.state.rules[branch] = [{"type": "deletion"}]
    double.state.rules["main"] = [{"type": "update"}]
    hub = client(double)
    assert hub.rules(branch) == [Rule(type="deletion", source=None)]
    assert hub.open_pull_requests(head=branch, base=branch) == []
    assert {request.path.count("/") for request in double.requests} == {6, 4}


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a\0b", "\udcff", "\u202e"])
def test_a_name_that_no_path_can_hold_is_refused(double, name):
    hub = client(double)
    for act in (hub.rules, hub.pull_requests_of_commit):
        assert refused(act, name, kind=ConfigurationError).code == "bad_branch"
    assert double.requests == []


def test_a_path_that_is_no_text_cannot_be_asked_for(double):
    assert refused(client(double).first_commit_of_path, "runs/\udcff", "main").code == "request_failed"


# ------------------------------------------------------------------------------------------ the token


@pytest.mark.parametrize("token", ["", " ", "ghs_a b", "ghs_a\n", "ghs_a\r\nX: y", "ghs_\u00fc"])
def test_a_token_that_cannot_be_one_is_refused_without_it(token):
    error = refused(GitHub, token, "octo/science", kind=ConfigurationError)
    assert error.code == "malformed_token"
    assert "ghs_" not in f"{error.message}{error.remedy}"


def test_the_token_is_in_no_repr(double):
    hub = client(double)
    held = [hub, *vars(hub).values(), *vars(vars(hub)["_transport"]).values()]
    assert TOKEN not in "".join(map(repr, held))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 422, 429, 500])
def test_a_server_that_repeats_the_token_does_not_get_it_into_a_message(double, status):
    said = Reply(status, f'{{"message": "{TOKEN}'.encode(), headers=(("Retry-After", "99"), ("Location", f"/{TOKEN}")))
    double.script(said)
    assert "[token]" in refused(client(double).comments, 1).message


def test_messages_are_of_one_line_and_short(double):
    double.script(says(403, "::error::\n%0A\u202e" + "x" * 1000))
    message = refused(client(double).comments, 1).message
    assert "\n" not in message
    assert "\u202e" not in message
    assert len(message) < 400


def test_an_entry_in_netrc_does_not_take_the_tokens_place(double, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\ndefault login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert client(double).default_branch() == "main"


# ----------------------------------------------------------------------------- answers that were changed


OTHERS = {
    dict: (True, 1.5, "7", [], 3),
    list: (True, 1.5, "7", {}, 3),
    str: (False, 2, 1.5, [], {}),
    bool: (1, "true", [], {}),
    int: (True, 1.5, "7", [], {}),
    type(None): (True, 7, 1.5, [], {}),
}
"""What a value can become that is of another type than it was. Null may stand for many, and has a meaning there."""

READINGS = {
    "comments": lambda hub: hub.comments(1),
    "pull request": lambda hub: hub.pull_request(1),
    "pull requests": lambda hub: hub.open_pull_requests(),
    "files": lambda hub: hub.pull_request_files(1),
    "issues": lambda hub: hub.open_issues(),
    "rules": lambda hub: [rule.type for rule in hub.rules("main")],
    "first commit": lambda hub: hub.first_commit_of_path(A, "main"),
    "default branch": lambda hub: hub.default_branch(),
    "changed comment": lambda hub: hub.update_comment(1000, "text"),
    "changed issue": lambda hub: hub.update_issue(2, body="text"),
    "commit": lambda hub: hub.commit_on_branch("main", "1" * 40, "headline", "", {}),
}


@pytest.fixture(scope="module")
def full_double(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    make_forge(folder, {A: b"{}"})
    Forge(folder).write({B: b"{}"}, branch="a-run")
    with GitHubDouble(bare=folder / "remote.git") as double:
        double.add_pull_request("a-run", body="text")
        double.state.add("issue", "text", BOT)
        double.state.comment(1, "text", BOT)
        double.state.rules["main"] = [{"type": "pull_request"}, {"type": "deletion"}]
        yield double
    assert double.violations == []


def places(value):
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from places(inner)


def mutated(seed):
    """Something in the answer is lost, renamed or of another type. The dice fall in the server's thread."""
    choose = Random(seed)  # noqa: S311 (a test that can be repeated)

    def mutate(request, right):
        content = json.loads(right.body)
        place = choose.choice([each for each in places(content) if each])
        name = choose.choice(sorted(place))
        value = place.pop(name)
        action = choose.choice(["lose", "rename", "retype"])
        if action == "rename":
            place[name.upper()] = value
        elif action == "retype":
            place[name] = choose.choice(OTHERS[type(value)])
        return replace(right, body=json.dumps(content).encode())

    return mutate


@settings(max_examples=300, deadline=None)
@given(reading=st.sampled_from(sorted(READINGS)), seed=st.integers(0, 2**32))
def test_a_changed_answer_gives_the_same_values_or_an_error(full_double, reading, seed):
    hub = client(full_double)
    right = READINGS[reading](hub)
    full_double.script(mutated(seed))
    try:
        found = READINGS[reading](hub)
    except GitHubError:
        return
    assert found == right


@settings(max_examples=100, deadline=None)
@given(
    reading=st.sampled_from(sorted(READINGS)),
    body=st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_a_body_of_anything_gives_no_values(full_double, reading, body):
    hub = client(full_double)
    full_double.script(lambda request, right: replace(right, body=body))
    try:
        found = READINGS[reading](hub)
    except GitHubError:
        return
    assert found in ([], None)
