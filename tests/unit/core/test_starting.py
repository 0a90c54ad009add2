"""The files that a project begins with, as text."""

import pytest
import yaml

from reconcile.doctor.beginning import Beginning, key_ids, readme_text, settings_text, to_ignore
from reconcile.errors import UsageError

NAMES = ["chatdev", "chat-dev", "no", "On", "null", "123", "1e5", "0x1F", "2026-01-05", "a.b", "_", "N"]


@pytest.mark.parametrize("name", NAMES)
def test_settings_name_the_framework_and_its_keys_as_they_were_given(name):
    ids = ("key_abc123", "true", "a]b", '"', "#")
    document = yaml.safe_load(settings_text(Beginning(framework=name, key_ids=ids)))
    assert document == {"runs": "runs", "frameworks": {name: {"api_key_ids": list(ids)}}}


def test_a_framework_without_ids_is_left_to_be_filled_in():
    text = settings_text(Beginning(framework="chatdev"))
    assert yaml.safe_load(text) == {"runs": "runs"}
    filled = text.replace("# frameworks", "frameworks").replace("#   chatdev", "  chatdev").replace("...", "a")
    assert yaml.safe_load(filled)["frameworks"] == {"chatdev": {"api_key_ids": ["key_a"]}}


def test_the_first_folder_says_how_a_run_is_recorded():
    assert "reconcile record --framework chatdev -- " in readme_text(Beginning(framework="chatdev"))


@pytest.mark.parametrize(("text", "ids"), [("", ()), ("key_a", ("key_a",)), (" key_a, key_b,", ("key_a", "key_b"))])
def test_ids_have_commas_between_them(text, ids):
    assert key_ids(text) == ids


@pytest.mark.parametrize("text", ["sk-proj-abc", "key_a,sk-abc", "key a", "key_\u00e9"])
def test_what_may_be_a_key_is_refused_and_not_shown(text):
    with pytest.raises(UsageError) as raised:
        key_ids(text)
    assert (raised.value.code, "abc" in raised.value.message) == ("malformed_key_id", False)


HEADING = b"# keys, and files of LLM Usage Reconcile that pass"
ALL = b".env\n.metrics.json.*.tmp\nrecording.ndjson\n"


@pytest.mark.parametrize(
    ("before", "appended"),
    [
        pytest.param(b"", HEADING + b"\n" + ALL, id="no file"),
        pytest.param(b"dist\n", b"\n" + HEADING + b"\n" + ALL, id="other lines"),
        pytest.param(b"dist", b"\n\n" + HEADING + b"\n" + ALL, id="no newline at the end"),
        pytest.param(b".env  \nrecording.ndjson\n", b"\n" + HEADING + b"\n.metrics.json.*.tmp\n", id="some are there"),
        pytest.param(ALL, b"", id="all are there"),
        pytest.param(ALL + b"!.env\n", b"\n" + HEADING + b"\n.env\n", id="one is taken back later"),
        pytest.param(b"!.env\n" + ALL, b"", id="one is taken back earlier"),
        pytest.param(b"a\r\nb", b"\r\n\r\n" + (HEADING + b"\n" + ALL).replace(b"\n", b"\r\n"), id="lines of Windows"),
    ],
)
def test_lines_are_added_behind_those_that_are_there(before, appended):
    assert to_ignore(before) == appended
    assert to_ignore(before + appended) == b""
