"""A whole job of the Action without a runner: a bare remote, a checkout, GitHub's double and the simulated provider."""

import json
import re
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner
from support.bench import BLOCK, MODEL, at, called
from support.git import Forge, git, make_forge, normal
from support.github import TOKEN

from reconcile import cli
from reconcile.git.remote import GitRemote
from reconcile.simulator.calls import BilledCall

CONFIGURATION = """
frameworks:
  chatdev: {api_key_ids: [key_chatdev]}
  baes: {api_key_ids: [key_baes]}
"""


def run_file(run_id, start, end, *, recorded=None, **members):
    """The bytes that a run leaves when it ends."""
    value = {
        "run_id": run_id,
        "start_timestamp": at(start).isoformat(timespec="microseconds"),
        "end_timestamp": at(end).isoformat(timespec="microseconds"),
        "steps": [],
        "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
        **members,
    }
    if recorded:
        value["recorded_usage"] = recorded
    return (json.dumps(value, indent=2) + "\n").encode()


class Done:
    """What a job left: exit code, log, outputs, step summary."""

    def __init__(self, result, output, summary):
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code = result.exit_code
        self.log = result.stdout + result.stderr
        entries = re.findall(r"^([a-z-]+)<<(\S+)\n(.*?)\n?\2$", output, re.DOTALL | re.MULTILINE)
        self.outputs = {name: value for name, _, value in entries}
        self.summary = summary

    def __getitem__(self, name):
        return self.outputs[name]


def make_runs(folder):
    """The forge of a repository of runs; may be copied."""
    make_forge(folder, {"reconcile.yml": CONFIGURATION.encode(), "README.md": b"ours\n"})


class Repository:
    """A repository of runs on the forge that is in the folder, with a checkout for jobs."""

    def __init__(self, folder, simulator, github, *, shape=normal):
        self.folder = folder
        self.forge = Forge(folder)
        self.simulator = simulator
        self.github = github
        github.state.bare = self.forge.bare
        self.workspace = shape(self.forge, folder / "workspace")
        self.jobs = 0

    def add(self, name, start, end, calls=(), *, branch="main", key=None, **members):
        """Somebody commits the file of a run that made these calls."""
        framework, run_id = name.split("/")
        self.forge.write({path(name): run_file(run_id, start, end, **members)}, branch, message=f"run {name}")
        key = key or f"key_{framework}"
        self.simulator.ledger.add(call if isinstance(call, BilledCall) else called(*call, key=key) for call in calls)

    def job(self, clock, *, event="schedule", payload=None, environ=None, token=TOKEN, **inputs):
        """One job at that instant."""
        self.simulator.set_now(at(clock))
        self.jobs += 1
        temp = self.folder / f"temp-{self.jobs}"
        temp.mkdir()
        given = {
            "openai_admin_key": self.simulator.admin_key,
            "token": token or "",
            "api_url": self.simulator.base_url,
            "now": at(clock).isoformat(),
            **inputs,
        }
        variables = {
            "GITHUB_REPOSITORY": self.github.state.name,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REF_NAME": "main",
            "GITHUB_RUN_ID": str(self.jobs),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_GRAPHQL_URL": f"{self.github.url}/graphql",
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
            "RUNNER_TEMP": str(temp),
            "GITHUB_BASE_REF": "main" if event == "pull_request" else "",
            "RECONCILE_INPUT_DEFAULT_TOKEN": "true",
            **{f"RECONCILE_INPUT_{name.upper()}": str(value) for name, value in given.items()},
            **(environ or {}),
        }
        if payload:
            (temp / "event.json").write_text(json.dumps(payload))
            variables["GITHUB_EVENT_PATH"] = str(temp / "event.json")
        with chdir(self.workspace):
            result = CliRunner().invoke(cli.main, ["action"], env=variables)
        return Done(result, _text(temp / "output"), _text(temp / "summary.md"))

    def merged(self, branch, name, start, end, calls=()):
        """A pull request that brought a run in, merged. Its number."""
        self.add(name, start, end, calls, branch=branch)
        number = self.github.add_pull_request(branch)
        self.github.state.merge(number)
        return number

    def intervene(self, act, monkeypatch, *, always=False):
        """Do something between the commit and the push of a job: once, or every time."""
        push, calls = GitRemote.push, []

        def interrupted(remote, commit, branch):
            if always or not calls:
                calls.append(act())
            return push(remote, commit, branch)

        monkeypatch.setattr(GitRemote, "push", interrupted)

    def pull(self):
        git(self.workspace, "pull", "-q", "origin", "main")

    def check_out(self, branch):
        git(self.workspace, "fetch", "-q", "origin", branch)
        git(self.workspace, "checkout", "-q", "--detach", "FETCH_HEAD")

    def merge_alone(self, branch):
        """Check out what GitHub would merge the branch into main as, as checkouts do by default: without history."""
        bare, parents = self.forge.bare, [self.forge.tip(), self.forge.tip(branch)]
        tree = git(bare, "merge-tree", "--write-tree", *parents)
        who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com")
        merge = git(bare, *who, "commit-tree", tree, "-p", parents[0], "-p", parents[1], "-m", "merge")
        git(bare, "update-ref", "refs/pull/1/merge", merge)
        git(self.workspace, "init", "-q", "--template=", "../alone")
        self.workspace = self.folder / "alone"
        git(self.workspace, "remote", "add", "origin", self.forge.url)
        git(self.workspace, "fetch", "-q", "--depth=1", "origin", "refs/pull/1/merge")
        git(self.workspace, "checkout", "-q", "--detach", "FETCH_HEAD")

    def event(self, number, repository=None):
        """The payload of the pull request's event."""
        head = self.github.state.thread(number).head
        return pull_request_event(number, head.sha, head.ref, repository or self.github.state.name)

    def comments(self, number):
        return [comment.body for comment in self.github.state.comments.values() if comment.number == number]

    def differs(self):
        """The run files of the branch that are not in the checkout as they are there."""
        git(self.workspace, "fetch", "-q", "origin", "main")
        paths = git(self.workspace, "ls-tree", "-r", "--name-only", "FETCH_HEAD", "runs").split("\n")
        return [each for each in paths if not self._has(each)]

    def _has(self, path):
        if not (self.workspace / path).exists():
            return False
        landed = git(self.workspace, "rev-parse", f"FETCH_HEAD:{path}")
        return git(self.workspace, "hash-object", "--no-filters", path) == landed

    def show(self, commit, *arguments):
        return git(self.forge.bare, "show", *arguments, commit)

    def parent(self, branch):
        return git(self.forge.bare, "rev-parse", f"{branch}^")

    def value(self, name, branch="main"):
        return json.loads(self.forge.read(path(name), branch))

    def verdict(self, name, branch="main"):
        block = self.value(name, branch).get(BLOCK)
        return f"{block['verification_status']}: {', '.join(block['reasons'])}" if block else None

    def attempts(self, name, branch="main"):
        return [each["timestamp"] for each in self.value(name, branch).get(BLOCK, {}).get("attempts", [])]


def path(name):
    return f"runs/{name}/metrics.json"


def pull_request_event(number, sha, ref, repository):
    """The payload of a pull_request event, as far as it is read."""
    head = {"ref": ref, "sha": sha, "repo": {"full_name": repository}}
    return {"number": number, "pull_request": {"number": number, "head": head}}


def _text(file: Path):
    return file.read_text("utf-8") if file.exists() else ""


__all__ = ["MODEL", "Done", "Repository", "make_runs", "path", "pull_request_event", "run_file"]
