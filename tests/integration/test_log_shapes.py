"""Files that are not one record a line of UTF-8: they come to the same as those that are, with DuckDB and without."""

import codecs
import gzip
import json
from datetime import UTC

import pytest

from reconcile.ledger.formats import Fields, LogFormat
from reconcile.ledger.readers import database
from reconcile.ledger.readers import stream as streaming
from reconcile.ledger.readers import stream as unwrapping
from reconcile.ledger.readers.records import lines_of_logs, read_logs

START = 1_770_422_400  # 2026-02-07T00:00:00Z
END = START + 86_400
FLAT = LogFormat(
    fields=Fields(timestamp=("at",), input_tokens=("in",), output_tokens=("out",), model=("model",)), time_zone=UTC
)
CALLS = [{"at": START + 600 * n, "model": "m\u00fc", "in": 10 + n, "out": n} for n in range(40)]
PLAIN = "\n".join(json.dumps(call, ensure_ascii=False) for call in CALLS)
ROWS = "\n".join(f"{call['at']},{call['model']},{call['in']},{call['out']}" for call in CALLS)
CELLS = f"at,model,in,out\n{ROWS}\n"
PROMPTS = "at,model,prompt,in,out\n" + "".join(
    f'{call["at"]},{call["model"]},"said ""so"",\n\nand more",{call["in"]},{call["out"]}\n' for call in CALLS
)

FILES = {
    "utf-16.ndjson": codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
    "utf-16-be.csv": codecs.BOM_UTF16_BE + CELLS.encode("utf-16-be"),
    "marked.ndjson": codecs.BOM_UTF8 + PLAIN.encode(),
    "list.json": json.dumps(CALLS).encode(),
    "pretty.json": json.dumps(CALLS, indent=2).encode(),
    "objects.json": "\n".join(json.dumps(call, indent=1) for call in CALLS).replace("\n", "\r\n").encode(),
    "semicolons.csv": CELLS.replace(",", ";").encode(),
    "tabs.csv": CELLS.replace(",", "\t").encode(),
    "prompts.csv": PROMPTS.encode(),
    "plain.csv": CELLS.encode(),
}


def read(path):
    return read_logs([(None, str(path))], FLAT, START, END)


@pytest.fixture
def expected(tmp_path):
    (tmp_path / "expected.ndjson").write_text(PLAIN, "utf-8")
    return read(tmp_path / "expected.ndjson").entries


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("name", FILES)
def test_every_shape_comes_to_the_same(tmp_path, monkeypatch, expected, name, large):
    (tmp_path / name).write_bytes(FILES[name])
    monkeypatch.setattr(database, "LARGE", 0 if large else 10**9)
    found = read(tmp_path / name)
    assert (found.entries, found.bad_lines) == (expected, 0)
    assert len(lines_of_logs(str(tmp_path / name), FLAT, START, END).inside) == len(CALLS)


def test_a_bad_row_after_cells_that_go_over_lines_is_numbered_by_its_line(tmp_path):
    (tmp_path / "a.csv").write_text('at,in,out,said\n1770422400,1,1,"a\nb"\n1770422400,x,1,c\n')
    (bad,) = read(tmp_path / "a.csv").bad
    assert (bad.line, "in" in bad.why) == (4, True)


def test_a_quote_that_is_left_open_takes_no_other_lines_with_it(tmp_path, monkeypatch):
    rows = "".join(f"{call['at']},{call['in']},{call['out']}\n" for call in CALLS)
    monkeypatch.setattr(unwrapping, "MOST_LINES", 10)
    (tmp_path / "a.csv").write_text(f'at,in,out\n1770422400,5" disk,1\n{rows}1770422400,5" disk,1\n"1,1\n')
    found = read(tmp_path / "a.csv")
    assert (sum(entry.requests for entry in found.entries), found.bad_lines) == (40, 3)


def test_a_row_that_is_too_long_ends_an_open_cell(tmp_path):
    long = "x" * 1_000_001
    (tmp_path / "a.csv").write_text(f'at,in,out\n1770422400,"5,1\n{long}\n1770422400,5,1\n')
    found = read(tmp_path / "a.csv")
    assert (sum(entry.requests for entry in found.entries), found.bad_lines) == (1, 2)


def test_what_follows_a_list_that_breaks_off_is_bad(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(CALLS[:2])[:-1] + ', {"at": 17')
    found = read(tmp_path / "a.json")
    assert (sum(entry.requests for entry in found.entries), found.bad_lines) == (2, 1)


@pytest.mark.parametrize("large", ["too large", "no UTF-8"])
def test_a_list_that_cannot_be_read_whole_is_read_line_by_line(tmp_path, monkeypatch, large):
    monkeypatch.setattr(streaming, "MOST_JSON", 10 if large == "too large" else 10**9)
    (tmp_path / "a.json").write_bytes(
        b"[{\n" + json.dumps(CALLS[0]).encode() + (b"" if large == "too large" else b"\n\xff")
    )
    found = read(tmp_path / "a.json")
    assert sum(entry.requests for entry in found.entries) == 1


def test_half_a_character_at_the_end_of_utf_16_is_passed_over(tmp_path):
    (tmp_path / "a.ndjson").write_bytes(FILES["utf-16.ndjson"] + b"\n\x00\x20")
    assert sum(entry.requests for entry in read(tmp_path / "a.ndjson").entries) == 40


def test_a_folder_stands_for_its_rotated_logs_too(tmp_path):
    lines = PLAIN.encode().split(b"\n")
    (tmp_path / "app.ndjson").write_bytes(b"\n".join(lines[:10]))
    (tmp_path / "app.ndjson.1").write_bytes(b"\n".join(lines[10:20]))
    (tmp_path / "app.ndjson.2.gz").write_bytes(gzip.compress(b"\n".join(lines[20:30])))
    (tmp_path / "app.ndjson-20260207").write_bytes(b"\n".join(lines[30:]))
    (tmp_path / "app.ndjson.md").write_text("no log")
    assert sum(entry.requests for entry in read(tmp_path).entries) == 40
