"""The functions for programs that keep a usage log, before a simulator whose ledger is known and real files."""

import json
import math
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests

from reconcile.errors import ConfigurationError, ProviderError, UsageError
from reconcile.ledger.trackers import (
    calculate_usage_stats,
    compare_usage,
    fetch_openai_usage,
    parse_openai_usage_response,
    parse_usage_logs,
)
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall

MINI = "gpt-4o-mini-2024-07-18"
FIRST = datetime(2026, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)

EXAMPLE = """
openai_response = fetch_openai_usage(
    api_key='sk-proj-...',
    start_date='2026-02-01',
    end_date='2026-02-07',
    bucket_width='1d'
)
openai_stats = parse_openai_usage_response(openai_response)

# Load local data
local_records = parse_usage_logs('./logs', start_date='2026-02-01', end_date='2026-02-07')
local_stats = calculate_usage_stats(local_records)

# Compare
comparison = compare_usage(local_stats, openai_stats)

print(f"Reconciled: {comparison['reconciled']}")
print(f"Token difference: {comparison['difference']['tokens']} ({comparison['difference']['tokens_pct']:.1f}%)")
print(f"Cost difference: ${comparison['difference']['cost']:.4f}")
"""
"""How programs of this kind have long been written; arguments and keys are an interface."""
IMPORTS = """
from reconcile import fetch_openai_usage, parse_openai_usage_response, compare_usage
from reconcile import parse_usage_logs, calculate_usage_stats
"""


def call(hours, **facts):
    known = {"tokens_in": 1000, "tokens_out": 200, "api_key_id": "key_a", "model": MINI}
    return BilledCall(at=FIRST.timestamp() + 3600 * hours, **(known | facts))


CALLS = [call(hours) for hours in range(-10, 24 * 7 + 10, 5)]


def line_of(each, **said):
    """As an application writes it, in UTC without saying so, with its cost at list prices."""
    cost = Decimal(each.tokens_in) * Decimal("0.00000015") + Decimal(each.tokens_out) * Decimal("0.0000006")
    stamp = datetime.fromtimestamp(each.at, UTC).replace(tzinfo=None).isoformat()
    known = {
        "session_id": "a1", "timestamp": stamp, "prompt_tokens": each.tokens_in, "completion_tokens": each.tokens_out,
        "total_tokens": each.tokens_in + each.tokens_out, "model": "gpt-4o-mini", "call_type": "conversation",
        "scope": None, "total_cost": float(cost),
    }  # fmt: skip
    return json.dumps(known | said)


@pytest.fixture
def app(tmp_path, monkeypatch, simulator):
    """A folder with an application's log of all its calls, on a machine that keeps UTC; and the provider."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "usage_tracking.ndjson").write_text("\n".join(map(line_of, CALLS)) + "\n")
    simulator.ledger.add(CALLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILE_OPENAI_URL", simulator.base_url)
    yield from at_home(monkeypatch, "UTC")


def at_home(monkeypatch, zone):
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def in_kolkata(app, monkeypatch):
    yield from at_home(monkeypatch, "Asia/Kolkata")


def run(example, capsys):
    with pytest.warns(UserWarning, match="local time"):
        exec(compile(IMPORTS + example, "example", "exec"), {})  # noqa: S102  our own text
    return capsys.readouterr().out


def test_the_gateway_of_calls_does_not_get_the_admin_key(app, simulator, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.warns(UserWarning, match="OPENAI_BASE_URL is ignored"):
        answer = fetch_openai_usage(simulator.admin_key, "2026-01-05", "2026-01-05", now=NOW)
    assert answer["object"] == "page"


def test_the_example_runs_as_it_was_written(app, simulator, capsys):
    assert run(EXAMPLE.replace("sk-proj-...", simulator.admin_key), capsys) == (
        "Reconciled: True\nToken difference: 0 (0.0%)\nCost difference: $0.0000\n"
    )


def test_the_example_without_list_prices_prints_no_cost_and_not_zero(app, simulator, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert run(EXAMPLE.replace("sk-proj-...", simulator.admin_key), capsys).endswith("Cost difference: $NaN\n")


def test_the_example_with_a_project_key_says_which_key_it_takes(app):
    with pytest.raises(ProviderError, match=re.escape("403: You have insufficient permissions")) as refused:
        exec(compile(IMPORTS + EXAMPLE, "example", "exec"), {})  # noqa: S102  our own text
    assert (refused.value.code, refused.value.remedy.startswith("use an admin key")) == ("missing_scope", True)


def fetched(simulator, *given, **settings):
    return fetch_openai_usage(simulator.admin_key, *given, base_url=simulator.base_url, **({"now": NOW} | settings))


@pytest.mark.parametrize(("width", "buckets"), [("1d", 60), ("1h", 60 * 24)])
def test_every_page_is_read(simulator, width, buckets):
    simulator.ledger.add(CALLS)
    page = fetched(simulator, "2025-12-10", "2026-02-07", width)
    assert (len(page["data"]), page["has_more"]) == (buckets, False)
    assert parse_openai_usage_response(page)["total_requests"] == sum(
        each.at < FIRST.timestamp() + 7 * 86400 for each in CALLS
    )


def test_only_buckets_are_read_that_were_over_half_an_hour_ago(simulator):
    now = datetime(2026, 2, 3, 0, 20, tzinfo=UTC)
    assert len(fetched(simulator, "2026-02-01", now=now)["data"]) == 1
    assert len(fetched(simulator, "2026-02-01", now=now + timedelta(minutes=10))["data"]) == 2
    assert len(fetched(simulator, "2026-02-02", bucket_width="1h", now=now)["data"]) == 23
    assert fetched(simulator, "2026-02-03", now=now)["data"] == []


def test_days_are_those_of_utc_and_cost_is_by_part(simulator):
    simulator.ledger.add([call(-0.01), call(0), call(23.99, cached_tokens=512), call(24, model="nobody-knows")])
    stats = parse_openai_usage_response(fetched(simulator, "2026-01-31", "2026-02-02"))
    assert [(day, sums["requests"], str(sums["cost"])) for day, sums in stats["by_date"]] == [
        ("2026-01-31", 1, "0.00027"), ("2026-02-01", 2, "0.0005016"), ("2026-02-02", 1, "NaN"),
    ]  # fmt: skip
    assert (stats["input_tokens"], stats["cached_tokens"], stats["output_tokens"]) == (4000, 512, 800)


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("2026-2-1",), "bad_period", "start_date: '2026-2-1' is no date"),
        (("2026-02-07", "2026-02-01"), "bad_period", "begins on 2026-02-07 and ends on 2026-02-01"),
        (("2026-02-01", "2026-03-01"), "bad_period", "ends on 2026-03-01, and today is 2026-02-20"),
        (("2026-02-01", None, "1w"), "bad_width", "bucket_width: '1w' is no width of a bucket"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_the_caller_s_words(simulator, given, code, said):
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        fetched(simulator, *given)
    assert refused.value.code == code
    assert simulator.requests == []


def test_an_answer_that_cannot_be_trusted_is_an_error(simulator):
    simulator.script(faults.edited(lambda page: page["data"].pop()))
    with pytest.raises(ProviderError, match="cannot be trusted") as refused:
        fetched(simulator, "2026-02-01", "2026-02-07")
    assert refused.value.code == "day_unanswered"


ROW = {
    "object": "organization.usage.completions.result", "input_tokens": 5, "output_tokens": 1, "num_model_requests": 1
}  # fmt: skip


@pytest.mark.parametrize(
    ("response", "code"),
    [
        ({}, "unexpected_shape"),
        ([], "unexpected_shape"),
        ({"data": [{"aggregation_timestamp": 1738886400, "results": [ROW]}]}, "unexpected_shape"),
        ({"data": [{"start_time": "today", "results": [ROW]}]}, "unexpected_shape"),
        ({"data": [{"start_time": 0, "results": [ROW | {"input_tokens": None}]}]}, "invalid_count"),
        ({"data": [], "has_more": True, "next_page": "x"}, "page_missing"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(response, code):
    with pytest.raises(ProviderError) as refused:
        parse_openai_usage_response(response)
    assert refused.value.code == code


def test_an_answer_that_was_not_grouped_has_sums_and_no_cost(simulator):
    simulator.ledger.add([call(1)])
    params = {"start_time": int(FIRST.timestamp()), "end_time": int(FIRST.timestamp()) + 86400}
    headers = {"Authorization": f"Bearer {simulator.admin_key}"}
    url = f"{simulator.base_url}/organization/usage/completions"
    stats = parse_openai_usage_response(requests.get(url, params, headers=headers, timeout=5).json())
    assert (stats["total_tokens"], stats["total_requests"], stats["estimated_cost"].is_nan()) == (1200, 1, True)


def test_a_log_of_another_zone_is_read_by_utc_days(app):
    records = parse_usage_logs("logs", "2026-02-01", "2026-02-01", time_zone="Asia/Tokyo")
    # 9 h ahead: what the log calls 09:00 of the 1st is midnight of UTC
    assert len(records) == sum(9 <= (each.at - FIRST.timestamp()) / 3600 < 33 for each in CALLS)
    assert {record.date for record in records} == {"2026-02-01"}


def test_without_a_zone_this_machine_s_is_taken_and_that_is_said(in_kolkata):
    with pytest.warns(UserWarning, match="logs: timestamps without an offset .* local time; state time_zone"):
        taken = parse_usage_logs("logs", "2026-02-01", "2026-02-01")
    assert taken == parse_usage_logs("logs", "2026-02-01", "2026-02-01", time_zone="Asia/Kolkata")
    assert taken != parse_usage_logs("logs", "2026-02-01", "2026-02-01", time_zone="UTC")


def test_a_log_with_offsets_needs_no_zone(app, tmp_path):
    (tmp_path / "logs" / "usage_tracking.ndjson").write_text(line_of(CALLS[3], timestamp="2026-02-01T00:30:00+05:30"))
    assert [record.date for record in parse_usage_logs("logs")] == ["2026-01-31"]


def test_a_bad_line_kills_nothing_and_is_shown(app, tmp_path):
    with (tmp_path / "logs" / "usage_tracking.ndjson").open("a") as log:
        log.write("{broken\n" + line_of(CALLS[0], extra="key") + "\n" + "x" * 1_000_001 + "\n\n")
    records = parse_usage_logs("logs", time_zone="UTC")
    assert len(records) == len(CALLS) + 1
    assert [(bad.line, bad.why.split(";")[0]) for bad in records.bad] == [
        (len(CALLS) + 1, "the line is not JSON"), (len(CALLS) + 3, "the line has more than 1,000,000 bytes"),
    ]  # fmt: skip
    assert calculate_usage_stats(records)["bad_lines"] == 2


def test_a_log_of_which_no_line_counts_is_an_error_and_one_of_other_days_is_none(app, tmp_path):
    assert parse_usage_logs("logs", "2020-01-01", "2020-01-02", time_zone="UTC") == []
    (tmp_path / "logs" / "usage_tracking.ndjson").write_text(line_of(CALLS[0], total_tokens=7) + "\n")
    with pytest.raises(UsageError, match=r"none of its lines counts; line 1: total_tokens") as refused:
        parse_usage_logs("logs", "2020-01-01", "2020-01-02", time_zone="UTC")
    assert refused.value.code == "no_usable_line"


def test_of_versions_of_one_call_the_last_counts(app, tmp_path):
    row = {"ended_at": "2026-02-01T10:00:00Z", "model": MINI, "input_tokens": 10, "output_tokens": 1}
    rows = [
        {"complete": True}, row | {"response_id": "a"}, row | {"response_id": "a", "output_tokens": 5},
        row | {"response_id": "b"}, row | {"response_id": "b", "aborted": True}, row, row,
        row | {"response_id": "c"}, row | {"response_id": "c", "ended_at": "2026-02-02T10:00:00Z"},
    ]  # fmt: skip
    (tmp_path / "calls.ndjson").write_text("\n".join(map(json.dumps, rows)))
    assert [record.tokens.output for record in parse_usage_logs("calls.ndjson", "2026-02-01", "2026-02-01")] == [
        5,
        1,
        1,
    ]


def test_a_csv_is_read_by_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text(
        "timestamp,prompt_tokens,completion_tokens,scope\n2026-02-01T10:00:00Z,10,2,IN_SCOPE\n"
    )
    (record,) = parse_usage_logs(tmp_path / "a.csv")
    assert (record.tokens.total, record.scope, record.call_type, record.cost) == (12, "IN_SCOPE", None, None)


@pytest.mark.parametrize(
    ("path", "given", "kind", "code"),
    [
        ("nowhere", {}, UsageError, "no_logs"),
        ("logs", {"start_date": "2026-2-1"}, UsageError, "bad_period"),
        ("logs", {"end_date": "yesterday"}, UsageError, "bad_period"),
        ("logs", {"start_date": "2026-02-02", "end_date": "2026-02-01"}, UsageError, "bad_period"),
        ("logs", {"time_zone": "Mars/Olympus"}, UsageError, "bad_time_zone"),
        ("strange.ndjson", {}, ConfigurationError, "unknown_log_format"),
    ],
)
def test_a_log_that_cannot_be_read_as_asked_is_a_clear_error(app, tmp_path, path, given, kind, code):
    (tmp_path / "strange.ndjson").write_text('{"a": 1}\n')
    with pytest.raises(kind) as refused:
        parse_usage_logs(path, **given)
    assert refused.value.code == code


def test_several_environments_add_up(app, tmp_path, simulator):
    for name, own in (("production", CALLS[::2]), ("staging", CALLS[1::2])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "usage_tracking.ndjson").write_text("\n".join(map(line_of, own)))
    production, staging = (
        parse_usage_logs(name, "2026-02-01", "2026-02-07", time_zone="UTC") for name in ("production", "staging")
    )
    official = parse_openai_usage_response(fetched(simulator, "2026-02-01", "2026-02-07"))
    assert compare_usage(calculate_usage_stats([*production, *staging]), official)["verdict"] == "reconciled"
    alone = compare_usage(calculate_usage_stats(production), official)
    assert (alone["verdict"], alone["difference"]["requests"]) == ("mismatch", -len(staging))


def test_nothing_is_reconciled_against_nothing(simulator):
    official = parse_openai_usage_response(fetched(simulator, "2026-02-01", "2026-02-07"))
    found = compare_usage(calculate_usage_stats([]), official)
    assert (found["verdict"], found["reconciled"]) == ("no_data", False)
    assert not math.isnan(found["difference"]["tokens_pct"])
