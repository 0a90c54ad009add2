"""The cache of closed days: what it spares, what it keeps, and what it never believes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.billing import KEY, NOW, PERIOD, START, asked, call, embedding, fetched, spoil, use

from reconcile.errors import ConfigurationError, ProviderError
from reconcile.money.entry import DAY, Official, Period
from reconcile.providers import cache as period_cache
from reconcile.providers.cache import PeriodCache, Shelf, default_folder
from reconcile.simulator import faults
from reconcile.simulator.calls import Credit, Ledger
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator

ROUNDS = period_cache.ROUNDS
"""Those of a user; the other tests have fewer."""
TOPICS = 11
"""Ten usage endpoints and the costs."""
RECORDS = (
    call(0, cache_write_tokens=50),
    call(26, batch=True),
    call(71, api_key_id=None),
    embedding(3),
    use("images", 1, 4, api_key_id="key_a", model="gpt-image-1"),
    Credit(at=START, amount=Decimal("0.125")),
)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger(RECORDS), now=NOW, admin_key=KEY) as simulator:
        yield simulator


@pytest.fixture
def cache(tmp_path: Path) -> PeriodCache:
    return PeriodCache(tmp_path / "cache")


def read(simulator: Simulator, cache: PeriodCache, period: Period = PERIOD, **settings: Any) -> Official:
    return fetched(simulator, period, cache=cache, **({"closed_before": period.end} | settings))


def figures(official: Official) -> tuple[Any, ...]:
    return (official.usage, official.other, official.costs)


def files(cache: PeriodCache) -> list[Path]:
    return sorted(path for path in cache.folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------------------------------------- what it spares


def test_a_second_look_at_a_closed_period_makes_no_request(simulator: Simulator, cache: PeriodCache) -> None:
    first = read(simulator, cache)
    made = len(simulator.requests)
    second = read(simulator, cache, max_requests=0)
    assert figures(second) == figures(first) == figures(fetched(simulator))
    assert (first.requests, first.cached) == (made, 0)
    assert (second.requests, second.cached) == (0, 3 * TOPICS)


def test_a_day_without_a_cost_is_asked_for_again_as_it_may_not_be_billed_yet(
    simulator: Simulator, cache: PeriodCache
) -> None:
    quiet = Period(PERIOD.first + timedelta(days=3), PERIOD.first + timedelta(days=3))
    assert read(simulator, cache, quiet).costs == ()
    simulator.ledger.add([call(24 * 3 + 1)])
    simulator.requests.clear()
    assert read(simulator, cache, quiet).costs != ()
    assert {request.path for request in simulator.requests} == {"/v1/organization/costs"}


def test_only_missing_days_are_asked_for_in_stretches(simulator: Simulator, cache: PeriodCache) -> None:
    simulator.ledger.add([call(24 * 3 + 1), call(24 * 4 + 1)])
    read(simulator, cache, Period(PERIOD.first + timedelta(days=3), PERIOD.first + timedelta(days=4)))
    simulator.requests.clear()
    read(simulator, cache, Period(PERIOD.first, PERIOD.first + timedelta(days=6)))
    wanted = [(START, START + 3 * DAY), (START + 5 * DAY, START + 7 * DAY)]
    for path in ("usage/images", "costs"):
        spans = [dict(request.params) for request in asked(simulator, path)]
        assert [(int(span["start_time"]), int(span["end_time"])) for span in spans] == wanted
    hours = [dict(request.params) for request in asked(simulator, "usage/completions")]
    assert [int(span["start_time"]) for span in hours if span["bucket_width"] == "1h"] == [start for start, _ in wanted]


def test_days_that_are_not_closed_are_neither_looked_up_nor_kept(simulator: Simulator, cache: PeriodCache) -> None:
    read(simulator, cache, closed_before=START + 2 * DAY - 1)
    assert {path.name for path in files(cache)} == {"2026-01-05.1.json", "2026-01-05.1-by-key.json"}
    official = read(simulator, cache, closed_before=START + 2 * DAY - 1)
    assert official.cached == TOPICS
    assert fetched(simulator, cache=cache).cached == 0


def test_a_day_that_is_not_settled_is_not_kept_however_closed_it_is_said_to_be(
    simulator: Simulator, cache: PeriodCache
) -> None:
    read(simulator, cache, until=START + DAY + 7200, closed_before=PERIOD.end)
    assert {path.name[:10] for path in files(cache)} == {"2026-01-05"}


def test_usage_that_comes_late_to_an_open_day_is_seen(simulator: Simulator, cache: PeriodCache) -> None:
    read(simulator, cache, closed_before=START + DAY)
    simulator.ledger.add([call(30)])
    assert figures(read(simulator, cache)) == figures(fetched(simulator))


def test_what_was_answered_whole_stays_when_a_later_query_fails(simulator: Simulator, cache: PeriodCache) -> None:
    spoil(simulator, "usage/images", faults.not_found)
    with pytest.raises(ProviderError):
        read(simulator, cache)
    assert {path.parent.name for path in files(cache)} == {"completions", "embeddings", "moderations"}
    simulator.script(*[None] * 60)
    assert figures(read(simulator, cache)) == figures(fetched(simulator))


@pytest.mark.parametrize(
    ("path", "script"),
    [
        pytest.param("usage/images", [faults.missing_minute(2)], id="a-day-left-out"),
        pytest.param("costs", [faults.lost_cursor], id="a-cursor-lost"),
        pytest.param("usage/completions", [None, faults.transient_zero, None, faults.transient_zero], id="zeros"),
    ],
)
def test_an_answer_that_is_refused_is_not_kept(
    simulator: Simulator, cache: PeriodCache, path: str, script: list[Any]
) -> None:
    spoil(simulator, path, *script)
    with pytest.raises(ProviderError):
        read(simulator, cache)
    assert path.rpartition("/")[2] not in {file.parent.name for file in files(cache)}


def test_a_zero_that_passes_is_not_kept(simulator: Simulator, cache: PeriodCache) -> None:
    spoil(simulator, "usage/completions", None, faults.transient_zero)
    assert (
        figures(read(simulator, cache))
        == figures(read(simulator, cache, max_requests=0))
        == figures(fetched(simulator))
    )


def test_costs_that_were_refused_by_key_are_kept_without_keys(simulator: Simulator, cache: PeriodCache) -> None:
    said = {"error": {"message": "group_by=api_key_id is not available for this time range."}}
    spoil(simulator, "costs", faults.instead(Reply(400, json.dumps(said).encode())))
    first = read(simulator, cache)
    assert figures(read(simulator, cache, max_requests=0)) == figures(first)


# ---------------------------------------------------------------------------------------------- what it keeps


def test_neither_the_key_nor_the_names_of_people_are_in_the_cache(simulator: Simulator, cache: PeriodCache) -> None:
    spoil(
        simulator, "costs", faults.edited(lambda page: page["data"][0]["results"][0].update(user_email="a@b.example"))
    )
    read(simulator, cache)
    written = b"".join(path.read_bytes() for path in files(cache)).decode() + "".join(map(str, files(cache)))
    assert len(files(cache)) == 3 * TOPICS
    for secret in (KEY, KEY.removeprefix("sk-admin-"), "a@b.example", "organization_name", "127.0.0.1"):
        assert secret not in written


def test_whoever_guesses_the_key_from_the_name_of_a_folder_computes_long(
    cache: PeriodCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(period_cache, "ROUNDS", ROUNDS)
    cache.shelf("https://a.example/v1", "key").put("costs", "1", START, [])
    slow = hashlib.pbkdf2_hmac("sha256", b"key", b"period cache of https://a.example/v1", 50_000, 48)
    assert [path.name for path in cache.folder.iterdir()] == [slow[:16].hex()]


def test_files_are_for_this_user_alone(simulator: Simulator, cache: PeriodCache) -> None:
    read(simulator, cache)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(cache)} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) & 0o077 for path in files(cache)} == {0}
    assert [path for path in cache.folder.rglob("*") if path.name.endswith(".tmp")] == []


def test_a_key_and_a_service_have_days_of_their_own(cache: PeriodCache) -> None:
    shelf = cache.shelf("https://a.example/v1", "key")
    assert shelf.put("costs", "1", START, [])
    assert cache.shelf("https://a.example/v1/", "key").get("costs", "1", START) == []
    for service, key in (("https://a.example/v1", "other"), ("https://b.example/v1", "key")):
        assert cache.shelf(service, key).get("costs", "1", START) is None


def test_the_cache_is_where_this_system_keeps_a_users_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder().is_relative_to(tmp_path)
    assert PeriodCache().folder == default_folder()


# --------------------------------------------------------------------------------------- what it never believes


ROWS = [(START, {"object": "x", "amount": 1}), (START + 3600, {"object": "x", "amount": 2})]


@pytest.fixture
def shelf(cache: PeriodCache) -> Shelf:
    shelf = cache.shelf("https://a.example/v1", "key")
    assert shelf.put("costs", "1", START, ROWS)
    return shelf


def only_file(cache: PeriodCache) -> Path:
    (path,) = files(cache)
    return path


def replaced(old: str, new: str) -> Callable[[Path], object]:
    def edit(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return edit


def linked(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def made_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_what_is_put_comes_back(shelf: Shelf) -> None:
    assert shelf.get("costs", "1", START) == ROWS


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(lambda path: path.write_text(""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-9]), id="cut"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), id="no-text"),
        pytest.param(lambda path: path.write_text("[" * 100_000), id="endlessly-deep"),
        pytest.param(lambda path: path.write_text("[]"), id="no-object"),
        pytest.param(lambda path: path.write_text("null"), id="null"),
        pytest.param(lambda path: path.write_text('{"rows": "[]"}'), id="no-seal"),
        pytest.param(lambda path: path.write_text('{"rows": "[]", "seal": 5}'), id="a-number-for-a-seal"),
        pytest.param(lambda path: path.write_text('{"rows": "[]", "seal": "\u00e9"}'), id="a-seal-in-other-letters"),
        pytest.param(replaced('amount\\": 2', 'amount\\": 3'), id="a-figure-changed"),
        pytest.param(replaced('"seal": "', '"seal": "0'), id="the-seal-changed"),
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: os.truncate(path, 257 * 2**20), id="far-too-large"),
        pytest.param(linked, id="a-link"),
        pytest.param(piped, id="a-pipe"),
        pytest.param(made_a_folder, id="a-folder"),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_no_answer(
    cache: PeriodCache, shelf: Shelf, spoiled: Callable[[Path], object]
) -> None:
    spoiled(only_file(cache))
    assert shelf.get("costs", "1", START) is None


@pytest.mark.parametrize(
    ("endpoint", "version", "day"),
    [
        pytest.param("images", "1", START, id="endpoint"),
        pytest.param("costs", "2", START, id="version"),
        pytest.param("costs", "1", START + DAY, id="day"),
    ],
)
def test_a_file_in_the_place_of_another_is_no_answer(
    cache: PeriodCache, shelf: Shelf, endpoint: str, version: str, day: int
) -> None:
    content = only_file(cache).read_bytes()
    assert shelf.put(endpoint, version, day, [])
    (other,) = [path for path in files(cache) if path.read_bytes() != content]
    other.write_bytes(content)
    assert shelf.get(endpoint, version, day) is None


def test_a_file_that_another_key_wrote_is_no_answer(cache: PeriodCache, shelf: Shelf) -> None:
    mine = only_file(cache)
    assert cache.shelf("https://a.example/v1", "other").put("costs", "1", START, [])
    (theirs,) = [path for path in files(cache) if path != mine]
    mine.write_bytes(theirs.read_bytes())
    assert shelf.get("costs", "1", START) is None


def test_spoiled_files_are_asked_for_again_and_mended(simulator: Simulator, cache: PeriodCache) -> None:
    first = read(simulator, cache)
    for path in files(cache):
        path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    assert figures(read(simulator, cache)) == figures(first)
    assert figures(read(simulator, cache, max_requests=0)) == figures(first)


def test_rows_that_this_version_cannot_read_are_asked_for_again(simulator: Simulator, cache: PeriodCache) -> None:
    shelf = cache.shelf(simulator.base_url, KEY)
    assert shelf.put("images", "1", START, [(START, {"object": "something else"})])
    assert figures(read(simulator, cache)) == figures(fetched(simulator))


@pytest.mark.parametrize("start", [START - 3600, START + DAY, "x"], ids=["before", "after", "no-number"])
def test_rows_of_another_day_are_asked_for_again(simulator: Simulator, cache: PeriodCache, start: Any) -> None:
    row = {"object": "organization.usage.images.result", "images": 9, "num_model_requests": 9}
    assert cache.shelf(simulator.base_url, KEY).put("images", "1", START, [(start, row)])
    assert figures(read(simulator, cache)) == figures(fetched(simulator))


# ------------------------------------------------------------------------------------------ where it cannot write


def test_a_cache_that_cannot_be_written_harms_nothing(simulator: Simulator, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    official = read(simulator, PeriodCache(tmp_path / "cache"))
    assert figures(official) == figures(fetched(simulator))


def test_a_write_that_fails_leaves_nothing(cache: PeriodCache, shelf: Shelf) -> None:
    path = only_file(cache)
    made_a_folder(path)
    assert shelf.put("costs", "1", START, ROWS) is False
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_killed_writers_left_is_cleared_away(cache: PeriodCache, shelf: Shelf) -> None:
    folder = only_file(cache).parent
    old, young = folder / ".2026-01-05.1.json.a.tmp", folder / ".2026-01-05.1.json.b.tmp"
    for left, age in ((old, 7200), (young, 60)):
        left.write_text("half")
        os.utime(left, (time.time() - age,) * 2)
    assert shelf.put("costs", "1", START, ROWS)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_budget_counts_only_what_is_missing(simulator: Simulator, cache: PeriodCache) -> None:
    read(simulator, cache)
    longer = Period(PERIOD.first, date(2026, 1, 8))
    with pytest.raises(ConfigurationError) as caught:
        read(simulator, cache, longer, max_requests=12)
    assert "it takes 13 or more requests" in caught.value.message
    assert read(simulator, cache, longer, max_requests=13).requests == 13
