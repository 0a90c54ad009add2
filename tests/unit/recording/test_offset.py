"""The provider's clock, from whole seconds of its responses."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import NOON

from reconcile.recording.clocks import MOST, Offset, offset_in, together
from reconcile.recording.endpoints import host_of, is_provider, provider_of

DATE = "Mon, 05 Jan 2026 12:00:00 GMT"
HOST = "api.openai.com"


def measured(ahead, *calls):
    """What calls say of a clock that is ahead by so many seconds: each sent, answered and come at these instants."""
    return together(Offset.of(date(answered + ahead), sent, come, HOST) for sent, answered, come in calls)


def date(moment):
    return datetime.fromtimestamp(int(moment // 1), UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_a_response_leaves_the_second_of_its_date_and_the_time_it_took():
    found = Offset.of(DATE, NOON - 10.2, NOON - 10, HOST)
    assert found.now == pytest.approx((10, 11.2))


def test_responses_leave_what_all_of_them_allow():
    found = measured(0.5, (NOON, NOON + 0.1, NOON + 0.2), (NOON + 0.45, NOON + 0.55, NOON + 0.65))
    assert (found.now, found.responses) == (pytest.approx((0.35, 1)), 2)
    assert found.clock["source"] == "Date of 2 responses of api.openai.com"


@given(
    ahead=st.floats(-3600, 3600),
    calls=st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=20),
)
def test_the_true_offset_lies_within_what_is_said(ahead, calls):
    times = [(NOON + at, NOON + at + there, NOON + at + there + back) for at, there, back in calls]
    clock = measured(ahead, *times).clock
    assert abs(clock["offset_seconds"] - ahead) <= clock["uncertainty_seconds"] + 1e-6


def test_where_a_clock_was_set_the_offset_may_be_what_it_was_before_and_after():
    clock = (Offset.of(DATE, NOON, NOON, HOST) + Offset.of(DATE, NOON - 100, NOON - 100, HOST)).clock
    assert (clock["offset_seconds"], clock["uncertainty_seconds"]) == (50.5, 50.5)
    assert clock["source"].endswith("they do not agree, a clock was set")


def test_a_response_that_took_long_adds_nothing_where_a_clock_was_set():
    slow = (NOON - 300, NOON - 1, NOON)
    found = measured(0, slow, (NOON, NOON, NOON)) + measured(5, (NOON, NOON, NOON), slow)
    assert (found.before, found.now) == ((0, 1), (5, 6))


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_date_that_is_none_says_nothing(text):
    assert Offset.of(text, NOON, NOON, HOST) is None


def test_an_offset_of_more_than_two_days_is_none():
    assert Offset.of(DATE, NOON - MOST - 9, NOON - MOST - 9, HOST) is None


def test_a_clock_that_was_set_during_the_call_says_nothing():
    assert Offset.of(DATE, NOON, NOON - 100, HOST) is None


def test_an_offset_survives_the_journal():
    found = Offset.of(DATE, NOON, NOON + 0.25, HOST) + Offset.of(DATE, NOON - 9, NOON - 9, HOST)
    assert found.before
    assert offset_in(json.loads(json.dumps(found.line))) == found


@pytest.mark.parametrize(
    "members",
    [
        {"now": None},
        {"hosts": "a"},
        {"now": [0, 2 * MOST]},
        {"now": [5, 1]},
        {"before": [0, float("nan")]},
        {"now": []},
    ],
    ids=str,
)
def test_a_line_that_tells_no_offset_is_refused(members):
    line = {**Offset.of(DATE, NOON, NOON, HOST).line, **members}
    with pytest.raises((ValueError, TypeError)):
        offset_in(line)


def test_the_source_is_no_longer_than_a_file_may_have_it():
    hosts = tuple(f"{number}.{'x' * 57}" for number in range(5))
    found = Offset(now=(0, 1), before=(2, 3), responses=5, hosts=hosts)
    assert len(found.clock["source"]) == 200


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("api.openai.com", True),
        ("eu.api.openai.com", True),
        ("API.ANTHROPIC.COM", True),
        ("openrouter.ai", True),
        ("mine.openai.azure.com", True),
        ("gateway.example", False),
        ("api.openai.com.example", False),
        ("127.0.0.1", False),
    ],
)
def test_a_host_is_a_providers_own_by_its_name(host, own):
    assert is_provider(host, {}) is own


@pytest.mark.parametrize(
    ("host", "name"),
    [("eu.api.openai.com", "openai"), ("mine.openai.azure.com", "azure"), ("myapi.openai.com", None), ("", None)],
)
def test_a_provider_has_a_name(host, name):
    assert provider_of(host) == name


@pytest.mark.parametrize(
    ("address", "own"),
    [("http://127.0.0.1:8080/v1", True), ("https://api.openai.com/v1", False), ("http://[", False), ("", False)],
)
def test_this_machine_is_a_providers_own_where_the_address_of_the_usage_api_is_on_it(address, own):
    assert is_provider("127.0.0.1", {"RECONCILE_OPENAI_URL": address}) is own


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://api.openai.com/v1/", "api.openai.com"),
        ("https://api.openai.com:443/v1/", "api.openai.com"),
        ("http://127.0.0.1:8080/v1", "127.0.0.1:8080"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
        ("http://[", ""),
        ("nonsense", ""),
    ],
)
def test_a_host_is_named_as_in_a_request(address, host):
    assert host_of(address) == host
