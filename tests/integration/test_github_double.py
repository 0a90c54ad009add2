"""The double of GitHub notices what GitHub's description does not allow: without that, tests on it prove little."""

import pytest
import requests
from support.github import TOKEN, GitHubDouble

HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "a test",
    "Authorization": f"Bearer {TOKEN}",
}
ROOT = "/repos/octo/science"


@pytest.fixture
def double():
    with GitHubDouble() as double:
        double.add_pull_request("a-run")
        yield double


def send(double, method, path, body=None, **headers):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, double.url + path, json=body, headers=HEADERS | headers, timeout=5)


def query(
    text="mutation ($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }",
    **changes,
):
    wanted = {
        "branch": {"repositoryNameWithOwner": "octo/science", "branchName": "main"},
        "expectedHeadOid": "0" * 40,
        "message": {"headline": "Usage"},
        "fileChanges": {"additions": [{"path": "a", "contents": "e30="}]},
    }
    return {"query": text, "variables": {"input": wanted | changes}}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", f"{ROOT}/issues/1/comments?per_page=100", None, id="comments"),
        pytest.param("GET", f"{ROOT}/pulls?state=all&base=main", None, id="pull-requests"),
        pytest.param("POST", f"{ROOT}/issues", {"title": "x", "labels": ["a"]}, id="an-issue"),
        pytest.param("POST", "/graphql", query(), id="a-commit"),
    ],
)
def test_what_is_described_is_answered(double, method, path, body):
    assert send(double, method, path, body).ok
    assert double.violations == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("GET", f"{ROOT}/issues/1/comments?per_pages=100", None, id="misspelt-parameter"),
        pytest.param("GET", f"{ROOT}/issues/1/comments?per_page=many", None, id="parameter-of-another-type"),
        pytest.param("GET", f"{ROOT}/issues/1/comments?page=1&page=2", None, id="parameter-twice"),
        pytest.param("GET", f"{ROOT}/pulls?state=opened", None, id="word-of-no-list"),
        pytest.param("GET", f"{ROOT}/pulls?sort=", None, id="empty-word"),
        pytest.param("GET", f"{ROOT}/branches/main", None, id="operation-that-is-not-served"),
        pytest.param("DELETE", f"{ROOT}/issues/comments/1000", None, id="method-that-is-not-served"),
        pytest.param("GET", f"{ROOT}/pulls/1", {"state": "open"}, id="body-where-none-is-described"),
        pytest.param("POST", f"{ROOT}/issues/1/comments", None, id="no-body-where-one-is"),
        pytest.param("POST", f"{ROOT}/issues/1/comments", {"text": "x"}, id="member-missing"),
        pytest.param("POST", f"{ROOT}/issues/1/comments", {"body": 7}, id="member-of-another-type"),
        pytest.param("POST", f"{ROOT}/issues", {"title": "x", "label": "a"}, id="member-that-is-not-described"),
        pytest.param("PATCH", f"{ROOT}/pulls/1", {"state": "merged"}, id="member-of-no-list"),
        pytest.param("POST", "/graphql", query("mutation {"), id="no-graphql"),
        pytest.param("POST", "/graphql", query("{ viewer { login } }"), id="field-that-is-not-described"),
        pytest.param("POST", "/graphql", query(expectedHeadOid=None), id="variable-missing"),
        pytest.param("POST", "/graphql", query(expectedHeadOid="main"), id="no-object-id"),
        pytest.param("POST", "/graphql", query(author="me"), id="variable-that-is-not-described"),
        pytest.param("POST", "/graphql", query() | {"extra": 1}, id="member-beside-the-query"),
    ],
)
def test_a_request_that_is_not_described_is_noticed(double, method, path, body):
    assert send(double, method, path, body).status_code == 500
    assert len(double.violations) == 1


@pytest.mark.parametrize("header", ["Accept", "X-GitHub-Api-Version", "User-Agent"])
def test_a_header_that_github_wants_is_missed(double, header):
    assert send(double, "GET", ROOT, **{header: ""}).status_code == 500
    assert len(double.violations) == 1


@pytest.mark.parametrize("title", [7, None])
def test_an_answer_that_is_not_described_is_noticed(double, title):
    double.state.threads[1].title = title
    assert send(double, "GET", f"{ROOT}/pulls/1").status_code == 500
    assert len(double.violations) == 1


def test_an_answer_with_more_than_is_described_is_noticed(double):
    double.state.rules["main"] = [{"type": "deletion", "unheard-of": 1}]
    assert send(double, "GET", f"{ROOT}/rules/branches/main").status_code == 500
    assert len(double.violations) == 1
