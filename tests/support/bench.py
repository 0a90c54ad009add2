"""A folder of runs and a simulated provider whose truth is known: what tests of whole passes are made of."""

import json
from datetime import UTC, datetime, timedelta

from reconcile.attribution.claims import Asked
from reconcile.passes.apply import run_pass
from reconcile.providers.base import Scope
from reconcile.providers.openai import openai_usage
from reconcile.providers.openai.completions import OpenAIUsage
from reconcile.providers.transport import Patience
from reconcile.runs.state import Policy
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.server import Simulator
from reconcile.workspace import open_workspace

DAY = datetime(2026, 1, 5, tzinfo=UTC)
MODEL = "gpt-4o-mini-2024-07-18"
BLOCK = "usage_api_reconciliation"


def at(clock):
    """`"14:17"` or `"14:17:03"` on the day of the bench; `"+1 14:17"` a day later."""
    days, _, clock = clock.rpartition(" ")
    hours, minutes, *seconds = clock.split(":")
    return DAY + timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float((*seconds, 0)[0]))


class Bench:
    """Runs are added with the calls they really made; passes are made at given instants."""

    def __init__(self, folder, simulator):
        self.folder = folder
        self.runs = folder / "runs"
        self.runs.mkdir(exist_ok=True)
        self.simulator = simulator
        self.policy = Policy()
        self.scopes = {}

    def add(self, name, start, end, calls=(), *, recorded=None, key=None, **members):
        """A v2 run `framework/id`. `calls` are (clock, tokens in, tokens out) or `Call`s."""
        framework, run_id = name.split("/")
        key = key or f"key_{framework}"
        self.scopes.setdefault(framework, Scope("openai", (key,)))
        value = {
            "run_id": run_id,
            "start_timestamp": at(start).isoformat(timespec="microseconds"),
            "end_timestamp": at(end).isoformat(timespec="microseconds"),
            "steps": [],
            "aggregate_metrics": {"AUTR": 1.0, "TOK_IN": 0, "TOK_OUT": 0, "AEI": 0.0},
            **members,
        }
        if recorded:
            value["recorded_usage"] = recorded
        self.write(name, json.dumps(value, indent=2))
        made = [call if isinstance(call, BilledCall) else called(*call, key=key) for call in calls]
        self.simulator.ledger.add(made)
        return made

    def write(self, name, text):
        file = self.file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)

    def add_log(self, name, calls, *, first=True):
        """The run's call log, of calls that took a second each. `first`: a line before them."""
        (self.runs / name / "calls.ndjson").write_text(log_text(calls, first=first), "utf-8")

    def file(self, name):
        return self.runs / name / "metrics.json"

    def provider(self):
        patience = Patience(tries=3, read_timeout=2, sleep=lambda _: None)
        now = datetime.fromtimestamp(self.simulator.now, UTC)
        return OpenAIUsage(self.simulator.admin_key, self.simulator.base_url, patience=patience, now=now)

    def workspace(self, clock):
        return open_workspace(self.runs, scopes=self.scopes, policy=self.policy, now=at(clock))

    def run(self, clock, *, dry_run=False, **asked):
        """One pass at that instant, simulator included."""
        self.simulator.set_now(at(clock))
        return run_pass(self.workspace(clock), self.provider(), Asked(**asked), dry_run=dry_run)

    def value(self, name):
        return json.loads(self.file(name).read_text("utf-8"))

    def block(self, name):
        return self.value(name).get(BLOCK, {})

    def verdict(self, name):
        """`verified: stable`, as a file says it."""
        block = self.block(name)
        return f"{block['verification_status']}: {', '.join(block['reasons'])}" if block else None

    def bytes(self):
        """Every file of the folder by its path."""
        return {path: path.read_bytes() for path in self.runs.rglob("*") if path.is_file()}


def called(clock, tokens_in=100, tokens_out=10, *, key, visible=None, cached=0):
    """A call at that instant, visible in the usage API at once or from `visible` on."""
    shown = at(visible or clock).timestamp()
    return BilledCall(
        at=at(clock).timestamp(), tokens_in=tokens_in, tokens_out=tokens_out, cached_tokens=cached,
        api_key_id=key, model=MODEL, visible_at=shown,
    )  # fmt: skip


def log_text(calls, *, first=True):
    """What a run that logs everything would have written of these calls."""
    lines = [{"complete": first}]
    lines += [
        {
            "started_at": call.at,
            "ended_at": call.at + 1,
            "model": call.model,
            "input_tokens": call.tokens_in,
            "output_tokens": call.tokens_out,
            "cached_tokens": call.cached_tokens,
        }
        for call in calls
    ]
    return "\n".join(map(json.dumps, lines)) + "\n"


def recorded(calls):
    """What a run that counts everything would have written down of these calls."""
    return {
        "tokens_in": sum(call.tokens_in for call in calls),
        "tokens_out": sum(call.tokens_out for call in calls),
        "cached_tokens": sum(call.cached_tokens for call in calls),
        "api_calls": len(calls),
    }


__all__ = [
    "BLOCK",
    "DAY",
    "MODEL",
    "Bench",
    "Ledger",
    "Simulator",
    "at",
    "called",
    "log_text",
    "openai_usage",
    "recorded",
]
