"""Many writers and a person on one branch: nothing that anybody was told has landed is lost, and nothing is torn."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
from support.bench import BLOCK, at, called
from support.git import OWN, Forge, git, make_forge, normal
from support.job import path, run_file
from support.runs import CHECKER

from reconcile.runs.run import RunKey
from reconcile.runs.validation import Document

SCALE = float(os.environ.get("RECONCILE_TEST_SCALE", "1"))
WRITERS = 8 if SCALE >= 10 else 2
PASSES = max(1, int(2.5 * SCALE))
"""Of each writer: 25 in `make prove`."""

APART = 30
"""Minutes from one read of the shared run to the next, whoever makes it."""

SHARED = "shared/s"
WRITER = Path(__file__).parents[1] / "support" / "racing.py"


def own(writer):
    return [f"w{writer}/a", f"w{writer}/b"]


EVERY_RUN = [SHARED, *(name for writer in range(WRITERS) for name in own(writer))]
FRAMEWORKS = dict.fromkeys(name.partition("/")[0] for name in EVERY_RUN)
CONFIGURATION = "\n".join(
    [
        "policy: {min_stable_verifications: 99}  # so that every read has something to say",
        "frameworks:",
        *(f"  {name}: {{api_key_ids: [key_{name}]}}" for name in FRAMEWORKS),
        "",
    ]
)


class Race:
    """Writers and a person on one remote, and all that they were told has landed."""

    def __init__(self, folder, simulator):
        make_forge(folder, {"reconcile.yml": CONFIGURATION.encode(), "NOTES.md": b"", **self._files(simulator)})
        self.folder = folder
        self.simulator = simulator
        self.forge = Forge(folder)
        self.person = normal(self.forge, folder / "person")
        git(self.forge.bare, "config", "core.logAllRefUpdates", "always")
        self.begun = self.forge.tip()
        self.landed = []
        """Path and instant of every observation that a writer said has landed."""
        self.lines = []
        """What the person has pushed: a line of the notes, and a member of a run's file of the same name."""

    def _files(self, simulator):
        simulator.set_now(at("+9 12:00"))
        for name in FRAMEWORKS:
            simulator.ledger.add([called("11:01", 500, key=f"key_{name}"), called("11:12", 70, key=f"key_{name}")])
        starts = ("11:00:10", "11:05"), ("11:10:10", "11:15")
        return {path(name): run_file(name.partition("/")[2], *starts[name.endswith("b")]) for name in EVERY_RUN}

    def run(self, how):
        """All passes of all writers; at each that lands the person changes the file of a run and the notes."""
        said = Queue()
        with ExitStack() as stack:
            writers = [stack.enter_context(self._writer(number, how)) for number in range(WRITERS)]
            for process in writers:
                Thread(target=_listen, args=(process, said), daemon=True).start()
            for process in writers:
                _go(process)
            running = WRITERS
            while running:
                process, line = said.get()
                if line:
                    now, written = json.loads(line)
                    self.landed += [(file, datetime.fromisoformat(now)) for file in written]
                    self._edit()
                    _go(process)
                running -= not line
        assert [process.returncode for process in writers] == [0] * WRITERS

    def _writer(self, number, how):
        checkout = normal(self.forge, self.folder / f"checkout-{number}")
        first = at("12:00") + timedelta(minutes=APART * number)
        given = (
            *(os.environ["PATH"], how, checkout, self.folder / f"temp-{number}"),
            *(self.simulator.base_url, self.simulator.admin_key),
            *(first.isoformat(), APART * WRITERS, PASSES, *own(number), SHARED),
        )
        return subprocess.Popen(
            [sys.executable, "-I", str(WRITER), *map(str, given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _edit(self):
        """The person's commit; where it comes too late, it is made anew on the new tip, as a careful person would."""
        line = f"note {len(self.lines)}"
        name = EVERY_RUN[len(self.lines) % len(EVERY_RUN)] if len(self.lines) % 2 else SHARED
        person = self.person
        while True:
            git(person, "fetch", "-q", "origin", "main")
            git(person, "reset", "-q", "--hard", "FETCH_HEAD")
            run, notes = person / path(name), person / "NOTES.md"
            run.write_bytes(run.read_bytes().replace(b"{", b'{\n  "%s": "by hand",' % line.encode(), 1))
            notes.write_text(notes.read_text() + line + "\n")
            git(person, "commit", "-q", "-a", "-m", line)
            pushed = subprocess.run(
                ["git", "push", "-q", "origin", "HEAD:main"], cwd=person, env=OWN, capture_output=True, check=False
            )
            if pushed.returncode == 0:
                self.lines.append((name, line))
                return

    def lost(self):
        """Of what has landed, how much is not there at the end: observations, and changes by hand."""
        values = {path(name): json.loads(self.forge.read(path(name))) for name in EVERY_RUN}
        kept = {
            (file, datetime.fromisoformat(each["timestamp"]))
            for file, value in values.items()
            for each in value.get(BLOCK, {}).get("attempts", ())
        }
        notes = self.forge.read("NOTES.md").decode().split("\n")
        observations = [each for each in self.landed if each not in kept]
        edits = [line for name, line in self.lines if line not in values[path(name)] or line not in notes]
        return len(observations), len(edits)

    def tell(self, how):
        """The figures, for those who ask: `pytest -s`."""
        observations, edits = self.lost()
        sys.stdout.write(
            f"{how}: lost {observations} of {len(self.landed)} observations, {edits} of {len(self.lines)} edits\n"
        )

    def torn(self):
        """Versions of run files, of any commit, that are not valid."""
        listed = git(self.forge.bare, "rev-list", "--objects", "main").split("\n")
        versions = [line.split(" ") for line in listed if line.endswith("/metrics.json")]
        return [(file, blob) for blob, file in versions if not isinstance(self._checked(blob, file), Document)]

    def _checked(self, blob, file):
        data = git(self.forge.bare, "cat-file", "-p", blob).encode()
        return CHECKER.check(file, RunKey(*file.split("/")[1:3]), data)

    def moves(self):
        """From where to where the branch was moved, as the remote logged it."""
        log = (self.forge.bare / "logs" / "refs" / "heads" / "main").read_text().splitlines()
        return [tuple(line.split(" ")[:2]) for line in log]

    def history(self):
        """Each commit since the beginning with its parents, oldest first."""
        listed = git(self.forge.bare, "rev-list", "--reverse", "--parents", f"{self.begun}..main")
        return [tuple(line.split(" ")) for line in listed.split("\n")]


def _listen(process, said):
    for line in process.stdout:
        said.put((process, line))
    said.put((process, ""))


def _go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.fixture
def race(tmp_path, simulator):
    return Race(tmp_path, simulator)


def test_writers_and_a_person_on_one_branch_lose_nothing(race):
    race.run("regenerate")
    race.tell("regenerate")
    landed = Counter(file for file, _ in race.landed)
    assert {name: landed[path(name)] for writer in range(WRITERS) for name in own(writer)} == dict.fromkeys(
        EVERY_RUN[1:], PASSES
    )
    assert race.lost() == (0, 0)
    assert race.torn() == []
    history = race.history()
    assert history == [(commit, parent) for commit, parent, *others in history if not others]
    assert [(parent, commit) for commit, parent in history] == race.moves()
    assert all(before[1] == after[0] for before, after in pairwise(race.moves()))


@pytest.mark.long
def test_copies_made_before_a_lost_race_would_lose_much(race):
    """That the race above is one: the same writers, but with the files of their first try."""
    race.run("stale")
    observations, edits = race.lost()
    race.tell("stale")
    assert (observations > 0, edits > 0) == (True, True)
