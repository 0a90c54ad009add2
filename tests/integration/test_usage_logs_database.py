"""DuckDB and Python read one log in one way: the same sums, the same bad lines, the same repeats, to the last digit."""

import gzip
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support.logs import odd, openai, seeds

pytest.importorskip("duckdb")

from reconcile.adapters.usage_logs import database
from reconcile.adapters.usage_logs.files import find
from reconcile.adapters.usage_logs.streaming import format_of, stream
from reconcile.core.comparing.formats import OPENAI, SEEDS, Fields, Included, LogFormat, Shape, Timestamps
from reconcile.core.comparing.scroll import Scroll

START, END = 1_767_225_600, 1_769_904_000
NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def however_odd(monkeypatch):
    """Odd lines are what these tests are about, so no number of them makes the expression give up."""
    monkeypatch.setattr(database, "MOSTLY", 0)


def both(patterns, log_format):
    files = find(patterns)
    formats = [format_of(file, log_format) for file in files]
    scroll = Scroll(START, END)
    stream(files, formats, scroll)
    summed = database.summed(files, formats, START, END)
    assert summed is not None, "DuckDB was not used"
    return scroll.result(), summed.result()


def same(patterns, log_format):
    streamed, summed = both(patterns, log_format)
    assert summed.bad == streamed.bad
    assert repr(summed) == repr(streamed)
    return summed


def log_of(dice, make, count, oddness):
    lines = []
    for number in range(count):
        line = make(dice, NOON.replace(tzinfo=None) + timedelta(seconds=7 * number))
        lines.append(odd(dice, line) if dice.random() < oddness else line)
        if dice.random() < 0.05:
            lines.append(dice.choice(lines[-50:]))
    return "\n".join(lines).encode("utf-8", "surrogatepass") + dice.choice((b"", b"\n"))


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("make", "log_format"),
    [
        pytest.param(seeds, replace(SEEDS, time_zone=ZoneInfo("Europe/Berlin")), id="seeds, in Berlin"),
        pytest.param(seeds, SEEDS, id="seeds, no zone"),
        pytest.param(seeds, replace(SEEDS, timestamps=Timestamps.RFC3339, time_zone=UTC, units=1000), id="thousands"),
        pytest.param(openai, OPENAI, id="openai"),
        pytest.param(openai, replace(OPENAI, input_includes=frozenset(), time_zone=UTC), id="apart"),
        pytest.param(openai, replace(OPENAI, output_includes_reasoning=False), id="reasoning apart"),
    ],
)
def test_odd_lines_make_no_difference(tmp_path, make, log_format, seed):
    dice = random.Random(seed)
    for number in range(3):
        (tmp_path / f"{number}.ndjson").write_bytes(log_of(dice, make, 700, oddness=0.5))
    found = same([(None, f"{tmp_path}/*.ndjson")], log_format)
    assert found.lines > 2000
    assert found.bad_lines
