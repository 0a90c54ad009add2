"""What a pass learnt about one run, and how it goes into the run's file as the file is at that moment.

A pass reads first and writes later; meanwhile others may write. So what it carries is not a new file but a lesson,
which can be applied again to whatever the file has become. Observations that live only on the Action's own branch are
carried over to the file as it now is on the base in the same way: a person may have edited that meanwhile; their bytes
stay, and only what reconciliation wrote is brought in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.claims import followed
from reconcile.attribution.evidence import evidence_bytes, evidence_of
from reconcile.errors import StoreError
from reconcile.money.entry import PriceOf
from reconcile.runs.edits import Change, Put, amend
from reconcile.runs.metrics import AGGREGATES, BLOCK, read_run
from reconcile.runs.run import Claim, OwnScope, Run, RunKey
from reconcile.runs.seal import EVIDENCE, STEP_FIGURES, sealed, unsealed
from reconcile.runs.state import Policy
from reconcile.runs.validation import Checker, Document
from reconcile.usage import KINDS
from reconcile.verdict.amendment import amendments, in_future
from reconcile.verdict.cost import Object, unpriced_note
from reconcile.verdict.plateau import JITTER, Effect, apart
from reconcile.verdict.settlement import Verdict, settle

OVERTAKEN = (
    "its file holds a read from long after this pass began: another pass overtook it, or a clock is wrong; "
    "nothing was changed"
)
CHANGED = "the file was changed while its usage was read; the next pass reads it again"
TRANSIENT = "nothing was reported this time; a zero after a figure is transient, so the figure stands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A complete read of a run's minutes; or only that its file was there before the run had ended."""

    path: str
    claim: Claim
    own_scope: OwnScope | None
    """What the run's file said of its scope: another one is another claim."""
    attribution: Attribution | None
    at: datetime
    """When the answer was complete."""
    begun: datetime
    """When it was asked for."""
    forced: bool = False
    unreadable: int = 0
    evidence: bool = True
    """Whether what the figure rests on is to be written beside it."""
    renamed: Mapping[str, RunKey] = field(default_factory=dict)
    """By the name that its verdict knows, the neighbours that have another now."""
    prices: PriceOf | None = None
    """What COST_USD is computed with; None leaves it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The run as its file is after the lesson; `after` is None where the lesson changes nothing."""

    run: Run | None
    before: bytes
    after: bytes | None = None
    evidence: bytes | None = None
    """What the figure rests on, where it was made anew."""
    note: str | None = None


def apply(lesson: Lesson, data: bytes, checker: Checker, policy: Policy) -> Applied:
    """The file's bytes with the lesson in them. Raises StoreError rather than return bytes that are not valid."""
    document = checker.check(lesson.path, lesson.claim.run, data)
    if not isinstance(document, Document):
        return Applied(run=None, before=data, note=CHANGED)
    run = _run(lesson, document)
    if not _as_claimed(lesson, run):
        return Applied(run=run, before=data, note=CHANGED)
    if lesson.attribution and _overtaken(lesson.at, run, policy):
        return Applied(run=run, before=data, note=OVERTAKEN)
    if lesson.attribution is None:
        text = amend(document.text, in_future(run, lesson.at, policy, document.value))
        return _written(lesson, data, text, None, checker)
    outcome = settle(
        run,
        lesson.attribution,
        lesson.at,
        policy,
        begun=lesson.begun,
        forced=lesson.forced,
        unreadable=lesson.unreadable,
    )
    verdict, note = outcome.verdict, TRANSIENT if outcome.effect is Effect.ZERO else None
    if verdict is None:
        return Applied(run=run, before=data, note=note)
    text = amend(document.text, amendments(document.value, run, verdict, policy, lesson.prices))
    applied = _written(lesson, data, text, _evidence(lesson, verdict), checker)
    return replace(applied, note=note or applied.note if verdict.attribution else note)


def _as_claimed(lesson: Lesson, run: Run) -> bool:
    """Whether the file still says of the run what it said when its usage was read."""
    claim = lesson.claim
    now = (run.window, run.sessions, run.recorded, run.own_scope, run.clock.offset if run.clock else 0.0)
    return now == (claim.window, claim.sessions, claim.recorded, lesson.own_scope, claim.clock.offset)


def _written(lesson: Lesson, before: bytes, text: str, evidence: bytes | None, checker: Checker) -> Applied:
    """The file with its seal. Raises StoreError rather than let go of bytes that are not valid."""
    after = (sealed(text, evidence) if lesson.evidence else unsealed(text)).encode()
    written = checker.check(lesson.path, lesson.claim.run, after)
    if not isinstance(written, Document):
        raise _never_written(lesson.path, written[0].message)
    run, note = _run(lesson, written), unpriced_note(written.value)
    return Applied(run=run, before=before, after=after, evidence=evidence, note=note)


def _evidence(lesson: Lesson, verdict: Verdict) -> bytes | None:
    """What the figure that is written rests on."""
    if not lesson.evidence or verdict.attribution is None:
        return None
    at = verdict.observation.at if verdict.observation else lesson.at
    return evidence_bytes(evidence_of(verdict.attribution, at))


def _run(lesson: Lesson, document: Document) -> Run:
    """The run as its file describes it, with the call log and the names that the lesson was learnt with."""
    run = read_run(document.run, document.path, document.value, document.generation)
    return followed(replace(run, log=lesson.claim.log), lesson.renamed)


def _overtaken(at: datetime, run: Run, policy: Policy) -> bool:
    """Whether the file holds a later read that could confirm this one.

    Nobody knows when this one was really made: its pass may have waited for the provider until after the other read,
    and a clock that was ahead has stamped the other one too late. The two may lie minutes apart.
    """
    later = [observation.at - at for observation in run.state.observations] if run.state else []
    return max(later, default=timedelta(0)) >= max(apart(policy), JITTER)


def _never_written(path: str, defect: str) -> StoreError:
    return StoreError(
        f"{path}: what would have been written is not valid ({defect}); the file is as it was",
        code="invalid_result",
        remedy="this is a defect of the tool: report it with the file",
    )


def carried(base: Document, ours: bytes, checker: Checker) -> bytes | None:
    """The base's file with what `ours` has learnt; None where there is nothing to carry.

    Nothing is carried where the times of the run were changed, or where the base knows all of it.
    """
    document = checker.check(base.path, base.run, ours)
    if not isinstance(document, Document) or BLOCK not in document.value:
        return None
    here = read_run(base.run, base.path, base.value, base.generation)
    there = read_run(base.run, base.path, document.value, document.generation)
    known = {each.at for each in here.state.observations} if here.state else set()
    learnt = {each.at for each in there.state.observations} if there.state else set()
    if here.window != there.window or base.generation != document.generation or learnt <= known:
        return None
    text = amend(base.text, list(_carried_text(base.value, document.value)))
    after = (sealed(text, None) if EVIDENCE in document.value[BLOCK] else text).encode()
    return after if isinstance(checker.check(base.path, base.run, after), Document) else None


def _carried_text(base: Object, ours: Object) -> Iterator[Change]:
    """Everything that reconciliation may have written."""
    for name in (*AGGREGATES, "AEI"):
        if name in ours["aggregate_metrics"]:
            yield Put(("aggregate_metrics", name), ours["aggregate_metrics"][name])
    yield from _recorded(base, ours.get("recorded_usage", {}))
    if "verification_status" in base and "verification_status" in ours[BLOCK]:
        yield Put(("verification_status",), ours[BLOCK]["verification_status"])
    for position, (before, after) in enumerate(zip(base["steps"], ours["steps"], strict=False)):
        for name in STEP_FIGURES:
            if name in before and name in after:
                yield Put(("steps", position, name), after[name])
    yield Put((BLOCK,), ours[BLOCK])


def _recorded(base: Object, recorded: Object) -> Iterator[Change]:
    """What the run had counted itself, where the base does not say it."""
    if recorded and "recorded_usage" not in base:
        yield Put(("recorded_usage",), recorded)
    for kind in KINDS:
        if kind in recorded and kind not in base.get("recorded_usage", recorded):
            yield Put(("recorded_usage", kind), recorded[kind])
