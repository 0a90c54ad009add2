"""What the GitHub adapter says when it is refused, how patient it is, and that it creates nothing twice."""

import json
import socket
from email.utils import formatdate

import pytest
from support.git import git
from support.github import BOT, PERSON, READ_ONLY, TOKEN
from support.github.bench import NOWHERE, SECONDARY, A, B, client, refused, says

from reconcile.github.client import GitHub
from reconcile.providers.transport import Patience
from reconcile.simulator import faults
from reconcile.simulator.replies import Reply

NOW = 1767621600

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
def test_the_token_of_a_fork_may_write_nothing(double, branches, write, permission):
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
        pytest.param(
            Reply(201, b'{"user": null, "id": NaN}'), "unexpected_shape", "id is float", "again", id="not-a-number"
        ),
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


def test_pull_requests_that_actions_may_not_open(double, branches):
    branches.write({B: b"1"}, branch="reconcile/usage")
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
]
"""Failures that may come although everything was done."""


@pytest.mark.parametrize(("fault", "code", "shown"), PASSING)
def test_reading_and_changing_are_tried_again_and_then_given_up(double, fault, code, shown):
    number = double.add_pull_request("a-run")
    comment = double.state.comment(number, "text", BOT).id
    slept = []
    hub = client(double, slept)
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
def test_what_may_have_been_created_is_not_created_again(double, branches, fault, code, shown):
    number = double.state.add("an issue", None, PERSON).number
    branches.write({B: b"1"}, branch="a-run")
    slept = []
    hub = client(double, slept)
    tip = branches.tip()
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
    assert [thread.title for thread in double.state.threads.values()] == ["an issue", "title", "title"]
    assert git(branches.bare, "rev-list", "--count", f"{tip}..main") == "1"


def test_silence_is_the_same(double):
    number = double.state.add("an issue", None, PERSON).number
    hub = client(double, patience=Patience(tries=2, read_timeout=0.05, sleep=lambda _: None))
    double.script(faults.silent, faults.silent, faults.silent)
    error = refused(hub.comments, number)
    assert error.code == "timed_out"
    assert "(2 tries)" in error.message
    assert refused(hub.create_comment, number, "text").code == "outcome_unknown"
    assert [each.body for each in client(double).comments(number)] == ["text"]


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
    monkeypatch.setattr("reconcile.github.wire.MAX_BYTES", 10_000)
    number = double.add_pull_request("a-run")
    double.state.comment(number, "x" * 10_000, BOT)
    error = refused(client(double).comments, number)
    assert error.code == "request_failed"
    assert "more than 10000 bytes" in error.message
