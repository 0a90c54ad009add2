"""What the files of runs said, held against the truth; and whether what a verdict rests on was so.

A verdict is at fault where it is wrong although the world breaks nothing that it rests on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from benchmarks.truths.bills import Amount
from benchmarks.truths.cells import CALLS, COUNTED, LOG, NOTHING, TORN, TOTALS
from benchmarks.truths.runs import HOUR
from benchmarks.truths.worlds import Assumption

BLOCK = "usage_api_reconciliation"
KINDS = ("tokens_in", "tokens_out", "cached_tokens", "api_calls")


class Grade(StrEnum):
    """How good the proof of a figure is, best first."""

    PROVEN = "proven"
    SUPPORTED = "supported"
    ASSUMED = "assumed"


BY_COMPLETENESS = {"calls_and_tokens_matched": Grade.PROVEN, "calls_matched": Grade.SUPPORTED}


def grade_of(block: Mapping[str, Any]) -> Grade:
    """As the block says it, or as it follows from the completeness."""
    return Grade(block.get("proof") or BY_COMPLETENESS.get(block.get("completeness", ""), Grade.ASSUMED))


_ = Assumption
IF_PROVEN = (
    {_.CALLS_IN_SESSION},
    {_.FIGURES_FINAL},
    {_.RECORDER_RIGHT},
    {_.NO_UNRECORDED_RETRIES, _.USAGE_COMPLETE},
)
IF_SUPPORTED = (
    *IF_PROVEN,
    {_.CLOCK},
    {_.NO_UNRECORDED_RETRIES},
    {_.TOKENS_IN_TIME},
    {_.CLOSED_KEY, _.USAGE_COMPLETE},
    {_.CLOSED_KEY, _.RECORDED_IS_BILLED},
    {_.CLOSED_KEY, _.SCOPE_COMPLETE},
)
IF_ASSUMED = (*IF_SUPPORTED, {_.CLOSED_KEY}, {_.SCOPE_COMPLETE}, {_.USAGE_COMPLETE}, {_.FEED_IN_ORDER})
EXCUSES: dict[Grade, tuple[set[Assumption], ...]] = {
    Grade.PROVEN: IF_PROVEN,
    Grade.SUPPORTED: IF_SUPPORTED,
    Grade.ASSUMED: IF_ASSUMED,
}
"""What has to be otherwise than a verdict of that grade takes it to be, all of one set, before it may be wrong."""
OF_INTERVALS = ({_.CLOCK},)
"""And before an interval may miss, whatever is recorded."""

BEST = {
    NOTHING: Grade.ASSUMED, TORN: Grade.ASSUMED, CALLS: Grade.SUPPORTED, COUNTED: Grade.SUPPORTED,
    TOTALS: Grade.PROVEN, LOG: Grade.PROVEN,
}  # fmt: skip
"""The best grade that such a record can reach: an interval rests on no more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a run."""

    grade: str = ""
    """Of the first verdict `verified`; empty where there was none."""
    hours: float | None = None
    """From its end until then."""
    wrong: str = ""
    """The best grade under which its file ever said `verified` beside another figure than the truth."""
    stated: tuple[str, ...] = ()
    """What that verdict says it assumes."""
    missed: bool = False
    """Whether its file ever had a settled interval, or an exact figure that is not verified, without the truth."""
    missed_pending: bool = False
    lost: bool = False
    """Whether it was verified right, and is not in the end."""
    exact: bool = False
    """Whether the figure is exact in the end."""
    hidden: bool = False
    """Whether it was ever verified without saying on what that rests."""
    ended: str = ""
    seeds: str = ""
    """What the seeds' rule made of it: `right`, `wrong` or nothing."""
    seeds_reads: int = 0


@dataclass(kw_only=True)
class Track:
    """What the file of one run said, from pass to pass."""

    truth: Amount
    end: float
    first: tuple[Grade, float] | None = None
    wrong: dict[Grade, tuple[str, ...]] = field(default_factory=dict)
    right: bool = False
    missed: bool = False
    missed_pending: bool = False
    hidden: bool = False
    last: Mapping[str, Any] = field(default_factory=dict)

    def look(self, data: bytes, now: float) -> None:
        """Hold what the file says now against the truth."""
        block = json.loads(data).get(BLOCK)
        if block is None:
            return
        self.last = block
        status, missed = block["verification_status"], _misses(block, self.truth)
        if status == "verified":
            self._verified(block, now)
        elif status in {"warning", "failed"}:
            self.missed |= missed
        else:
            self.missed_pending |= missed

    def _verified(self, block: Mapping[str, Any], now: float) -> None:
        grade, assumes = grade_of(block), tuple(block.get("assumes", ()))
        self.first = self.first or (grade, (now - self.end) / HOUR)
        self.hidden |= not (block.get("proof") or block.get("completeness")) or (grade is Grade.ASSUMED and not assumes)
        if _figure(block) == self.truth:
            self.right = True
        else:
            self.wrong.setdefault(grade, assumes)

    def fate(self) -> Fate:
        """What became of it."""
        worst = next((grade for grade in Grade if grade in self.wrong), None)
        status = self.last.get("verification_status", "")
        return Fate(
            grade=self.first[0] if self.first else "",
            hours=round(self.first[1], 2) if self.first else None,
            wrong=worst or "",
            stated=self.wrong[worst] if worst else (),
            missed=self.missed,
            missed_pending=self.missed_pending,
            lost=self.right and status != "verified",
            exact=bool(self.last.get("attribution", {}).get("exact")),
            hidden=self.hidden,
            ended=f"{status}: {', '.join(self.last.get('reasons', ()))}",
        )


def _figure(block: Mapping[str, Any]) -> Amount:
    tokens_in, tokens_out, cached, calls = (int(block[f"total_{kind}"]) for kind in KINDS)
    return tokens_in, tokens_out, cached, calls


def _misses(block: Mapping[str, Any], truth: Amount) -> bool:
    """Whether the file says something of the figure that is not so. Where calls are missing it says nothing."""
    attribution = block.get("attribution")
    if attribution is None:  # a file that was seen before its run had ended
        return False
    if attribution["exact"]:
        return _figure(block) != truth
    bounds = attribution.get("bounds")
    return bounds is not None and not all(
        bounds[kind][0] <= part <= bounds[kind][1] for kind, part in zip(KINDS, truth, strict=True)
    )


def faults(records: str, breaks: frozenset[Assumption], fates: Sequence[Fate]) -> int:
    """How many are wrong, or miss, and nothing that they rest on is broken; or do not say what they rest on."""
    return sum(fate.hidden or _at_fault(records, breaks, fate) for fate in fates)


def _at_fault(records: str, breaks: frozenset[Assumption], fate: Fate) -> bool:
    wrong = bool(fate.wrong) and not breaks.intersection(fate.stated)
    return (wrong and not _excused(breaks, EXCUSES[Grade(fate.wrong)])) or (
        fate.missed and not _excused(breaks, (*EXCUSES[BEST[records]], *OF_INTERVALS))
    )


def _excused(breaks: frozenset[Assumption], excuses: Iterable[set[Assumption]]) -> bool:
    return any(breaks >= broken for broken in excuses)
