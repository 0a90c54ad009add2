"""The OpenAI provider against the simulator over real HTTP on loopback: what it asks, accepts and refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mutations import mutations
from support.worlds import examples

from reconcile.errors import ProviderError
from reconcile.minutes import Window
from reconcile.providers import transport
from reconcile.providers.base import Fetched, Query, Scope
from reconcile.providers.openai.completions import OpenAIUsage, curl_line
from reconcile.providers.transport import Patience
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.faults import Asking, Fault
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator
from reconcile.usage import Bucket, Usage, total

START = int(datetime(2026, 1, 5, 14, 0, tzinfo=UTC).timestamp())
NOW = datetime(2026, 1, 6, 14, 0, tzinfo=UTC)
WINDOW = Window(START, START + 600)
QUERY = Query("openai", WINDOW)
KEY = "sk-admin-simulated-and-never-shown"


def call(second: float, **facts: Any) -> BilledCall:
    known = {"tokens_in": 1000, "tokens_out": 200, "cached_tokens": 256, "api_key_id": "key_a", "model": "gpt-4o-mini"}
    return BilledCall(at=START + second, **(known | facts))


CALLS = (
    call(0),
    call(59.9, tokens_in=7, cached_tokens=0),
    call(60),
    call(60),
    call(61, api_key_id="key_b"),
    call(62, api_key_id=None, service_tier="flex"),
    call(300, model="o3-2025-04-16", project_id="proj_other"),
    call(599, batch=True),
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger(CALLS), now=NOW, admin_key=KEY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[Simulator]:
    """For properties, which run many examples in one test."""
    with Simulator(Ledger(CALLS), now=NOW, admin_key=KEY) as simulator:
        yield simulator


def provider(simulator: Simulator, slept: list[float] | None = None, **settings: Any) -> OpenAIUsage:
    waits = [] if slept is None else slept
    patience = Patience(tries=3, read_timeout=5, sleep=waits.append, random=lambda: 0.0)
    return OpenAIUsage(KEY, simulator.base_url, **({"patience": patience, "now": NOW} | settings))


def refused(simulator: Simulator, query: Query = QUERY, **settings: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider(simulator, **settings).fetch(query)
    assert KEY not in caught.value.message + caught.value.remedy
    return caught.value


def by_minute(fetched: Fetched) -> dict[int, Usage]:
    minutes = {bucket.minute for bucket in fetched.buckets}
    return {minute: total(b.usage for b in fetched.buckets if b.minute == minute) for minute in minutes}


# ------------------------------------------------------------------------------------------- what it reads


def test_fetch__every_row_of_every_minute_with_its_dimensions(simulator: Simulator) -> None:
    fetched = provider(simulator).fetch(QUERY)
    assert fetched.query == QUERY
    assert (fetched.pages, fetched.retries) == (1, 0)
    assert Counter(fetched.buckets) == Counter(
        [
            Bucket(START, Usage(1007, 400, 256, 2), "key_a", "gpt-4o-mini", "proj_simulated", False, "default", 0),
            Bucket(START + 60, Usage(2000, 400, 512, 2), "key_a", "gpt-4o-mini", "proj_simulated", False, "default", 0),
            Bucket(START + 60, Usage(1000, 200, 256, 1), "key_b", "gpt-4o-mini", "proj_simulated", False, "default", 0),
            Bucket(START + 60, Usage(1000, 200, 256, 1), None, "gpt-4o-mini", "proj_simulated", False, "flex", 0),
            Bucket(START + 300, Usage(1000, 200, 256, 1), "key_a", "o3-2025-04-16", "proj_other", False, "default", 0),
            Bucket(START + 540, Usage(1000, 200, 256, 1), "key_a", "gpt-4o-mini", "proj_simulated", True, "default", 0),
        ]
    )


def test_fetch__asks_for_whole_minutes_every_dimension_and_the_largest_page(simulator: Simulator) -> None:
    provider(simulator).fetch(Query("openai", WINDOW, ("key_a", "key_b")))
    (request,) = simulator.requests
    assert request.path == "/v1/organization/usage/completions"
    assert request.params == [
        ("start_time", "1767621600"),
        ("end_time", "1767622200"),
        ("bucket_width", "1m"),
        ("limit", "1440"),
        ("group_by", "project_id"),
        ("group_by", "api_key_id"),
        ("group_by", "model"),
        ("group_by", "batch"),
        ("group_by", "service_tier"),
        ("api_key_ids", "key_a"),
        ("api_key_ids", "key_b"),
    ]


def test_fetch__a_query_of_more_than_a_day_takes_a_second_page(simulator: Simulator) -> None:
    fetched = provider(simulator).fetch(Query("openai", Window(START - 86400 + 300, START + 360)))
    assert fetched.pages == 2
    assert total(b.usage for b in fetched.buckets) == Usage(6007, 1400, 1536, 7)


def test_fetch__reports_the_minutes_answered_after_each_page(simulator: Simulator) -> None:
    simulator.page_size = 4
    heard: list[tuple[int, int]] = []
    provider(simulator, on_progress=lambda answered, asked: heard.append((answered, asked))).fetch(QUERY)
    assert heard == [(4, 10), (8, 10), (10, 10)]


def test_fetch__rows_that_agree_in_everything_are_summed(simulator: Simulator) -> None:
    """A client that drops repeated rows, or indexes them by their dimensions, halves the second minute."""
    right = by_minute(provider(simulator).fetch(QUERY))
    simulator.script(faults.split_rows)
    fetched = provider(simulator).fetch(QUERY)
    assert max(Counter(fetched.buckets).values()) == 2
    assert by_minute(fetched) == right


def test_fetch__a_page_of_zeros_is_an_answer(simulator: Simulator) -> None:
    """A transient zero cannot be told from no usage by one reading; telling them apart is the settlement's."""
    simulator.script(faults.transient_zero)
    assert provider(simulator).fetch(QUERY).buckets == ()


@pytest.mark.parametrize(
    ("row", "cached", "written"),
    [
        pytest.param({"input_cached_tokens": 256, "input_uncached_tokens": 1}, 256, None, id="told"),
        pytest.param({"input_uncached_tokens": 700, "input_cache_write_tokens": 44}, 256, 44, id="told-by-what-is-not"),
        pytest.param(
            {"input_cached_tokens": None, "input_uncached_tokens": 744}, 256, None, id="null-and-no-cache-writes"
        ),
        pytest.param({}, 0, None, id="no-split-at-all"),
    ],
)
def test_fetch__cached_input_is_optional_in_the_specification(
    simulator: Simulator, row: dict[str, object], cached: int, written: int | None
) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 1, "num_model_requests": 1}
    result = {"object": "organization.usage.completions.result"} | counts | row
    simulator.script(faults.edited(lambda page: page["data"][0].update(results=[result])))
    bucket = provider(simulator).fetch(QUERY).buckets[0]
    assert bucket == Bucket(START, Usage(1000, 1, cached, 1), cache_write=written)


@pytest.mark.parametrize(
    ("told", "written"),
    [(0, 0), (44, 44), (744, 744), (745, None), (-1, None), (True, None), (1.0, None), ("44", None), (None, None)],
    ids=repr,
)
def test_fetch__what_was_written_to_a_cache_is_kept_where_it_can_be_true(
    simulator: Simulator, told: object, written: int | None
) -> None:
    """No figure rests on it: a row that says what cannot be is a row that does not tell."""
    simulator.script(faults.edited(lambda page: page["data"][5]["results"][0].update(input_cache_write_tokens=told)))
    bucket = next(each for each in provider(simulator).fetch(QUERY).buckets if each.minute == START + 300)
    assert (bucket.usage, bucket.cache_write) == (Usage(1000, 200, 256, 1), written)


@examples(250)
@given(
    seconds=st.lists(st.floats(0, 1800, exclude_max=True), max_size=12),
    minutes=st.integers(1, 30),
    page_size=st.integers(1, 31),
)
def test_fetch__the_size_of_pages_changes_nothing(
    shared_simulator: Simulator, seconds: list[float], minutes: int, page_size: int
) -> None:
    shared_simulator.ledger = Ledger(call(second) for second in seconds)
    shared_simulator.page_size = page_size
    window = Window(START, START + 60 * minutes)
    fetched = provider(shared_simulator).fetch(Query("openai", window))
    assert fetched.pages == -(-minutes // page_size)
    assert list(fetched.buckets) == shared_simulator.ledger.reported(window.start, window.end, NOW.timestamp())


# ------------------------------------------------------------------------------------------ what it refuses


def page_with(**fields: Any) -> Fault:
    return faults.edited(lambda page: page.update(fields))


def bucket_with(**fields: Any) -> Fault:
    """Changes the first minute's bucket."""
    return faults.edited(lambda page: page["data"][0].update(fields))


def row_with(**fields: Any) -> Fault:
    """Changes the first row of the first minute: 1007 tokens in, 400 out, 256 cached, 2 requests."""
    return faults.edited(lambda page: page["data"][0]["results"][0].update(fields))


def assert_untrusted(simulator: Simulator, fault: Fault, code: str, shown: str) -> None:
    simulator.script(fault)
    error = refused(simulator)
    assert (error.code, error.exit_code) == (code, 3)
    assert shown in error.message
    assert "curl line of `reconcile explain`" in error.remedy
    assert len(simulator.requests) == 1, "another try cannot mend what is whole and wrong"


@pytest.mark.parametrize(
    ("fault", "code", "shown"),
    [
        pytest.param(
            faults.missing_minute(3), "minute_unanswered", "1 of 10 minutes, the first 2026-01-05T14:03:00Z", id="gap"
        ),
        pytest.param(faults.repeated_minute(2), "minute_answered_twice", "2026-01-05T14:02:00Z", id="twice"),
        pytest.param(page_with(has_more=None), "unexpected_shape", "has_more is None", id="more-or-not-null"),
        pytest.param(page_with(has_more="false"), "unexpected_shape", "has_more is 'false'", id="more-or-not-text"),
        pytest.param(page_with(object="list"), "unexpected_shape", "'page'", id="another-object"),
        pytest.param(page_with(data=[]), "unexpected_shape", "list of buckets", id="no-buckets"),
        pytest.param(page_with(data={}), "unexpected_shape", "list of buckets", id="data-an-object"),
        pytest.param(page_with(data=[None]), "unexpected_shape", "'bucket'", id="bucket-null"),
    ],
)
def test_fetch__a_page_that_may_lack_usage_is_refused(
    simulator: Simulator, fault: Fault, code: str, shown: str
) -> None:
    assert_untrusted(simulator, fault, code, shown)


@pytest.mark.parametrize(
    ("fields", "code", "shown"),
    [
        pytest.param({"object": "day"}, "unexpected_shape", "'bucket'", id="another-object"),
        pytest.param({"results": None}, "unexpected_shape", "list of results", id="results-null"),
        pytest.param({"results": [None]}, "unexpected_shape", "2026-01-05T14:00:00Z", id="row-null"),
        pytest.param({"results": [{"object": "organization.costs.result"}]}, "unexpected_shape", "14:00", id="costs"),
        pytest.param({"start_time": START - 60, "end_time": START}, "bucket_outside_query", "1767621540", id="before"),
        pytest.param(
            {"start_time": 6 * 10**40, "end_time": 6 * 10**40 + 60}, "bucket_outside_query", "60000", id="no-such-year"
        ),
        pytest.param({"start_time": START + 600, "end_time": START + 660}, "bucket_outside_query", "2200", id="after"),
        pytest.param({"end_time": START + 3600}, "bucket_not_a_minute", "1767625200", id="an-hour"),
        pytest.param({"end_time": START}, "bucket_not_a_minute", "1767621600 to 1767621600", id="no-time-at-all"),
        pytest.param({"start_time": START + 1, "end_time": START + 61}, "bucket_not_a_minute", "1601", id="misaligned"),
        pytest.param({"start_time": float(START)}, "bucket_not_a_minute", "1767621600.0", id="float-start"),
        pytest.param({"start_time": None}, "bucket_not_a_minute", "None", id="no-start"),
    ],
)
def test_fetch__a_bucket_that_is_no_minute_of_the_query_is_refused(
    simulator: Simulator, fields: dict[str, Any], code: str, shown: str
) -> None:
    assert_untrusted(simulator, bucket_with(**fields), code, shown)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({"input_tokens": None}, "input_tokens None", id="null-input"),
        pytest.param({"input_tokens": 1007.0}, "input_tokens 1007.0", id="float-input"),
        pytest.param({"input_tokens": "1007"}, "input_tokens '1007'", id="input-as-text"),
        pytest.param({"input_tokens": 255}, "input_tokens 255", id="input-below-cached"),
        pytest.param({"output_tokens": None}, "output_tokens None", id="null-output"),
        pytest.param({"output_tokens": -1}, "output_tokens -1", id="negative-output"),
        pytest.param({"num_model_requests": None}, "num_model_requests None", id="null-requests"),
        pytest.param({"num_model_requests": True}, "num_model_requests True", id="boolean-requests"),
        pytest.param({"num_model_requests": -2}, "num_model_requests -2", id="negative-requests"),
        pytest.param({"input_tokens": 10**10 + 1}, "input_tokens 10000000001", id="more-input-than-anybody-uses"),
        pytest.param({"output_tokens": 10**15}, "output_tokens 1000000000000000", id="more-output"),
        pytest.param({"num_model_requests": 10**15}, "num_model_requests 1000", id="more-requests"),
        pytest.param({"input_cached_tokens": -1}, "input_cached_tokens -1", id="negative-cached"),
        pytest.param({"input_cached_tokens": 1008}, "cached_tokens 1008", id="cached-above-input"),
        pytest.param({"input_cached_tokens": None, "input_uncached_tokens": 1008}, "1007", id="uncached-above-input"),
        pytest.param({"input_cached_tokens": None, "input_uncached_tokens": "1"}, "None", id="uncached-as-text"),
    ],
)
def test_fetch__a_count_that_cannot_be_is_refused(simulator: Simulator, fields: dict[str, Any], shown: str) -> None:
    assert_untrusted(simulator, row_with(**fields), "invalid_count", shown)


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "num_model_requests"])
def test_fetch__a_missing_count_is_refused(simulator: Simulator, name: str) -> None:
    lost = faults.edited(lambda page: page["data"][0]["results"][0].pop(name))
    assert_untrusted(simulator, lost, "invalid_count", f"{name} None")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({"model": 7}, "model 7", id="model-a-number"),
        pytest.param({"api_key_id": ["key_a"]}, "api_key_id ['key_a']", id="key-a-list"),
        pytest.param({"project_id": False}, "project_id False", id="project-a-flag"),
        pytest.param({"service_tier": {}}, "service_tier {}", id="tier-an-object"),
        pytest.param({"batch": "false"}, "batch 'false'", id="batch-a-text"),
    ],
)
def test_fetch__a_dimension_of_another_type_is_refused(
    simulator: Simulator, fields: dict[str, Any], shown: str
) -> None:
    assert_untrusted(simulator, row_with(**fields), "unexpected_shape", shown)


@pytest.mark.parametrize("cursor", [None, "", 2], ids=["none", "empty", "a-number"])
def test_fetch__more_pages_without_a_way_to_them_are_refused(simulator: Simulator, cursor: object) -> None:
    simulator.page_size = 4
    assert_untrusted(simulator, page_with(has_more=True, next_page=cursor), "cursor_missing", "page 1")


@pytest.mark.parametrize("cursor", [None, "page_gone"], ids=["without-cursor", "with-a-dead-cursor"])
def test_fetch__nothing_is_asked_once_every_minute_is_answered(simulator: Simulator, cursor: object) -> None:
    expected = provider(simulator).fetch(QUERY).buckets
    simulator.script(page_with(has_more=True, next_page=cursor))
    fetched = provider(simulator).fetch(QUERY)
    assert (fetched.buckets, fetched.pages, len(simulator.requests)) == (expected, 1, 2)


def too_large_above(minutes: int) -> Fault:
    """Something on the way refuses answers of more minutes than that."""

    def fault(request: Asking, right: Reply) -> Reply:
        asked = dict(request.params)
        span = int(asked["end_time"]) - int(asked["start_time"])
        return Reply(413, b"too large") if span > minutes * 60 else right

    return fault


def test_fetch__an_answer_that_is_too_large_is_asked_for_in_halves(simulator: Simulator) -> None:
    expected = provider(simulator).fetch(QUERY).buckets
    simulator.script(*[too_large_above(3)] * 7)
    heard: list[tuple[int, int]] = []
    fetched = provider(simulator, on_progress=lambda answered, asked: heard.append((answered, asked))).fetch(QUERY)
    assert (fetched.query, fetched.buckets, fetched.pages, fetched.retries) == (QUERY, expected, 4, 3)
    assert heard == [(2, 10), (5, 10), (7, 10), (10, 10)]


def test_fetch__a_body_over_the_limit_is_asked_for_in_halves_too(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = provider(simulator).fetch(QUERY).buckets
    monkeypatch.setattr(transport, "MAX_BYTES", 3000)
    fetched = provider(simulator).fetch(QUERY)
    assert (fetched.buckets, fetched.pages > 1) == (expected, True)


def test_fetch__a_minute_that_is_too_large_is_given_up(simulator: Simulator) -> None:
    simulator.script(*[too_large_above(0)] * 9)
    assert refused(simulator).code == "answer_too_large"


OURS = Scope("openai", ("key_a",), ("proj_simulated",), ("gpt-4o-mini",))


def odd(**fields: Any) -> Fault:
    """Changes the only row of 14:05, of key_a in the project proj_other by the model o3-2025-04-16."""
    return faults.edited(lambda page: page["data"][5]["results"][0].update(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"input_tokens": -1},
        {"input_cached_tokens": 10**6},
        {"num_model_requests": "1"},
        {"output_tokens": None},
        {"batch": "no"},
        {"service_tier": 7},
        {"api_key_id": ["key_a"]},
    ],
    ids=["negative", "more cached than input", "text", "missing", "no flag", "no tier", "no key"],
)
def test_fetch__an_odd_row_that_no_claim_can_admit_is_left_out(simulator: Simulator, fields: dict[str, Any]) -> None:
    expected = [bucket for bucket in provider(simulator).fetch(QUERY).buckets if bucket.minute != START + 300]
    simulator.script(odd(**fields))
    fetched = provider(simulator).fetch(replace(QUERY, scopes=(OURS,)))
    assert (list(fetched.buckets), [row.minute for row in fetched.odd]) == (expected, [START + 300])


@pytest.mark.parametrize(
    ("scopes", "fields"),
    [
        ((Scope("openai", ("key_a",)),), {"input_tokens": -1}),
        ((Scope("openai", ("key_b",)), Scope("openai", (), ("proj_other",))), {"input_tokens": -1}),
        ((OURS,), {"input_tokens": -1, "project_id": 7, "model": "gpt-4o-mini-2024-07-18"}),
        ((Scope("openai", ("key_b",)),), {"api_key_id": 7}),
        ((Scope("openai", ("key_b",), (), ("o4",)),), {"api_key_id": 7, "model": None, "object": "other"}),
        ((), {"input_tokens": -1}),
    ],
    ids=["of the key", "of one of two", "of a project that cannot be read", "of a key that cannot be read",
         "that is no row", "nothing is known of claims"],
)  # fmt: skip
def test_fetch__an_odd_row_that_may_be_a_claims_fails_the_query(
    simulator: Simulator, scopes: tuple[Scope, ...], fields: dict[str, Any]
) -> None:
    simulator.script(odd(**fields))
    assert refused(simulator, replace(QUERY, scopes=scopes)).code in {"invalid_count", "unexpected_shape"}


def test_fetch__an_odd_control_total_is_everybodys(simulator: Simulator) -> None:
    simulator.script(odd(input_tokens=-1))
    assert refused(simulator, replace(QUERY, grouped=False, scopes=(OURS,))).code == "invalid_count"


def test_fetch__a_cursor_that_leads_back_ends(simulator: Simulator) -> None:
    simulator.page_size = 2
    simulator.script(None, faults.looping_cursor)
    error = refused(simulator)
    assert (error.code, len(simulator.requests)) == ("cursor_repeated", 2)
    assert "page 2 leads back to page 2" in error.message


def test_fetch__a_page_lost_on_the_way_spoils_the_pages_before_it(simulator: Simulator) -> None:
    simulator.page_size = 4
    simulator.script(None, *[faults.server_error()] * 3)
    assert refused(simulator).code == "provider_unavailable"


def test_fetch__a_query_that_ends_in_the_future_is_not_asked(simulator: Simulator) -> None:
    end = int(NOW.timestamp()) + 60
    error = refused(simulator, Query("openai", Window(START, end)))
    assert (error.code, simulator.requests) == ("query_in_future", [])
    assert "2026-01-06T14:01:00Z" in error.message
    assert "2026-01-06T14:00:00Z" in error.message


@pytest.mark.parametrize("minutes", [-6, 6], ids=["ahead", "behind"])
def test_fetch__a_clock_that_is_not_the_providers_is_not_believed(simulator: Simulator, minutes: int) -> None:
    simulator.set_now(datetime.now(UTC) + timedelta(minutes=minutes))
    error = refused(simulator, now=None)
    assert (error.code, "the simulator is where --now left it" in error.remedy) == ("clock_wrong", True)


@pytest.mark.parametrize("now", [None, NOW], ids=["a little off", "given for a replay"])
def test_fetch__a_clock_may_be(simulator: Simulator, now: datetime | None) -> None:
    simulator.set_now(datetime.now(UTC) + timedelta(minutes=4))
    assert provider(simulator, now=now).fetch(QUERY).pages == 1


def test_fetch__without_now_the_clock_tells_the_future(simulator: Simulator) -> None:
    end = int((datetime.now(UTC) + timedelta(days=1)).timestamp()) // 60 * 60
    assert refused(simulator, Query("openai", Window(end - 60, end)), now=None).code == "query_in_future"


@examples(150)
@given(mutate=mutations())
def test_fetch__a_changed_structure_gives_the_same_figures_or_none(
    shared_simulator: Simulator, mutate: Callable[[dict[str, Any]], object]
) -> None:
    shared_simulator.ledger, shared_simulator.page_size = Ledger(CALLS), None
    right = by_minute(provider(shared_simulator).fetch(QUERY))
    shared_simulator.script(faults.edited(mutate))
    try:
        fetched = provider(shared_simulator).fetch(QUERY)
    except ProviderError:
        return
    assert by_minute(fetched) == right


# ---------------------------------------------------------------------------------- what it is told and does


def said(status: int, **error: Any) -> Fault:
    return faults.instead(Reply(status, json.dumps({"error": error}).encode()))


def http_date(seconds: int) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


BAD_START = {"message": "Invalid type for 'start_time'.", "param": "start_time", "code": "invalid_type"}


@pytest.mark.parametrize(
    ("fault", "code", "shown", "remedy"),
    [
        pytest.param(faults.missing_scope(403), "missing_scope", "403", "api.usage.read", id="scope-as-bare-text"),
        pytest.param(faults.missing_scope(401), "missing_scope", "401", "api.usage.read", id="scope-as-object"),
        pytest.param(said(401, message="No.", code=None), "access_denied", "401: No.", "admin-keys", id="other-401"),
        pytest.param(said(403, message="No.", code=None), "access_denied", "403: No.", "admin-keys", id="other-403"),
        pytest.param(faults.not_found, "not_found", "404: an empty body", "outage", id="outage-as-404"),
        pytest.param(said(400, **BAD_START), "request_refused", "400: start_time: Inv", "report", id="refused"),
        pytest.param(said(418), "unexpected_status", "418", "base URL", id="unheard-of"),
        pytest.param(faults.instead(Reply(402, b"[1]")), "unexpected_status", "402: [1]", "base URL", id="no-error"),
        pytest.param(faults.web_page, "not_json", "<html>", "proxy", id="a-web-page-instead"),
    ],
)
def test_fetch__a_refusal_says_what_to_do_and_is_not_repeated(
    simulator: Simulator, fault: Fault, code: str, shown: str, remedy: str
) -> None:
    simulator.script(fault)
    error = refused(simulator)
    assert (error.code, error.exit_code) == (code, 3)
    assert shown in error.message
    assert remedy in error.remedy
    assert len(simulator.requests) == 1


def test_fetch__a_wrong_key_is_told_without_the_key(simulator: Simulator) -> None:
    simulator.admin_key = "another"
    error = refused(simulator)
    assert error.code == "invalid_api_key"
    assert "platform.openai.com/settings/organization/admin-keys" in error.remedy


def test_fetch__a_service_that_repeats_the_key_does_not_get_it_into_a_message(simulator: Simulator) -> None:
    simulator.script(said(401, message=f"Incorrect API key provided: {KEY}.", code="invalid_api_key"))
    assert "Incorrect API key provided: [key]." in refused(simulator).message


@pytest.mark.parametrize(
    ("fault", "code", "shown", "wait"),
    [
        pytest.param(faults.rate_limited(), "rate_limited", "429", 1.0, id="429"),
        pytest.param(faults.rate_limited("7"), "rate_limited", "429", 7.0, id="429-with-seconds"),
        pytest.param(faults.rate_limited("soon"), "rate_limited", "429", 1.0, id="429-with-nonsense"),
        pytest.param(faults.rate_limited(http_date(-5)), "rate_limited", "429", 1.0, id="429-until-a-past-date"),
        pytest.param(faults.rate_limited(http_date(20)), "rate_limited", "429", 20.0, id="429-until-a-date"),
        pytest.param(faults.server_error(500), "provider_unavailable", "500", 1.0, id="500"),
        pytest.param(faults.server_error(503), "provider_unavailable", "503", 1.0, id="503"),
        pytest.param(faults.server_error(408), "provider_unavailable", "408", 1.0, id="408"),
        pytest.param(faults.server_error(409), "provider_unavailable", "409", 1.0, id="409"),
        pytest.param(faults.cut_short, "unreachable", "no whole answer", 1.0, id="half-a-body"),
    ],
)
def test_fetch__what_may_pass_is_tried_again_and_then_given_up(
    simulator: Simulator, fault: Fault, code: str, shown: str, wait: float
) -> None:
    right = provider(simulator).fetch(QUERY)
    slept: list[float] = []
    simulator.script(fault)
    fetched = provider(simulator, slept).fetch(QUERY)
    assert (fetched.buckets, fetched.retries, slept) == (right.buckets, 1, [wait])
    simulator.requests.clear()
    simulator.script(fault, fault, fault)
    error = refused(simulator)
    assert error.code == code
    assert shown in error.message
    assert "(3 tries)" in error.message
    assert len(simulator.requests) == 3


def test_fetch__a_pause_longer_than_a_minute_is_named_and_not_waited(simulator: Simulator) -> None:
    slept: list[float] = []
    simulator.script(faults.rate_limited("3600"))
    error = refused(simulator, slept=slept)
    assert (error.code, slept, len(simulator.requests)) == ("rate_limited", [], 1)
    assert "wait 3600 s, and at most 60 s are waited" in error.message
    assert error.remedy == "run again in 3600 s or later"


def test_fetch__retries_of_all_pages_are_counted(simulator: Simulator) -> None:
    simulator.page_size = 5
    simulator.script(faults.server_error(), None, faults.rate_limited(), faults.cut_short)
    fetched = provider(simulator).fetch(QUERY)
    assert (fetched.pages, fetched.retries) == (2, 3)


def test_fetch__a_server_that_stays_silent_times_out(simulator: Simulator) -> None:
    simulator.script(faults.silent, faults.silent)
    patience = Patience(tries=2, read_timeout=0.05, sleep=lambda _: None)
    error = refused(simulator, patience=patience)
    assert error.code == "timed_out"
    assert "(2 tries)" in error.message


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl_line__is_the_request_with_the_key_taken_from_the_environment(simulator: Simulator) -> None:
    query = Query("openai", WINDOW, ("key_a", "it's & odd"))
    line = curl_line(query, simulator.base_url)
    assert KEY not in line
    answer = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"OPENAI_ADMIN_KEY": KEY, "no_proxy": "*"},
        capture_output=True,
        check=True,
    )
    provider(simulator).fetch(query)
    by_curl, by_fetch = simulator.requests
    assert by_curl.params == by_fetch.params
    assert json.loads(answer.stdout)["object"] == "page"
