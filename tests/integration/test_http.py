"""The HTTP adapter by itself: where the key may go, what is believed of a reply, and what the libraries raise."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
import responses

from reconcile.errors import ConfigurationError, ProviderError
from reconcile.providers import transport
from reconcile.providers.transport import Http, HttpAnswer, Patience
from reconcile.simulator import faults
from reconcile.simulator.calls import Ledger
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator

KEY = "sk-admin-never-shown"
ELSEWHERE = "https://usage.example/v1"
ONCE = Patience(tries=1, read_timeout=5)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger(), admin_key=KEY) as simulator:
        yield simulator


def address(simulator: Simulator) -> str:
    return f"{simulator.base_url}/organization/usage/completions"


def failure(url: str, patience: Patience = ONCE) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        Http(url, KEY, patience).get([("start_time", "0")])
    assert KEY not in caught.value.message + caught.value.remedy + repr(caught.value)
    return caught.value


# ------------------------------------------------------------------------------------------ the key


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param(f"{KEY}\n", id="line-break-after"),
        pytest.param(f"{KEY}\r\nX-Injected: 1", id="header-injected"),
        pytest.param(f" {KEY}", id="space-before"),
        pytest.param(f"{KEY}\x00", id="control-character"),
        pytest.param(f"{KEY}\x7f", id="delete"),
        pytest.param(f"{KEY}é", id="latin-letter"),
        pytest.param(f"{KEY}\u2013", id="dash-of-a-word-processor"),
        pytest.param(f"{KEY}\ud800", id="half-a-character"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_before_a_request_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Http(ELSEWHERE, key, ONCE)
    assert caught.value.code == "malformed_key"
    assert "never" not in caught.value.message + caught.value.remedy + repr(caught.value)


@pytest.fixture
def trickle() -> Iterator[str]:
    """The address of a server that goes on sending a header, a byte at a time."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        over.set()
        thread.join()


def test_an_answer_that_never_ends_is_given_up(trickle: str) -> None:
    error = failure(trickle, Patience(tries=3, read_timeout=5, whole_timeout=0.4))
    assert error.code == "timed_out"
    assert "no whole answer in 0.4 s" in error.message


@responses.activate
def test_the_key_is_the_one_given_whatever_netrc_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine usage.example login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    responses.get(ELSEWHERE, body=b"{}")
    Http(ELSEWHERE, KEY, ONCE).get([])
    assert responses.calls[0].request.headers["Authorization"] == f"Bearer {KEY}"


def test_the_key_does_not_follow_a_redirect(simulator: Simulator) -> None:
    with Simulator(Ledger()) as other:
        simulator.script(faults.redirected(other.base_url))
        error = failure(address(simulator))
        assert (error.code, other.requests) == ("redirected", [])
        assert other.base_url in error.message


def test_the_key_is_in_no_log_and_no_repr(simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = Http(address(simulator), KEY, ONCE)
    client.get([("start_time", "0")])
    assert "start_time=0" in caplog.text, "the log of urllib3 was not caught"
    assert KEY not in caplog.text
    assert KEY not in repr(client)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("http://usage.example/v1", "insecure_base_url", id="clear-text"),
        pytest.param("http://127.0.0.1.example/v1", "insecure_base_url", id="almost-loopback"),
        pytest.param("usage.example/v1", "malformed_base_url", id="no-scheme"),
        pytest.param("ftp://usage.example/v1", "malformed_base_url", id="another-scheme"),
        pytest.param("https:///v1", "malformed_base_url", id="no-host"),
        pytest.param("https://somebody:secret@usage.example/v1", "malformed_base_url", id="password"),
        pytest.param("https://usage.example/v1?key=secret", "malformed_base_url", id="query"),
        pytest.param("https://[usage.example/v1", "malformed_base_url", id="half-a-bracket"),
        pytest.param("https://usage.example:port/v1", "malformed_base_url", id="port-of-letters"),
        pytest.param("", "malformed_base_url", id="empty"),
    ],
)
def test_the_key_goes_only_where_it_is_safe(url: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Http(url, KEY, ONCE)
    assert caught.value.code == code
    assert "secret" not in caught.value.message
    assert "https" in caught.value.remedy


# ------------------------------------------------------------------------------------------ the way there


def test_a_proxy_is_not_asked_for_this_machine(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Http(address(simulator), KEY, ONCE).get([("start_time", "0"), ("limit", "1")]).status == 200


def test_a_proxy_is_asked_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    error = failure(ELSEWHERE)
    assert (error.code, "proxy" in error.message) == ("unreachable", True)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with Simulator(Ledger()) as gone:
        url = address(gone)
    assert failure(url).code == "unreachable"


def test_a_connection_that_is_not_tls_is_not_trusted(simulator: Simulator) -> None:
    error = failure(address(simulator).replace("http:", "https:"))
    assert (error.code, "REQUESTS_CA_BUNDLE" in error.remedy) == ("tls_failed", True)


def test_certificates_that_are_not_there_are_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """requests raises a bare OSError here, before anything is sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "nowhere.pem")
    error = failure(ELSEWHERE)
    assert (error.code, "nowhere.pem" in error.message) == ("request_failed", True)


@pytest.mark.parametrize("host", [pytest.param("a..b", id="empty-label"), pytest.param("a" * 64, id="label-too-long")])
def test_a_host_name_that_cannot_be_is_no_crash(host: str) -> None:
    """urllib3's own errors, and those of the IDNA codec, leak through requests."""
    assert failure(f"https://{host}.invalid/v1").code == "request_failed"


# ------------------------------------------------------------------------------------------ what comes back


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b'{"data": [', id="cut-inside"),
        pytest.param(b'{"value": NaN}', id="not-a-number"),
        pytest.param(b'{"value": -Infinity}', id="infinity"),
        pytest.param(b'{"a": ' * 100_000, id="too-deep"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="too-many-digits"),
        pytest.param(b'{"a": "\xff"}', id="not-utf-8"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(simulator: Simulator, body: bytes) -> None:
    simulator.script(faults.instead(Reply(200, body)))
    client = Http(address(simulator), KEY, ONCE)
    answer = client.get([])
    with pytest.raises(ProviderError, match=f"{len(body)} bytes") as caught:
        client.json_object(answer.body)
    assert caught.value.code == "not_json"


def test_a_body_of_any_size_is_not_swallowed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_BYTES", 1000)
    simulator.script(faults.instead(Reply(200, b"x" * 1000)), faults.instead(Reply(200, b"x" * 1001)))
    assert Http(address(simulator), KEY, ONCE).get([]) == HttpAnswer(200, b"x" * 1000, 0)
    error = failure(address(simulator))
    assert (error.code, "1000 bytes" in error.message) == ("answer_too_large", True)


def test_a_body_that_cannot_be_unpacked_is_not_whole(simulator: Simulator) -> None:
    simulator.script(faults.instead(Reply(200, b"no gzip", headers=(("Content-Encoding", "gzip"),))))
    assert failure(address(simulator)).code == "unreachable"


def test_text_from_outside_is_quoted_on_one_short_line() -> None:
    hostile = f"\x1b[31m::error::\r\n{KEY}\u202e\ud800" + "x" * 300
    quoted = Http(ELSEWHERE, KEY, ONCE).quoted(hostile)
    assert quoted.startswith(r"\x1b[31m::error::\r\n[key]\u202e\ud800xxx")
    assert quoted.endswith("xxx...")
    assert len(quoted) < 240


# ------------------------------------------------------------------------------------------ patience


@pytest.mark.parametrize(
    ("luck", "waits"),
    [
        pytest.param(0.0, [1, 2, 4, 8, 16, 30, 30], id="longest"),
        pytest.param(1.0, [0.5, 1, 2, 4, 8, 15, 15], id="shortest"),
    ],
)
def test_waits_double_up_to_half_a_minute(simulator: Simulator, luck: float, waits: list[float]) -> None:
    slept: list[float] = []
    simulator.script(*[faults.server_error()] * 8)
    failure(address(simulator), Patience(tries=8, sleep=slept.append, random=lambda: luck))
    assert slept == waits


def test_the_last_try_is_not_waited_for(simulator: Simulator) -> None:
    slept: list[float] = []
    simulator.script(faults.rate_limited("5"))
    failure(address(simulator), Patience(tries=1, sleep=slept.append))
    assert slept == []
