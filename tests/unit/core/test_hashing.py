"""Ids in a document for others."""

import hashlib

import pytest

from reconcile.insight.dashboard import hashed

KEY = "key_abc123"


def pseudonym(name, kind="key"):
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def test_an_id_is_replaced_wherever_it_stands():
    document = {"a": [KEY, {"b": f"of {KEY}, as ({KEY})"}], "n": 1, "x": None, "t": True, "f": 0.5}
    inside = pseudonym(KEY)
    found = hashed(document, [KEY])
    assert found == {"a": [inside, {"b": f"of {inside}, as ({inside})"}], "n": 1, "x": None, "t": True, "f": 0.5}


@pytest.mark.parametrize("text", ["key_abc123_4", "xkey_abc123", "_key_abc123", "key_abc123_b"])
def test_what_only_begins_or_ends_like_an_id_stays(text):
    assert hashed(text, [KEY]) == text


def test_a_long_id_is_replaced_within_a_word():
    long = "key_9f8e7d6c5b4a"
    assert hashed(f"2026_{long}_b", [long]) == f"2026_{pseudonym(long)}_b"


def test_of_two_ids_the_longer_is_meant():
    assert hashed("key-a.b key-a", ["key-a", "key-a.b"]) == f"{pseudonym('key-a.b')} {pseudonym('key-a')}"


@pytest.mark.parametrize(("text", "kind"), [(KEY, "key"), ("key_abcdefgh", "key"), ("proj_9f8e7d", "project")])
def test_what_looks_like_an_id_is_replaced_though_nobody_named_it(text, kind):
    assert hashed(f"scope {text}.", []) == f"scope {pseudonym(text, kind)}."


def test_an_empty_id_is_none():
    assert hashed("a b", ["", "b"]) == f"a {pseudonym('b')}"


@pytest.mark.parametrize("text", ["api_key_ids", "key_ids", "missing_key_id", "key_part", "2026-01-05"])
def test_words_and_days_are_no_ids(text):
    assert hashed(text, ["2026"]) == text


def test_a_member_that_holds_a_code_stays():
    assert hashed({"status": "verified", "says": "verified"}, ["verified"], {"status"}) == {
        "status": "verified",
        "says": pseudonym("verified"),
    }
