"""The world behind the sample runs: who called what on 2026-01-05, and what of it each run wrote down.

The runs are made up; their names are those of real agent frameworks so that the files look as they do in the wild.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconcile.simulator.calls import BilledCall
from reconcile.simulator.scenarios import imitate
from reconcile.usage import Recorded

DAY = datetime(2026, 1, 5, tzinfo=UTC)
LABEL = "Sample run, made with the simulator of LLM Usage Reconcile; no such experiment took place."
STEPS = ("Create entities", "Add enrolment", "Validate input", "Paginate lists")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample run. `recorded`: whether it counted its own calls and tokens."""

    framework: str
    name: str
    start: str
    seconds: int
    generation: str = "v2"
    recorded: bool = False
    late_calls: int = 0
    """How many of its calls the provider shows more than an hour late."""

    @property
    def started_at(self) -> datetime:
        return datetime.fromisoformat(f"{DAY:%Y-%m-%d}T{self.start}+00:00")

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.seconds, microseconds=250_000)

    @property
    def key(self) -> str:
        return f"key_sample_{self.framework}"

    @property
    def path(self) -> Path:
        return Path(self.framework, self.name, "metrics.json")

    def calls(self) -> tuple[BilledCall, ...]:
        start, end = self.started_at.timestamp(), self.ended_at.timestamp()
        calls = imitate(f"{self.framework}/{self.name}", start, end, self.key, Recorded())
        kept, late = calls[: len(calls) - self.late_calls], calls[len(calls) - self.late_calls :]
        return (*kept, *(replace(call, visible_at=end + 4800) for call in late))


SAMPLES = (
    Sample(framework="chatdev", name="4f6a2c18", start="09:12:31.120000", seconds=492),
    Sample(framework="chatdev", name="9b07d5e3", start="10:40:08.400000", seconds=385, recorded=True),
    Sample(framework="chatdev", name="c2e81f70", start="13:21:47.902000", seconds=521),
    Sample(framework="chatdev", name="d7741b9a", start="15:04:19.330000", seconds=40),
    Sample(framework="ghspec", name="1d3b90aa", start="09:30:12.000000", seconds=238, generation="v1"),
    Sample(framework="ghspec", name="7c52e6f4", start="14:36:55.517000", seconds=305, generation="v1", recorded=True),
    Sample(framework="baes", name="35c8a1d2", start="10:02:20.000000", seconds=214),
    Sample(framework="baes", name="62f09be7", start="10:04:41.000000", seconds=197),
    Sample(framework="baes", name="a8e4470c", start="14:51:03.250000", seconds=260, recorded=True, late_calls=2),
    Sample(framework="baes", name="e01b7c95", start="15:10:02.000000", seconds=176),
    Sample(framework="baes", name="f3d9a246", start="15:12:31.000000", seconds=188),
)


def all_calls() -> list[BilledCall]:
    """The calls of all runs, and one that somebody made by hand with the key of ghspec."""
    by_hand = (DAY + timedelta(hours=14, minutes=58, seconds=12)).timestamp()
    foreign = BilledCall(
        at=by_hand, tokens_in=1911, tokens_out=402, api_key_id="key_sample_ghspec", model="gpt-4o-2024-08-06"
    )
    return [*(call for sample in SAMPLES for call in sample.calls()), foreign]


def document(sample: Sample) -> dict[str, Any]:
    """The file that a run leaves when it ends: no token is counted yet, unless the run counted its own."""
    value: dict[str, Any] = {
        "run_id": sample.name,
        "sample": LABEL,
        "model": "gpt-4o-mini",
        "start_timestamp": _spelled(sample.started_at),
        "end_timestamp": _spelled(sample.ended_at),
        "steps": _steps(sample),
        "aggregate_metrics": {
            "UTT": len(STEPS),
            "HIT": 0,
            "AUTR": 1.0,
            "TOK_IN": 0,
            "TOK_OUT": 0,
            "API_CALLS": 0,
            "CACHED_TOKENS": 0,
            "T_WALL_seconds": float(sample.seconds),
            "AEI": 0.0,
        },
    }
    if sample.recorded:
        calls = sample.calls()
        value["recorded_usage"] = {
            "tokens_in": sum(call.tokens_in for call in calls),
            "tokens_out": sum(call.tokens_out for call in calls),
            "cached_tokens": sum(call.cached_tokens for call in calls),
            "api_calls": len(calls),
            "source": "response metadata",
        }
    return value


def write(root: Path) -> None:
    """Every sample as it was when it ended."""
    for sample in SAMPLES:
        file = root / sample.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document(sample), indent=2) + "\n", encoding="utf-8")


def _steps(sample: Sample) -> list[dict[str, Any]]:
    start, each = math.floor(sample.started_at.timestamp()), sample.seconds // len(STEPS)
    steps = []
    for position, name in enumerate(STEPS):
        step: dict[str, Any] = {"command": name, "duration_seconds": float(each), "success": True, "retry_count": 0}
        step |= {"start_timestamp": start + position * each, "end_timestamp": start + (position + 1) * each}
        if sample.generation == "v1":
            steps.append({"step_number": position + 1, **step, "tokens_in": 0, "tokens_out": 0})
        else:
            steps.append({"step": position + 1, **step})
    return steps


def _spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
