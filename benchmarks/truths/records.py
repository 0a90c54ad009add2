"""Outcomes as lines of NDJSON: a long count that is broken off goes on where it was.

A line counts only for the code that made it: after a change of the product or of these worlds, a count begins anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.truths.cells import Block
from benchmarks.truths.fates import Fate
from benchmarks.truths.passes import Outcome

TREE = Path(__file__).resolve().parents[2]


@cache
def code() -> str:
    """What the outcomes rest on, as a digest."""
    digest = sha256()
    for folder in ("reconcile", "benchmarks/truths", "schemas"):
        for path in sorted((TREE / folder).rglob("*.*")):
            if path.suffix in {".py", ".json"}:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def kept(state: Path) -> Mapping[str, Mapping[str, Any]]:
    """The finished blocks by name. A line that was not written to its end is left out."""
    return {line["block"]: line for line in _lines(state) if line.get("code") == code()}


def _lines(state: Path) -> Iterator[dict[str, Any]]:
    if not state.exists():
        return
    for text in state.read_text("utf-8").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            continue


def keep(state: Path, found: Iterable[Outcome]) -> None:
    """Add each as it comes, behind whatever was not written to its end."""
    with state.open("a", encoding="utf-8") as file:
        file.write("\n")
        for each in found:
            file.write(line(each))
            file.flush()


def line(outcome: Outcome) -> str:
    """One outcome: a member that says nothing is left out of a fate."""
    fates = [{name: value for name, value in asdict(fate).items() if value} for fate in outcome.fates]
    value = {"code": code(), "block": outcome.block.name, "requests": outcome.requests, "errors": outcome.errors}
    return json.dumps({**value, "fates": fates}) + "\n"


def outcome(block: Block, value: Mapping[str, Any]) -> Outcome:
    """The outcome of that block from its line."""
    fates = tuple(Fate(**{**each, "stated": tuple(each.get("stated", ()))}) for each in value["fates"])
    return Outcome(block=block, fates=fates, requests=value["requests"], errors=value["errors"])
