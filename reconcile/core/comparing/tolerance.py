"""How far both sides may differ and still be called reconciled, metric by metric."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from reconcile.core.comparing.exact import EXACT, NOTHING, spelled_out
from reconcile.core.comparing.figures import Amount, Metric, difference
from reconcile.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A difference is allowed by either rule, and none at all always is."""

    percent: Decimal = NOTHING
    """Strictly below this share of the provider's figure. Of a figure of zero there is no share."""
    absolute: Decimal = NOTHING
    """Up to this many, included."""

    def admits(self, local: Amount, official: Amount) -> bool:
        gap = EXACT.abs(Decimal(difference(local, official) or 0))
        if gap <= self.absolute:
            return True
        return EXACT.multiply(gap, Decimal(100)) < EXACT.multiply(self.percent, EXACT.abs(Decimal(official)))

    def __str__(self) -> str:
        """`below 5 %`, `up to 2`, or both."""
        parts = [f"below {spelled_out(self.percent)} %"] if self.percent else []
        parts += [f"up to {spelled_out(self.absolute)}"] if self.absolute or not parts else []
        return " or ".join(parts)


FIVE_PERCENT = Allowed(percent=Decimal(5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What is allowed of tokens (each of input, cached, output and total), of requests, and of cost."""

    tokens: Allowed = FIVE_PERCENT
    requests: Allowed = Allowed()
    cost: Allowed = FIVE_PERCENT

    def of(self, metric: Metric) -> Allowed:
        match metric:
            case Metric.REQUESTS:
                return self.requests
            case Metric.COST:
                return self.cost
            case _:
                return self.tokens


DEFAULT = Tolerance()

TERM = re.compile(r"(?:(tokens|requests|cost)=)?([0-9]+(?:\.[0-9]+)?)(%?)", re.ASCII)
REMEDY = "write 5%, or for each metric a percentage, a number or both: tokens=5%,requests=2,cost=1%,cost=0.50"
MOST_DIGITS = 30


def tolerance(text: str) -> Tolerance:
    """`5%` for tokens and cost; `tokens=5%,requests=2,cost=1%` metric by metric. What is not named keeps its default.

    A metric that is named twice, as a percentage and as a number, is allowed either.
    """
    given: dict[str, Allowed] = {}
    seen: set[tuple[str, str]] = set()
    for term in text.replace(" ", "").split(","):
        match = TERM.fullmatch(term)
        if match is None or len(term) > MOST_DIGITS or (not match[1] and not match[3]):
            raise _refused(text, f"{term!r} is not a tolerance")
        for name in [match[1]] if match[1] else ["tokens", "cost"]:
            if (name, match[3]) in seen:
                raise _refused(text, f"{name} is given twice")
            seen.add((name, match[3]))
            rule = {"percent" if match[3] else "absolute": Decimal(match[2])}
            given[name] = replace(given.get(name, Allowed()), **rule)
    return replace(DEFAULT, **given)


def _refused(text: str, why: str) -> UsageError:
    return UsageError(f"tolerance {text!r}: {why}", code="bad_tolerance", remedy=REMEDY)
