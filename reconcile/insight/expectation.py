"""What a run may be expected to use, from runs like it: an estimate with its spread, beside the verified figure if any.

Comparable are the other runs of its framework whose figure is verified here and exact, and whose models, where they are
known of both, are the same. Where the run knows its calls, what each of them used a call is taken times these calls.

By run the range needs no distribution: where runs are exchangeable, each of n + 1 is as likely as any other to be the
lowest or the highest of them, so the range of n holds the next in n - 1 of n + 1 cases, and in more where figures are
equal. That is said of each kind by itself. By call nothing of the kind holds: runs of different numbers of calls are
not exchangeable, for the usage a call of few calls spreads wider than that of many. Then the range is only a guide.
Nothing here is written into a file or called a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from statistics import median

from reconcile.attribution.evidence import Evidence
from reconcile.passes.summary import standing
from reconcile.runs.run import Json, Run, RunKey
from reconcile.usage import KINDS, Usage, same_model
from reconcile.verdict.cost import rows_of

LEAST = 3
"""Comparable runs that a range takes: that of two holds the next in one of three cases."""

Models = frozenset[str]


class Basis(StrEnum):
    """What is compared."""

    CALL = "call"
    RUN = "run"


class Place(StrEnum):
    """Where a verified figure lies."""

    WITHIN = "within"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One kind: the lowest, the middle and the highest of the comparable runs; and what the run is verified at."""

    kind: str
    low: Fraction
    median: Fraction
    high: Fraction
    figure: int | None = None

    @property
    def times_median(self) -> Fraction | None:
        """None where nothing is verified, and where the median is zero."""
        return self.figure / self.median if self.figure is not None and self.median else None

    @property
    def place(self) -> Place | None:
        if self.figure is None:
            return None
        return Place.BELOW if self.figure < self.low else Place.ABOVE if self.figure > self.high else Place.WITHIN

    @property
    def beyond(self) -> Fraction | None:
        """How far it lies outside, as a share of the end it lies beyond; None within, and beyond an end of zero."""
        if self.figure is None or self.place in {None, Place.WITHIN}:
            return None
        end = self.low if self.place is Place.BELOW else self.high
        return abs(self.figure - end) / end if end else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the comparable runs say. Without spreads there are too few of them."""

    basis: Basis
    calls: int | None
    """What the run counted, where that is what is compared by."""
    comparable: int
    other_models: int
    """Runs that were left out for their models."""
    spreads: tuple[Spread, ...]

    @property
    def cases(self) -> tuple[int, int] | None:
        """In how many of how many cases the range holds the next run, at least; None where nothing says that."""
        if self.basis is Basis.CALL or not self.spreads:
            return None
        return self.comparable - 1, self.comparable + 1


def candidates(subject: Run, runs: Iterable[Run]) -> tuple[Run, ...]:
    """The runs that are comparable as far as their files tell."""
    return tuple(
        run for run in runs if run.key.framework == subject.key.framework and run.key != subject.key and proven(run)
    )


def proven(run: Run) -> bool:
    """Whether its figure is verified here, and exact."""
    return run.state is not None and standing(run) == "verified" and run.state.exact


def models_of(run: Run, evidence: Evidence | None) -> Models:
    """The models that the run's usage is of; none where they are not known."""
    if run.log and run.log.complete and not run.log.strays:
        return run.log.models
    if run.state is None or evidence is None:
        return Models()
    rows = rows_of(run.state.figure, evidence.rows) or ()
    found = frozenset(row.model for row in rows if row.model)
    return found if run.state.exact or len(found) == 1 else Models()  # else one of them may be a neighbour's


def expectation_of(subject: Run, others: Sequence[Run], models: Mapping[RunKey, Models]) -> Expectation:
    """What the others, which are `candidates`, let expect of the subject."""
    own = models.get(subject.key, Models())
    alike = [run for run in others if _alike(own, models.get(run.key, Models()))]
    calls = subject.known.api_calls
    basis = Basis.RUN if calls is None else Basis.CALL
    drawn = [values for run in alike if (values := _values(run, calls))]
    figure = subject.state.figure.parts if subject.state and proven(subject) else (None,) * len(KINDS)
    spreads = (
        Spread(kind=kind, low=min(column), median=median(column), high=max(column), figure=known)
        for kind, known, column in zip(KINDS, figure, zip(*drawn, strict=True), strict=False)
    )
    return Expectation(
        basis=basis,
        calls=calls,
        comparable=len(drawn),
        other_models=len(others) - len(alike),
        spreads=tuple(spreads) if len(drawn) >= LEAST else (),
    )


def _alike(one: Models, other: Models) -> bool:
    """Whether the models are the same where both are known; one may name a dated snapshot by its alias."""
    if not one or not other:
        return True
    pairs = ((one, other), (other, one))
    return all(any(same_model(a, b) for b in theirs) for ours, theirs in pairs for a in ours)


def _values(run: Run, calls: int | None) -> tuple[Fraction, ...]:
    """What the run used, kind by kind; or what that comes to for so many calls, which are then no kind of it. Nothing
    where it made no call to compare by."""
    figure = run.state.figure if run.state else Usage()
    if calls is None:
        return tuple(map(Fraction, figure.parts))
    made = figure.api_calls
    return tuple(Fraction(part * calls, made) for part in figure.parts[:-1]) if made else ()


# ------------------------------------------------------------------------------------------- as JSON


def expectation_json(expected: Expectation) -> dict[str, Json]:
    """As schemas/status.schema.json describes it: the range in whole numbers, rounded so that it only widens."""
    cases = expected.cases
    return {
        "basis": expected.basis.value,
        "calls": expected.calls,
        "comparable_runs": expected.comparable,
        "other_models": expected.other_models,
        "holds": {"cases": cases[0], "of": cases[1]} if cases else None,
        "kinds": [_spread_json(each) for each in expected.spreads],
    }


def _spread_json(spread: Spread) -> Json:
    return {
        "kind": spread.kind,
        "lowest": floor(spread.low),
        "median": round(spread.median),
        "highest": ceil(spread.high),
        "verified": spread.figure,
        "times_median": None if spread.times_median is None else round(float(spread.times_median), 4),
        "place": spread.place.value if spread.place else None,
        "beyond_share": None if spread.beyond is None else round(float(spread.beyond), 4),
    }
