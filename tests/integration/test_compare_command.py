"""`compare` as a person in finance has it: a log on a disk, a provider over HTTP, what is printed and how it ends."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import jsonschema
import pytest
from support.application import (
    FAULTS,
    FIRST,
    MINI,
    MONTH,
    NOW,
    Application,
    every_line,
    in_month,
    line_of,
    traffic,
    without,
)
from support.bench import MODEL, at

from reconcile import schemas
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall, Credit, Tariff, Use
from reconcile.usage import KINDS

SMALL = ("--start", "2026-03-02", "--end", "2026-03-04")


@pytest.fixture
def app(tmp_path, simulator, monkeypatch):
    return Application(tmp_path, simulator, monkeypatch)


def codes(document):
    return [each["code"] for each in document["breaks"]]


def test_a_clean_month_is_reconciled_and_names_nothing(app):
    calls = in_month(app.calls(traffic()))
    said = app.says("compare", *MONTH, "--json")
    found = json.loads(said.out)
    jsonschema.Draft202012Validator(schemas.load("comparison")).validate(found)
    assert (said.code, said.err, found["verdict"], codes(found)) == (0, "", "reconciled", [])
    assert found["local"] == found["official"]
    truth = {
        "requests": len(calls), "input_tokens": sum(c.tokens_in for c in calls),
        "cached_tokens": sum(c.cached_tokens for c in calls), "output_tokens": sum(c.tokens_out for c in calls),
        "cost_usd": sum(charge.amount for call in calls for charge in Tariff().charges(call)),
    }  # fmt: skip
    assert {name: Fraction(found["official"][name]) for name in truth} == {n: Fraction(of) for n, of in truth.items()}
    assert found["difference"]["cost_usd"] == "0"


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_a_month_with_a_fault_names_it_first(app, fault):
    code, shape, write = FAULTS[fault]
    calls = traffic(**shape)
    app.calls(calls, write(calls))
    found = app.document("compare", *MONTH)
    assert codes(found)[:1] == [code]
    assert "unexplained" not in codes(found)


def test_what_is_out_of_tolerance_fails_and_says_what(app):
    calls = traffic()
    app.calls(calls, without(calls, 0.1))
    said = app.says("compare", *MONTH, "--by", "model")
    assert said.code == 1
    assert said.out.startswith("MISMATCH  2026-03-01 to 2026-03-31 (UTC)\nOut of tolerance: requests, ")
    assert "1. missing_log: " in said.out
    assert app.says("compare", *MONTH, "--tolerance", "requests=100,tokens=20%,cost=20%").code == 0


@pytest.mark.parametrize("empty", ["the log", "the provider", "the log and the provider"])
def test_nothing_is_compared_with_nothing(app, empty):
    calls = traffic(days=3)
    if empty != "the log and the provider":
        app.calls(calls if empty == "the log" else [], [] if empty == "the log" else every_line(calls))
    else:
        app.log([])
    said = app.says("compare", *SMALL)
    assert (said.code, f"Nothing to compare: {empty} show" in said.flat) == (1, True)
    assert app.document("compare", *SMALL)["verdict"] == "no_data"


def test_a_second_look_at_closed_days_asks_nothing(app):
    app.calls(traffic(days=3))
    first = app.document("compare", *SMALL)
    asked = len(app.simulator.requests)
    second = app.document("compare", *SMALL)
    assert (first["api"]["requests"], second["api"]["requests"], len(app.simulator.requests)) == (asked, 0, asked)
    assert second | {"api": None} == first | {"api": None}
    third = app.document("compare", *SMALL, "--no-cache")
    assert (third["api"], len(app.simulator.requests)) == ({"requests": asked, "cached": 0}, 2 * asked)


def test_days_that_are_open_are_set_apart_and_asked_again(app):
    app.calls(traffic(days=3))
    noon = datetime(2026, 3, 4, 12, 10, tzinfo=UTC)
    found = app.document("compare", *SMALL, now=noon)
    assert found["period"]["compared_until"] == "2026-03-04T11:00:00Z"
    assert found["verdict"] == "reconciled"
    app.simulator.requests.clear()
    app.document("compare", *SMALL, now=noon)
    assert app.simulator.requests


def test_more_requests_than_are_allowed_are_an_error_before_the_first(app):
    app.calls(traffic(days=3))
    said = app.says("compare", *SMALL, "--max-requests", "12")
    assert (said.code, said.out, app.simulator.requests) == (1, "", [])
    assert "it takes 13 or more requests to the provider, and 12 are allowed" in said.err
    assert "allow 13 or more with --max-requests" in said.flat_err


def test_the_provider_s_failure_is_an_error_and_no_verdict(app):
    app.calls(traffic(days=3))
    app.simulator.script(faults.missing_scope())
    said = app.says("compare", *SMALL)
    assert (said.code, said.out, "Missing scopes: api.usage.read" in said.flat_err) == (3, "", True)


def test_several_environments_add_up_against_one_organisation(app):
    calls = app.calls(traffic(days=3))
    app.log(every_line(calls[::2]), "prod/a.ndjson")
    app.log(every_line(calls[1::2]), "staging/a.ndjson")
    both = ("--logs", "prod=prod/*.ndjson", "--logs", "staging=staging/*.ndjson")
    found = app.document("compare", *SMALL, *both, "--by", "framework")
    assert (found["verdict"], [row["name"] for row in found["rows"]]) == ("reconciled", ["prod", "staging", None])
    alone = app.document("compare", *SMALL, *both[:2])
    assert (alone["verdict"], codes(alone)[0]) == ("mismatch", "missing_log")


def test_committed_runs_stand_in_for_a_log(bench, monkeypatch):
    app = Application(bench.folder, bench.simulator, monkeypatch)
    (bench.folder / "reconcile.yml").write_text("frameworks:\n  chatdev: {api_key_ids: [key_chatdev]}\n")
    calls = [BilledCall(at=FIRST.timestamp(), tokens_in=1, tokens_out=1, api_key_id="key_chatdev", model=MODEL)]
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 12_345, 678), ("12:03", 100)], recorded={"api_calls": 2})
    bench.simulator.ledger.add(calls)
    for clock in ("13:00", "14:00"):
        bench.run(clock)
    day = ("--start", "2026-01-05", "--end", "2026-01-05")
    found = app.document("compare", "--runs", "runs", *day, "--by", "framework")
    assert (found["verdict"], found["local"]["requests"], codes(found)) == ("reconciled", 2, [])
    assert found["log"]["files"] == ["runs/chatdev/a/metrics.json"]
    bench.write("chatdev/b", b"{")
    broken = app.document("compare", "--runs", "runs", *day)["log"]
    assert (broken["lines"], broken["bad_lines"], broken["bad"][0]["file"]) == (2, 1, "runs/chatdev/b/metrics.json")


PARTIAL = {
    "run_id": "old", "start_timestamp": "2026-01-05T12:20:00Z", "end_timestamp": "2026-01-05T12:25:00Z", "steps": [],
    "aggregate_metrics": {"TOK_IN": 100, "TOK_OUT": 20},
    "usage_api_reconciliation": {
        "verification_status": "verified",
        "attempts": [{"timestamp": "2026-01-05T13:00:00Z", "total_tokens_in": 100, "total_tokens_out": 20}],
    },
}  # fmt: skip
"""The file of an older tool, which left out cached tokens and calls."""


@pytest.fixture
def partial(bench, monkeypatch):
    """A folder of a run of ours, and one of an older tool."""
    app = Application(bench.folder, bench.simulator, monkeypatch)
    (bench.folder / "reconcile.yml").write_text("frameworks:\n  chatdev: {api_key_ids: [key_chatdev]}\n")
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 1_000, 50)], recorded={"api_calls": 1})
    bench.simulator.ledger.add([
        BilledCall(at=FIRST.timestamp(), tokens_in=1, tokens_out=1, api_key_id="key_chatdev", model=MODEL),
        BilledCall(at=at("12:21").timestamp(), tokens_in=100, tokens_out=20, api_key_id="key_chatdev", model=MODEL),
    ])  # fmt: skip
    bench.write("chatdev/old", json.dumps(PARTIAL))
    for clock in ("13:00", "14:00"):
        bench.run(clock)
    return app


JANUARY_5 = ("--start", "2026-01-05", "--end", "2026-01-05")
UNTOLD = {"requests", "uncached_tokens", "cached_tokens", "cost_usd"}


def test_what_another_tool_left_out_of_a_run_is_unknown_in_a_comparison_and_not_zero(partial):
    found = partial.document("compare", "--runs", "runs", *JANUARY_5, "--by", "framework", "--export", "dispute")
    for figures in (found["local"], found["difference"], found["rows"][0]["local"]):
        assert {name for name, figure in figures.items() if figure is None} == UNTOLD
    assert found["percent"]["requests"] is None
    assert (found["verdict"], found["breaks"], found["local"]["input_tokens"]) == ("reconciled", [], 1_100)
    assert found["tolerance"]["requests"]["untested"] == "a run's file does not tell it"
    lines = list(csv.DictReader((partial.folder / "dispute/local.csv").read_text().splitlines()))
    assert [(line["requests"], line["uncached"], line["output"]) for line in lines] == [
        ("1", "1000", "50"),
        ("", "", "20"),
    ]
    said = partial.says("compare", "--runs", "runs", *JANUARY_5).out
    assert "1 figure of another tool: it left out cached tokens or calls" in " ".join(said.split())


def test_what_another_tool_left_out_is_null_in_the_account_of_a_run(partial):
    found = partial.document("explain", "chatdev", "old")
    (read,) = found["observations"]
    for figure in (found["run"], read, read["reported"]):
        assert [figure[kind] for kind in KINDS] == [100, 20, None, None]


def test_a_figure_of_another_tool_is_charged_to_nobody(partial):
    found = partial.document("costs", "--runs", "runs", *JANUARY_5)
    assert [each["run"] for each in found["left_out"]] == ["chatdev/old"]


def test_rows_as_csv_sum_to_their_total(app):
    calls = traffic(days=3)
    app.calls(calls, without(calls, 0.2))
    said = app.says("compare", *SMALL, "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert (said.code, [row["day"] for row in rows]) == (1, ["2026-03-02", "2026-03-03", "2026-03-04", "TOTAL"])
    *days, whole = rows
    for name in (name for name in whole if name.startswith(("local_", "official_", "difference_"))):
        assert sum(Fraction(row[name]) for row in days) == Fraction(whole[name]), name
    assert app.says("compare", *SMALL, "--csv", "--json").out.startswith("{")


def test_both_data_sets_are_written_line_by_line_for_a_dispute(app):
    app.simulator.ledger.add([Use(at=FIRST.timestamp() + 100_000, endpoint="images", quantity=3)])
    calls = in_month(app.calls(traffic(days=3)))
    found = app.document("compare", *SMALL, "--export", "dispute")
    folder = app.folder / "dispute"
    assert sorted(path.name for path in folder.iterdir()) == [
        "comparison.json", "costs.csv", "local.csv", "official.csv",
    ]  # fmt: skip
    read = {
        name: list(csv.DictReader((folder / f"{name}.csv").read_text().splitlines()))
        for name in ("local", "official", "costs")
    }
    for side in ("local", "official"):
        assert sum(int(row["requests"]) for row in read[side]) == found[side]["requests"] == len(inside(calls))
        parts = ("uncached", "cache_read", "cache_write", "output")
        assert sum(int(row[part]) for row in read[side] for part in parts) == found[side]["total_tokens"]
    assert sum(Fraction(row["amount"]) for row in read["costs"]) == Fraction(found["bill"]["total_usd"])
    assert json.loads((folder / "comparison.json").read_text()) == found
    (app.folder / "taken").write_text("")
    said = app.says("compare", *SMALL, "--export", "taken/in")
    assert (said.code, "taken/in: cannot be written" in said.err) == (3, True)


def inside(calls):
    start = FIRST.timestamp() + 86400
    return [call for call in calls if start <= call.at < start + 3 * 86400]


def test_an_invoice_stands_beside_the_costs_with_what_is_not_visible_in_them(app):
    app.simulator.ledger.add([Credit(at=FIRST.timestamp() + 100_000, amount=Decimal("0.25"))])
    app.calls(traffic(days=3))
    found = app.document("compare", *SMALL, "--invoice", "$1,000.50")
    bill = found["bill"]
    assert (bill["invoice_usd"], bill["other_usd"]) == ("1000.5", "-0.25")
    assert Fraction(bill["difference_usd"]) == Fraction("1000.5") - Fraction(bill["total_usd"])
    assert Fraction(bill["total_usd"]) == Fraction(bill["calls_usd"]) - Fraction("0.25")
    said = app.says("compare", *SMALL, "--invoice", "1000.50").flat
    assert "Invoice: 1,000.5000 USD" in said
    assert "Tax, credits and refunds" in said


def test_usage_alone_is_compared_without_costs(app):
    app.calls(traffic(days=3))
    found = app.document("compare", *SMALL, "--no-costs")
    assert (found["verdict"], found["bill"], found["official"]["cost_usd"]) == ("reconciled", None, None)
    assert not [request for request in app.simulator.requests if request.path.endswith("/costs")]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--start", "March"), 2, "--start: 'March' is no date"),
        (("--start", "2026-03-04", "--end", "2026-03-02"), 2, "begins on 2026-03-04 and ends on 2026-03-02"),
        (("--end", "2026-05-01"), 2, "ends on 2026-05-01, and today is 2026-04-05 (UTC)"),
        (("--start", "2024-01-01"), 2, "more than 366"),
        (("--tolerance", "much"), 2, "much"),
        (("--invoice", "a lot"), 2, "--invoice: 'a lot' is no amount"),
        (("--invoice", "1.234,56"), 2, "--invoice: '1.234,56' is no amount"),
        (("--invoice", "1,5"), 2, "--invoice: '1,5' is no amount"),
        (("--invoice", "1e30000"), 2, "--invoice: '1e30000' is no amount"),
        (("--end", "0001-01-01"), 2, "--end: '0001-01-01' is in no year from 1970 to 2099"),
        (("--format", "openai"), 2, "no log to compare"),
        (("--logs", "nowhere/*.ndjson"), 2, "nowhere/*.ndjson: no such log"),
        (("--format", "telepathy"), 2, "there is no log 'telepathy'"),
        (("--time-zone", "Mars/Olympus"), 1, "'Mars/Olympus' is no time zone"),
    ],
)
def test_what_cannot_be_compared_is_a_clear_error(app, options, code, said):
    app.calls(traffic(days=3))
    found = app.says("compare", *options)
    assert (found.code, found.out, app.simulator.requests) == (code, "", [])
    assert said in found.flat_err


def test_without_a_log_the_ways_to_name_one_are_said(app):
    (app.folder / "reconcile.yml").unlink()
    said = app.says("compare")
    assert (said.code, "no log to compare" in said.err, "--runs DIR" in said.flat_err) == (2, True, True)


def test_without_an_admin_key_or_with_a_project_key_that_is_said(app, monkeypatch):
    app.calls(traffic(days=3))
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-proj-abc")
    project = app.says("compare", *SMALL)
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    missing = app.says("compare", *SMALL)
    assert [(said.code, said.out) for said in (project, missing)] == [(1, ""), (1, "")]
    assert ("project's" in project.err, "OPENAI_ADMIN_KEY" in missing.err) == (True, True)


def test_a_log_whose_zone_nobody_states_counts_for_nothing_and_says_why(app):
    calls = in_month(app.calls(traffic(days=3)))
    app.log([line_of(call, at=datetime.fromtimestamp(call.at, UTC).strftime("%Y-%m-%dT%H:%M:%S")) for call in calls])
    said = app.says("compare", *SMALL)
    assert (said.code, said.out.startswith("NO DATA")) == (1, True)
    assert "without an offset; state the zone of the log" in said.flat
    assert app.says("compare", *SMALL, "--time-zone", "UTC").code == 0


def test_the_last_seven_whole_days_are_compared_where_nothing_is_said(app):
    app.simulator.ledger.add([call_at(NOW - timedelta(days=days)) for days in (0, 1, 7, 8)])
    app.log([line_of(call_at(NOW - timedelta(days=days))) for days in (0, 1, 7, 8)])
    found = app.document("compare")
    assert (found["period"]["start"], found["period"]["end"]) == ("2026-03-29", "2026-04-04")
    assert found["official"]["requests"] == 2


def call_at(moment):
    return BilledCall(at=moment.timestamp(), tokens_in=1000, tokens_out=100, api_key_id="key_app", model=MINI)
