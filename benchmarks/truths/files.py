"""What each run leaves behind: metrics.json and, where it keeps one, the log of its calls, in the time of its machine.

Nothing here knows what was billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.truths.cells import CALLS, COUNTED, LOG, TORN, TOTALS
from benchmarks.truths.runs import HOUR, Call, Run
from benchmarks.truths.worlds import Pen

LINES_MISSING = 0.05
CLOCK_ERROR = 1.0
"""Seconds within which a stated offset is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the machine of a run writes."""

    records: str
    offset: float = 0.0
    """Seconds that its clock is ahead of the provider's."""
    stated: float | None = None
    """What its files say is to be added to its time to have the provider's, right to `CLOCK_ERROR`."""
    hours: int = 0
    pen: Pen = Pen.PLAIN

    def at(self, instant: float) -> float:
        """That instant as this machine writes it."""
        return round(instant + self.offset + self.hours * HOUR, 3)

    def metrics(self, run: Run) -> bytes:
        """The file of a run that has ended."""
        sessions = run.sessions[-1:] if self.pen is Pen.NEW_START else run.sessions
        value: dict[str, Any] = {
            "run_id": run.name,
            "start_timestamp": self.at(sessions[0][0]),
            "end_timestamp": self.at(sessions[-1][1]),
            "steps": [],
            "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
        }
        if len(sessions) > 1:
            value["sessions"] = [[self.at(start), self.at(end)] for start, end in sessions]
        if self.stated is not None:
            value["clock"] = {"offset_seconds": self.stated, "uncertainty_seconds": CLOCK_ERROR, "source": "stated"}
        counted = self._counted(run)
        if counted:
            value["recorded_usage"] = counted if self.pen is not Pen.ZEROS else dict.fromkeys(counted, 0)
        return json.dumps(value, indent=2).encode()

    def _counted(self, run: Run) -> dict[str, int]:
        calls = run.recorded
        if self.records not in {CALLS, COUNTED, TOTALS}:
            return {}
        tokens = dict(zip(("tokens_in", "tokens_out", "cached_tokens"), _sums(calls), strict=True))
        return {**(tokens if self.records == TOTALS else {}), "api_calls": len(calls)}

    def log(self, run: Run, random: Random) -> bytes | None:
        """The log of its calls, where it keeps one."""
        if self.records not in {LOG, TORN, COUNTED}:
            return None
        whole = self.records == LOG
        rows = (row for row in self._rows(run) if whole or random.random() >= LINES_MISSING)
        return "".join(f"{json.dumps(line)}\n" for line in ({"complete": whole}, *rows)).encode()

    def _rows(self, run: Run) -> Iterator[dict[str, float | str]]:
        for number, call in enumerate(run.recorded):
            tokens_in, tokens_out, cached = call.tokens if self.pen is not Pen.ZEROS else (0, 0, 0)
            yield {
                "started_at": self.at(call.began),
                "ended_at": self.at(call.ended),
                "model": call.model,
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "cached_tokens": cached,
                "response_id": f"response-{number}",
            }


def _sums(calls: tuple[Call, ...]) -> tuple[int, int, int]:
    tokens_in, tokens_out, cached = (sum(call.tokens[kind] for call in calls) for kind in range(3))
    return tokens_in, tokens_out, cached
