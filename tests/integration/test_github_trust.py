"""Where the GitHub adapter sends its token, and what it believes: links, names, and answers that were tampered with."""

import json
from dataclasses import replace
from random import Random

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from support.git import Forge, make_forge
from support.github import BOT, TOKEN, GitHubDouble
from support.github.bench import NOWHERE, A, B, client, refused, says
from support.worlds import examples

from reconcile.errors import ConfigurationError, GitHubError
from reconcile.github.client import GitHub
from reconcile.github.values import Rule
from reconcile.github.wire import Token
from reconcile.simulator.replies import Reply

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
        pytest.param("", id="nothing"),
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


@pytest.mark.parametrize("value", ["", "<", ">;;=", '<{url}>; rel="prev"', "<{url}>; rel"])
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


def test_enterprise_server_has_both_apis_below_one_path(double, branches):
    branches.write({B: b"1"}, branch="a-run")
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


def test_an_entry_in_netrc_does_not_take_the_tokens_place(tmp_path, monkeypatch):
    """The double is on loopback, where nothing of the environment counts; so the request is only made, not sent."""
    (tmp_path / "netrc").write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with requests.Session() as session:
        made = session.prepare_request(requests.Request("GET", "https://api.github.com", auth=Token(TOKEN)))
    assert made.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_is_not_asked_for_this_machine(double, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
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
    "issues": lambda hub: [issue for issue in hub.open_issues() if "/pull/" not in issue.url],  # told by one member
    "rules": lambda hub: [rule.type for rule in hub.rules("ruled")],
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
        double.state.rules["ruled"] = [{"type": "pull_request"}, {"type": "deletion"}]
        yield double
    assert double.violations == []


@pytest.fixture(scope="module")
def right_values():
    """What each reading gives without a fault, as soon as it was asked for."""
    return {}


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


@examples(250)
@given(reading=st.sampled_from(sorted(READINGS)), seed=st.integers(0, 2**32))
def test_a_changed_answer_gives_the_same_values_or_an_error(full_double, right_values, reading, seed):
    hub = client(full_double)
    if reading not in right_values:
        right_values[reading] = READINGS[reading](hub)
    full_double.script(mutated(seed))
    try:
        found = READINGS[reading](hub)
    except GitHubError:
        return
    assert found == right_values[reading]


@examples(100)
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
