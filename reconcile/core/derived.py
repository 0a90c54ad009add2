"""What follows from a run's figure: AEI, and the shares of the steps of a v1 file.

Usage is known per minute only. A minute that several steps share is split by the seconds each of them took of it;
a minute outside every step goes to the nearest. The parts of a split always add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from reconcile.core.attribution import Attribution
from reconcile.core.model import MINUTE, Step, Usage, total


def aei(autr: float, tokens_in: int) -> float:
    """Autonomy per input token, as the origin project defines it: AUTR / ln(1 + TOK_IN), and 0 without tokens."""
    return autr / math.log(1 + tokens_in) if tokens_in else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUsage:
    """A step's share. Estimated where a minute was shared out; None where the step has no times."""

    number: int
    usage: Usage | None
    estimated: bool = False


def step_usage(steps: Sequence[Step], attribution: Attribution) -> tuple[StepUsage, ...]:
    """The run's figure shared out among its steps; their sum is the figure where at least one step has times."""
    timed = [position for position, step in enumerate(steps) if step.span]
    spans = [step.span for step in steps if step.span]
    if not timed:
        return tuple(StepUsage(number=step.number, usage=None) for step in steps)
    shares: list[Usage] = [Usage()] * len(steps)
    whole = attribution.exact and attribution.figure == total(row.usage for row in attribution.rows)
    estimated = [not whole] * len(steps)
    for minute, usage in _minutes(attribution):
        weights = _overlaps(spans, minute)
        takers = [position for position, weight in zip(timed, weights, strict=True) if weight]
        for position, part in zip(timed, apportion(usage, weights), strict=True):
            shares[position] += part
        for position in takers if len(takers) > 1 else ():
            estimated[position] = True
    return tuple(
        StepUsage(number=step.number, usage=share if step.span else None, estimated=bool(step.span) and guess)
        for step, share, guess in zip(steps, shares, estimated, strict=True)
    )


def _minutes(attribution: Attribution) -> list[tuple[int, Usage]]:
    """The run's figure by minute: its own minutes as reported, and what it holds beyond them over the shared ones."""
    reported: dict[int, Usage] = {}
    for row in attribution.rows:
        reported[row.minute] = reported.get(row.minute, Usage()) + row.usage
    own = {minute: usage for minute, usage in reported.items() if minute not in attribution.shared}
    rest = attribution.figure - total(own.values())
    if min(rest.parts) < 0 or rest.cached_tokens > rest.tokens_in:
        own, rest = {}, attribution.figure  # not even its own minutes are wholly its own
    spread = [minute for minute in reported if minute not in own]
    weights = [Fraction(reported[minute].tokens_in + reported[minute].tokens_out + 1) for minute in spread]
    return sorted([*own.items(), *zip(spread, apportion(rest, weights), strict=True)])


def _overlaps(spans: Sequence[tuple[float, float]], minute: int) -> list[Fraction]:
    """The seconds of the minute that each span takes; the nearest span takes all of a minute that none touches."""
    overlaps = [max(0.0, min(end, minute + MINUTE) - max(start, minute)) for start, end in spans]
    if any(overlaps):
        return [Fraction(seconds) for seconds in overlaps]
    distances = [max(start - minute - MINUTE, minute - end, 0.0) for start, end in spans]
    nearest = distances.index(min(distances))
    return [Fraction(position == nearest) for position in range(len(spans))]


def apportion(usage: Usage, weights: Sequence[Fraction]) -> list[Usage]:
    """`usage` in parts as the weights stand to each other, whole numbers that sum to it kind by kind.

    Cached and uncached input are split apart and then added, so that no part has more cached than input.
    """
    cached = _split(usage.cached_tokens, weights)
    uncached = _split(usage.tokens_in - usage.cached_tokens, weights)
    output = _split(usage.tokens_out, weights)
    calls = _split(usage.api_calls, weights)
    parts = zip(cached, uncached, output, calls, strict=True)
    return [Usage(read + fresh, out, read, requests) for read, fresh, out, requests in parts]


def _split(amount: int, weights: Sequence[Fraction]) -> list[int]:
    """Largest remainders: each part is its exact share, rounded down, and the rest goes to the largest fractions."""
    whole = sum(weights)
    exact = [amount * weight / whole for weight in weights]
    parts = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(parts)), key=lambda position: parts[position] - exact[position])
    for position in by_remainder[: amount - sum(parts)]:
        parts[position] += 1
    return parts
