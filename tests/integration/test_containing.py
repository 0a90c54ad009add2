"""A bug that one file, branch, pass or step meets stays there: it is told with its place, and the others go on.

Each test plants an exception in a function that the boundary calls; that is the only thing ever replaced here.
"""

import importlib
import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from support.bench import at
from support.job import path, run_file

from reconcile import cli
from reconcile.cli.passes import keep_watch
from reconcile.errors import StoreError, UnexpectedError
from reconcile.git.remote import GitRemote
from reconcile.insight.audit_files import audit_runs
from reconcile.insight.survey import backtest, lag, list_runs, validate
from reconcile.passes.containing import attempted, contained, of_the_sound, place_of
from reconcile.passes.tree import read_tree
from reconcile.report.exports import dashboard_of
from reconcile.runs.state import Policy

TOLD = re.compile(r"unexpected error \(KeyError at reconcile/[a-z_/]+\.py:[0-9]+\): report it with the file")


@pytest.fixture
def plant(monkeypatch):
    """Put a bug into a function of a module: it shows where the argument at that place is of what is named."""

    def plant(module, name, culprit="", place=0):
        holder = importlib.import_module(module)
        real = getattr(holder, name)

        def planted(*given, **named):
            if culprit in repr(given[place : place + 1]):
                raise KeyError(culprit)
            return real(*given, **named)

        monkeypatch.setattr(holder, name, planted)

    return plant


def two_runs(bench):
    """One run of each of two frameworks, both due."""
    bench.add("chatdev/good", "12:00:10", "12:05", [("12:01", 500)])
    bench.add("baes/culprit", "12:00:10", "12:05", [("12:01", 70)])


READING = {
    "reading": ("reconcile.passes.tree", "read_run"),
    "validating": ("reconcile.runs.validation", "contradictions"),
    "claiming": ("reconcile.attribution.claims", "claim_of"),
    "settling": ("reconcile.verdict.lesson", "settle"),
    "spelling out": ("reconcile.verdict.lesson", "amendments"),
    "writing evidence": ("reconcile.verdict.lesson", "evidence_bytes"),
}


@pytest.mark.parametrize(("module", "name"), READING.values(), ids=READING)
def test_a_bug_that_one_file_meets_is_a_finding_of_it_and_the_others_are_settled(bench, plant, module, name):
    two_runs(bench)
    before = bench.file("baes/culprit").read_bytes()
    plant(module, name, "culprit")
    summary = bench.run("13:17")
    (finding,) = summary.findings
    assert finding.path == str(bench.file("baes/culprit"))
    assert TOLD.fullmatch(finding.message)
    assert (bench.verdict("chatdev/good"), summary.exit_code) == ("pending: first_read", 1)
    assert bench.file("baes/culprit").read_bytes() == before


def test_a_bug_in_sharing_out_stops_the_keys_that_meet_it_and_no_others(bench, plant):
    two_runs(bench)
    plant("reconcile.passes.apply", "attribute", "culprit")
    summary = bench.run("13:17")
    (error,) = summary.errors
    assert (error.code, summary.exit_code) == ("unexpected", 3)
    assert "baes/culprit" in error.message
    assert (bench.verdict("chatdev/good"), bench.verdict("baes/culprit")) == ("pending: first_read", None)


def test_usage_that_nobody_claims_is_told_though_another_key_meets_a_bug(bench, plant):
    two_runs(bench)
    bench.add("chatdev/late", "12:30:10", "12:35")
    bench.simulator.ledger.add(bench.add("chatdev/x", "12:50:10", "12:51", [("12:40", 9)]))
    whole = bench.run("13:17", dry_run=True).unattributed
    plant("reconcile.passes.apply", "attribute", "culprit")
    assert bench.run("13:17", dry_run=True).unattributed == whole != ()


def test_a_bug_in_a_call_log_leaves_the_run_without_it(bench, plant):
    two_runs(bench)
    made = bench.add("chatdev/logged", "12:10:10", "12:15", [("12:11", 30)])
    bench.add_log("chatdev/logged", made)
    plant("reconcile.passes.tree", "held_to")
    summary = bench.run("13:17")
    (finding,) = summary.findings
    assert (finding.path.endswith("logged/calls.ndjson"), bool(TOLD.fullmatch(finding.message))) == (True, True)
    assert bench.verdict("chatdev/logged") == "pending: first_read"
    _, findings = validate(bench.workspace("13:17"))
    assert [each.path for each in findings] == [finding.path]


def test_validate_goes_on_behind_a_file_that_meets_a_bug(bench, plant):
    two_runs(bench)
    plant("reconcile.insight.survey", "read_run", "culprit")
    files, findings = validate(bench.workspace("13:17"))
    assert (files, [bool(TOLD.fullmatch(each.message)) for each in findings]) == (2, [True])


@pytest.mark.parametrize("name", ["audit", "read_evidence", "located", "late_claims"])
def test_an_audit_goes_on_behind_a_run_that_meets_a_bug(bench, plant, name):
    two_runs(bench)
    bench.run("13:17")
    bench.write("baes/culprit", json.dumps(bench.value("baes/culprit")).replace("70", "71"))
    plant("reconcile.insight.audit_files", name, "culprit")
    done = audit_runs(bench.workspace("14:17"))
    told = [finding.path for finding in done.invalid if TOLD.fullmatch(finding.message)]
    assert ([each.run.key.run_id for each in done.runs], told) == (["good"], [str(bench.file("baes/culprit"))])


@pytest.mark.parametrize(("module", "learn"), [("lag", lag), ("trial", lambda it: backtest(it, Policy()))])
def test_what_is_learnt_leaves_out_a_run_that_meets_a_bug(bench, plant, module, learn):
    two_runs(bench)
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    plant(f"reconcile.insight.{module}", {"lag": "timing_of", "trial": "histories"}[module], "culprit")
    learnt = learn(bench.workspace("15:17"))
    assert learnt.invalid == 1


def test_a_page_lacks_the_run_that_meets_a_bug_and_says_so(bench, plant):
    two_runs(bench)
    bench.run("13:17")
    opened = bench.workspace("14:17")
    plant("reconcile.report.exports", "account_of", "culprit", place=2)
    made = dashboard_of(opened, read_tree(opened))
    assert [each.report.run.key.run_id for each in made.accounts] == ["good"]
    assert any(TOLD.fullmatch(finding.message) for finding in made.summary.findings)


# ------------------------------------------------------------------------------------------------ what contains


def test_an_error_of_ours_passes_the_boundary_of_a_file():
    def unreadable():
        raise StoreError("x", code="unreadable_file", remedy="y")

    with pytest.raises(StoreError):
        contained("a", unreadable)
    with pytest.raises(StoreError):
        of_the_sound((), lambda _: unreadable())
    assert attempted("a", unreadable).code == "unreadable_file"


def test_a_bug_that_no_run_meets_alone_is_raised(bench):
    two_runs(bench)
    runs = read_tree(bench.workspace("13:17")).runs

    def together(some):
        if len(some) > 1:
            raise KeyError

    with pytest.raises(KeyError):
        of_the_sound(runs, together)


def test_the_place_of_a_bug_outside_our_code_is_its_kind():
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("x")
    assert place_of(caught.value) == "JSONDecodeError"


# ------------------------------------------------------------------------------------------------ commands


def test_a_watch_goes_on_after_a_pass_that_meets_a_bug(bench, plant):
    class Timer:
        waits = 0
        stopped = property(lambda self: self.waits == 2)

        def now(self):
            return at("13:17").timestamp() + self.waits * 3600

        def wait(self, _):
            self.waits += 1

    two_runs(bench)
    lines = []
    passes = iter([bench.run, lambda _: {}["culprit"], bench.run])
    timer = Timer()
    keep_watch(lambda: next(passes)(f"{13 + timer.waits}:17"), timer, lines.append, every=timedelta(hours=1))
    assert len(lines) == 2
    assert "error: unexpected: this pass: unexpected error (KeyError" in lines[1]


@pytest.mark.parametrize("flag", [[], ["--json"], ["--verbose"]])
def test_a_command_ends_on_a_bug_as_on_any_error(bench, plant, flag):
    two_runs(bench)
    plant("reconcile.insight.survey", "list_tree")
    done = CliRunner().invoke(cli.main, ["list", "--runs", str(bench.runs), *flag])
    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (3, True)
    assert "list: unexpected error (KeyError at reconcile/insight/survey.py:" in done.stdout + done.stderr
    assert ("Traceback" in done.stderr) == (flag == ["--verbose"])


def test_every_look_at_runs_goes_on_without_the_culprit(bench, plant):
    two_runs(bench)
    plant("reconcile.passes.tree", "read_run", "culprit")
    assert [each.run.key.run_id for each in list_runs(bench.workspace("13:17")).runs] == ["good"]


# ------------------------------------------------------------------------------------------------ jobs


def test_a_branch_that_meets_a_bug_stops_neither_the_base_nor_other_branches(repository, double, plant):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    for name in ("culprit", "fine"):
        repository.add(f"baes/{name}", "12:10:10", "12:15", [("12:11", 70)], branch=name)
        double.add_pull_request(name)
    plant("reconcile.action.pool", "read_branch", "culprit", place=1)
    done = repository.job("13:17", open_pull_requests="true")
    assert (done.code, done["pushed"]) == (3, "true")
    assert re.search(r"unexpected error \(KeyError at reconcile/action/pool\.py", done.log)
    assert (repository.verdict("chatdev/a"), repository.verdict("baes/fine", "fine")) == ("pending: first_read",) * 2


AFTERWARDS = {
    "bringing the checkout up to date": ("reconcile.git.repository", "refresh"),
    "the page": ("reconcile.action.act", "page_of"),
    "the comparison": ("reconcile.action.act", "comparison_of"),
    "the comment": ("reconcile.action.comment", "published_markdown"),
    "who brought the runs": ("reconcile.action.act", "bringers"),
    "the issue": ("reconcile.action.act", "sticky_issue"),
    "the summary": ("reconcile.action.end", "summary_text"),
}


@pytest.mark.parametrize(("module", "name"), AFTERWARDS.values(), ids=AFTERWARDS)
def test_what_has_landed_is_told_as_landed_whatever_fails_afterwards(repository, double, plant, module, name):
    repository.merged("add-a", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    plant(module, name, "discovered=1" if name == "summary_text" else "")
    inputs = {} if name == "bringers" else {"pr_number": 1}
    done = repository.job("13:17", report="site", compare="true", open_issue="true", **inputs)
    assert (done.code, done["pushed"], done["changed"]) == (3, "true", "1")
    assert done["commit-sha"] == repository.forge.tip()
    assert "unexpected error (KeyError at reconcile/" in done.log
    if name not in {"published_markdown", "bringers"}:
        assert len(repository.comments(1)) == 1


def test_a_checkout_that_cannot_be_written_takes_nothing_from_what_is_told(repository, double):
    repository.merged("add-a", "chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    repository.pull()
    folder = repository.workspace / "runs/chatdev/a"
    (folder / "usage_evidence.json").mkdir()
    done = repository.job("13:17", pr_number=1)
    assert (done["pushed"], done["changed"], done["commit-sha"]) == ("true", "1", repository.forge.tip())
    assert len(repository.comments(1)) == 1


def test_what_landed_on_a_branch_is_told_though_the_base_refuses(repository, double, plant):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)], branch="more")
    number = double.add_pull_request("more")
    plant("reconcile.action.act", "land")
    done = repository.job("13:17", open_pull_requests="true")
    assert (done.code, done["pushed"], len(repository.comments(number))) == (3, "false", 1)
    assert repository.verdict("baes/b", "more") == "pending: first_read"


def test_a_pull_request_that_cannot_be_opened_is_told_beside_its_branch(repository, double, plant):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    plant("reconcile.action.proposal", "summary_markdown")
    done = repository.job("13:17", mode="pull-request")
    assert (done.code, done["pushed"], done["pr-operation"]) == (3, "true", "none")
    assert done["commit-sha"] in {repository.forge.tip(each) for each in repository.forge.branches()}


def test_a_push_that_nobody_can_look_at_afterwards_has_landed(repository, monkeypatch):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    monkeypatch.setattr(GitRemote, "tip", lambda *_: {}["no answer"])
    done = repository.job("13:17")
    assert (done["pushed"], done["commit-sha"]) == ("true", repository.forge.tip())


def test_a_bug_before_anything_landed_has_outputs_and_an_exit_code(repository, plant):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    plant("reconcile.action.act", "preflight")
    done = repository.job("13:17")
    assert (done.code, done["pushed"], done["status"]) == (3, "false", "errors")


def test_outputs_stand_though_the_summary_cannot_be_written(repository, tmp_path):
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    done = repository.job("13:17", environ={"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert (done.code, done["pushed"]) == (3, "true")
    assert "the step's summary of this job cannot be written" in done.log


@pytest.mark.parametrize("payload", ["[", '{"pull_request": {}}', '{"pull_request": {"head": 1, "number": []}}'])
def test_an_event_that_is_none_of_githubs_is_one_clear_error(repository, tmp_path, payload):
    event = tmp_path / "event.json"
    event.write_text(payload)
    done = repository.job("13:17", environ={"GITHUB_EVENT_PATH": str(event)})
    assert (done.code, "GITHUB_EVENT_PATH" in done.log) == (1, True)


def test_a_branch_with_a_bad_file_is_judged_as_far_as_it_can_be(repository, double):
    """The block of the oldest tool may hold members that only later tools have."""
    odd = {"reconciled_at": "2026-01-05T13:00:00Z", "bounds": 1, "reported": [], "forced": {}}
    repository.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    repository.forge.write(
        {path("baes/x"): run_file("x", "12:00:10", "12:05", usage_api_reconciliation=odd)}, "evil", message="x"
    )
    double.add_pull_request("evil")
    done = repository.job("13:17", open_pull_requests="true")
    assert (done.code, repository.verdict("chatdev/a")) == (0, "pending: first_read")


def test_an_unexpected_error_says_what_to_do():
    error = UnexpectedError("x", code="unexpected", remedy="report it")
    assert error.exit_code == 3


def test_a_check_follows_no_link_to_a_folder_of_runs(repository, double, tmp_path):
    repository.add("chatdev/a", "12:00:10", "12:05", branch="new")
    number = double.add_pull_request("new")
    repository.check_out("new")
    elsewhere = tmp_path / "elsewhere"
    (repository.workspace / "runs").rename(elsewhere)
    (repository.workspace / "runs").symlink_to(elsewhere)
    done = repository.job("13:17", event="pull_request", payload=repository.event(number))
    assert (done.code, "is a symbolic link" in done.log) == (1, True)
