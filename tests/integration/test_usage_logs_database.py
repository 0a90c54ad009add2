"""DuckDB and Python read one log in one way: the same sums, the same bad lines, the same repeats, to the last digit."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from support.logs import HEADER, everything, odd, openai, row, seeds
from support.worlds import SCALE

pytest.importorskip("duckdb")

from reconcile.ledger.formats import CALLS, OPENAI, SEEDS, Fields, LogFormat, Timestamps
from reconcile.ledger.readers import database
from reconcile.ledger.readers.log_files import find
from reconcile.ledger.readers.stream import format_of, stream
from reconcile.ledger.scroll import Scroll

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


EVERYTHING = LogFormat(
    fields=Fields(
        timestamp=("time",),
        input_tokens=("in",),
        output_tokens=("out",),
        cached_tokens=("cached",),
        cache_write_tokens=("written",),
        reasoning_tokens=("thought",),
        requests=("requests",),
        model=("model",),
        cost=("cost",),
        api_key_id=("key",),
        project_id=("project",),
        batch=("batch",),
        service_tier=("tier",),
    ),
    time_zone=UTC,
)

CASES = [
    pytest.param(seeds, replace(SEEDS, time_zone=ZoneInfo("Europe/Berlin")), "ndjson", id="seeds, in Berlin"),
    pytest.param(seeds, SEEDS, "ndjson", id="seeds, no zone"),
    pytest.param(
        seeds, replace(SEEDS, timestamps=Timestamps.RFC3339, time_zone=UTC, units=1000), "ndjson", id="thousands"
    ),
    pytest.param(openai, OPENAI, "ndjson", id="openai"),
    pytest.param(openai, replace(OPENAI, input_includes=frozenset(), time_zone=UTC), "ndjson", id="cached apart"),
    pytest.param(openai, replace(OPENAI, output_includes_reasoning=False), "ndjson", id="reasoning apart"),
    pytest.param(openai, replace(OPENAI, timestamps=Timestamps.MILLISECONDS), "ndjson", id="milliseconds"),
    pytest.param(everything, EVERYTHING, "ndjson", id="every field"),
    pytest.param(row, EVERYTHING, "csv", id="csv"),
]


@pytest.mark.parametrize("seed", range(max(1, int(SCALE))))
@pytest.mark.parametrize(("make", "log_format", "kind"), CASES)
def test_odd_lines_make_no_difference(tmp_path, make, log_format, kind, seed):
    dice = Random(seed)  # noqa: S311  a test that can be repeated
    for number in range(3):
        log = log_of(dice, make, 700, oddness=0.5)
        if kind == "csv":  # a cell that is left open goes over lines, and such a file is read line by line
            log = b"\n".join(line + b'"' * (line.count(b'"') % 2) for line in log.split(b"\n"))
        (tmp_path / f"{number}.{kind}").write_bytes(f"{HEADER}\n".encode() + log if kind == "csv" else log)
    found = same([(None, f"{tmp_path}/*.{kind}")], log_format)
    assert found.lines > 1900
    assert found.bad_lines


def test_a_line_that_is_too_long_for_one_is_so_for_the_other(tmp_path):
    line = '{"timestamp": "2026-01-05T12:00:00Z", "prompt_tokens": 1, "completion_tokens": 1, "prompt": "%s"}'
    lines = [line % ("x" * (size - len(line) + 2)) for size in (1_000_000, 1_000_001, 1_200_000)] + [
        line % n for n in range(300)
    ]
    assert [len(each) for each in lines[:3]] == [1_000_000, 1_000_001, 1_200_000]
    (tmp_path / "a.ndjson").write_text("\n".join(lines) + "\n")
    found = same([(None, f"{tmp_path}/a.ndjson")], SEEDS)
    assert (found.bad_lines, sum(entry.requests for entry in found.entries)) == (2, 301)


def test_files_of_several_environments_plain_and_packed_are_one_log(tmp_path):
    dice = Random(1)  # noqa: S311  a test that can be repeated
    log = log_of(dice, openai, 300, oddness=0.1)
    (tmp_path / "a.ndjson").write_bytes(log)
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(log[: len(log) // 2]) + gzip.compress(log[len(log) // 2 :]))
    (tmp_path / "c.ndjson").write_bytes(b"\n\n" + log)
    (tmp_path / "d.ndjson").write_bytes(b"")
    (tmp_path / "e.ndjson").write_bytes(b"\n" * 100_000 + log)
    patterns = [("prod", f"{tmp_path}/[ab]*"), ("test", f"{tmp_path}/c*"), (None, f"{tmp_path}/[de]*")]
    found = same(patterns, OPENAI)
    assert {entry.who.framework for entry in found.entries} == {"prod", "test", None}
    assert sum(entry.requests for entry in found.repeated) > 600


@pytest.mark.parametrize(("blank", "repeats"), [(99_999, 1), (100_000, 0)])
def test_a_line_repeats_one_of_the_last_100000_lines(tmp_path, blank, repeats):
    line = b'{"timestamp": "2026-01-03T10:00:00Z", "prompt_tokens": 5, "completion_tokens": 1}'
    (tmp_path / "log.ndjson").write_bytes(line + b"\n" * (blank + 1) + line)
    found = same([(None, f"{tmp_path}/log.ndjson")], SEEDS)
    assert sum(entry.requests for entry in found.entries) == 2
    assert sum(entry.requests for entry in found.repeated) == repeats


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(b'{"timestamp": 1767434399,\r\n', id="a carriage return"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(b"{}\n\xff\n", id="no UTF-8"),
        pytest.param(b"{}\n\xc3", id="half a character at the end"),
        pytest.param(b"a\x00b", id="a NUL"),
        pytest.param(b'{"a": "\x1f"}', id="the separator of columns"),
        pytest.param(b"x" * 3_000_000, id="a line that is too long"),
    ],
)
def test_what_duckdb_may_read_in_another_way_is_left_to_python(tmp_path, log):
    (tmp_path / "log.ndjson").write_bytes(log)
    files = find([(None, f"{tmp_path}/log.ndjson")])
    assert database.summed(files, [SEEDS], START, END) is None


def test_a_log_most_of_which_is_odd_is_left_to_python(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "MOSTLY", 10)
    (tmp_path / "log.ndjson").write_bytes(b'{"a": "\\n"}\n' * 100)
    assert database.summed(find([(None, f"{tmp_path}/log.ndjson")]), [SEEDS], START, END) is None


def test_calls_are_left_to_python_for_one_line_takes_the_place_of_another(tmp_path):
    (tmp_path / "calls.ndjson").write_bytes(b'{"complete": true}\n')
    assert database.summed(find([(None, f"{tmp_path}/calls.ndjson")]), [CALLS], START, END) is None


def test_files_of_different_formats_are_left_to_python(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.ndjson").write_bytes(b"{}\n")
    assert database.summed(find([(None, f"{tmp_path}/*")]), [SEEDS, OPENAI], START, END) is None
