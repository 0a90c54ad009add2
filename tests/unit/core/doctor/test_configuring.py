"""Key ids are put into a configuration whose every other byte stays."""

import pytest

from reconcile.doctor.key_rows import with_key_ids
from reconcile.errors import ConfigurationError

CASES = {
    "nothing": ("", "frameworks:\n  a: {api_key_ids: [key_1]}\n"),
    "no frameworks": ("runs: r  # c\n", "runs: r  # c\nframeworks:\n  a: {api_key_ids: [key_1]}\n"),
    "no line break at the end": ("runs: r", "runs: r\nframeworks:\n  a: {api_key_ids: [key_1]}\n"),
    "a flow mapping": (
        "frameworks:\n  a: {models: [x]} # c\n", "frameworks:\n  a: {api_key_ids: [key_1], models: [x]} # c\n",
    ),
    "an empty mapping": ("frameworks: {a: {}}\n", "frameworks: {a: {api_key_ids: [key_1]}}\n"),
    "a block": (
        "frameworks:\n  a:  # why\n    models: [x]\n",
        "frameworks:\n  a:  # why\n    api_key_ids: [key_1]\n    models: [x]\n",
    ),
    "Windows": (
        "frameworks:\r\n  a:\r\n    models: [x]\r\n",
        "frameworks:\r\n  a:\r\n    api_key_ids: [key_1]\r\n    models: [x]\r\n",
    ),
    "another framework": (
        "frameworks:\n  # b\n  b: {}\n", "frameworks:\n  # b\n  a: {api_key_ids: [key_1]}\n  b: {}\n",
    ),
    "a framework without settings": (
        "frameworks:\n  a:\n  b: {}\n", "frameworks:\n  a: {api_key_ids: [key_1]}\n  b: {}\n",
    ),
    "frameworks without any": (
        "frameworks: null # n\nruns: x\n", "frameworks: {a: {api_key_ids: [key_1]}} # n\nruns: x\n",
    ),
    "a trailing comma": (
        "frameworks: {b: {},}\n", "frameworks: {a: {api_key_ids: [key_1]}, b: {},}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_id_is_added_and_every_other_byte_stays(case):
    before, after = CASES[case]
    assert with_key_ids(before, {"a": "key_1"}) == after


def test_names_that_need_quotes_get_them():
    assert with_key_ids("", {"4: 2": "key_1"}) == 'frameworks:\n  "4: 2": {api_key_ids: [key_1]}\n'


def test_several_are_added_at_once():
    text = with_key_ids("frameworks:\n  b: {}\n", {"a": "key_1", "b": "key_2"})
    assert text == "frameworks:\n  a: {api_key_ids: [key_1]}\n  b: {api_key_ids: [key_2]}\n"


@pytest.mark.parametrize(
    "text",
    [
        "frameworks:\n  b: &x {models: [m]}\n  a: *x\n",
        "frameworks: &all\n  b: {}\n",
        "{runs: r}\n",
        "runs: r\n...\n",
        "? frameworks\n",
    ],
    ids=["alias", "anchor", "flow", "ended", "explicit"],
)
def test_what_cannot_be_added_to_safely_is_left_to_a_person(text):
    with pytest.raises(ConfigurationError) as caught:
        with_key_ids(text, {"a": "key_1", "b": "key_2"})
    assert "frameworks.a.api_key_ids: [key_1]" in caught.value.remedy
