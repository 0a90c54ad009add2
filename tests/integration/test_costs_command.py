"""`costs` as a person in finance has it: who pays what of the bill, and of committed runs."""

import csv
import io
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import jsonschema
import pytest
from support.application import FIRST, LARGE, MINI, Application
from support.bench import BLOCK

from reconcile import schemas
from reconcile.simulator.calls import BilledCall, Ledger, Tariff, Use

DAYS = ("--start", "2026-03-01", "--end", "2026-03-03")
JANUARY = ("--start", "2026-01-05", "--end", "2026-01-05")
CONFIGURATION = """\
frameworks:
  chatdev: {api_key_ids: [key_chatdev]}
  baes: {api_key_ids: [key_baes]}
labels:
  api_key_ids: {key_shop: {team: product}}
  frameworks: {chatdev: {team: research}}
  project_ids: {proj_shop: {department: sales}}
"""


def call(hours, key, **facts):
    known = {"tokens_in": 100_000, "tokens_out": 10_001, "cached_tokens": 333, "model": MINI}
    return BilledCall(at=FIRST.timestamp() + 3600 * hours, api_key_id=key, **(known | facts))


CALLS = [
    call(1, "key_shop", project_id="proj_shop"),
    call(2, "key_chatdev", model=LARGE),
    call(30, "key_chatdev", batch=True),
    call(50, "key_unknown"),
]
SEARCHES = Use(at=FIRST.timestamp() + 7200, endpoint="web_search_calls", quantity=3, api_key_id=None)


def usd(*records):
    return sum(charge.amount for record in records for charge in Tariff().charges(record))


@pytest.fixture
def app(tmp_path, simulator, monkeypatch):
    app = Application(tmp_path, simulator, monkeypatch)
    (tmp_path / "reconcile.yml").write_text(CONFIGURATION)
    simulator.ledger.add([*CALLS, SEARCHES])
    return app


def rows(document):
    return {row["name"]: None if row["amount"] is None else Decimal(row["amount"]) for row in document["rows"]}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("team", {"product": CALLS[:1], "research": CALLS[1:3], None: [CALLS[3], SEARCHES]}),
        ("department", {"sales": CALLS[:1], None: [*CALLS[1:], SEARCHES]}),
        ("project", {"proj_shop": CALLS[:1], "proj_simulated": [*CALLS[1:], SEARCHES]}),
        ("model", {MINI: [CALLS[0], *CALLS[2:]], LARGE: CALLS[1:2], None: [SEARCHES]}),
        ("key", {"key_shop": CALLS[:1], "key_chatdev": CALLS[1:3], "key_unknown": CALLS[3:], None: [SEARCHES]}),
        ("framework", {"chatdev": CALLS[1:3], None: [CALLS[0], CALLS[3], SEARCHES]}),
    ],
)
def test_the_bill_is_charged_to_whom_it_is_of_to_the_last_digit(app, by, names):
    said = app.says("costs", *DAYS, "--by", by, "--json")
    found = json.loads(said.out)
    jsonschema.Draft202012Validator(schemas.load("costs")).validate(found)
    assert (said.code, said.err, found["notes"]) == (0, "", [])
    assert rows(found) == {name: usd(*records) for name, records in names.items()}
    assert Decimal(found["total"]["amount"]) == usd(*CALLS, SEARCHES)


def test_what_has_no_label_is_a_row_of_text_and_csv(app):
    text = app.says("costs", *DAYS, "--by", "team")
    assert text.out.startswith("COSTS  2026-03-01 to 2026-03-03 (UTC), by team, of the provider's costs\n")
    assert "  (unlabelled)  " in text.out
    lines = list(csv.DictReader(io.StringIO(app.says("costs", *DAYS, "--by", "team", "--csv").out)))
    assert [line["team"] for line in lines] == ["research", "product", "(unlabelled)", "TOTAL"]
    assert sum(Fraction(line["amount"]) for line in lines[:-1]) == Fraction(lines[-1]["amount"])


def test_a_second_look_at_closed_days_asks_nothing(app):
    app.document("costs", *DAYS)
    app.simulator.requests.clear()
    assert app.document("costs", *DAYS, "--by", "team")["api"] == {"requests": 0, "cached": 9}
    assert app.simulator.requests == []
    assert app.document("costs", *DAYS, "--no-cache")["api"]["requests"] == len(app.simulator.requests) == 5


def test_keys_of_days_before_they_were_told_apart_are_unlabelled_and_that_is_said(app):
    early = BilledCall(
        at=datetime(2025, 12, 5, 10, tzinfo=UTC).timestamp(), tokens_in=1000, tokens_out=10, api_key_id="key_shop",
        model=MINI,
    )  # fmt: skip
    app.simulator.ledger.add([early])
    found = app.document("costs", "--start", "2025-12-01", "--end", "2025-12-10", "--by", "team")
    assert rows(found) == {None: usd(early)}
    assert [note["code"] for note in found["notes"]] == ["keys_unknown"]
    assert "from 2025-12-06 on" in found["notes"][0]["message"]


def test_a_day_that_is_not_over_is_in_no_amount_and_that_is_said(app):
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    found = app.document("costs", *DAYS, now=noon)
    assert Decimal(found["total"]["amount"]) == usd(*CALLS[:3], SEARCHES)
    assert [note["code"] for note in found["notes"]] == ["costs_open"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            ("--by", "colour"),
            2,
            "nothing has a label 'colour'; one of framework, model, project, key, department, team",
        ),
        (("--start", "March"), 2, "--start: 'March' is no date"),
        (("--max-requests", "4"), 1, "it takes 5 or more requests to the provider, and 4 are allowed"),
    ],
)
def test_what_cannot_be_charged_is_a_clear_error(app, options, code, said):
    found = app.says("costs", *DAYS, *options)
    assert (found.code, found.out, app.simulator.requests) == (code, "", [])
    assert said.split("; ")[0] in found.flat_err
    assert said.split("; ")[-1] in found.flat_err


def test_without_an_admin_key_that_is_said(app, monkeypatch):
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    assert app.says("costs", *DAYS).code == 1


@pytest.fixture
def lab(bench, monkeypatch):
    """Runs of two frameworks: verified ones, two that share a minute, one of an unpriced model, one that is new."""
    app = Application(bench.folder, bench.simulator, monkeypatch)
    (bench.folder / "reconcile.yml").write_text(CONFIGURATION)
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 12_345, 678), ("12:03", 100)])
    bench.add("chatdev/b", "12:30:10", "12:34", [("12:33", 200)])
    bench.add("baes/c", "12:00", "12:04:30", [("12:04:10", 500)])
    bench.add("baes/d", "12:04:31", "12:08", [("12:04:40", 600)])
    unpriced = BilledCall(at=FIRST.replace(month=1, day=5, hour=12, minute=50).timestamp(), tokens_in=70, tokens_out=7,
                    api_key_id="key_baes", model="my-model-x")  # fmt: skip
    bench.add("baes/e", "12:50", "12:51", [unpriced])
    for clock in ("13:30", "14:30"):
        bench.run(clock)
    bench.add("chatdev/new", "14:20", "14:25", [("14:21", 999)])
    return app


def test_runs_are_charged_at_list_prices_by_their_framework(lab):
    said = lab.says("costs", "--runs", "runs", *JANUARY, "--json")
    found = json.loads(said.out)
    jsonschema.Draft202012Validator(schemas.load("costs")).validate(found)
    chatdev = Decimal(12645) * Decimal("0.00000015") + Decimal(698) * Decimal("0.0000006")
    assert (said.code, found["source"], rows(found)["chatdev"]) == (0, "runs", chatdev)
    assert (rows(found)["baes"], found["rows"][1]["unpriced_tokens"]) == (None, 77)
    assert found["price_sources"] == ["genai-prices 0.2.3"]
    assert {each["run"]: each["why"] for each in found["left_out"]} == {
        "baes/c": "its figure is not exact", "baes/d": "its figure is not exact",
        "chatdev/new": "it is not settled",
    }  # fmt: skip
    assert lab.simulator.requests[-1].at < datetime(2026, 1, 6, tzinfo=UTC).timestamp()  # none but those of the passes


def test_what_is_unpriced_is_never_zero(lab):
    said = lab.says("costs", "--runs", "runs", *JANUARY)
    assert [line.split()[:3] for line in said.out.splitlines() if "UNPRICED" in line] == [
        ["baes", "UNPRICED", "1"], ["TOTAL", "0.0023", "+"],
    ]  # fmt: skip
    assert "Runs left out: 3 without an exact figure" in said.out


def test_runs_are_charged_to_labels_too(lab):
    found = lab.document("costs", "--runs", "runs", *JANUARY, "--by", "team")
    assert [row["name"] for row in found["rows"]] == ["research", None]


def test_a_run_without_its_evidence_or_with_a_broken_file_is_left_out(lab):
    (lab.folder / "runs/chatdev/a/usage_evidence.json").unlink()
    (lab.folder / "runs/chatdev/b/metrics.json").write_text("{")
    found = lab.document("costs", "--runs", "runs", *JANUARY)
    why = {each["run"]: each["why"] for each in found["left_out"]}
    assert why["chatdev/a"] == "its evidence is missing, so its models are not known"
    assert why["runs/chatdev/b/metrics.json"] == "it is not valid, and what it used is not known"


def test_another_tool_s_verdict_and_a_run_that_was_given_up_are_left_out(bench, monkeypatch):
    app = Application(bench.folder, bench.simulator, monkeypatch)
    (bench.folder / "reconcile.yml").write_text(CONFIGURATION)
    bench.add("chatdev/a", "12:00", "12:05", [("12:01", 100)])
    bench.add("chatdev/zero", "12:06", "12:09", recorded={"api_calls": 0, "tokens_in": 0, "tokens_out": 0})
    _, dropped = bench.add("baes/late", "12:00", "12:05", [("12:01", 100), ("12:02", 9)])
    bench.run("12:40")
    bench.simulator.ledger = Ledger([call for call in bench.simulator.ledger if call is not dropped])
    bench.run("+1 12:30")
    file = bench.file("chatdev/a")
    value = json.loads(file.read_text())
    del value[BLOCK]["policy"]
    file.write_text(json.dumps(value))
    found = app.document("costs", "--runs", "runs", *JANUARY)
    assert [bench.verdict(name) for name in ("chatdev/zero", "baes/late")] == [
        "verified: no_api_calls", "failed: cutoff_passed",
    ]  # fmt: skip
    assert {each["run"]: each["why"].split(",")[0] for each in found["left_out"]} == {
        "chatdev/a": "another tool made its verdict", "baes/late": "it was given up",
    }  # fmt: skip


def test_without_the_extra_runs_cannot_be_charged(lab, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    said = lab.says("costs", "--runs", "runs", *JANUARY)
    assert (said.code, "list prices need the package genai-prices" in said.flat_err) == (1, True)
