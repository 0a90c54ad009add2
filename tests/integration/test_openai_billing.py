"""Usage and costs of whole days over real HTTP on loopback: what is asked, what is made of it, what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.billing import (
    KEY,
    MEASURED,
    MINI,
    NOW,
    PERIOD,
    START,
    asked,
    billing,
    call,
    embedding,
    fetched,
    row_with,
    spoil,
    use,
)
from support.mutations import mutations
from support.worlds import examples

from reconcile.errors import ConfigurationError, ProviderError
from reconcile.money.entry import DAY, HOUR, Dimensions, Entry, Measured, Official, Period, total_tokens
from reconcile.providers.openai.bill import OpenAIBilling
from reconcile.providers.openai.paging import DAYS, HOURS, Grain, spans
from reconcile.simulator import faults
from reconcile.simulator.calls import Ledger, Record
from reconcile.simulator.faults import Fault
from reconcile.simulator.server import Simulator
from reconcile.usage import Tokens

RECORDS: tuple[Record, ...] = (
    call(0),
    call(0.9),
    call(1, cache_write_tokens=100, reasoning_tokens=150),
    call(2, batch=True, service_tier="flex", api_key_id=None, project_id="proj_other"),
    call(71.99, model="o3-2025-04-16"),
    embedding(30),
    use("moderations", 0, 77, api_key_id="key_a", model="omni-moderation-latest"),
    use("images", 0, 3, api_key_id="key_a", model="gpt-image-1", size="1024x1024", source="image.generation"),
    use("images", 0, 2, api_key_id="key_a", model="gpt-image-1", size="512x512", source="image.edit"),
    use("audio_speeches", 1, 900, api_key_id="key_b", model="tts-1"),
    use("audio_transcriptions", 1, 61, api_key_id="key_b", model="whisper-1"),
    use("vector_stores", 2, 10**12),
    use("code_interpreter_sessions", 2, 4),
    use("file_search_calls", 2, 1, api_key_id="key_a", vector_store_id="vs_1"),
    use("web_search_calls", 2, 5, api_key_id="key_a", model=MINI, context_level="low"),
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger(RECORDS), now=NOW, admin_key=KEY) as simulator:
        yield simulator


def refused(simulator: Simulator, **settings: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        fetched(simulator, **settings)
    assert KEY not in caught.value.message + caught.value.remedy
    return caught.value


def entry(hour: int, tokens: Tokens, requests: int = 1, **who: Any) -> Entry:
    known = {
        "model": MINI,
        "api_key_id": "key_a",
        "project_id": "proj_simulated",
        "batch": False,
        "service_tier": "default",
    }
    return Entry(start=START + hour * HOUR, who=Dimensions(**(known | who)), tokens=tokens, requests=requests)


# ------------------------------------------------------------------------------------------- what it reads


def test_calls_are_read_by_the_hour_in_parts_that_share_no_token(simulator: Simulator) -> None:
    assert fetched(simulator).usage == (
        entry(0, Tokens(1488, 512, 0, 400), 2),
        entry(1, Tokens(644, 256, 100, 200)),
        entry(
            2,
            Tokens(744, 256, 0, 200),
            batch=True,
            service_tier="flex",
            api_key_id=None,
            project_id="proj_other",
        ),
        entry(71, Tokens(744, 256, 0, 200), model="o3-2025-04-16"),
        entry(30, Tokens(1000), model="text-embedding-3-small", batch=None, service_tier=None),
    )


def test_everything_else_is_read_by_the_day_in_its_own_unit(simulator: Simulator) -> None:
    simple = Dimensions(project_id="proj_simulated")

    def measured(endpoint: str, day: int, unit: str, quantity: int, requests: int | None, **who: Any) -> Measured:
        return Measured(
            day=START + day * DAY,
            endpoint=endpoint,
            unit=unit,
            quantity=quantity,
            requests=requests,
            who=replace(simple, **who),
        )

    assert fetched(simulator).other == (
        measured("moderations", 0, "input_tokens", 77, 1, api_key_id="key_a", model="omni-moderation-latest"),
        measured("images", 0, "images", 5, 2, api_key_id="key_a", model="gpt-image-1"),
        measured("audio_speeches", 1, "characters", 900, 1, api_key_id="key_b", model="tts-1"),
        measured("audio_transcriptions", 1, "seconds", 61, 1, api_key_id="key_b", model="whisper-1"),
        measured("vector_stores", 2, "usage_bytes", 10**12, None),
        measured("code_interpreter_sessions", 2, "sessions", 4, None),
        measured("file_search_calls", 2, "requests", 1, None, api_key_id="key_a"),
        measured("web_search_calls", 2, "requests", 5, 1, api_key_id="key_a", model=MINI),
    )


def test_a_month_adds_up_to_the_ledger_whatever_the_size_of_pages(simulator: Simulator) -> None:
    dice = Random(7)  # noqa: S311 (a test that can be repeated)
    month = Period(date(2026, 1, 1), date(2026, 1, 31))
    hours = [dice.uniform(-96, 27 * 24) for _ in range(400)]
    calls = [call(hour, tokens_in=dice.randint(300, 9000), tokens_out=dice.randint(0, 500)) for hour in hours]
    simulator.ledger = Ledger(calls)
    for size in (None, 5):
        simulator.page_size = size
        official = fetched(simulator, month, max_requests=None)
        assert total_tokens(official.usage) == Tokens(
            sum(c.tokens_in - c.cached_tokens for c in calls), 256 * 400, 0, sum(c.tokens_out for c in calls)
        )
        assert sum(entry.requests for entry in official.usage) == 400


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        pytest.param({}, (1488, 512, 0), id="all-parts"),
        pytest.param({"input_cache_write_tokens": ...}, (1488, 512, 0), id="no-writes-told"),
        pytest.param({"input_uncached_tokens": None}, (1488, 512, 0), id="only-the-cached"),
        pytest.param(
            {"input_uncached_tokens": ..., "input_cache_write_tokens": 8}, (1480, 512, 8), id="cached-and-written"
        ),
        pytest.param({"input_cached_tokens": ...}, (1488, 512, 0), id="only-the-uncached"),
        pytest.param(
            dict.fromkeys(("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens"), ...),
            (2000, 0, 0),
            id="no-part-at-all",
        ),
    ],
)
def test_parts_that_are_left_out_follow_from_the_others(
    simulator: Simulator, fields: dict[str, Any], parts: tuple[int, int, int]
) -> None:
    spoil(simulator, "usage/completions", row_with(**fields), row_with(**fields))
    period = Period(PERIOD.first, PERIOD.first)
    simulator.ledger = Ledger([call(0), call(0.5)])
    assert [each.tokens for each in fetched(simulator, period).usage] == [Tokens(*parts, 400)]


def test_rows_that_agree_in_everything_are_all_counted(simulator: Simulator) -> None:
    right = total_tokens(fetched(simulator).usage)
    spoil(simulator, "usage/completions", None, faults.split_rows)
    assert total_tokens(fetched(simulator).usage) == right


# -------------------------------------------------------------------------------------------- what it asks


def test_each_endpoint_is_asked_for_the_dimensions_it_has(simulator: Simulator) -> None:
    fetched(simulator)
    by_caller = ["project_id", "api_key_id", "model"]
    rows = {request.path.rpartition("/")[2]: request for request in simulator.requests}  # after its control total
    grouped = {name: [v for k, v in request.params if k == "group_by"] for name, request in rows.items()}
    assert grouped == {
        "completions": [*by_caller, "batch", "service_tier"],
        "embeddings": by_caller,
        "moderations": by_caller,
        "images": by_caller,
        "audio_speeches": by_caller,
        "audio_transcriptions": by_caller,
        "vector_stores": ["project_id"],
        "code_interpreter_sessions": ["project_id"],
        "file_search_calls": ["project_id", "api_key_id"],
        "web_search_calls": by_caller,
        "costs": ["line_item", "project_id", "api_key_id"],
    }
    widths = {name: dict(request.params)["bucket_width"] for name, request in rows.items()}
    assert widths == dict.fromkeys(("completions", "embeddings"), "1h") | dict.fromkeys((*MEASURED, "costs"), "1d")


def test_a_month_takes_21_requests(simulator: Simulator) -> None:
    heard: list[tuple[int, int]] = []
    month = Period(date(2026, 1, 1), date(2026, 1, 31))
    official = fetched(simulator, month, on_progress=lambda *said: heard.append(said))
    assert official.requests == len(simulator.requests) == 21
    assert len(asked(simulator, "usage/completions")) == 1 + 5
    assert len(asked(simulator, "costs")) == 1
    assert heard == [(number, 21) for number in range(1, 22)]


def test_what_is_not_wanted_is_not_asked_for(simulator: Simulator) -> None:
    official = fetched(simulator, costs=False, other=False)
    assert {request.path.rpartition("/")[2] for request in simulator.requests} == {"completions", "embeddings"}
    assert (official.costs, official.other) == (None, ())


def test_usage_ends_with_the_last_settled_hour_and_all_else_with_the_last_settled_day(simulator: Simulator) -> None:
    simulator.ledger.add([call(25), call(26.5), use("images", 1, 50)])
    official = fetched(simulator, until=START + DAY + 2 * HOUR + 1799)
    assert {dict(r.params)["end_time"] for r in asked(simulator, "usage/images")} == {str(START + DAY)}
    assert {dict(r.params)["end_time"] for r in asked(simulator, "costs")} == {str(START + DAY)}
    assert max(each.start for each in official.usage) == START + 25 * HOUR
    assert official.costs
    assert {cost.day for cost in official.costs} == {START}


def test_costs_of_no_whole_day_are_not_known(simulator: Simulator) -> None:
    official = fetched(simulator, until=START + 5 * HOUR)
    assert (official.costs, len(official.usage)) == (None, 3)
    assert asked(simulator, "costs") == []


def test_a_period_of_which_nothing_is_settled_is_not_asked_for(simulator: Simulator) -> None:
    assert fetched(simulator, until=START + 60) == Official(usage=(), costs=None)
    assert simulator.requests == []


def test_the_future_is_not_asked_for(simulator: Simulator) -> None:
    today = Period(NOW.date(), NOW.date())
    error = refused(simulator, period=today)
    assert (error.code, simulator.requests) == ("query_in_future", [])
    assert "2026-02-21T00:00:00Z" in error.message


def test_a_clock_that_is_not_the_providers_is_not_believed(simulator: Simulator) -> None:
    simulator.set_now(datetime.now(UTC) - timedelta(minutes=6))
    assert refused(simulator, now=None).code == "clock_wrong"


# ------------------------------------------------------------------------------------------ what it refuses


def bucket_with(**fields: Any) -> Fault:
    return faults.edited(lambda page: page["data"][0].update(fields))


WRONG_PAGES = [
    pytest.param(faults.missing_minute(2), "{}_unanswered", "1 of {} {}s, the first 2026-01-0", id="gap"),
    pytest.param(faults.repeated_minute(1), "{}_answered_twice", "is answered twice", id="twice"),
    pytest.param(faults.lost_cursor, "cursor_missing", "page 1 says that more follow", id="more-without-cursor"),
    pytest.param(bucket_with(start_time=START + 1), "bucket_not_a{}", "is not one UTC {}", id="misaligned"),
    pytest.param(bucket_with(results={}), "unexpected_shape", "'bucket'", id="results-an-object"),
    pytest.param(faults.edited(lambda page: page.update(object="list")), "unexpected_shape", "'page'", id="no-page"),
]


@pytest.mark.parametrize(("fault", "code", "shown"), WRONG_PAGES)
@pytest.mark.parametrize("path", ["usage/completions", "usage/embeddings", *(f"usage/{m}" for m in MEASURED), "costs"])
def test_a_page_that_may_lack_usage_is_refused(
    simulator: Simulator, path: str, fault: Fault, code: str, shown: str
) -> None:
    hourly = path in ("usage/completions", "usage/embeddings")
    noun, count = ("hour", 72) if hourly else ("day", 3)
    spoil(simulator, path, *([None] if hourly else []), fault)
    error = refused(simulator)
    code = code.format("n_hour" if hourly else "_day") if code.startswith("bucket") else code.format(noun)
    assert (error.code, error.exit_code) == (code, 3)
    assert (shown.format(count, noun) if "1 of" in shown else shown.format(noun)) in error.message
    assert f"{simulator.base_url}/organization/{path}?start_time={START}" in error.remedy
    assert "$OPENAI_ADMIN_KEY" in error.remedy


def test_a_cursor_that_leads_back_ends(simulator: Simulator) -> None:
    simulator.page_size = 30
    spoil(simulator, "usage/completions", None, None, faults.looping_cursor)
    assert refused(simulator).code == "cursor_repeated"


@pytest.mark.parametrize(
    ("path", "fields", "code", "shown"),
    [
        pytest.param("completions", {"input_uncached_tokens": 1}, "parts_differ", "2000", id="parts-below-the-whole"),
        pytest.param("completions", {"input_cached_tokens": 2001}, "parts_differ", "2001", id="cached-above-input"),
        pytest.param("completions", {"input_cache_write_tokens": 1}, "parts_differ", "write_tokens 1", id="one-more"),
        pytest.param(
            "completions",
            {"input_uncached_tokens": None, "input_cache_write_tokens": 1489},
            "parts_differ",
            "uncached_tokens None",
            id="written-above-the-rest",
        ),
        pytest.param("completions", {"output_tokens": -1}, "invalid_count", "output_tokens -1", id="negative"),
        pytest.param("completions", {"num_model_requests": True}, "invalid_count", "True", id="a-flag-for-a-count"),
        pytest.param("completions", {"input_cached_tokens": "5"}, "invalid_count", "'5'", id="text-for-a-part"),
        pytest.param("completions", {"input_tokens": 10**15 + 1}, "invalid_count", "1000000000000001", id="too-large"),
        pytest.param("completions", {"output_tokens": ...}, "invalid_count", "output_tokens None", id="no-output"),
        pytest.param("completions", {"batch": "no"}, "unexpected_shape", "batch 'no'", id="text-for-a-flag"),
        pytest.param("completions", {"model": 4}, "unexpected_shape", "model 4", id="a-number-for-a-model"),
        pytest.param("embeddings", {"input_tokens": 1.5}, "invalid_count", "1.5", id="embeddings"),
        pytest.param("images", {"images": None}, "invalid_count", "images None", id="images"),
        pytest.param("images", {"num_model_requests": ...}, "invalid_count", "num_model_requests None", id="requests"),
        pytest.param("audio_speeches", {"characters": -2}, "invalid_count", "characters -2", id="characters"),
        pytest.param("audio_transcriptions", {"seconds": 0.5}, "invalid_count", "seconds 0.5", id="seconds"),
        pytest.param("vector_stores", {"usage_bytes": "1"}, "invalid_count", "usage_bytes '1'", id="bytes"),
        pytest.param("code_interpreter_sessions", {"num_sessions": []}, "invalid_count", "[]", id="sessions"),
        pytest.param("moderations", {"input_tokens": False}, "invalid_count", "False", id="moderations"),
        pytest.param(
            "file_search_calls",
            {"object": "organization.usage.file_search_calls.result"},
            "unexpected_shape",
            "not one of file_search_calls",
            id="named-like-its-path",
        ),
        pytest.param(
            "web_search_calls", {"api_key_id": 1}, "unexpected_shape", "api_key_id 1", id="a-number-for-a-key"
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused(
    simulator: Simulator, path: str, fields: dict[str, Any], code: str, shown: str
) -> None:
    hourly = path in ("completions", "embeddings")
    spoil(simulator, f"usage/{path}", *([None] if hourly else []), row_with(**fields))
    error = refused(simulator)
    assert error.code == code
    assert shown in error.message
    assert f"the usage API's answer about {path} cannot be trusted" in error.message


@pytest.mark.parametrize("path", ["usage/completions", "usage/embeddings", *(f"usage/{m}" for m in MEASURED), "costs"])
@pytest.mark.parametrize(
    ("fault", "code", "tries"),
    [
        pytest.param(faults.missing_scope(403), "missing_scope", 1, id="no-scope"),
        pytest.param(faults.not_found, "not_found", 1, id="outage"),
        pytest.param(faults.server_error(), "provider_unavailable", 3, id="down"),
        pytest.param(faults.web_page, "not_json", 1, id="a-web-page"),
    ],
)
def test_one_endpoint_that_fails_leaves_no_figure(
    simulator: Simulator, path: str, fault: Fault, code: str, tries: int
) -> None:
    spoil(simulator, path, *[fault] * 3)
    assert refused(simulator).code == code
    assert len(asked(simulator, path)) == tries


def test_costs_that_are_refused_are_told_as_costs(simulator: Simulator) -> None:
    spoil(simulator, "costs", faults.missing_scope(403))
    assert refused(simulator).message.startswith("the costs API answered 403: You have insufficient permissions")


def test_a_wrong_key_is_told_without_the_key(simulator: Simulator) -> None:
    simulator.admin_key = "another"
    assert refused(simulator).code == "invalid_api_key"


@pytest.mark.parametrize(
    ("key", "url", "code"),
    [
        pytest.param("sk with spaces", "https://api.openai.com/v1", "malformed_key", id="key"),
        pytest.param(KEY, "http://api.openai.com/v1", "insecure_base_url", id="clear-text"),
    ],
)
def test_what_no_request_can_be_made_with_is_refused_before_any(key: str, url: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OpenAIBilling(key, url)
    assert caught.value.code == code


# ----------------------------------------------------------------------------------------------- the queries


@examples(200)
@given(
    numbers=st.sets(st.integers(0, 80)),
    cut=st.integers(0, 23),
    grain=st.sampled_from([HOURS, DAYS]),
)
def test_queries_cover_the_missing_days_and_nothing_else_in_as_few_pages_as_there_can_be(
    numbers: set[int], cut: int, grain: Grain
) -> None:
    days = [START + number * DAY for number in sorted(numbers)]
    end = days[-1] + cut * HOUR if days and cut and grain is HOURS else START + 81 * DAY
    found = spans(days, end, grain)
    hours = {hour for span in found for hour in range(span.start, span.end, HOUR)}
    assert hours == {hour for day in days for hour in range(day, min(day + DAY, end), HOUR)}
    assert sum(span.buckets for span in found) * grain.seconds == len(hours) * HOUR, "no hour is asked for twice"
    assert all(0 < span.buckets <= grain.most for span in found)
    full = [span.buckets == grain.most for span in found]
    assert all(was_full for (a, b), was_full in zip(pairwise(found), full, strict=False) if a.end == b.start)


def sums(official: Official) -> tuple[Any, ...]:
    """What is compared: tokens and requests, money, and everything else by its endpoint."""
    measured = sorted((each.endpoint, each.day, each.quantity, each.requests) for each in official.other)
    requests = sum(entry.requests for entry in official.usage)
    return total_tokens(official.usage), requests, sum(cost.amount for cost in official.costs or ()), measured


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[Simulator]:
    """For properties, which run many examples in one test."""
    with Simulator(Ledger(RECORDS), now=NOW, admin_key=KEY) as simulator:
        yield simulator


@examples(80)
@given(mutate=mutations(), number=st.integers(0, 12))
def test_a_changed_structure_gives_the_same_figures_or_none(
    shared_simulator: Simulator, mutate: Callable[[dict[str, Any]], object], number: int
) -> None:
    right = sums(fetched(shared_simulator))
    shared_simulator.script(*[None] * number, faults.edited(mutate))
    try:
        official = fetched(shared_simulator)
    except ProviderError:
        return
    assert sums(official) == right


# ------------------------------------------------------------------------------------------- control totals


def drop_rows_of(key: str) -> Fault:
    def edit(page: dict[str, Any]) -> None:
        for bucket in page["data"]:
            bucket["results"] = [row for row in bucket["results"] if row["api_key_id"] != key]

    return faults.edited(edit)


@pytest.mark.parametrize("path", ["usage/completions", "usage/embeddings"])
def test_a_group_that_stays_left_out_is_found(simulator: Simulator, path: str) -> None:
    drop = drop_rows_of("key_a")
    spoil(simulator, path, None, drop, None, drop)
    error = refused(simulator)
    assert (error.code, len(asked(simulator, path))) == ("control_total", 4)
    assert "do not add up to its total, twice in a row" in error.message


def test_the_difference_to_a_control_total_is_told(simulator: Simulator) -> None:
    drop = drop_rows_of("key_a")
    spoil(simulator, "usage/completions", None, drop, None, drop)
    assert refused(simulator).message == (
        "the rows of 2026-01-05 do not add up to its total, twice in a row: input tokens 1,000 of 4,000, "
        "cached input tokens 256 of 1,024, output tokens 200 of 800, requests 1 of 4"
    )


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([None, faults.dip], id="a-dip-in-the-rows"),
        pytest.param([faults.transient_zero], id="a-zero-in-the-totals"),
        pytest.param([None, faults.transient_zero], id="a-zero-in-the-rows"),
    ],
)
def test_one_difference_to_a_control_total_is_read_again(simulator: Simulator, script: list[Fault | None]) -> None:
    right = fetched(simulator)
    heard: list[tuple[int, int]] = []
    spoil(simulator, "usage/completions", *script)
    official = fetched(simulator, on_progress=lambda *said: heard.append(said))
    assert (official.usage, official.requests) == (right.usage, right.requests + 2)
    assert heard[-1] == (official.requests, official.requests)


def test_usage_of_a_day_that_is_not_over_is_held_against_its_totals_by_the_hour(simulator: Simulator) -> None:
    whole = fetched(simulator, until=START + 3 * HOUR)
    simulator.requests.clear()
    spoil(simulator, "usage/completions", None, drop_rows_of("key_a"))
    official = fetched(simulator, until=START + 3 * HOUR)
    assert official.usage == whole.usage
    assert len(asked(simulator, "usage/completions")) == 4


# ------------------------------------------------------------------------------------------------- the budget


def test_a_budget_that_will_not_do_is_told_before_anything_is_asked(simulator: Simulator) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fetched(simulator, max_requests=12)
    error = caught.value
    assert (error.code, simulator.requests) == ("request_budget", [])
    assert "it takes 13 or more requests to the provider, and 12 are allowed" in error.message
    assert error.remedy == "allow 13 or more with --max-requests, or compare fewer days"


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "provider-usage.md"
TOLD = re.findall(r"^\| ([0-9]+) days? \| ([0-9]+) \|$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize(("days", "needed"), TOLD)
def test_a_period_takes_as_many_requests_as_the_document_says(simulator: Simulator, days: str, needed: str) -> None:
    period = Period(date(2025, 12, 6), date(2025, 12, 5) + timedelta(days=int(days)))
    now = datetime(2027, 1, 1, tzinfo=UTC)
    with pytest.raises(ConfigurationError) as caught:
        fetched(simulator, period, max_requests=0, now=now)
    assert f"it takes {needed} or more requests" in caught.value.message


def test_the_document_tells_of_five_periods() -> None:
    assert len(TOLD) == 5


def test_a_month_of_calls_alone_takes_12_requests(simulator: Simulator) -> None:
    month = Period(date(2026, 1, 1), date(2026, 1, 31))
    assert fetched(simulator, month, costs=False, other=False).requests == 12


def test_a_budget_that_just_does_is_enough(simulator: Simulator) -> None:
    assert fetched(simulator, max_requests=13).requests == 13


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lambda simulator: setattr(simulator, "page_size", 2), id="small-pages"),
        pytest.param(lambda simulator: simulator.script(faults.rate_limited(), faults.server_error()), id="retries"),
        pytest.param(
            lambda simulator: spoil(simulator, "usage/embeddings", faults.transient_zero), id="read-again-after-a-zero"
        ),
    ],
)
def test_a_budget_is_never_exceeded(simulator: Simulator, trouble: Any) -> None:
    trouble(simulator)
    with pytest.raises(ConfigurationError) as caught:
        fetched(simulator, max_requests=13)
    assert (caught.value.code, len(simulator.requests)) == ("request_budget", 13)
    assert "it takes 14 or more requests to the provider, and 13 are allowed; 13 were made" in caught.value.message


def test_each_fetch_has_the_whole_budget(simulator: Simulator) -> None:
    provider = billing(simulator, max_requests=13)
    both = [provider.fetch(PERIOD, until=PERIOD.end, costs=True, other=True) for _ in range(2)]
    assert [official.requests for official in both] == [13, 13]


def test_a_retry_is_a_request(simulator: Simulator) -> None:
    simulator.script(faults.rate_limited("7"), faults.cut_short)
    assert fetched(simulator).requests == len(simulator.requests) == 15
