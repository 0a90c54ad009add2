"""Validation: any bytes become a document or findings, and the quick check and the explaining one agree."""

import copy
import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile import schemas
from reconcile.runs.document import scan, walk
from reconcile.runs.run import Finding, Generation, RunKey
from reconcile.runs.validation import MAX_BYTES, Checker, Document, explain, generation_of, too_large

PATH = "runs/lab/run-1/metrics.json"
RUN = RunKey("lab", "run-1")
CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))

V2 = {
    "run_id": "run-1",
    "start_timestamp": "2026-01-05T13:36:10.25Z",
    "end_timestamp": 1767620642.5,
    "steps": [{"step": 1, "success": True, "start_timestamp": None, "end_timestamp": 1767620410}],
    "aggregate_metrics": {"TOK_IN": 12, "TOK_OUT": 3, "CACHED_TOKENS": 4, "AUTR": 1.0},
    "usage_scope": {"provider": "openai", "api_key_ids": ["key_1"]},
    "usage_api_reconciliation": {
        "verification_status": "pending",
        "reasons": ["first_read"],
        "policy": {"min_stable_verifications": 2},
        "attempts": [{"timestamp": "2026-01-05T14:17:03Z", "total_tokens_in": 12, "total_tokens_out": 3}],
    },
}
V1 = {**V2, "steps": [{"step_number": 1, "tokens_in": 12, "tokens_out": 3, "start_timestamp": 1767620170}]}


def findings(data):
    outcome = CHECKER.check(PATH, RUN, data if isinstance(data, bytes) else data.encode())
    assert isinstance(outcome, tuple), "the file passed for valid"
    return outcome


# ----------------------------------------------------------------------------------------------- valid files


@pytest.mark.parametrize(
    ("value", "generation"),
    [pytest.param(V1, Generation.V1, id="v1"), pytest.param(V2, Generation.V2, id="v2")],
)
def test_check__gives_the_document_of_a_valid_file(value, generation):
    text = json.dumps(value, indent=1)
    assert CHECKER.check(PATH, RUN, text.encode()) == Document(PATH, RUN, text, value, generation)


@pytest.mark.parametrize(
    ("value", "generation"),
    [
        pytest.param({"steps": [{"step": 1}, {"step_number": 2}]}, Generation.V1, id="one step_number is enough"),
        pytest.param({"steps": [{"step": 1}]}, Generation.V2, id="step"),
        pytest.param({"steps": []}, Generation.V2, id="no steps"),
        pytest.param({"steps": [None, "step_number"]}, Generation.V2, id="no objects"),
        pytest.param({"steps": "step_number"}, Generation.V2, id="no list"),
        pytest.param(["step_number"], Generation.V2, id="no document"),
    ],
)
def test_generation_of__is_told_by_content(value, generation):
    assert generation_of(value) is generation


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param('"\\ud83d\\ude00"', id="a whole surrogate pair"),
        pytest.param('"\\\\ud83d"', id="a backslash before what is no escape"),
        pytest.param('"[[{{"', id="brackets in text"),
        pytest.param(json.dumps("[" * 200), id="many brackets in text"),
        pytest.param("[" * 99 + "]" * 99, id="100 levels"),
        pytest.param(f"[{','.join(['[]'] * 200)}]", id="many brackets side by side"),
        pytest.param("1" * 4300, id="an integer of 4,300 digits"),
        pytest.param("1e308", id="a large number"),
    ],
)
def test_check__has_nothing_against_an_unknown_member(spelling):
    text = json.dumps(V2)[:-1] + f', "notes": {spelling}}}'
    assert isinstance(CHECKER.check(PATH, RUN, text.encode()), Document)


# ------------------------------------------------------------------------------- bytes that are no document


def test_check__counts_the_levels_of_a_file_that_is_valid_otherwise():
    (finding,) = findings(json.dumps(V2)[:-1] + f', "notes": {"[" * 100 + "]" * 100}}}')
    assert "more than 100 levels deep" in finding.message


@pytest.mark.parametrize(
    ("data", "line", "column", "words"),
    [
        pytest.param(b"", 1, 1, "the file is empty", id="no bytes"),
        pytest.param(b" \n\t\n", 1, 1, "the file is empty", id="nothing but white space"),
        pytest.param(b"\xef\xbb\xbf{}", 1, 1, "byte order mark", id="a byte order mark"),
        pytest.param(b'{"a":\n "\xc3\xa9\xff"}', 2, 4, "byte 0xff is not UTF-8", id="a byte that is no UTF-8"),
        pytest.param("{}".encode("utf-16"), 1, 1, "byte 0xff is not UTF-8", id="UTF-16"),
        pytest.param(b"\x00\x01", 1, 1, "this is not JSON: expecting value", id="binary"),
        pytest.param(b'{"a": 1}\n{"a": 2}', 2, 1, "this is not JSON: extra data", id="two documents"),
        pytest.param(b'{\n"a": "b', 2, 6, "this is not JSON: unterminated string", id="a file cut short"),
        pytest.param(b'{"a": "\x01"}', 1, 8, "this is not JSON: invalid control character", id="a control character"),
        pytest.param(b"[" * 101 + b"]" * 101, 1, 101, "more than 100 levels deep", id="101 levels"),
        pytest.param(b"\n" + b'{"a":[' * 100 + b"]}" * 100, 2, 301, "more than 100 levels deep", id="200 mixed levels"),
        pytest.param(b'{"a":' * 100_000, 1, 501, "more than 100 levels deep", id="100,000 levels that never close"),
    ],
)
def test_check__tells_what_is_no_document(data, line, column, words):
    (finding,) = findings(data)
    assert (finding.path, finding.line, finding.column, finding.pointer) == (PATH, line, column, "")
    assert words in finding.message


@pytest.mark.parametrize(
    "begin",
    ["version https://git-lfs.github.com/spec/v1\n", "version https://hawser.github.com/spec/v1\r\next-0-foo 1\n"],
)
def test_a_pointer_of_git_lfs_is_named_as_such(begin):
    data = f"{begin}oid sha256:{'4d' * 32}\nsize 12345\n".encode()
    (finding,) = CHECKER.check(PATH, RUN, data)
    assert (finding.line, finding.message) == (1, "is a Git LFS pointer; keep run files out of LFS")


def test_too_large__names_both_sizes():
    assert too_large(PATH, MAX_BYTES + 1) == Finding(
        PATH,
        1,
        1,
        "",
        "the file has 2000001 bytes, more than the 2000000 that are read; keep logs and outputs elsewhere",
    )


# --------------------------------------------------------------------------------- flaws in a value's spelling


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        pytest.param("NaN", "extra is NaN, which JSON does not have", id="NaN"),
        pytest.param("-Infinity", "extra is -Infinity, which JSON does not have", id="minus infinity"),
        pytest.param("1e400", "extra is 1e400, a number too large", id="a float beyond all floats"),
        pytest.param("-1E+400", "extra is -1E+400, a number too large", id="a negative one"),
        pytest.param("7" * 4301, "extra is 777777", id="an integer of 4,301 digits"),
        pytest.param('"x\\ud800"', "extra holds half a surrogate pair", id="a high surrogate alone"),
        pytest.param('"\\uDFFF"', "extra holds half a surrogate pair", id="a low surrogate alone"),
    ],
)
@pytest.mark.parametrize("others", [pytest.param([], id="alone"), pytest.param(["/run_id"], id="with a wrong name")])
def test_check__tells_a_flaw_and_whatever_else_is_wrong(spelling, words, others):
    name = '"run_id": ""' if others else '"run_id": "run-1"'
    text = json.dumps(V2).replace('"run_id": "run-1"', f'{name},\n "extra": {spelling}')
    *before, flaw = findings(text)
    assert [finding.pointer for finding in before] == others
    assert (flaw.line, flaw.column, flaw.pointer) == (2, 11, "/extra")
    assert flaw.message.startswith(words)
    assert len(flaw.message) < 200


def test_check__tells_each_repeated_key_where_it_is_repeated():
    text = json.dumps(V2).replace('"run_id"', '"run_id": 1,\n"run_id": 2,\n "run\\u005fid"')
    assert [(each.line, each.column, each.pointer) for each in findings(text)] == [(2, 1, "/run_id"), (3, 2, "/run_id")]


def test_check__escapes_what_it_quotes():
    value = {**V2, "steps": [{**V2["steps"][0], "end_timestamp": "now\n::error::\x1b[31m\u202e" + "x" * 500}]}
    (finding,) = findings(json.dumps(value))
    assert finding.message.startswith('end_timestamp is "now\\n::error::\\u001b[31m\\u202exxxxxx')
    assert finding.message.isascii()
    assert len(finding.message) < 250


def test_check__escapes_the_pointer_too():
    (finding,) = findings(json.dumps(V2)[:-1] + ', "a/\\n\\u001b~": NaN}')
    assert finding.pointer == "/a~1\\n\\u001b~0"


def test_check__never_shows_what_may_be_a_secret_key():
    value = {**V2, "usage_scope": {"api_key_ids": ["sk-admin-secret"]}}
    (finding,) = findings(json.dumps(value))
    assert "secret" not in finding.message.replace("sk-...", "")
    assert "never the key itself" in finding.message


# ------------------------------------------------------------------------------------- what must be consistent


@pytest.mark.parametrize(
    ("run", "step"),
    [
        pytest.param(
            ("2026-01-05T13:36:10.9Z", "2026-01-05T13:36:10.9Z"), (1767620170, 1767620170), id="steps in whole seconds"
        ),
        pytest.param((1767620170.9, 1767620170), (1767620170.9, 1767620170), id="ends cut to whole seconds"),
        pytest.param((1767620170, 1767620180), (1767620169, 1767620181), id="a step that sticks out by a second"),
        pytest.param(("2026-01-05T15:36:10+02:00", 1767620180), (1767620170, None), id="another time zone"),
        pytest.param((None, None), (1767620170, 1767620180), id="a window from the step"),
        pytest.param((None, 1767620180), (1767620170, None), id="a window from both"),
    ],
)
def test_check__accepts_times_that_can_be_true(run, step):
    assert isinstance(CHECKER.check(PATH, RUN, json.dumps(timed(run, step)).encode()), Document)


@pytest.mark.parametrize(
    ("run", "step", "pointers"),
    [
        pytest.param((1767620170, 1767620169), (None, None), ["/end_timestamp"], id="a run that ends before it starts"),
        pytest.param((1767620170.5, 1767620170.25), (None, None), ["/end_timestamp"], id="by a fraction of a second"),
        pytest.param(
            (1767620100, 1767620900), (1767620170, 1767620169), ["/steps/0/end_timestamp"], id="a step that does"
        ),
        pytest.param(
            (1767620170, 1767620180),
            (1767620168.9, 1767620181.1),
            ["/steps/0/start_timestamp", "/steps/0/end_timestamp"],
            id="a step that sticks out on both sides",
        ),
        pytest.param(
            (1767620170, None), (1767620100, 1767620180), ["/steps/0/start_timestamp"], id="a step before the run"
        ),
        pytest.param((None, None), (1767620170, None), ["/end_timestamp"], id="no end anywhere"),
        pytest.param((None, None), (None, None), ["/start_timestamp", "/end_timestamp"], id="no window at all"),
        pytest.param(("2026-02-29T00:00:00Z", 1767620180), (None, None), ["/start_timestamp"], id="no such day"),
        pytest.param((1767620170, "2026-01-05T23:59:60Z"), (None, None), ["/end_timestamp"], id="a leap second"),
        pytest.param(
            ("0001-01-01T00:00:00+23:59", 1767620180), (None, None), ["/start_timestamp"], id="before the first year"
        ),
        pytest.param((1767620170000, 1767620180), (None, None), ["/start_timestamp"], id="milliseconds, told once"),
    ],
)
def test_check__tells_times_that_cannot_be_true(run, step, pointers):
    assert [finding.pointer for finding in findings(json.dumps(timed(run, step)))] == pointers


def timed(run, step):
    value = {**V2, "steps": [{"step": 1, "start_timestamp": step[0], "end_timestamp": step[1]}]}
    for name, stamp in zip(("start_timestamp", "end_timestamp"), run, strict=True):
        value.pop(name)
        if stamp is not None:
            value[name] = stamp
    return value


def test_check__shows_the_folder_and_the_name_in_the_file():
    (finding,) = findings(json.dumps({**V2, "run_id": "run-2"}))
    assert finding.message == 'run_id is "run-2", but the folder is "run-1"; give both the run\'s own name'


# ------------------------------------------------------------------------------------------ any file whatever

ODD_VALUES = """
    null true 0 -1 1.0 1.5 -0.0 1000000000000000 1000000000000001 1e300 946684799 1767620170 4102444800 {big}
    "" "x" "openai" "key_1\\n" "sk-1" "pending" "2026-01-05T13:36:10Z" "2026-01-05T13:36:10Z\\n" "2026-01-05T13:36:10"
    "\\u0662026-01-05T13:36:10Z" [] [1,2] ["stable"] [null] {{}} {{"a":1}} {{"policy":{{}}}}
""".format(big="1" * 400).split()

OPTIONAL = ["tokens_in", "recorded_usage", "query_window", "bounds", "forced", "completeness", "model"]


@st.composite
def mutated(draw):
    """A valid document with a few members replaced, removed or added anywhere."""
    value = copy.deepcopy(draw(st.sampled_from([V1, V2])))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([pointer for pointer, _ in walk(scan(json.dumps(value))) if pointer]))
        holder = value
        for step in way:
            holder = holder[step]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[last]
            last = draw(st.sampled_from(OPTIONAL))
        holder[last] = json.loads(draw(st.sampled_from(ODD_VALUES)))
    return value


@given(mutated())
@examples(300)
def test_the_two_validators_agree(value):
    name = f"metrics-{generation_of(value)}"
    quick = COMPILED[name].is_valid(value)
    assert quick == (explain(schemas.load(name), value) == [])


COMPILED = {name: jsonschema_rs.Draft202012Validator(schemas.load(name)) for name in ("metrics-v1", "metrics-v2")}


ODD_BYTES = [b"", b"\xff", b'"', b"NaN", b"\\ud800", b"{"]


@given(mutated(), st.sampled_from([None, 1]), st.data())
@examples(150)
def test_check__makes_something_of_any_bytes(value, indent, data):
    raw = bytearray(json.dumps(value, indent=indent).encode())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=3)):
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"\xff", b'"', b"NaN", b"\\ud800"])
        )
    outcome = CHECKER.check(PATH, RUN, bytes(raw))
    if isinstance(outcome, tuple):
        lines = raw.decode(errors="replace").split("\n")
        assert outcome
        for finding in outcome:
            assert 1 <= finding.line <= len(lines)
            assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1


def test_check__lets_nothing_pass_that_no_remedy_is_known_for():
    schema = {"properties": {"run_id": {"pattern": "^\\d+$"}}}
    value = {**V2, "run_id": "\u0661"}
    outcome = Checker(schema, schema).check(PATH, RunKey("lab", "\u0661"), json.dumps(value).encode())
    assert [finding.message for finding in outcome] == [
        "the file breaks its schema in a way that cannot be told; compare it with one that is valid"
    ]


def test_check__tells_at_most_a_thousand_of_a_kind():
    assert len(findings(json.dumps({**V2, "steps": [None] * 3000}))) == 1000


def test_check__tells_the_first_contradiction_of_a_long_file():
    value = {**V2, "steps": [{"step": 1, "end_timestamp": 1e9}] * 3000}
    (only,) = findings(json.dumps(value))
    assert only.pointer == "/steps/0/end_timestamp"


GHOST = {"run": "lab/ghost", "start": 1767614400, "end": 1767614460}
ODD_PARTS = {
    "a session that never was": ({"sessions": [["2026-02-30T12:00:00Z", 1767614520]]}, "/sessions/0/0", "no clock"),
    "a session that ends before it starts": (
        {"sessions": [[1767614520, 1767614400]]}, "/sessions/0/end_timestamp", "before",
    ),
    "sessions that lie a year apart": (
        {"sessions": [[1767614400, 1767614520], [1799150400, 1799150460]]},
        "/sessions/1/end_timestamp",
        "365 days after the start",
    ),
    "a neighbour of years": (
        {"neighbour": {"start": 946684800}}, "/neighbours/0/end", "spans 9,502 days, more than 35",
    ),
    "a neighbour of no time": ({"neighbour": {"end": 1767614400}}, "/neighbours/0/end", "not after its start"),
    "a reach of years": ({"neighbour": {"reach": [[946684800, 1767614460]]}}, "/neighbours/0/reach/0", "spans"),
    "reaches that lie years apart": (
        {"neighbour": {"reach": [[946684800, 946684860], [1767614400, 1767614460]]}},
        "/neighbours/0/reach",
        "spans",
    ),
    "a neighbour without a run": ({"neighbour": {"run": "ghost"}}, "/neighbours/0/run", "right form"),
    "a read in a future that never comes": (
        {"block": {"seen_in_future": "2026-02-30T12:00:00Z"}}, "/seen_in_future", "no clock",
    ),
    "a clock off by an age": ({"block": {"reach_seconds": 1e15}}, "/reach_seconds", "two days"),
    "a window of years": (
        {"block": {"query_window": {"start": 946684800, "end": 1767614460}}}, "/query_window/end", "spans",
    ),
    "bounds upside down": (
        {"block": {"attempts": [{"timestamp": 1767614400, "total_tokens_in": 1, "total_tokens_out": 1,
            "bounds": {kind: [2, 1] for kind in ("tokens_in", "tokens_out", "cached_tokens", "api_calls")}}]}},
        "/attempts/0/bounds/tokens_in",
        "not after",
    ),
    "a name of a million letters": ({"model": "x" * 1_000}, None, None),
    "text without end": ({"model": "x" * 20_000}, "/model", "has 20000 characters; shorten it to 10000"),
    "more ids than anybody has": (
        {"usage_scope": {"models": ["x"] * 10_001}}, "/usage_scope/models", "list of 10001; keep 10000 of them"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "pointer", "words"), ODD_PARTS.values(), ids=ODD_PARTS)
def test_check__refuses_what_no_reader_can_take(members, pointer, words):
    members = dict(members)
    block, ghost = members.pop("block", {}), members.pop("neighbour", {})
    attribution = {"attribution": {"neighbours": [{**GHOST, **ghost}]}}
    value = {**V2, "usage_api_reconciliation": {**V2["usage_api_reconciliation"], **attribution, **block}, **members}
    outcome = CHECKER.check(PATH, RUN, json.dumps(value).encode())
    if pointer is None:
        assert isinstance(outcome, Document)
        return
    assert any(each.pointer.endswith(pointer) and words in each.message for each in outcome), outcome


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        pytest.param(
            lambda value: {**value, "steps": ["x"] * 50_000}, 'is "x", not an object', id="the schema's first"
        ),
        pytest.param(lambda value: {**value, "run_id": "x"}, "but the folder is", id="a contradiction"),
        pytest.param(lambda value: {**value, "run_id": "x", "more": float("nan")}, "none of JSON", id="a flaw"),
    ],
)
def test_check__tells_the_first_defect_of_a_long_file(spoiled, words):
    text = json.dumps(spoiled({**V2, "notes": [1] * 50_000}))
    (finding,) = findings(text)
    assert words in finding.message


def test_check__tells_what_is_wrong_with_a_long_file_that_is_cut():
    (finding,) = findings(json.dumps({**V2, "notes": [1] * 50_000})[:-1])
    assert "this is not JSON" in finding.message
