"""What a schema accepts, the reader takes: documents drawn from the schemas, then broken, go through every command."""

import json

import pytest
from support.bench import BLOCK, at
from support.schemas import GONE, Drawn, mutated, without
from support.worlds import dice, seeds

from reconcile import schemas
from reconcile.attribution.claims import EVERYTHING, claims_of, gone
from reconcile.attribution.evidence import evidence_bytes, read_evidence
from reconcile.insight.audit_files import _schema
from reconcile.minutes import LONGEST_REACH
from reconcile.passes.planning import plan
from reconcile.passes.selection import select
from reconcile.passes.tree import read_tree
from reconcile.providers.base import Scope
from reconcile.report.exports import dashboard_of
from reconcile.report.page import dashboard_json
from reconcile.runs.metrics import read_run
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy, Reason, Status
from reconcile.runs.text import text_of, value_of
from reconcile.runs.validation import Checker, Document
from reconcile.workspace import open_workspace

KEY = RunKey("chatdev", "run-1")
NOW = at("14:17")
CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))
SCOPES = {"chatdev": Scope("openai", ("key_chatdev",))}
SOUND = {
    "run_id": "run-1",
    "start_timestamp": "2026-01-05T12:00:10Z",
    "end_timestamp": "2026-01-05T12:05:00Z",
    "steps": [],
}
INSTANTS = ("2026-01-05T12:00:10Z", 1767614520, 1767614640.5, "2026-01-05T12:05:00+00:00", "2026-02-30T12:00:00Z")
SEEDS = seeds(600)


def document(generation, seed, name="run-1"):
    """A drawn document of a run that may be, with a blow every other time, and without what the checker objects to."""
    random = dice(seed)
    drawn = Drawn(schemas.load(f"metrics-{generation}"), random)
    value = {**drawn.value(), **SOUND, "run_id": name}
    value["sessions"] = [[random.choice(INSTANTS), random.choice(INSTANTS)] for _ in range(random.randrange(4))]
    block = value.setdefault(BLOCK, {})
    if "policy" in block:
        block["verification_status"] = random.choice([*Status])
        block["reasons"] = random.sample([*Reason], 2)
    if generation == "v1":
        value["steps"] = [{"step_number": 1.0, "start_timestamp": None}]
    value = mutated(value, random, drawn) if seed % 2 else value
    for _ in range(20):
        found = CHECKER.check("x", RunKey("chatdev", name), json.dumps(value).encode())
        if isinstance(found, Document) or not isinstance(value, dict):
            break
        for pointer in {finding.pointer for finding in found} - {""}:
            value = value if (left := without(value, pointer)) is GONE else left
    return value


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_what_the_schema_of_runs_accepts_the_reader_takes(generation):
    taken = 0
    for seed in SEEDS:
        value = document(generation, seed)
        found = CHECKER.check("x", KEY, json.dumps(value).encode())
        if not isinstance(found, Document):
            assert found, value
            continue
        taken += 1
        run = read_run(KEY, "x", found.value, found.generation)
        claims = claims_of([run], SCOPES, Policy())
        every = [*claims.values(), *gone([run], claims)]
        select([run], Policy(), NOW, EVERYTHING)
        for claim in every:
            assert 0 < claim.span.end - claim.span.start <= LONGEST_REACH, value
            assert len(plan(claim.reach, [], [claim.scope], NOW)) <= LONGEST_REACH // 86400 + 1
    assert taken > len(SEEDS) / 2


def test_what_the_schema_of_evidence_accepts_is_evidence_or_none():
    taken = 0
    for seed in SEEDS:
        random = dice(seed)
        drawn = Drawn(schemas.load("evidence"), random)
        value = mutated(drawn.value(), random, drawn) if seed % 2 else drawn.value()
        if not _schema().is_valid(value_of(text_of(json.dumps(value).encode()))):
            continue
        taken += 1
        try:
            found = read_evidence(value)
        except ValueError:
            continue  # an instant or a window that never was
        evidence_bytes(found)
    assert taken > len(SEEDS) / 10


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_every_command_takes_what_the_schema_accepts(tmp_path, generation):
    """All at once, each run with evidence that fits its schema: nobody's bug may hide behind a boundary."""
    for seed in SEEDS[::4]:
        random = dice(seed)
        name = f"run-{seed}"
        value = document(generation, seed, name)
        folder = tmp_path / "chatdev" / name
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps(value))
        (folder / "usage_evidence.json").write_text(json.dumps(Drawn(schemas.load("evidence"), random).value()))
    workspace = open_workspace(tmp_path, scopes=SCOPES, now=NOW)
    made = dashboard_of(workspace, read_tree(workspace))
    dashboard_json(made, program="x")
    assert [each for each in made.summary.findings if "unexpected" in each.message] == []
    assert len(made.accounts) > len(SEEDS) / 8
