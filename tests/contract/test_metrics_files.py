"""The schemas, held against files: made-up ones in tests/cases, recorded ones where they are at hand."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from reconcile import schemas
from reconcile.errors import ConfigurationError
from reconcile.runs.document import find, scan
from reconcile.runs.edits import Insert, Put, amend
from reconcile.runs.run import Generation, RunKey
from reconcile.runs.state import Completeness, Reason, Status
from reconcile.runs.validation import Checker, Document

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
CASES = ROOT / "tests" / "cases" / "metrics"
CASES_RUN = RunKey("cases", "example-run")

CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))
SCHEMAS = ("metrics-v1", "metrics-v2", "reconcile")

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded files are not at hand")


def case_id(path):
    return path.stem


# ------------------------------------------------------------------------------------------------ made-up files


@pytest.mark.parametrize("path", sorted(CASES.glob("valid/*.json")), ids=case_id)
def test_a_valid_case_is_a_document_of_the_generation_in_its_name(path):
    outcome = CHECKER.check(path.name, CASES_RUN, path.read_bytes())
    assert isinstance(outcome, Document), outcome
    assert outcome.generation == path.name[:2]


@pytest.mark.parametrize("path", sorted(CASES.glob("invalid/*.json")), ids=case_id)
def test_an_invalid_case_has_exactly_the_findings_beside_it(path):
    outcome = CHECKER.check(path.name, CASES_RUN, path.read_bytes())
    assert isinstance(outcome, tuple)
    lines = [f"{each.line}:{each.column}: {each.pointer}: {each.message}" for each in outcome]
    assert lines == path.with_suffix(".findings").read_text().splitlines()


# ----------------------------------------------------------------------------------------------- recorded files


@needs_shared
@pytest.mark.parametrize("folder", ["data/devbench/runs", "data/devbench/cases"])
def test_recorded_files_are_valid_as_they_stand(folder):
    paths = sorted((SHARED / folder).rglob("*.json"))
    outcomes = {path: CHECKER.check(path.name, *recorded(path)) for path in paths}
    assert {path.name: outcome for path, outcome in outcomes.items() if not isinstance(outcome, Document)} == {}
    assert {outcome.generation for outcome in outcomes.values()} == {Generation.V1}


@needs_shared
def test_recorded_files_keep_every_byte_that_an_edit_does_not_concern():
    for path in sorted((SHARED / "data/devbench/runs").rglob("*.json")):
        text = path.read_text()
        same = [Put((), json.loads(text))]
        changes = [Put(("aggregate_metrics", "TOK_IN"), 123456789), Insert(("steps",), 0, {"step_number": 0})]
        node = find(scan(text), ("aggregate_metrics", "TOK_IN"))
        amended = amend(text, [*same, *changes]).replace('    {\n      "step_number": 0\n    },\n', "", 1)
        assert amended == text[: node.start] + "123456789" + text[node.end :], path


@needs_shared
def test_both_examples_of_the_first_reconciler_are_valid_v1():
    blocks = re.findall("```json\n(.*?)```", (SHARED / "seeds" / "000-quick-reference.md").read_text(), re.DOTALL)
    outcomes = [CHECKER.check("example", RunKey("chatdev", "test_run_123"), block.encode()) for block in blocks]
    assert [outcome.generation for outcome in outcomes if isinstance(outcome, Document)] == [Generation.V1] * 2


def recorded(path):
    """The run and the bytes of a recorded file; single cases are not in a folder of their run's name."""
    data = path.read_bytes()
    name = path.parent.name if path.name == "metrics.json" else json.loads(data)["run_id"]
    return RunKey(path.parts[-3], name), data


# -------------------------------------------------------------------------------------------------- the schemas


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_says_where_it_is_published(name):
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/llm-usage-reconcile/main/schemas/{name}.schema.json")
    assert schema["title"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_describes_every_field_and_every_definition(name):
    silent = [where for where, part in subschemas(json.loads(source(name)), name) if not part.get("description")]
    assert silent == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_beside_each_rule_how_to_mend_what_breaks_it(name):
    rules = {"type", "enum", "pattern", "minimum", "maximum", "minLength", "minItems", "maxItems", "not"}
    mute = [
        where
        for where, part in subschemas(json.loads(source(name)), name, also=("items", "allOf"))
        if rules & part.keys() and "x-remedy" not in part
    ]
    assert mute == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_uses_only_rules_that_both_validators_read_alike(name):
    patterns = [
        part["pattern"]
        for _, part in subschemas(json.loads(source(name)), name, also=("items", "allOf"))
        if "pattern" in part
    ]
    assert [pattern for pattern in patterns if "\\d" in pattern or not pattern.endswith("(?!\\n)$")] == []


def test_the_closed_lists_of_words_are_those_of_the_model():
    own = schemas.load("metrics-v2")["$defs"]["own_reconciliation"]["properties"]
    assert own["verification_status"]["enum"] == list(Status)
    assert own["reasons"]["items"]["enum"] == list(Reason)
    assert own["completeness"]["enum"] == list(Completeness)
    assert own["attempts"]["items"]["properties"]["status"]["enum"] == [
        *Status,
        "lower_read",
        "higher_read",
        "other_read",
    ]


def test_the_schemas_are_whole_files_and_say_the_same_of_what_they_have_in_common():
    """Whole, so that editors and validators need one file and no network; equal, because they repeat each other."""
    v1, v2, settings = (schemas.load(name) for name in SCHEMAS)
    own = {"$id", "title", "description", "$defs"}
    assert {key: v1[key] for key in v1.keys() - own} == {key: v2[key] for key in v2.keys() - own}
    assert {name for name in v1["$defs"] | v2["$defs"] if v1["$defs"].get(name) != v2["$defs"].get(name)} == {"step"}
    for name in settings["$defs"].keys() & v2["$defs"].keys():
        assert settings["$defs"][name] == v2["$defs"][name], name


def test_a_schema_that_is_not_there_is_an_error_that_names_the_places():
    with pytest.raises(ConfigurationError, match=r"nothing\.schema\.json is not in .*schemas or .*schemas"):
        schemas.load("nothing")


def source(name):
    return (ROOT / "schemas" / f"{name}.schema.json").read_text()


def subschemas(schema, where, also=()):
    """The schema and those under its members and definitions, and under the keywords `also`, each with its place."""
    yield where, schema
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from subschemas(part, f"{where}/{name}", also)
    for keyword in also:
        parts = schema.get(keyword, [])
        for part in parts if isinstance(parts, list) else [parts]:
            yield from subschemas(part, f"{where}/{keyword}", also)
