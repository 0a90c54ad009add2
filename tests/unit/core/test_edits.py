"""Edits: the document asked for, and every other byte as it was."""

import copy
import json
from decimal import Decimal
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.runs.document import find, scan
from reconcile.runs.edits import Insert, Put, Remove, amend, same

# ------------------------------------------------------------------------------------- what a change looks like

INDENTED = '{\n  "a": 1,\n  "b": {\n    "c": [\n      1\n    ]\n  },\n  "d": {}\n}\n'


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param('{"a": 1.10}', [Put(("a",), 1.1)], '{"a": 1.10}', id="an equal number keeps its spelling"),
        pytest.param('{"a": 1e5}', [Put(("a",), 100000)], '{"a": 1e5}', id="an exponent is a number like others"),
        pytest.param('{"a": 1}', [Put(("a",), 1.0)], '{"a": 1}', id="1.0 is 1"),
        pytest.param('{"a": 0}', [Put(("a",), Decimal("1E-39"))], f'{{"a": 0.{"0" * 38}1}}', id="every digit"),
        pytest.param('{"a": 2.10}', [Put(("a",), Decimal("2.1"))], '{"a": 2.10}', id="an equal amount stays"),
        pytest.param('{"a": 0.1}', [Put(("a",), Decimal(repr(0.1) + "0" * 20 + "1"))],
                     '{"a": 0.1000000000000000000001}', id="an amount that differs where no float does"),
        pytest.param('{"a": {}}', [Put(("a", "b"), Decimal("2.10"))], '{"a": {"b": 2.10}}', id="a new amount"),
        pytest.param('{"a": 1}', [Put(("a",), True)], '{"a": true}', id="true is not 1"),
        pytest.param('{"a": false}', [Put(("a",), 0)], '{"a": 0}', id="0 is not false"),
        pytest.param('{"a": "\\u00E9\\/"}', [Put(("a",), "é/")], '{"a": "\\u00E9\\/"}', id="escapes stay"),
        pytest.param('{"a": {"x":1,"y":2}}', [Put(("a",), {"y": 2, "x": 1})], '{"a": {"x":1,"y":2}}', id="free order"),
        pytest.param('{"a": ""}', [Put(("a",), "é\n")], '{"a": "\\u00e9\\n"}', id="new text is ASCII"),
        pytest.param(' {"a" :  1 }\n\n', [Put(("a",), 2)], ' {"a" :  2 }\n\n', id="odd white space stays"),
        pytest.param('{"a": 1}', [Put(("b",), [1, {}])], '{"a": 1, "b": [1, {}]}', id="a new member on one line"),
        pytest.param('{"a":1}', [Put(("b",), [1, {}])], '{"a":1,"b":[1,{}]}', id="a new member in a minified file"),
        pytest.param('{"a":1, "b":2}', [Put(("c",), [1, 2])], '{"a":1, "b":2, "c":[1, 2]}', id="own separators"),
        pytest.param('{"a":1 ,"b":2 }', [Put(("c",), 3)], '{"a":1 ,"b":2 ,"c":3 }', id="white space before commas"),
        pytest.param('{"a":\n1}', [Put(("b",), 2)], '{"a":\n1, "b": 2}', id="a value on the line after its key"),
        pytest.param("{ }", [Put(("a", "b"), 1)], '{"a": {"b": 1}}', id="an empty file, and a parent that is missing"),
        pytest.param("{\n}", [Put(("a",), [1])], '{\n  "a": [\n    1\n  ]\n}', id="an empty file of two lines"),
        pytest.param("[]", [Insert((), 0, 1), Insert((), 1, 2)], "[1, 2]", id="an empty array on one line"),
        pytest.param("[ 2 ]", [Insert((), 0, 1)], "[ 1, 2 ]", id="an item before the only one"),
        pytest.param("[2]", [Insert((), 0, 1)], "[1, 2]", id="an item before the only one, close to its bracket"),
        pytest.param("[1,3]", [Insert((), 1, 2)], "[1,2,3]", id="an item in the middle"),
        pytest.param("[1]", [Put((1,), 2)], "[1, 2]", id="putting an item at the end"),
        pytest.param('{"a": 1, "b": 2}', [Remove(("a",))], '{"b": 2}', id="the first member goes"),
        pytest.param('{"a": 1, "b": 2}', [Remove(("b",))], '{"a": 1}', id="the last member goes"),
        pytest.param('{ "a": 1 }', [Remove(("a",))], "{}", id="the only member goes"),
        pytest.param("[1, 2, 3]", [Remove((1,))], "[1, 3]", id="an item goes"),
        pytest.param('{"a": { }}', [Remove(("a", "b")), Remove(("c", "d"))], '{"a": { }}', id="what is not there"),
        pytest.param('{"a": 1, "a": 2}', [Put(("a",), 3)], '{"a": 1, "a": 3}', id="of equal keys the one that counts"),
        pytest.param('{"a": 1}', [Put((), [1])], "[1]", id="the whole document"),
        pytest.param(
            '{"a": {"x": 1}}',
            [Put(("a",), {"x": 1, "y": 2}), Put(("a", "y"), 3)],
            '{"a": {"x": 1, "y": 3}}',
            id="a change inside what was just put",
        ),
        pytest.param(
            INDENTED,
            [Put(("b", "e"), {"f": [], "g": [True]}), Insert(("b", "c"), 1, 2), Put(("d", "h"), None)],
            '{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n      2\n    ],\n    "e": {\n      "f": [],\n      "g": [\n'
            '        true\n      ]\n    }\n  },\n  "d": {\n    "h": null\n  }\n}\n',
            id="new values are indented like the file",
        ),
        pytest.param(
            INDENTED,
            [Put(("b",), {"c": [1, 2]}), Remove(("d",))],
            '{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n      2\n    ]\n  }\n}\n',
            id="an object replaced, and the last member gone with its comma",
        ),
        pytest.param(
            '{\r\n\t"a": {"x": 1},\r\n\t"b": [ 1 ]\r\n}\r\n',
            [Put(("a", "y"), 2), Insert(("b",), 1, {"z": 1}), Put(("c",), {"d": 1})],
            '{\r\n\t"a": {"x": 1, "y": 2},\r\n\t"b": [ 1, {"z": 1} ],\r\n\t"c": {\r\n\t\t"d": 1\r\n\t}\r\n}\r\n',
            id="CR LF, tabs, and what was on one line stays there",
        ),
        pytest.param('{\n  "a": 1\n}\n', [Put((), [1])], "[\n  1\n]\n", id="the whole document, indented"),
        pytest.param('{\n"a": 1\n}', [Put(("b",), [1])], '{\n"a": 1,\n"b": [\n1\n]\n}', id="lines without indentation"),
    ],
)  # fmt: skip
def test_amend__makes_the_change_and_no_other(before, changes, after):
    assert amend(before, changes) == after


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Put(("a", "x"), 1), id="a member of a number"),
        pytest.param(Put(("b", "x"), 1), id="a member of an array"),
        pytest.param(Put((0,), 1), id="an item of an object"),
        pytest.param(Put(("b", 3), 1), id="an item past the end"),
        pytest.param(Put(("c", 0), 1), id="an item of an array that is missing"),
        pytest.param(Insert(("b",), 3, 1), id="an insertion past the end"),
        pytest.param(Insert(("b",), -1, 1), id="an insertion before the start"),
        pytest.param(Insert(("a",), 0, 1), id="an insertion into a number"),
        pytest.param(Insert(("c",), 0, 1), id="an insertion into nothing"),
        pytest.param(Put(("c", "d"), Decimal(1)), id="an amount in an object that is not there"),
        pytest.param(Remove(()), id="the whole document"),
    ],
)
def test_amend__refuses_a_place_that_cannot_be(change):
    with pytest.raises(LookupError):
        amend('{"a": 1, "b": [1, 2]}', [change])


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("text", ["{}", "{\n}"])
def test_amend__writes_no_number_that_json_lacks(number, text):
    with pytest.raises(ValueError, match="not JSON compliant"):
        amend(text, [Put(("a",), number)])


# ---------------------------------------------------------------------------------------- any file, any change

keys = st.sampled_from(["a", "b/c", 'key with, a "comma"', "é", ""])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
layouts = st.builds(
    lambda style, newline, end: lambda value: json.dumps(value, **style).replace("\n", newline) + end,
    st.sampled_from(
        [
            {"indent": 2},
            {"indent": 0},
            {"indent": 4, "ensure_ascii": False},
            {"indent": "\t", "separators": (",", ":")},
            {},
            {"separators": (",", ":")},
        ]
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\r\n\n"]),
)


def wildly(value, random):
    """The value spelled with any white space and any escapes that JSON allows."""

    def padded(part):
        before, after = random.choices(["", "", " ", "\n", "\r\n  ", "\t"], k=2)
        return f"{before}{part}{after}"

    match value:
        case dict():
            parts = [f"{padded(wildly(key, random))}:{padded(wildly(item, random))}" for key, item in value.items()]
            return "{" + (",".join(parts) or padded("")) + "}"
        case list():
            return "[" + (",".join(padded(wildly(item, random)) for item in value) or padded("")) + "]"
        case str():
            return json.dumps(value, ensure_ascii=random.random() < 0.5).replace("/", random.choice(["/", "\\/"]))
        case _:
            return json.dumps(value)


def applied(document, change):
    """What a change means, on the plain value."""
    root = [copy.deepcopy(document)]
    holder, *path, last = (root, 0, *change.pointer)
    for step in path:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
    match change:
        case Put(_, value) if isinstance(holder, list) and last == len(holder):
            holder.append(value)
        case Put(_, value):
            known = isinstance(holder, list) or last in holder
            holder[last] = holder[last] if known and same(holder[last], value) else value
        case Insert(_, index, value):
            holder[last].insert(index, value)
        case Remove():
            del holder[last]
    return root[0]


def place(draw, document):
    """The way to a value that is there, and that value."""
    pointer, value = (), document
    while isinstance(value, dict | list) and value and draw(st.integers(0, 3)):
        step = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        pointer, value = (*pointer, step), value[step]
    return pointer, value


def change(draw, document):
    """A change that fits the document."""
    pointer, value = place(draw, document)
    fitting = [st.builds(Put, st.just(pointer), values)]
    if isinstance(value, dict):
        added = st.tuples(keys) if "new" in value else st.tuples(keys) | st.just(("new", "still newer"))
        fitting.append(st.builds(Put, added.map(lambda more: (*pointer, *more)), values))
    if isinstance(value, list):
        fitting.append(st.builds(Insert, st.just(pointer), st.integers(0, len(value)), values))
        fitting.append(st.builds(Put, st.just((*pointer, len(value))), values))
    if pointer:
        fitting.append(st.just(Remove(pointer)))
    return draw(st.one_of(fitting))


@given(values, layouts, st.integers(0, 999) | st.none(), st.data())
@examples(300)
def test_amend__gives_the_document_asked_for_however_the_file_is_spelled(document, layout, seed, data):
    text = layout(document) if seed is None else wildly(document, Random(seed))  # noqa: S311  # no secret
    changes = []
    for _ in range(data.draw(st.integers(1, 4))):
        changes.append(change(data.draw, document))
        document = applied(document, changes[-1])
    # Spelled, because equality of Python's values takes no notice of order, nor of 1 and 1.0.
    assert json.dumps(json.loads(amend(text, changes))) == json.dumps(document)


@given(values, layouts, values, st.data())
@examples(100)
def test_amend__made_twice_changes_nothing_more(document, layout, value, data):
    pointer, present = place(data.draw, document)
    put = Put((*pointer, "new", "newer") if isinstance(present, dict) and "new" not in present else pointer, value)
    once = amend(layout(document), [put])
    assert amend(once, [put]) == once


@given(values, layouts, scalars, st.data())
@examples(100)
def test_amend__of_a_value_changes_only_its_span(document, layout, value, data):
    text = layout(document)
    pointer, present = place(data.draw, document)
    assume(not same(present, value))
    node = find(scan(text), pointer)
    assert amend(text, [Put(pointer, value)]) == text[: node.start] + json.dumps(value) + text[node.end :]


@given(st.dictionaries(keys, values, min_size=1, max_size=4), layouts, values)
@examples(100)
def test_amend__adds_a_member_in_one_place_and_takes_it_out_again(document, layout, value):
    text = layout(document)
    longer = amend(text, [Put(("new",), value)])
    assert common(text, longer) + common(text[::-1], longer[::-1]) >= len(text)
    assert amend(longer, [Remove(("new",))]) == text


def common(one, other):
    """How many characters two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
