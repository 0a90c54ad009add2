"""The simulator answers as the usage API was recorded to: over real HTTP where a client would notice."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from threading import Thread
from typing import Any

import pytest
import requests

from reconcile.errors import UsageError
from reconcile.minutes import instant
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.server import ADMIN_KEY, Simulator, move
from reconcile.usage import Usage

START = int(datetime(2026, 1, 5, 14, 0, tzinfo=UTC).timestamp())
NOW = START + 86400
DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")


def call(second: float, **facts: Any) -> BilledCall:
    known = {"tokens_in": 100, "tokens_out": 10, "api_key_id": "key_a", "model": "gpt-4o-mini-2024-07-18"}
    return BilledCall(at=START + second, **(known | facts))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    calls = (call(0), call(59.9), call(60, api_key_id="key_b"), call(180, batch=True, project_id="proj_other"))
    with Simulator(Ledger(calls), now=instant(NOW)) as simulator:
        yield simulator


def ask(simulator: Simulator, *pairs: tuple[str, object], key: str = ADMIN_KEY) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            f"{simulator.base_url}/organization/usage/completions",
            params=[(name, str(value)) for name, value in pairs],
            headers={"Authorization": f"Bearer {key}"},
            timeout=5,
        )


def page(simulator: Simulator, start: float, end: float, *pairs: tuple[str, object]) -> dict[str, Any]:
    response = ask(simulator, ("start_time", start), ("end_time", end), ("bucket_width", "1m"), *pairs)
    assert response.status_code == 200, response.text
    return response.json()


def requests_counted(answer: dict[str, Any]) -> int:
    return sum(row["num_model_requests"] for bucket in answer["data"] for row in bucket["results"])


# --------------------------------------------------------------------------------------- minutes and buckets


@pytest.mark.parametrize(
    ("start", "end", "counted"),
    [
        pytest.param(0, 0, 0, id="no-time-no-minute"),
        pytest.param(0, 60, 2, id="a-whole-minute"),
        pytest.param(0, 1, 2, id="its-first-second-counts-all-of-it"),
        pytest.param(1, 60, 0, id="without-its-first-second-none-of-it"),
        pytest.param(1, 61, 1, id="unaligned-start-loses-its-minute"),
        pytest.param(0, 61, 3, id="end-after-the-boundary-takes-the-next-minute-whole"),
    ],
)
def test_a_minute_counts_when_its_first_second_is_asked_for(
    simulator: Simulator, start: int, end: int, counted: int
) -> None:
    assert requests_counted(page(simulator, START + start, START + end)) == counted


def test_buckets_are_contiguous_and_empty_ones_have_no_results(simulator: Simulator) -> None:
    answer = page(simulator, START, START + 240)
    labels = [(bucket["start_time"] - START, bucket["end_time"] - START) for bucket in answer["data"]]
    assert labels == [(0, 60), (60, 120), (120, 180), (180, 240)]
    assert [len(bucket["results"]) for bucket in answer["data"]] == [1, 1, 0, 1]
    assert (answer["has_more"], answer["next_page"]) == (False, None)


def test_buckets_of_a_month_are_clipped_as_recorded(simulator: Simulator) -> None:
    """The cookbook's request of 2025-02-10: 30 days to now by the day, 7 a page."""
    simulator.set_now(instant(1739208663.4))
    asked = [("start_time", 1739208663 - 30 * 86400), ("bucket_width", "1d"), ("limit", 7)]
    labels: list[tuple[int, int]] = []
    cursor: list[tuple[str, object]] = []
    for _ in range(5):
        answer = ask(simulator, *asked, *cursor).json()
        labels += [(bucket["start_time"], bucket["end_time"]) for bucket in answer["data"]]
        cursor = [("page", answer["next_page"])]
    assert (len(labels), answer["has_more"]) == (31, False)
    assert labels[0] == (1736616660, 1736640000)
    assert labels[-1] == (1739145600, 1739208663)
    assert all(before[1] == after[0] for before, after in pairwise(labels))


@pytest.mark.parametrize(
    ("width", "default", "most"),
    [
        pytest.param("1m", 60, 1440, id="minutes"),
        pytest.param("1h", 24, 168, id="hours"),
        pytest.param("1d", 7, 31, id="days"),
    ],
)
def test_a_page_has_a_default_and_a_largest_size(simulator: Simulator, width: str, default: int, most: int) -> None:
    asked = [("start_time", START - 60 * 86400), ("bucket_width", width)]
    assert len(ask(simulator, *asked).json()["data"]) == default
    assert len(ask(simulator, *asked, ("limit", most)).json()["data"]) == most
    above = ask(simulator, *asked, ("limit", most + 1))
    assert (above.status_code, str(most) in above.json()["error"]["message"]) == (400, True)


# ------------------------------------------------------------------------------------- grouping and filters


def test_rows_are_one_a_group_and_ungrouped_dimensions_are_null(simulator: Simulator) -> None:
    answer = page(simulator, START, START + 240, ("group_by", "api_key_id"))
    rows = [{name: row[name] for name in DIMENSIONS} for bucket in answer["data"] for row in bucket["results"]]
    nulls = dict.fromkeys(DIMENSIONS)
    assert rows == [nulls | {"api_key_id": key} for key in ("key_a", "key_b", "key_a")]


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param([("group_by", "model"), ("group_by", "batch")], id="repeated"),
        pytest.param([("group_by[]", "model"), ("group_by[]", "batch")], id="brackets"),
        pytest.param([("group_by", "model,batch")], id="commas"),
    ],
)
def test_lists_may_be_spelled_in_three_ways(simulator: Simulator, spelling: list[tuple[str, object]]) -> None:
    answer = page(simulator, START + 180, START + 240, *spelling)
    row = answer["data"][0]["results"][0]
    assert (row["model"], row["batch"], row["api_key_id"]) == ("gpt-4o-mini-2024-07-18", True, None)


@pytest.mark.parametrize(
    ("pairs", "counted"),
    [
        pytest.param([("api_key_ids", "key_b")], 1, id="key"),
        pytest.param([("api_key_ids", "key_a,key_b")], 4, id="keys"),
        pytest.param([("project_ids", "proj_other")], 1, id="project"),
        pytest.param([("models", "gpt-4o-mini")], 0, id="an-alias-is-no-snapshot"),
        pytest.param([("batch", "true")], 1, id="batch"),
        pytest.param([("batch", "false")], 3, id="no-batch"),
        pytest.param([("user_ids", "user_a")], 0, id="nobody-is-a-user"),
        pytest.param([("unheard_of", "x")], 4, id="unknown-parameters-are-ignored"),
    ],
)
def test_filters_select(simulator: Simulator, pairs: list[tuple[str, object]], counted: int) -> None:
    assert requests_counted(page(simulator, START, START + 240, *pairs)) == counted


# ----------------------------------------------------------------------------------------------- cursors


def test_a_cursor_keeps_the_end_that_was_now_when_the_first_page_was_asked_for(simulator: Simulator) -> None:
    simulator.set_now(instant(START + 180))
    asked = [("start_time", START), ("bucket_width", "1m"), ("limit", 2)]
    first = ask(simulator, *asked).json()
    simulator.set_now(instant(NOW))
    second = ask(simulator, *asked, ("page", first["next_page"])).json()
    assert [bucket["start_time"] for bucket in second["data"]] == [START + 120]
    assert second["has_more"] is False


@pytest.mark.parametrize("change", [("limit", 3), ("api_key_ids", "key_a"), ("page", "page_nonsense")])
def test_a_cursor_serves_only_the_query_it_was_given_for(simulator: Simulator, change: tuple[str, object]) -> None:
    asked: dict[str, object] = {"start_time": START, "end_time": START + 240, "bucket_width": "1m", "limit": 2}
    cursor = ask(simulator, *asked.items()).json()["next_page"]
    answer = ask(simulator, *(asked | {"page": cursor} | dict([change])).items())
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "page")


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("pairs", "param", "code"),
    [
        pytest.param([("start_time", 1767621600.5)], "start_time", "invalid_type", id="float-start"),
        pytest.param([("start_time", "today")], "start_time", "invalid_type", id="start-in-words"),
        pytest.param([], None, "invalid_request_error", id="no-start"),
        pytest.param([("start_time", START), ("end_time", "x")], "end_time", "invalid_type", id="end-in-words"),
        pytest.param([("start_time", START), ("end_time", 0)], "end_time", "invalid_request_error", id="backwards"),
        pytest.param([("start_time", START), ("end_time", NOW + 1)], "end_time", "invalid_request_error", id="future"),
        pytest.param([("start_time", START), ("limit", 0)], None, "invalid_request_error", id="limit-of-none"),
        pytest.param([("start_time", START), ("bucket_width", "5m")], "bucket_width", "invalid_request_error", id="5m"),
        pytest.param([("start_time", START), ("group_by", "mood")], "group_by", "invalid_request_error", id="mood"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_400(
    simulator: Simulator, pairs: list[tuple[str, object]], param: str | None, code: str
) -> None:
    answer = ask(simulator, *pairs)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)


def test_a_wrong_key_is_a_401(simulator: Simulator) -> None:
    answer = ask(simulator, ("start_time", START), key="sk-admin-wrong")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_script_is_played_once_in_its_order(simulator: Simulator) -> None:
    simulator.script(faults.server_error(500), None, faults.not_found)
    asked = ("start_time", START)
    assert [ask(simulator, asked).status_code for _ in range(4)] == [500, 200, 404, 200]
    assert [request.params for request in simulator.requests] == [[("start_time", str(START))]] * 4


def test_a_dip_loses_every_other_minute(simulator: Simulator) -> None:
    simulator.script(faults.dip)
    assert requests_counted(page(simulator, START, START + 240)) == 1


def test_only_usage_costs_keys_and_the_clock_are_served(simulator: Simulator) -> None:
    users = requests.get(f"{simulator.base_url}/organization/users", timeout=5, proxies={"http": ""})
    chat = requests.post(f"{simulator.base_url}/chat/completions", data="{}", timeout=5, proxies={"http": ""})
    assert (users.status_code, chat.status_code) == (404, 404)


def test_a_port_that_is_taken_is_a_usage_error(simulator: Simulator) -> None:
    port = int(simulator.base_url.split(":")[2].removesuffix("/v1"))
    with pytest.raises(UsageError, match=str(port)):
        Simulator(Ledger(), port=port)


# ------------------------------------------------------------------------------------------------- clock


def test_a_call_shows_from_its_instant_on(simulator: Simulator) -> None:
    simulator.ledger.add([call(10, visible_at=START + 900.0)])
    seen = []
    for second in (899, 900):
        simulator.set_now(instant(START + second))
        seen.append(requests_counted(page(simulator, START, START + 60)))
    assert seen == [2, 3]
    assert simulator.ledger.truth("key_a", START, START + 60) == Usage(300, 30, 0, 3)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param('{"now": "2026-01-05T15:00:00Z"}', 200, id="an-instant"),
        pytest.param('{"now": "2026-01-05T15:00:00"}', 400, id="no-offset"),
        pytest.param('{"now": "later"}', 400, id="no-instant"),
        pytest.param('{"now": 5}', 400, id="a-number"),
        pytest.param("[]", 400, id="no-object"),
        pytest.param("{", 400, id="no-json"),
    ],
)
def test_another_process_can_move_the_clock(simulator: Simulator, body: str, status: int) -> None:
    url = simulator.base_url.replace("/v1", "/simulator/now")
    answer = requests.post(url, data=body, timeout=5, proxies={"http": ""})
    assert answer.status_code == status
    assert simulator.now == (START + 3600 if status == 200 else NOW)


def test_what_speaks_no_http_is_left_as_it_is() -> None:
    def hang_up() -> None:
        connection, _ = other.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")

    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = Thread(target=hang_up)
        answering.start()
        move(f"http://127.0.0.1:{other.getsockname()[1]}/v1", instant(NOW))
        answering.join()


def test_the_clock_can_be_given_back_to_real_time(simulator: Simulator) -> None:
    url = simulator.base_url.replace("/v1", "/simulator/now")
    requests.post(url, data='{"now": null}', timeout=5, proxies={"http": ""})
    assert abs(simulator.now - datetime.now(UTC).timestamp()) < 60
