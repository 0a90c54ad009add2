"""Logs as files: which are read, how their bytes become lines, and what stops a reading."""

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC

import pytest

from reconcile.errors import ConfigurationError, StoreError, UsageError
from reconcile.ledger.formats import CALLS, OPENAI, SEEDS, LogFormat
from reconcile.ledger.readers import database, log_files, stream
from reconcile.ledger.readers.records import read_logs
from reconcile.ledger.scroll import MOST_BYTES

START = 1_770_422_400  # 2026-02-07T00:00:00Z
END = START + 86_400
ZONED = LogFormat(time_zone=UTC)


def line(number=0, **changes):
    stamp = f"2026-02-07T14:{number % 60:02}:15"
    return json.dumps({"timestamp": stamp, "prompt_tokens": 5, "completion_tokens": 1, "n": number, **changes})


def log(count, first=0):
    return "".join(line(number) + "\n" for number in range(first, first + count)).encode()


def read(*patterns, log_format=ZONED):
    found = [pattern if isinstance(pattern, tuple) else (None, str(pattern)) for pattern in patterns]
    return read_logs(found, log_format, START, END)


def requests(found):
    return sum(entry.requests for entry in found.entries)


def test_plain_and_packed_files_of_a_pattern_are_read_in_the_order_of_their_names(tmp_path):
    (tmp_path / "logs" / "deep").mkdir(parents=True)
    (tmp_path / "logs" / "b.ndjson").write_bytes(log(2))
    (tmp_path / "logs" / "a.ndjson").write_bytes(gzip.compress(log(3, 10)))
    (tmp_path / "logs" / "deep" / "c.ndjson.gz").write_bytes(gzip.compress(log(4, 20)) + gzip.compress(log(1, 30)))
    found = read(tmp_path / "logs" / "**" / "*.ndjson*")
    assert [name.removeprefix(f"{tmp_path}/logs/") for name in found.files] == [
        "a.ndjson",
        "b.ndjson",
        "deep/c.ndjson.gz",
    ]
    assert (requests(found), found.lines) == (10, 10)
    assert read(tmp_path / "logs") == found


def test_a_file_that_two_patterns_match_is_read_once(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(log(2))
    (tmp_path / "b.ndjson").symlink_to(tmp_path / "a.ndjson")
    assert requests(read(tmp_path / "a.ndjson", tmp_path / "*.ndjson")) == 2


def test_environments_are_told_apart(tmp_path):
    (tmp_path / "prod.ndjson").write_bytes(log(2))
    (tmp_path / "test.ndjson").write_bytes(log(1, 5))
    found = read(("prod", f"{tmp_path}/prod*"), ("test", f"{tmp_path}/test*"))
    assert {entry.who.framework for entry in found.entries} == {"prod", "test"}


def test_a_file_of_two_environments_is_an_error(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(log(2))
    with pytest.raises(UsageError, match="is a log of prod and of test") as raised:
        read(("prod", f"{tmp_path}/*"), ("test", f"{tmp_path}/a*"))
    assert raised.value.code == "log_in_two_environments"


@pytest.mark.parametrize("pattern", ["*.ndjson", "none.ndjson", "folder"])
def test_a_pattern_that_matches_nothing_is_an_error(tmp_path, pattern):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="no such log") as raised:
        read(tmp_path / pattern)
    assert raised.value.code == "no_logs"


def test_a_pipe_is_no_log(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="no plain file"):
        read(tmp_path / "pipe")


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    (tmp_path / "a.ndjson").symlink_to(tmp_path / "gone")
    with pytest.raises(StoreError, match="cannot be read"):
        read(tmp_path / "*")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads every file")
def test_a_log_that_may_not_be_read_is_an_error(tmp_path):
    (tmp_path / "a.ndjson").touch(mode=0)
    with pytest.raises(StoreError, match="cannot be read"):
        read(tmp_path / "a.ndjson")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-10], lambda data: data[:-4] + b"oops", lambda data: data + b"x" * 20]
)
def test_a_packed_file_that_is_cut_short_or_damaged_counts_for_nothing(tmp_path, damage):
    (tmp_path / "a.ndjson").write_bytes(log(2))
    (tmp_path / "b.ndjson.gz").write_bytes(damage(gzip.compress(log(500))))
    with pytest.raises(StoreError, match="cut short or damaged") as raised:
        read(tmp_path / "*")
    assert raised.value.code == "broken_log"
    assert "fetch it again" in raised.value.remedy


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_are_the_same_however_the_bytes_come(tmp_path, monkeypatch, block, end, last):
    monkeypatch.setattr(log_files, "BLOCK", block)
    lines = [b"a", b"", b"\xff", b"x" * 50, b" "]
    (tmp_path / "log").write_bytes(b"\xef\xbb\xbf"[: 3 * (block > 2)] + end.join(lines) + end * last)
    (file,) = log_files.find([(None, str(tmp_path / "log"))])
    assert list(stream.lines_of(file)) == lines


@pytest.mark.parametrize("block", [100, 1 << 20])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_that_is_too_long_is_passed_over_and_the_next_is_read(tmp_path, monkeypatch, block, end):
    monkeypatch.setattr(log_files, "BLOCK", block)
    monkeypatch.setattr(stream, "MOST_BYTES", 1000)
    (tmp_path / "log").write_bytes(b"y" * 1000 + b"\n" + b"x" * 5000 + b"\nz\n" + b"x" * 1001 + end)
    (file,) = log_files.find([(None, str(tmp_path / "log"))])
    assert list(stream.lines_of(file)) == [b"y" * 1000, None, b"z", None]


def test_bad_lines_are_shown_and_stop_nothing(tmp_path):
    lines = [line(), "", "{", line(prompt_tokens=-5), "x" * (MOST_BYTES + 1), line(1)]
    (tmp_path / "a.ndjson").write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    found = read(tmp_path / "a.ndjson")
    assert (requests(found), found.lines, found.bad_lines) == (2, 6, 4)
    assert [bad.line for bad in found.bad] == [3, 4, 5, 7]


def test_the_format_of_each_file_is_recognised_by_its_first_lines(tmp_path):
    usage = {"created": START, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    call = {
        "started_at": START,
        "ended_at": START,
        "model": "m",
        "input_tokens": 1,
        "output_tokens": 1,
        "cached_tokens": 0,
    }
    (tmp_path / "a.ndjson").write_text(json.dumps(usage))
    (tmp_path / "b.ndjson").write_text('oops\n{"complete": true}\n' + json.dumps(call))
    (tmp_path / "c.csv").write_text("\ufefftimestamp, prompt_tokens,completion_tokens\n2026-02-07T10:00:00,5,1\n")
    (tmp_path / "d.ndjson").write_bytes(log(1))
    (tmp_path / "e.ndjson").write_bytes(b"")
    (tmp_path / "f.csv").write_bytes(b"")
    found = read(tmp_path / "*")
    assert (requests(found), found.lines, found.bad_lines) == (4, 6, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ndjson", "a log of words\n"),
        ("a.ndjson", '{"tokens": 5}\n'),
        ("a.csv", "when,what\n1,2\n"),
        ("a.csv", '"a\n'),
    ],
)
def test_a_log_of_no_known_format_is_an_error_that_says_how_to_map_it(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=rf"{name}: its") as raised:
        read(tmp_path / name)
    assert raised.value.code == "unknown_log_format"


@pytest.mark.parametrize("name", ["log.ndjson", "log.csv", "log.ndjson.gz"])
@pytest.mark.parametrize("log_format", [ZONED, replace(SEEDS, time_zone=UTC)], ids=["recognised", "stated"])
def test_a_pointer_of_git_lfs_is_no_log(tmp_path, name, log_format):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n")
    with pytest.raises(ConfigurationError, match="is a Git LFS pointer") as raised:
        read(tmp_path / name, log_format=log_format)
    assert "git lfs pull" in raised.value.remedy


def test_each_pattern_may_have_a_format_of_its_own(tmp_path):
    usage = {"created": START, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    (tmp_path / "a.ndjson").write_text(json.dumps(usage))
    (tmp_path / "b.ndjson").write_bytes(log(1))
    patterns = [(None, f"{tmp_path}/a*"), (None, f"{tmp_path}/b*"), (None, f"{tmp_path}/*")]
    found = read_logs(patterns, [OPENAI, replace(SEEDS, time_zone=UTC), CALLS], START, END)
    assert (requests(found), found.bad_lines) == (2, 0)


def test_a_stated_format_needs_no_lines_that_show_it(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(b"words\n")
    assert read(tmp_path / "a.ndjson", log_format=OPENAI).bad_lines == 1


def sums_alone(found):
    """Without what only a smaller log is looked into for."""
    return replace(found, refused=(), doubts=(), singles=())


def test_a_large_log_is_added_up_by_duckdb_to_the_same_sums(tmp_path, monkeypatch):
    pytest.importorskip("duckdb")
    (tmp_path / "a.ndjson").write_bytes(log(500) + b"{\n" + log(30))
    streamed = read(tmp_path / "a.ndjson")
    monkeypatch.setattr(database, "LARGE", 1000)
    taken = []
    monkeypatch.setattr(stream, "lines_of", lambda file: taken.append(file) or iter(()))
    stated = replace(SEEDS, time_zone=UTC)
    assert read(tmp_path / "a.ndjson", log_format=stated) == sums_alone(streamed)
    assert taken == []


def test_a_large_log_that_duckdb_cannot_prove_is_read_line_by_line(tmp_path, monkeypatch):
    (tmp_path / "a.ndjson").write_bytes(log(50).replace(b"\n", b"\r\n"))
    streamed = read(tmp_path / "a.ndjson")
    monkeypatch.setattr(database, "LARGE", 0)
    assert read(tmp_path / "a.ndjson") == sums_alone(streamed)
    assert requests(streamed) == 50


def test_without_duckdb_a_large_log_is_read_line_by_line(tmp_path, monkeypatch):
    (tmp_path / "a.ndjson").write_bytes(log(50))
    monkeypatch.setattr(database, "LARGE", 0)
    monkeypatch.setattr(database, "available", lambda: False)
    assert requests(read(tmp_path / "a.ndjson")) == 50


def test_a_packed_log_is_as_large_as_what_is_in_it():
    packed = log_files.LogFile(path="a.gz", framework=None, size=database.LARGE // 8, zipped=True)
    assert database.large([packed])
    assert not database.large([replace(packed, zipped=False)])


def test_the_samples_of_this_repository_are_logs(tmp_path):
    row = {"started_at": START, "ended_at": START + 1, "model": "m", "input_tokens": 9, "output_tokens": 1}
    (tmp_path / "calls.ndjson").write_text(f'{{"complete": true}}\n{json.dumps({**row, "cached_tokens": 3})}\n')
    found = read(tmp_path / "calls.ndjson", log_format=CALLS)
    assert (requests(found), found.bad_lines) == (1, 0)
