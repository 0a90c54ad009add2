"""Evidence says what a figure rests on, in bytes that follow from the read alone."""

import json
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from support.proof import Written, schema
from support.runs import EXAMPLES, FIRST, KEY, SCOPE, WIDE, after, attribution_of, buckets, neighbour
from support.worlds import dice

from reconcile import schemas
from reconcile.attribution.attribute import attribute
from reconcile.attribution.evidence import COLUMNS, Evidence, evidence_bytes, evidence_of, read_evidence
from reconcile.runs.run import Claim
from reconcile.usage import Bucket, Usage

TRIPLE = "100 50 . 3x400 70"


def shown(attribution, clock="00:45"):
    return evidence_of(attribution, after(clock))


def test_evidence_says_what_was_read_and_when():
    evidence = shown(attribution_of(TRIPLE))
    assert (evidence.own.claim.run, evidence.read_at, evidence.runs) == (KEY, after("00:45"), 1)
    assert [row.usage.tokens_in for row in evidence.rows] == [100, 50, 400, 70]


def test_bytes_are_accepted_by_the_schema_and_read_back_the_same():
    evidence = shown(attribution_of(TRIPLE, neighbour("b", 3, 20, calls=2)))
    value = json.loads(evidence_bytes(evidence))
    assert schema().is_valid(value)
    assert read_evidence(value) == evidence
    assert evidence_bytes(read_evidence(value)) == evidence_bytes(evidence)


def written(*counts):
    """Evidence of rows of which so much was written to a cache."""
    evidence = shown(attribution_of("100 50"))
    rows = (replace(row, cache_write=count) for row, count in zip(evidence.rows, counts, strict=True))
    return replace(evidence, rows=tuple(rows))


def test_what_was_written_to_a_cache_is_a_column_where_there_is_any():
    evidence = written(7, None)
    value = json.loads(evidence_bytes(evidence))
    assert schema().is_valid(value)
    assert value["columns"] == [*COLUMNS, "cache_write_tokens"]
    assert [row[10:] for row in value["rows"]] == [[7], [None]]
    assert read_evidence(value) == evidence


def test_where_nothing_was_written_to_a_cache_the_bytes_are_those_of_an_answer_that_does_not_tell():
    assert evidence_bytes(written(0, 0)) == evidence_bytes(written(None, None))
    value = json.loads(evidence_bytes(written(0, None)))
    assert value["columns"] == list(COLUMNS)
    assert {len(row) for row in value["rows"]} == {10}


def test_a_run_without_usage_has_evidence_of_that():
    value = json.loads(evidence_bytes(shown(attribution_of("."))))
    assert (schema().is_valid(value), value["rows"], value["columns"]) == (True, [], list(COLUMNS))


def test_a_row_takes_a_line():
    lines = evidence_bytes(shown(attribution_of("100 50"))).decode().splitlines()
    assert sum("key_a" in line and line.startswith("    [") for line in lines) == 2


def test_the_order_in_which_rows_and_claims_came_does_not_show():
    claims = [Claim(KEY, SCOPE, attribution_of("1").claim.window), neighbour("b", 2, 20), neighbour("c", 4, 30)]
    rows = list(buckets(TRIPLE))
    made = set()
    for seed in range(10):
        random = dice(seed)
        random.shuffle(claims)
        random.shuffle(rows)
        made.add(evidence_bytes(shown(attribute(claims, rows, [WIDE]).by_run[KEY])))
    assert len(made) == 1


def test_of_others_only_the_shared_minutes_are_in_it():
    """The neighbour's own minutes go into the fingerprint and nowhere else."""
    other = neighbour("b", 8, 14, calls=3)
    rows = [*buckets("100"), Bucket(other.window.end - 60, Usage(777_777, 7, 0, 1), "key_a", "gpt-4o")]
    evidence = shown(attribute([attribution_of("1").claim, other], rows, [WIDE]).by_run[KEY])
    without = shown(attribute([attribution_of("1").claim, other], rows[:1], [WIDE]).by_run[KEY])
    assert b"777777" not in evidence_bytes(evidence)
    assert evidence.rows == without.rows
    assert evidence.fingerprint != without.fingerprint


def names():
    return st.one_of(st.none(), st.text(max_size=5))


def random_evidence(random: Random, name):
    evidence = shown(attribution_of(TRIPLE, neighbour("b", 3, 20)))
    rows = tuple(
        Bucket(FIRST + 60 * random.randrange(100), Usage(*(random.randrange(10**12) for _ in range(4))), name, name,
               name, random.choice([True, False, None]), name)
        for _ in range(random.randrange(4))
    )  # fmt: skip
    return replace(evidence, rows=rows, surplus_nearby=random.random() < 0.5)


@EXAMPLES
@given(st.randoms(use_true_random=False), names())
def test_whatever_names_there_are_evidence_is_read_back_the_same(random, name):
    evidence = random_evidence(random, name)
    value = json.loads(evidence_bytes(evidence))
    assert schema().is_valid(value)
    assert isinstance(read_evidence(value), Evidence)
    assert read_evidence(value) == evidence


def test_a_log_stands_in_evidence_by_its_digest():
    written = Written().read("00:45", "100")
    assert written.document["claim"]["log_sha256"] is None


def described(part, path="#"):
    """Every place of a schema that must say what it is for."""
    if isinstance(part, dict):
        for name in ("properties", "$defs"):
            for member, value in part.get(name, {}).items():
                if "description" not in value:
                    yield f"{path}/{member}"
                yield from described(value, f"{path}/{member}")
        if isinstance(part.get("items"), dict):
            yield from described(part["items"], f"{path}/items")


def test_every_field_is_described():
    assert [[*described(schemas.load(name))] for name in ("evidence", "audit")] == [[], []]
