"""Whole jobs by the real act engine on this machine: the Action and its workflows as they are shipped, real git over
HTTP, GitHub's double and the simulated provider.

act copies the checkout, runs every step in the copy, and deletes it all after a job that passed. It imitates no rights,
no forks and no limits of GitHub; the double denies what a fork may not do.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from support.bench import at
from support.git import GitServer, arguments_of, git, processes
from support.github import TOKEN
from support.job import Repository, make_runs

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("act")
PUBLISHED = "octo/llm-usage-reconcile@v1"
"""How workflows of other repositories name the Action."""
ACTION = (
    "action.yml",
    "requirements.lock",
    "requirements-compare.lock",
    "reconcile",
    "schemas",
    "scripts/install.sh",
    ".github/workflows",
    ".gitignore",
)

LOOK = """
      - name: Look
        if: always()
        run: |
          git status --porcelain --ignored --untracked-files=all >"$LOOK.status"
          git config --list --show-origin >"$LOOK.config"
          cp -al "$RUNNER_TEMP/.." "$LOOK"
"""
"""A step behind those of a workflow that keeps what it finds: workspace, $RUNNER_TEMP, the runner's own files."""


def action_files():
    """What a checkout of the Action holds."""
    for name in ACTION:
        place = ROOT / name
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT).as_posix(), file.read_bytes()


def fetch_wheels(folder):
    """The locked wheels, the larger lock has all, in a folder: from the package index where they are not there yet."""
    if folder.exists():
        return folder
    fetched = folder.with_name(f"{folder.name}-{os.getpid()}")
    options = ("--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(fetched))
    command = [sys.executable, "-m", "pip", "download", *options, "--requirement", "requirements-compare.lock"]
    subprocess.run(command, cwd=ROOT, check=True)
    try:
        fetched.rename(folder)
    except OSError:  # somebody else was quicker
        shutil.rmtree(fetched)
    return folder


class ActRepository(Repository):
    """A repository of runs whose jobs run in act. It holds the Action itself, unless `published` is asked for."""

    def __init__(self, folder, simulator, github, server, wheels, *, published=False):
        make_runs(folder)
        super().__init__(folder, simulator, github)
        self.server = server
        self.wheels = wheels
        self.looked = folder / "looked"
        self.home = folder / "home"
        self.home.mkdir()
        git(self.forge.bare, "config", "http.receivepack", "true")
        git(self.workspace, "config", "remote.origin.url", f"{server.url}/{self.forge.bare.name}")
        self.action = folder / "action"
        for name, data in action_files():
            (self.action / name).parent.mkdir(parents=True, exist_ok=True)
            (self.action / name).write_bytes(data)
        if not published:
            self.forge.write(dict(action_files()), message="the Action")

    def act(self, clock, workflow, *, event="schedule", payload=None, branch="main", key=True, look=False, **environ):
        """One job of a workflow at that instant, on a fresh checkout of the branch.

        `workflow` is a file of this repository, or the text of another; `look` puts the step LOOK behind its last.
        """
        self.simulator.set_now(at(clock))
        git(self.workspace, "fetch", "-q", self.forge.url, branch)
        git(self.workspace, "checkout", "-q", "--force", "-B", branch, "FETCH_HEAD")
        self.jobs += 1
        event_file = self._file("event.json", json.dumps(payload or {}))
        command = [
            *(PROGRAM, event, "--json", "--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"),
            *("--workflows", self._workflow(workflow, look), "--eventpath", event_file),
            *("--action-cache-path", self.folder / f"act-{self.jobs}"),
            *("--local-repository", f"{PUBLISHED}={self.action}"),
            # act masks every secret by itself; only without that can a leak be seen.
            *("--insecure-secrets", "--secret-file", self._file("secrets", self._secrets(key=key))),
            *(word for name, value in self._environ(clock, environ).items() for word in ("--env", f"{name}={value}")),
        ]
        own = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        with watching() as seen:
            done = subprocess.run(command, cwd=self.workspace, env=own, capture_output=True, text=True, check=False)
        return ActJob(done, self.looked if look else None, seen)

    def reviewed(self, number, clock, **named):
        """The job that check.yml makes of a pull request."""
        head = self.github.state.thread(number).head
        payload = self.event(number, head.repository)
        payload["pull_request"]["base"] = {"ref": head.base}
        return self.act(
            clock,
            ".github/workflows/check.yml",
            event="pull_request",
            payload=payload,
            branch=head.ref,
            key=False,
            **named,
        )

    def _workflow(self, workflow, look):
        shipped = ROOT / workflow if "\n" not in workflow else None
        if shipped and not look:
            return workflow
        return self._file(
            "workflow.yml", (shipped.read_text("utf-8") if shipped else workflow) + (LOOK if look else "")
        )

    def _secrets(self, *, key):
        given = {"GITHUB_TOKEN": TOKEN} | ({"OPENAI_ADMIN_KEY": self.simulator.admin_key} if key else {})
        return "".join(f"{name}={value}\n" for name, value in given.items())

    def _environ(self, clock, environ):
        return {
            "GITHUB_REPOSITORY": self.github.state.name,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_GRAPHQL_URL": f"{self.github.url}/graphql",
            "GITHUB_SERVER_URL": self.server.url,
            "GITHUB_RUN_ID": str(self.jobs),
            "RECONCILE_OPENAI_URL": self.simulator.base_url,
            "RECONCILE_NOW": at(clock).isoformat(),
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "LOOK": str(self.looked),
            **environ,
        }

    def _file(self, name, text):
        file = self.folder / f"{self.jobs}-{name}"
        file.write_text(text)
        return file


class ActJob:
    """What a job left: whether it passed, act's log, commands, outputs, summary, and what LOOK kept."""

    def __init__(self, done, looked, seen):
        self.passed = done.returncode == 0
        self.events = [json.loads(line) for line in done.stdout.splitlines()]
        self.errors = done.stderr
        self.arguments = bytes(seen)
        """Those of every process that was seen meanwhile, where the system shows them."""
        self.looked = looked

    def __repr__(self):
        """What a test that fails shows."""
        said = "".join(
            event["msg"].rstrip("\n") + "\n" for event in self.events if event.get("command") != "set-output"
        )
        return f"\n{said}{self.errors}"

    @property
    def printed(self):
        """What the steps printed, commands aside."""
        return "".join(event["msg"] for event in self.events if event.get("raw_output"))

    @property
    def unmasked(self):
        """Everything that act says, without the commands that mask a secret."""
        return "\n".join(json.dumps(event) for event in self.events if event.get("command") != "add-mask") + self.errors

    def said(self, command):
        """The workflow commands of a name: their message and properties."""
        return [(event["arg"], event["kvPairs"]) for event in self.events if event.get("command") == command]

    def outputs(self, *step):
        """Those of a step by its path of ids."""
        return {
            event["name"]: event["arg"]
            for event in self.events
            if event.get("command") == "set-output" and event["stepID"] == list(step)
        }

    def result(self, *step):
        (result,) = {
            event["stepResult"]
            for event in self.events
            if "stepResult" in event and event.get("stage") == "Main" and event.get("stepID") == list(step)
        }
        return result

    @property
    def summary(self):
        return next((event["content"] for event in self.events if event.get("command") == "summary"), "")

    @property
    def status(self):
        """What git says of the workspace after the job, ignored files included."""
        return self.looked.with_suffix(".status").read_text().splitlines()


@contextmanager
def watching():
    """Gathers the arguments of the processes that begin until the context ends."""
    seen, over = bytearray(), Event()
    looks = dict.fromkeys(processes(), LOOKS)

    def watch():
        while not over.wait(0.02):
            for number in processes():
                looks[number] = looks.get(number, 0) + 1
                if looks[number] <= LOOKS:
                    seen.extend(arguments_of(number))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


LOOKS = 3
"""How often at a process: its arguments become others when it starts another program in its place."""


__all__ = ["PROGRAM", "PUBLISHED", "ROOT", "ActRepository", "GitServer", "fetch_wheels"]
