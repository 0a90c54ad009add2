"""The scanner: where everything is in a JSON text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.runs.document import Lines, Node, NodeKind, duplicate_keys, find, pointer_text, scan, walk

TEXT = """{
  "a": [10, -1.5e3, {"b": "x,]\\"}"}],
  "caf\\u00e9" : true,
  "": null
}
"""

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=15
)


def spelled(node: Node | None) -> str:
    assert node is not None
    return TEXT[node.start : node.end]


@pytest.mark.parametrize(
    ("pointer", "spelling", "kind"),
    [
        pytest.param((), TEXT.strip(), NodeKind.OBJECT, id="the whole document"),
        pytest.param(("a",), '[10, -1.5e3, {"b": "x,]\\"}"}]', NodeKind.ARRAY, id="an array"),
        pytest.param(("a", 1), "-1.5e3", NodeKind.NUMBER, id="a number"),
        pytest.param(("a", 2, "b"), '"x,]\\"}"', NodeKind.STRING, id="a string with brackets and escaped quotes"),
        pytest.param(("café",), "true", NodeKind.LITERAL, id="a member whose key is escaped"),
        pytest.param(("",), "null", NodeKind.LITERAL, id="a member whose key is empty"),
    ],
)
def test_find__gives_the_span_of_a_value(pointer, spelling, kind):
    node = find(scan(TEXT), pointer)
    assert (spelled(node), node and node.kind) == (spelling, kind)


@pytest.mark.parametrize(
    "pointer",
    [
        pytest.param(("b",), id="a missing member"),
        pytest.param(("a", 3), id="an item past the end"),
        pytest.param(("a", -1), id="an item before the start"),
        pytest.param(("a", "0"), id="a key in an array"),
        pytest.param((0,), id="an index in an object"),
        pytest.param(("a", 0, "x"), id="a member of a number"),
    ],
)
def test_find__is_none_where_nothing_is(pointer):
    assert find(scan(TEXT), pointer) is None


def test_find__takes_the_last_of_equal_keys_as_json_loads_does():
    text = '{"a": 1, "a": 2}'
    node = find(scan(text), ("a",))
    assert node is not None
    assert json.loads(text[node.start : node.end]) == json.loads(text)["a"] == 2


def test_scan__keeps_members_in_order_with_the_span_of_their_keys():
    members = scan(TEXT).members
    assert [(member.key, TEXT[member.key_start : member.key_end]) for member in members] == [
        ("a", '"a"'),
        ("café", '"caf\\u00e9"'),
        ("", '""'),
    ]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_scan__takes_the_words_that_only_python_reads_for_literals(word):
    assert scan(f"[{word}]").items == (Node(NodeKind.LITERAL, 1, 1 + len(word)),)


@given(documents, st.sampled_from([None, 0, 2, "\t"]))
@examples(100)
def test_scan__finds_every_value_where_it_is_spelled(document, indent):
    text = json.dumps(document, indent=indent)
    for pointer, node in walk(scan(text)):
        value = document
        for step in pointer:
            value = value[step]
        assert json.loads(text[node.start : node.end]) == value


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_scan__has_no_limit_of_depth(brackets):
    opening = "[" if brackets == "[]" else '{"a":'
    assert scan(opening * 20_000 + "0" + brackets[1] * 20_000).end == (len(opening) + 1) * 20_000 + 1


def test_walk__goes_in_the_order_of_the_text():
    assert [pointer for pointer, _ in walk(scan('{"b": [1, {"c": 2}], "a": 3}'))] == [
        (),
        ("b",),
        ("b", 0),
        ("b", 1),
        ("b", 1, "c"),
        ("a",),
    ]


def test_duplicate_keys__are_told_one_by_one_and_object_by_object():
    text = '{"a": {"x": 1, "x": 2, "\\u0078": 3}, "b": {"x": 1}, "a": 0}'
    assert [(pointer, text[offset:][:8]) for pointer, offset in duplicate_keys(scan(text))] == [
        (("a",), '"a": 0}'),
        (("a", "x"), '"x": 2, '),
        (("a", "x"), '"\\u0078"'),
    ]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param(0, (1, 1), id="the first character"),
        pytest.param(2, (1, 3), id="a line break belongs to its line"),
        pytest.param(3, (2, 1), id="the start of a line"),
        pytest.param(5, (2, 3), id="wide characters count once"),
        pytest.param(9, (4, 1), id="after CR LF and an empty line"),
    ],
)
def test_place__counts_lines_and_columns_from_one(offset, expected):
    assert Lines("ab\né😀c\n\r\nz").place(offset) == expected


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        pytest.param((), "", id="the whole document"),
        pytest.param(("steps", 0, "tokens_in"), "/steps/0/tokens_in", id="keys and indexes"),
        pytest.param(("a/b", "m~n", ""), "/a~1b/m~0n/", id="slashes, tildes and empty keys"),
    ],
)
def test_pointer_text__is_escaped_as_rfc_6901_says(pointer, text):
    assert pointer_text(pointer) == text
