"""Folders of runs that go through days of random events, hour by hour: what an audit must find nothing in.

Runs on shared and own keys, with and without counts, logs and steps; calls that show late, vanish for an hour or are
nobody's; files that are committed late, edited, forced or read without evidence. All from one seed.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from support.bench import DAY, MODEL, Bench
from support.worlds import dice

from reconcile.attribution.claims import Asked
from reconcile.insight.audit_files import audit_runs
from reconcile.passes.apply import run_pass
from reconcile.providers.base import Scope
from reconcile.runs.state import Policy
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall
from reconcile.workspace import open_workspace

KEYS = ("key_0", "key_0", "key_1", "key_2")
DIPS = (faults.transient_zero, faults.dip)
RECORDED = ("nothing", "nothing", "calls", "totals", "aggregates", "wrong", "log", "broken log", "zero")


HOURS = (*range(13, 24), 25, 26, 30, 37, 38)
"""When passes are made, at a quarter past: some are left out."""


def spelled(seconds):
    return (DAY + timedelta(seconds=seconds)).isoformat()


class World:
    """A bench with a dozen runs of one day, made by dice."""

    def __init__(self, folder, simulator, seed, *, runs=12, switches=False, quiet=False):
        self.dice = dice(seed)
        self.bench = Bench(folder, simulator)
        self.bench.scopes = {f"f{number}": Scope("openai", (key,)) for number, key in enumerate(KEYS)}
        self.bench.policy = Policy(max_age=timedelta(hours=self.dice.choice([6, 24])))
        self.simulator = simulator
        self.waiting = []
        self.evidence = True
        self.switches = switches
        self.quiet = quiet
        self.killed = None
        start = 12 * 3600
        for number in range(runs):
            start += self.dice.choice([0, 30, 200, 400, 2000])
            self._run(number, start)

    def _run(self, number, start):
        """A run with its calls; its file is written when its time comes, mostly as soon as it ends."""
        dice, length = self.dice, self.dice.choice([40, 200, 300, 700])
        framework = f"f{dice.randrange(len(KEYS))}"
        key = KEYS[int(framework[1:])]
        kind = dice.choice(RECORDED)
        count = 0 if kind == "zero" else dice.choice([0, 1, 3, 6, 12])
        calls = sorted(
            (self._call(start + dice.random() * length, key) for _ in range(count)), key=lambda call: call.at
        )
        self.simulator.ledger.add(calls)
        if dice.random() < 0.15:
            stray = start + dice.choice([length + 400, length / 2, -900])
            self.simulator.ledger.add([self._call(stray, key)])
        value = self._value(f"r{number}", start, length, kind, calls)
        written = start + length + (0 if self.quiet else dice.choice([0, 0, 0, 0, 3600, 4 * 3600]))
        log = _log(calls, complete=kind == "log") if "log" in kind and calls else None
        self.waiting.append((written, f"{framework}/r{number}", value, log))

    def _call(self, at, key):
        late = self.dice.choice([300, 300, 300, 900, 2700, 7500])
        moment = DAY.timestamp() + at
        tokens = self.dice.choice([10, 100, 250, 1000])
        return BilledCall(
            at=moment, tokens_in=tokens, tokens_out=tokens // 5, cached_tokens=self.dice.choice([0, tokens // 2]),
            api_key_id=key, model=self.dice.choice([MODEL, "gpt-4o-2024-08-06"]), visible_at=moment + late,
        )  # fmt: skip

    def _value(self, run_id, start, length, kind, calls):
        sums = {
            "tokens_in": sum(call.tokens_in for call in calls),
            "tokens_out": sum(call.tokens_out for call in calls),
            "cached_tokens": sum(call.cached_tokens for call in calls),
            "api_calls": len(calls),
        }
        figures = {"AUTR": 0.5, "TOK_IN": 0, "TOK_OUT": 0, "API_CALLS": 0, "CACHED_TOKENS": 0, "AEI": 0.0}
        value = {"run_id": run_id, "start_timestamp": spelled(start), "end_timestamp": spelled(start + length)}
        value |= {"steps": self._steps(start, length), "aggregate_metrics": figures}
        if kind == "aggregates":
            figures |= {"TOK_IN": sums["tokens_in"], "TOK_OUT": sums["tokens_out"]}
        if kind in {"calls", "broken log", "zero"}:
            value["recorded_usage"] = {"api_calls": len(calls)}
        if kind == "totals":
            value["recorded_usage"] = sums
        if kind == "wrong":
            value["recorded_usage"] = {**sums, "api_calls": max(0, len(calls) + self.dice.choice([-1, 1]))}
        if self.dice.random() < 0.3:
            value["verification_status"] = "pending"
        return value

    def _steps(self, start, length):
        """Three steps of a v1 file in half of the runs."""
        if self.dice.random() < 0.5:
            return []
        cuts = [0, length / 3, length / 2, length]
        return [
            {"step_number": n + 1, "command": "x", "start_timestamp": spelled(start + cuts[n]),
             "end_timestamp": spelled(start + cuts[n + 1]), "tokens_in": 0, "tokens_out": 0}
            for n in range(3)
        ]  # fmt: skip

    def go(self, seconds):
        """The pass of that time of the day, after what has happened since the last."""
        now = DAY + timedelta(seconds=seconds)
        for each in [each for each in self.waiting if each[0] <= seconds]:
            self.waiting.remove(each)
            _, name, value, log = each
            self.bench.write(name, json.dumps(value, indent=2) + "\n")
            if log:
                (self.bench.runs / name / "calls.ndjson").write_text(log)
        self.simulator.set_now(now)
        workspace = replace(self.workspace(now), evidence=self.evidence)
        force = not self.quiet and self.dice.random() < 0.1
        summary = run_pass(workspace, self.provider(now), Asked(force=force))
        if self.killed:
            self._die()
        return summary

    def provider(self, now):
        return self.bench.provider()

    def workspace(self, now):
        return open_workspace(self.bench.runs, scopes=self.bench.scopes, policy=self.bench.policy, now=now)

    def audited(self, seconds):
        return audit_runs(replace(self.workspace(DAY + timedelta(seconds=seconds)), evidence=self.evidence))

    def happen(self):
        """Something unusual, now and then."""
        dice = self.dice
        self.evidence = dice.random() > 0.1 if self.switches else True
        if dice.random() < 0.2:
            self.simulator.script(*[dice.choice(DIPS)] * 2)  # rows and control total alike, or they would not add up
        if dice.random() < 0.1:
            minutes = dice.choice([10, 30, 90])
            stable = dice.choice([2, 2, 3])
            self.bench.policy = replace(
                self.bench.policy, verification_interval=timedelta(minutes=minutes), min_stable_verifications=stable
            )
        files = sorted(self.bench.runs.glob("*/*/metrics.json"))
        if files and dice.random() < 0.5:
            dice.choice([_noted, _without_log, _retimed, self._cut_off, _gone])(dice.choice(files))

    def _cut_off(self, file):
        """The pass that comes is killed where it has put the evidence of this run in its place, and not the figure."""
        self.killed = file, file.read_bytes()

    def _die(self):
        file, before = self.killed
        self.killed = None
        after = file.read_bytes() if file.exists() else before
        if after != before:
            file.with_name(".metrics.json.00.tmp").write_bytes(after)
            file.write_bytes(before)


def _noted(file):
    value = json.loads(file.read_text())
    file.write_text(json.dumps({**value, "note": "by hand"}, indent=1))


def _without_log(file):
    """A log is committed after the run's file, and after its verdict perhaps."""
    log = file.with_name("calls.ndjson")
    if not log.exists():
        log.write_text(json.dumps({"complete": True}) + "\n")


def _retimed(file):
    value = json.loads(file.read_text())
    end = datetime.fromisoformat(value["end_timestamp"]) + timedelta(minutes=1)
    file.write_text(json.dumps({**value, "end_timestamp": end.isoformat()}, indent=2))


def _gone(file):
    file.unlink()


def _log(calls, *, complete):
    lines = [json.dumps({"complete": True})] if complete else []
    kept = calls if complete else calls[1:]
    lines += [
        json.dumps({
            "started_at": call.at, "ended_at": call.at + 1, "model": call.model, "input_tokens": call.tokens_in,
            "output_tokens": call.tokens_out, "cached_tokens": call.cached_tokens,
        })
        for call in kept
    ]  # fmt: skip
    return "\n".join([*lines, ""])
