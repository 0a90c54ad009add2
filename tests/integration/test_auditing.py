"""The audit: finds every edit of what was committed, and nothing where nobody edited."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from support.bench import BLOCK, DAY, called
from support.forging import forged, leaves, places, renamed, resealed, text
from support.trees import HOURS, World
from support.worlds import SCALE, dice, seeds

from reconcile import cli, schemas
from reconcile.attribution.evidence import evidence_bytes, read_evidence
from reconcile.insight.audit import AuditOutcome, attributed_again
from reconcile.insight.audit_files import audit_runs, evidence_of_run, refetched
from reconcile.passes.tree import read_tree
from reconcile.runs.run import RunKey
from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator

LAST = HOURS[-1] * 3600 + 1020


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Runs of one day, settled, all of which can be computed again."""
    with Simulator(Ledger()) as simulator:
        world = World(tmp_path_factory.mktemp("world"), simulator, 7, runs=30, quiet=True)
        for hour in HOURS:
            world.go(hour * 3600 + 1020)
        yield world


def outcomes(done):
    return {str(each.run.key): each.found for each in done.runs}


def audited_with(world, name, file=None, evidence=None):
    """The audit of the tree with other bytes in place of a run's own, which are there again afterwards."""
    folder = world.bench.runs / name
    before = {path: path.read_bytes() for path in folder.iterdir()}
    try:
        if file is not None:
            (folder / "metrics.json").write_bytes(file)
        if evidence is not None:
            (folder / "usage_evidence.json").write_bytes(evidence)
        return audit_runs(world.workspace(DAY + timedelta(seconds=LAST)), [Path(folder)])
    finally:
        for path, data in before.items():
            path.write_bytes(data)


def found(world, name, **given):
    """Whether the audit finds a difference, or the file is not valid any more."""
    done = audited_with(world, name, **given)
    differs = any(each.found.outcome is AuditOutcome.DIFFERENT for each in done.runs)
    return differs or any(finding.path.endswith(f"{name}/metrics.json") for finding in done.invalid)


def sound(world):
    return sorted(name for name, each in outcomes(world.audited(LAST)).items() if each.outcome is AuditOutcome.SOUND)


def test_the_world_of_these_tests_is_sound_and_has_verdicts_of_every_kind(world):
    done = world.audited(LAST)
    kinds = {each.run.state.status.value for each in done.runs if each.run.state}
    assert {each.found.outcome for each in done.runs} <= {AuditOutcome.SOUND, AuditOutcome.UNAUDITED}
    assert len(sound(world)) >= 20
    assert kinds >= {"verified", "warning"}


def test_every_single_edit_of_a_file_or_its_evidence_is_found(world):
    """A twentieth of a thousand edits in `make test`, all of them in `make prove`."""
    names, random, missed = sound(world), dice(1), []
    for _ in range(int(100 * SCALE)):
        name = random.choice(names)
        folder = world.bench.runs / name
        if random.random() < 0.5:
            value = json.loads((folder / "metrics.json").read_text())
            after, done = forged(value, random, list(places(value)))
            seen = found(world, name, file=text(after))
        else:
            value = json.loads((folder / "usage_evidence.json").read_text())
            after, done = forged(value, random, list(leaves(value)))
            seen = found(world, name, evidence=text(after))
        missed += [] if seen else [f"{name}: {done}"]
    assert missed == []
    assert sound(world) == names


FIGURES = ("total_tokens_in", "total_tokens_out", "total_cached_tokens", "total_api_calls")


def test_a_figure_that_was_edited_and_sealed_again_is_found(world):
    random = dice(2)
    for name in sound(world):
        value = json.loads((world.bench.runs / name / "metrics.json").read_text())
        value[BLOCK][random.choice(FIGURES)] += 1
        assert found(world, name, file=text(resealed(value))), name


def test_a_verdict_that_was_made_verified_and_sealed_again_is_found(world):
    for name in sound(world):
        value = json.loads((world.bench.runs / name / "metrics.json").read_text())
        if value[BLOCK]["verification_status"] != "verified":
            value[BLOCK] |= {"verification_status": "verified", "reasons": ["stable"]}
            value |= {"verification_status": "verified"} if "verification_status" in value else {}
            assert found(world, name, file=text(resealed(value))), name


def alone(world):
    """Runs with usage and without neighbours."""
    for name in sound(world):
        evidence = json.loads((world.bench.runs / name / "usage_evidence.json").read_text())
        if evidence["component"]["runs"] == 1 and evidence["rows"]:
            yield name, evidence


def test_evidence_of_a_run_alone_that_was_edited_named_and_sealed_again_is_found_by_its_fingerprint(world):
    edited = 0
    for name, evidence in alone(world):
        evidence["rows"][0][6] += 1
        data = text(evidence)
        value = json.loads((world.bench.runs / name / "metrics.json").read_text())
        edited += 1
        assert found(world, name, file=text(renamed(value, data)), evidence=data), name
    assert edited > 2


def test_what_is_forged_coherently_is_found_by_a_fresh_read_only(world):
    name, value, data = next(filter(None, (coherently(world, *each) for each in alone(world))))
    done = audited_with(world, name, file=text(value), evidence=data)
    assert [(each.found.outcome, each.found.differences) for each in done.runs] == [(AuditOutcome.SOUND, ())]
    now = DAY + timedelta(seconds=LAST)
    again = refetched(world.workspace(now), done, world.provider(now))
    assert [each.found.outcome for each in again.runs] == [AuditOutcome.DIFFERENT]


def coherently(world, name, evidence):
    """A run's file and evidence with 100 output tokens more everywhere, and the fingerprint that goes with them."""
    value = json.loads((world.bench.runs / name / "metrics.json").read_text())
    if (
        not value[BLOCK]["attribution"]["exact"]
        or value["steps"]
        or "recorded_usage" in value
        or (world.bench.runs / name / "calls.ndjson").exists()
    ):
        return None
    evidence["rows"][0][7] += 100
    framework, _, run_id = name.partition("/")
    read = read_evidence(evidence)
    evidence["component"]["sha256"] = attributed_again(
        read, {RunKey(framework, run_id): read}, {}
    ).attribution.component.fingerprint
    value["aggregate_metrics"]["TOK_OUT"] += 100
    value[BLOCK]["total_tokens_out"] += 100
    for attempt in value[BLOCK]["attempts"]:
        attempt["total_tokens_out"] += 100
    data = evidence_bytes(read_evidence(evidence))
    return name, renamed(value, data), data


def test_a_fresh_read_of_an_untouched_tree_differs_nowhere(world):
    now = DAY + timedelta(seconds=LAST)
    done = refetched(world.workspace(now), world.audited(LAST), world.provider(now))
    restated = [each for each in done.runs if each.found.outcome is AuditOutcome.DIFFERENT]
    assert [each.found.differences for each in restated if "verified" in str(each.run.state)] == []


JUDGED_BY = ("usage_api_reconciliation", "policy")
"""Another policy in the settings than a verdict was made by is told, and no edit of the file."""


@pytest.mark.parametrize("seed", [pytest.param(seed, id=str(seed)) for seed in seeds(3)])
def test_no_edit_is_found_in_what_passes_wrote(tmp_path, simulator, seed):
    """Days of anything: late calls, dips, late files and logs, forced reads, another policy, a killed writer."""
    world = World(tmp_path, simulator, seed, runs=12)
    wrong = []
    for hour in HOURS:
        world.go(hour * 3600 + 1020)
        world.happen()
        for each in world.audited(hour * 3600 + 1020).runs:
            found = [] if each.run.edited else [each for each in each.found.differences if each[0] != JUDGED_BY]
            wrong += [(hour, str(each.run.key), difference) for difference in found]
    assert wrong == []


class TestWhatLiesInThePlaceOfEvidence:
    @pytest.fixture
    def folder(self, bench):
        bench.add("chatdev/a", "12:00", "12:05", [("12:01",), ("12:03",)])
        for clock in ("13:17", "14:17"):
            bench.run(clock)
        self.bench = bench
        return bench.file("chatdev/a").parent

    def audit(self, *arguments):
        config = self.bench.folder / "reconcile.yml"
        config.write_text("frameworks:\n  chatdev: {api_key_ids: [key_chatdev]}\n")
        given = ["audit", *arguments, "--runs", str(self.bench.runs), "--config", str(config)]
        return CliRunner().invoke(cli.main, given)

    def test_nothing_wrong_exits_0(self, folder):
        done = self.audit()
        assert (done.exit_code, done.stdout) == (0, "1 run: 1 sound.\n")

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\xff\xfe", id="not UTF-8"),
            pytest.param(b"{", id="not JSON"),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"schema_version": 2}', id="another version"),
            pytest.param(b"[]", id="no object"),
            pytest.param(b"1", id="a number"),
            pytest.param(b'"' + b"x" * 50_000_000 + b'"', id="50 MB"),
        ],
    )
    def test_bytes_that_are_no_evidence_are_a_difference(self, folder, data):
        (folder / "usage_evidence.json").write_bytes(data)
        done = self.audit()
        assert (done.exit_code, "usage_evidence.json is no evidence" in done.stdout) == (1, True)

    @pytest.mark.parametrize("kind", ["link", "folder", "nothing"])
    def test_what_is_no_file_is_a_difference(self, folder, kind):
        evidence = folder / "usage_evidence.json"
        moved = evidence.rename(folder / "moved.json")
        if kind == "link":
            evidence.symlink_to(moved)
        if kind == "folder":
            evidence.mkdir()
        done = self.audit()
        assert (done.exit_code, "usage_evidence.json" in done.stdout) == (1, True)

    def test_a_figure_that_makes_the_file_invalid_fails_and_shows_its_place(self, folder):
        file = folder / "metrics.json"
        file.write_text(file.read_text().replace('"total_api_calls": 2', '"total_api_calls": -2', 1))
        done = self.audit()
        assert (done.exit_code, "/usage_api_reconciliation/total_api_calls: " in done.stdout) == (1, True)
        document = json.loads(self.audit("--json").stdout)
        jsonschema.Draft202012Validator(schemas.load("audit")).validate(document)
        assert [each["pointer"] for each in document["invalid"]] == ["/usage_api_reconciliation/total_api_calls"]

    def test_line_ends_of_a_checkout_leave_explain_its_minutes(self, folder):
        evidence = folder / "usage_evidence.json"
        evidence.write_bytes(evidence.read_bytes().replace(b"\n", b"\r\n"))
        workspace = self.bench.workspace("15:17")
        (run,) = read_tree(workspace).runs
        assert evidence_of_run(workspace, run).own.claim.run == run.key

    def test_a_run_that_is_gone_meanwhile_has_no_evidence(self, folder):
        workspace = self.bench.workspace("15:17")
        (run,) = read_tree(workspace).runs
        shutil.rmtree(folder)
        assert evidence_of_run(workspace, run) is None

    def test_line_ends_of_a_checkout_are_no_difference(self, folder):
        for name in ("usage_evidence.json", "metrics.json"):
            (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
        assert self.audit().exit_code == 0

    def test_line_ends_of_a_call_log_are_no_difference(self, folder):
        call = called("13:01", key="key_chatdev")
        self.bench.add("chatdev/logged", "13:00:10", "13:05", [call])
        self.bench.add_log("chatdev/logged", [call])
        self.bench.run("15:17")
        assert self.audit().stdout == "2 runs: 2 sound.\n"
        file = folder.with_name("logged") / "calls.ndjson"
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        assert self.audit().stdout == "2 runs: 2 sound.\n"

    def test_a_pointer_in_the_place_of_evidence_is_told(self, folder):
        pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
        (folder / "usage_evidence.json").write_text(pointer)
        done = self.audit()
        assert done.exit_code == 1
        assert "usage_evidence.json is a Git LFS pointer; keep run files out of LFS" in done.stdout

    def test_a_formatter_over_all_files_is_no_difference(self, folder):
        for name in ("usage_evidence.json", "metrics.json"):
            value = json.loads((folder / name).read_text())
            (folder / name).write_text(json.dumps(value, indent=4, sort_keys=True))
        assert self.audit().exit_code == 0

    def test_an_instant_that_is_none_makes_no_evidence_and_ends_no_audit(self, folder):
        file = folder / "usage_evidence.json"
        file.write_text(re.sub('("read_at": "[^T]*)T..', r"\1T25", file.read_text()))
        assert (self.audit().exit_code, "is no evidence" in self.audit().stdout) == (1, True)

    def test_a_writer_that_was_killed_before_the_figure_is_told_and_is_no_difference(self, folder):
        file = folder / "metrics.json"
        before = file.read_bytes()
        evidence = json.loads((folder / "usage_evidence.json").read_text())
        self.bench.run("15:17", force=True, framework="chatdev")
        self.bench.run("16:17")
        newer = file.read_bytes()
        assert evidence != json.loads((folder / "usage_evidence.json").read_text())
        file.write_bytes(before)
        assert self.audit().exit_code == 1
        (folder / ".metrics.json.0011aabb.tmp").write_bytes(newer)
        (folder / ".metrics.json.0011aabc.tmp").write_bytes(b"{")
        done = self.audit()
        assert (done.exit_code, "a writer was killed" in done.stdout) == (0, True)

    def test_paths_limit_what_is_audited(self, folder):
        self.bench.add("chatdev/b", "12:20", "12:25", [("12:21",)])
        for clock in ("15:17", "16:17"):
            self.bench.run(clock)
        assert self.audit(str(folder)).stdout == "1 run: 1 sound.\n"
        assert self.audit(str(folder / "metrics.json")).stdout == "1 run: 1 sound.\n"
        assert self.audit(str(self.bench.runs)).stdout == "2 runs: 2 sound.\n"
        assert self.audit("nowhere").exit_code == 2

    def test_the_document_is_as_its_schema_says(self, folder):
        schema = schemas.load("audit")
        for edit in (list, (folder / "usage_evidence.json").unlink):
            edit()
            document = json.loads(self.audit("--json").stdout)
            jsonschema.Draft202012Validator(schema).validate(document)
        place = document["runs"][0]["differences"][0]
        assert (document["counts"]["different"], place["line"] > 1) == (1, True)

    def test_a_run_id_of_odd_characters_is_shown_escaped(self, folder):
        odd = folder.with_name("a\x1b[31m\n")
        value = {**json.loads((folder / "metrics.json").read_text()), "run_id": odd.name}
        shutil.copytree(folder, odd)
        (odd / "metrics.json").write_text(json.dumps(value))
        done = self.audit()
        assert (done.exit_code, "\x1b" in done.stdout, "its run was changed" in done.stdout) == (1, False, True)

    def test_a_fresh_read_that_fails_exits_3(self, folder, monkeypatch):
        monkeypatch.setenv("OPENAI_ADMIN_KEY", "wrong")
        monkeypatch.setenv("RECONCILE_OPENAI_URL", self.bench.simulator.base_url)
        done = self.audit("--refetch", "--now", "2026-01-05T15:00:00Z")
        assert (done.exit_code, "could not be read again" in done.stdout) == (3, True)
