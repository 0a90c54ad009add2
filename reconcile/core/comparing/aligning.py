"""One name for what both sides call differently: a model's undated name stands for its dated snapshots, and a name
with the provider's before it for the bare one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from reconcile.core.comparing.sides import Cost, Entry
from reconcile.core.model import SNAPSHOT

PREFIX = re.compile("[/:]")

DATED = re.compile(f"^(.+){SNAPSHOT}$")


@dataclass(frozen=True, slots=True)
class Aligned:
    """Every model name that occurs, and the one it is compared under."""

    names: Mapping[str, str]

    def entries(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The same usage under the common names."""
        return tuple(
            entry
            if entry.who.model is None or self.names[entry.who.model] == entry.who.model
            else replace(entry, who=replace(entry.who, model=self.names[entry.who.model]))
            for entry in entries
        )

    def billed(self, cost: Cost) -> str | None:
        """The model of a line item (`<model>, input`); None where it is of no model that was called."""
        head = (cost.line_item or "").rsplit(", ", 1)[0]
        return self.names.get(head) or self.names.get(head.split(" ", 1)[0])


def aligned(local: Sequence[Entry], official: Sequence[Entry]) -> Aligned:
    """A dated name that either side also has undated is compared under one name: its own where it is the only one."""
    reported = {entry.who.model for entry in official if entry.who.model is not None}
    every = reported | {entry.who.model for entry in local if entry.who.model is not None}
    spelled = {name: _spelled(name, reported) for name in every}
    every |= set(spelled.values())
    roots = {name: _root(spelled[name], every) for name in spelled}
    dated: dict[str, list[str]] = {}
    for name in reported:
        dated.setdefault(roots[name], []).append(name)
    return Aligned({name: dated[root][0] if len(dated.get(root, ())) == 1 else root for name, root in roots.items()})


def _spelled(name: str, reported: Set[str]) -> str:
    """The name without what stands before it in a log (`openai/`, `openrouter/openai/`, `openai:`) and in small
    letters, where only that is what the provider reports, dated or not."""
    if name in reported:
        return name
    known = reported | {match[1] for each in reported if (match := DATED.match(each))}
    tails = [name, *(name[match.end() :] for match in PREFIX.finditer(name))]
    return next((tail.lower() for tail in tails if tail.lower() in known), name)


def _root(name: str, every: set[str]) -> str:
    match = DATED.match(name)
    return _root(match[1], every) if match and match[1] in every else name
