"""Digests are of values: how a file is laid out does not count, and what it says does."""

import hashlib
import json

import pytest

from reconcile.runs.seal import byte_digests, digest, digest_of

VALUE = {"rows": [[1, "a", None], [2.0, "\u00e4", True]], "note": {"b": 1, "a": 0.5}}


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(json.dumps, id="on one line"),
        pytest.param(lambda value: json.dumps(value, indent=4).replace("\n", "\r\n"), id="with other line ends"),
        pytest.param(lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False), id="sorted, in UTF-8"),
        pytest.param(lambda value: json.dumps(value).replace("2.0", "2"), id="with a number spelled anew"),
    ],
)
def test_the_layout_of_a_document_does_not_count(layout):
    assert digest(layout(VALUE).encode()) == digest_of([VALUE])


@pytest.mark.parametrize("other", [{**VALUE, "rows": []}, {**VALUE, "more": 1}, {"rows": VALUE["rows"][::-1]}])
def test_what_it_says_counts(other):
    assert digest(json.dumps(other).encode()) != digest_of([VALUE])


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 5000, b'{"a": 1, "a": 2}'])
def test_bytes_that_are_no_document_count_as_they_are(data):
    assert digest(data) == hashlib.sha256(data).hexdigest()


def test_digests_of_bytes_are_those_with_either_line_ends():
    unix, windows = (hashlib.sha256(data).hexdigest() for data in (b"a\nb\n", b"a\r\nb\r\n"))
    assert {unix, windows} <= {*byte_digests(b"a\nb\n")} & {*byte_digests(b"a\r\nb\r\n")}
