"""What tests of recordings share: a clock that only moves when told, and a look at what a run left."""

import json
from pathlib import Path

from reconcile import schemas
from reconcile.runs.call_log import LogChecker, held_to
from reconcile.runs.metrics import read_run
from reconcile.runs.run import CallLog, RunKey
from reconcile.runs.validation import Checker, Document

CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))
LOGS = LogChecker(schemas.load("calls"))

SUMS = ("tokens_in", "tokens_out", "cached_tokens", "api_calls")

NOON = 1_767_614_400.0
"""2026-01-05T12:00:00Z."""


class FakeClock:
    def __init__(self, now=NOON):
        self.time = now
        self.waits = []

    def now(self):
        return self.time

    def wait(self, seconds):
        self.waits.append(seconds)
        self.time += seconds


class Left:
    """The files of a run, which have to be valid. `log` is its call log as a pass reads it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        data = (self.folder / "metrics.json").read_bytes()
        self.value = json.loads(data)
        key = RunKey(self.folder.parent.name, self.folder.name)
        found = CHECKER.check("metrics.json", key, data)
        assert isinstance(found, Document), found
        self.run = read_run(key, "metrics.json", found.value, found.generation)
        self.log, self.strays = None, ()
        if (self.folder / "calls.ndjson").exists():
            log = LOGS.check("calls.ndjson", (self.folder / "calls.ndjson").read_bytes())
            assert isinstance(log, CallLog), log
            offset = self.run.clock.offset if self.run.clock else 0.0
            self.log, self.strays = held_to("calls.ndjson", log, self.run.window, offset)
            assert self.strays == ()
            assert not self.log.contradicts(self.run.recorded)

    @property
    def recorded(self):
        """Its sums."""
        return {name: count for name, count in self.value.get("recorded_usage", {}).items() if name in SUMS}

    @property
    def beside(self):
        """What else it says of its calls."""
        stated = self.value.get("recorded_usage", {})
        return {name: told for name, told in stated.items() if name not in {*SUMS, "source"}}

    @property
    def recording(self):
        return self.value["recording"]

    @property
    def files(self):
        return {path.name for path in self.folder.iterdir()}

    @property
    def text(self):
        return "".join(path.read_text("utf-8") for path in self.folder.iterdir())


def rows(run):
    """The lines of a run's call log, but for what it states."""
    text = (run.folder / "calls.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines() if "started_at" in line]


def usage_of(usage):
    """A ledger's usage as `recorded_usage` has it."""
    return dict(zip(SUMS, usage.parts, strict=True))
