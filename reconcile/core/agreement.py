"""What a run recorded against what is reported for it: calls and tokens, and what their differences mean together.

Where the figure is not exact, what was recorded agrees with it as long as it lies within the bounds. But calls of a run
that shares no minute are all those of its minutes, whoever made them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from reconcile.core.model import KINDS, Run


class Agreement(StrEnum):
    """The cases, and what to make of each."""

    CONFIRMED = "calls and tokens agree"
    MISCOUNTED = "as many calls, other tokens: the recorder counts wrongly"
    FEWER_TOKENS = "as many calls, fewer tokens than recorded: late data, or the recorder counts more than is billed"
    MORE_CALLS = "more calls reported than recorded: retries, an incomplete log, or foreign traffic"
    FEWER_CALLS = "fewer calls reported than recorded: late data, or a wrong key id"
    CALLS_AGREE = "calls agree, and not all tokens were recorded"
    CALLS_UNKNOWN = "calls were not recorded, so nothing tells whether all of them are here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind: what was recorded, None where it was not, and the interval that is reported."""

    kind: str
    recorded: int | None
    low: int
    high: int

    @property
    def agrees(self) -> bool:
        return self.recorded is None or self.low <= self.recorded <= self.high


def against(run: Run) -> tuple[Line, ...]:
    """Kind by kind, of a run that recorded something and was read; else nothing."""
    state = run.state
    if state is None or not state.ours or all(part is None for part in run.known.parts):
        return ()
    low, high = (state.bounds.low, state.bounds.high) if state.bounds else (state.figure, state.figure)
    if not state.shared_minutes:
        low = replace(low, api_calls=high.api_calls)
    parts = zip(KINDS, run.known.parts, low.parts, high.parts, strict=True)
    return tuple(Line(kind=kind, recorded=count, low=least, high=most) for kind, count, least, most in parts)


def agreement(lines: tuple[Line, ...]) -> Agreement:
    """What the lines of `against` mean together."""
    *tokens, calls = lines
    if calls.recorded is None:
        return Agreement.CALLS_UNKNOWN
    if calls.recorded < calls.low:
        return Agreement.MORE_CALLS
    if calls.recorded > calls.high:
        return Agreement.FEWER_CALLS
    if not all(line.agrees for line in tokens):
        return Agreement.FEWER_TOKENS if any(_short(line) for line in tokens) else Agreement.MISCOUNTED
    return Agreement.CALLS_AGREE if any(line.recorded is None for line in tokens) else Agreement.CONFIRMED


def _short(line: Line) -> bool:
    return line.recorded is not None and line.recorded > line.high
