"""The ledger: what was really used, and what of it the usage API shows."""

from __future__ import annotations

from typing import Any

from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.usage import Bucket, Usage

START = 1767621600  # 2026-01-05T14:00:00Z
NOW = START + 86400


def call(second: float, **facts: Any) -> BilledCall:
    known = {"tokens_in": 100, "tokens_out": 10, "api_key_id": "key_a", "model": "gpt-4o-mini-2024-07-18"}
    return BilledCall(at=START + second, **(known | facts))


def test_reported__one_bucket_a_group_in_order_of_time() -> None:
    ledger = Ledger([call(70), call(5), call(6), call(7, api_key_id=None)])
    assert ledger.reported(START, START + 120, NOW) == [
        Bucket(START, Usage(200, 20, 0, 2), "key_a", "gpt-4o-mini-2024-07-18", "proj_simulated", False, "default", 0),
        Bucket(START, Usage(100, 10, 0, 1), None, "gpt-4o-mini-2024-07-18", "proj_simulated", False, "default", 0),
        Bucket(
            START + 60, Usage(100, 10, 0, 1), "key_a", "gpt-4o-mini-2024-07-18", "proj_simulated", False, "default", 0
        ),
    ]


def test_reported__what_was_written_to_a_cache_is_summed_up() -> None:
    ledger = Ledger([call(5, cache_write_tokens=40), call(6, cache_write_tokens=2), call(7, api_key_id=None)])
    assert [bucket.cache_write for bucket in ledger.reported(START, START + 60, NOW)] == [42, 0]


def test_reported__nothing_before_it_shows() -> None:
    ledger = Ledger([call(5, visible_at=START + 600.0)])
    assert ledger.reported(START, START + 60, START + 599.9) == []
    assert len(ledger.reported(START, START + 60, START + 600)) == 1


def test_truth__is_to_the_second_of_one_key_and_shown_or_not() -> None:
    ledger = Ledger([call(5, visible_at=NOW + 1.0), call(10), call(10, api_key_id="key_b"), call(20)])
    ledger.add([call(19.9)])
    assert ledger.truth("key_a", START + 5, START + 20) == Usage(300, 30, 0, 3)
