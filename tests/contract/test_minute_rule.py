"""The simulator's minutes against 1,313 recorded query windows of the real API (GenAI-DevBench, October 2025).

Usage is stored by the UTC minute: a window without a minute's first second in it read zero, every time.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.replies import answer

EVIDENCE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "windowing-evidence.csv"

pytestmark = pytest.mark.skipif(not EVIDENCE.exists(), reason="the recorded windows are not beside this repository")


@pytest.fixture(scope="module")
def windows() -> list[dict[str, str]]:
    with EVIDENCE.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def busy(windows: list[dict[str, str]]) -> Ledger:
    """A call in the middle of every minute of the recorded week, so that only the rule can make a window read zero."""
    first, last = min(int(w["query_start"]) for w in windows), max(int(w["query_end"]) for w in windows)
    minutes = range(first // 60 * 60, last + 60, 60)
    return Ledger(
        BilledCall(at=minute + 30, tokens_in=9, tokens_out=1, api_key_id="key_a", model="m") for minute in minutes
    )


def counted(ledger: Ledger, start: str, end: str) -> int:
    """Requests in a window, asked for as they were: by the day."""
    params = [("start_time", start), ("end_time", end), ("bucket_width", "1d"), ("limit", "31")]
    page = json.loads(answer(params, ledger, now=int(end)).body)
    return sum(row["num_model_requests"] for bucket in page["data"] for row in bucket["results"])


def test_the_simulator_reads_zero_exactly_where_no_minute_starts(windows: list[dict[str, str]], busy: Ledger) -> None:
    zero = [counted(busy, w["query_start"], w["query_end"]) == 0 for w in windows]
    assert zero == [w["minute_boundary_in_window"] == "0" for w in windows]
    assert 200 < sum(zero) < len(windows), "the evidence shows both cases"


def test_the_real_api_never_read_usage_where_the_simulator_cannot(windows: list[dict[str, str]], busy: Ledger) -> None:
    used = [w for w in windows if int(w["tokens_in"]) > 0]
    assert all(counted(busy, w["query_start"], w["query_end"]) > 0 for w in used)
    assert len(used) > 700
