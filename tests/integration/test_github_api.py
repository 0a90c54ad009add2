"""The calls of the GitHub adapter, against a double that holds every request and answer to GitHub's description."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.git import git
from support.github import BOT, PERSON, READ_ONLY, TOKEN
from support.github.bench import NOWHERE, SECONDARY, A, B, client, refused
from support.github.state import Workflow

from reconcile.github.client import GitHub
from reconcile.github.values import Comment, Issue, PullRequest, Rule
from reconcile.github.values import Workflow as Listed
from reconcile.simulator.replies import Reply

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
    made = hub.create_comment(number, "by hand")
    assert (made.author_is_bot, made.author) == (False, hub.login())


@pytest.mark.parametrize("token", [TOKEN, "of_an_old_server"])
def test_login__is_nobody_where_the_token_is_a_bots(double, token, monkeypatch):
    monkeypatch.setattr(double, "tokens", {TOKEN, "of_an_old_server"})
    monkeypatch.setattr("support.github.server.PERSON", BOT)
    assert GitHub(token, "octo/science", api_url=double.url).login() is None


# -------------------------------------------------------------------------------------- pull requests


def test_pull_request__with_its_branch_and_base(double, branches):
    head = branches.write({B: b"{}"}, branch="a-run")
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


def test_pull_requests_of_commit__are_the_open_ones_of_a_commit_that_is_not_merged(double, branches):
    first = branches.write({B: b"1"}, branch="a-run")
    second = branches.write({B: b"2"}, branch="a-run")
    number = double.add_pull_request("a-run")
    other = double.add_pull_request("elsewhere", sha=first, repository="someone/science")
    hub = client(double)
    assert [found.number for found in hub.pull_requests_of_commit(first)] == [other, number]
    assert [found.number for found in hub.pull_requests_of_commit(second)] == [number]
    assert hub.pull_requests_of_commit(branches.tip("main")) == []


@pytest.mark.parametrize("squash", [pytest.param(False, id="merged"), pytest.param(True, id="squashed")])
def test_the_pull_request_that_brought_a_run_in_is_that_of_its_first_commit(double, branches, squash):
    branches.write({"notes.txt": b"1", B: b"1"}, branch="a-run")
    number = double.add_pull_request("a-run")
    double.state.merge(number, squash=squash)
    branches.write({B: b"2"}, message="figures")
    hub = client(double)
    sha = hub.first_commit_of_path(B, "main")
    (found,) = hub.pull_requests_of_commit(sha)
    assert (found.number, found.state, found.merged) == (number, "closed", True)


def test_first_commit_of_path__is_the_last_of_all_pages(double, branches):
    first = branches.tip()
    by = b"committer person <person@example.com> 1767621600 +0000\ndata 0\n"
    commits = [b"commit refs/heads/main\n%bM 644 inline README.md\ndata 3\n%03d\n" % (by, n) for n in range(101)]
    commits[0] = commits[0].replace(b"M 644", b"from %b\nM 644" % first.encode())
    git(branches.bare, "fast-import", "--quiet", stdin=b"".join(commits))
    assert client(double).first_commit_of_path("README.md", "main") == first
    assert len(double.requests) == 2


def test_first_commit_of_path__that_is_not_there_is_none(double, branches):
    assert client(double).first_commit_of_path(B, "main") is None


def test_pull_request_files__as_the_pull_request_leaves_them(double, branches):
    branches.write({A: None, "README.md": None, "ours.md": b"ours\n", B: b"{}"}, branch="a-run")
    number = double.add_pull_request("a-run")
    assert client(double).pull_request_files(number) == ["ours.md", B]


def test_create_pull_request__then_change_and_close_it(double, branches):
    branches.write({B: b"1"}, branch="reconcile/usage")
    hub = client(double)
    made = hub.create_pull_request("reconcile/usage", "main", "Usage", "figures", draft=True)
    assert (made.head_ref, made.base_ref, made.head_sha) == ("reconcile/usage", "main", branches.tip("reconcile/usage"))
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
def test_create_pull_request__refused_in_githubs_words(double, branches, head, shown):
    branches.write({B: b"1"}, branch="reconcile/usage")
    branches.move("same", "main")
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


def test_commit_on_branch__lands_whole_files_and_nothing_else(double, branches):
    before = branches.tip()
    changes = {A: b'{"a": 1}\r\n', "runs/x y/\u00fc/metrics.json": bytes(range(256))}
    made = client(double).commit_on_branch("main", before, "Usage of 2 runs", "chatdev/a\n\nmore", changes)
    assert made == branches.tip()
    assert git(branches.bare, "rev-parse", f"{made}^") == before
    assert git(branches.bare, "log", "-1", "--format=%B", made) == "Usage of 2 runs\n\nchatdev/a\n\nmore"
    assert git(branches.bare, "log", "-1", "--format=%an|%cn", made) == "github-actions[bot]|GitHub"
    assert git(branches.bare, "diff", "--name-only", "-z", before, made).split("\0")[:-1] == sorted(changes)
    for path, data in changes.items():
        assert git(branches.bare, "rev-parse", f"{made}:{path}") == git(
            branches.bare, "hash-object", "--stdin", stdin=data
        )


def test_commit_on_branch__a_branch_that_has_moved_on_is_a_lost_race(double, branches):
    stale = branches.tip()
    tip = branches.write({B: b"by a person"})
    assert client(double).commit_on_branch("main", stale, "Usage", "", {A: b"{}"}) is None
    assert branches.tip() == tip


def test_commit_on_branch__a_push_between_the_look_and_the_write_is_a_lost_race(double, branches, monkeypatch):
    stale, theirs = branches.tip(), []
    monkeypatch.setattr("support.github.graphql._moved", lambda *_: bool(theirs.append(branches.write({B: b"1"}))))
    assert client(double).commit_on_branch("main", stale, "Usage", "", {A: b"{}"}) is None
    assert [branches.tip()] == theirs


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
def test_commit_on_branch__an_error_in_the_answer_is_no_commit(double, branches, entry, code, shown):
    double.script(errors(entry))
    error = refused(client(double).commit_on_branch, "main", NOWHERE, "Usage", "", {A: b"{}"})
    assert error.code == code
    assert shown in error.message
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"data": None},
        {"data": {"createCommitOnBranch": None}},
        {"data": {"createCommitOnBranch": {"commit": None}}},
        {"data": {"createCommitOnBranch": {"commit": {"oid": 7}}}},
        {"data": {"createCommitOnBranch": {"commit": {"oid": "main"}}}},
        {"errors": "all"},
    ],
)
def test_commit_on_branch__an_answer_without_a_commit_is_none(double, answer):
    double.script(Reply(200, json.dumps(answer).encode()))
    assert refused(client(double).commit_on_branch, "main", NOWHERE, "Usage", "", {}).code == "unexpected_shape"


@pytest.mark.parametrize(
    ("branch", "prepare", "code", "words"),
    [
        pytest.param("gone", lambda _: None, "not_found", ("No such branch", "names"), id="no-such-branch"),
        pytest.param(
            "main",
            lambda double: double.state.rules.update(main=[{"type": "pull_request"}]),
            "push_refused_by_rule",
            ("Changes must be made through a pull request.", "mode: pull-request"),
            id="a-ruleset",
        ),
        pytest.param(
            "main",
            lambda double: setattr(double, "permissions", READ_ONLY),
            "missing_permission",
            ("Resource not accessible by integration", "`contents: write`"),
            id="no-permission",
        ),
    ],
)
def test_commit_on_branch__refused(double, branches, branch, prepare, code, words):
    prepare(double)
    error = refused(client(double).commit_on_branch, branch, branches.tip(), "Usage", "", {A: b"{}"})
    assert error.code == code
    for part, shown in zip((error.message, error.remedy), words, strict=True):
        assert shown in part


# -------------------------------------------------------------------------------------------------- workflows


def test_workflows__with_their_states_and_their_last_scheduled_run(double):
    double.state.workflows += [
        Workflow(".github/workflows/ci.yml"),
        Workflow(".github/workflows/reconcile.yml", "disabled_inactivity", "2026-01-05T14:17:00Z"),
    ]
    hub = client(double)
    never, reconcile = hub.workflows()
    assert (reconcile.path, reconcile.state) == (".github/workflows/reconcile.yml", "disabled_inactivity")
    assert hub.last_scheduled(never) is None
    assert hub.last_scheduled(reconcile) == datetime(2026, 1, 5, 14, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        '{"workflows": {}}',
        '{"workflow_runs": [{"created_at": "soon"}]}',
        '{"workflow_runs": [{"created_at": "2026-01-05T14:17:00"}]}',
    ],
)
def test_workflows__an_answer_of_another_shape_is_no_answer(double, body):
    double.script(Reply(200, body.encode()))
    hub = client(double)
    asked = hub.workflows if "workflows" in body else lambda: hub.last_scheduled(Listed(id=1, path="", state="active"))
    assert refused(asked).code == "unexpected_shape"
