"""Observations that live only on the Action's own branch, carried over to the file as it now is on the base.

A person may have edited the base's file meanwhile: their bytes stay, and only what reconciliation wrote is brought in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconcile.core.edits import Change, Put, amend
from reconcile.core.model import KINDS
from reconcile.core.reading import AGGREGATES, BLOCK, read_run
from reconcile.core.seal import EVIDENCE, sealed
from reconcile.core.validation import Checker, Document

STEP_FIELDS = ("tokens_in", "tokens_out", "api_calls", "cached_tokens")

Object = Mapping[str, Any]


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
    text = amend(base.text, list(_written(base.value, document.value)))
    after = (sealed(text, None) if EVIDENCE in document.value[BLOCK] else text).encode()
    return after if isinstance(checker.check(base.path, base.run, after), Document) else None


def _recorded(base: Object, recorded: Object) -> Iterator[Change]:
    """What the run had counted itself, where the base does not say it."""
    if recorded and "recorded_usage" not in base:
        yield Put(("recorded_usage",), recorded)
    for kind in KINDS:
        if kind in recorded and kind not in base.get("recorded_usage", recorded):
            yield Put(("recorded_usage", kind), recorded[kind])


def _written(base: Object, ours: Object) -> Iterator[Change]:
    """Everything that reconciliation may have written."""
    for name in (*AGGREGATES, "AEI"):
        if name in ours["aggregate_metrics"]:
            yield Put(("aggregate_metrics", name), ours["aggregate_metrics"][name])
    yield from _recorded(base, ours.get("recorded_usage", {}))
    if "verification_status" in base and "verification_status" in ours[BLOCK]:
        yield Put(("verification_status",), ours[BLOCK]["verification_status"])
    for position, (before, after) in enumerate(zip(base["steps"], ours["steps"], strict=False)):
        for name in STEP_FIELDS:
            if name in before and name in after:
                yield Put(("steps", position, name), after[name])
    yield Put((BLOCK,), ours[BLOCK])
