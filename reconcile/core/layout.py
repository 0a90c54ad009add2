"""A JSON text as parts, any of which can change while all the others keep their bytes.

A value stays a slice of the text until something inside it changes. Then it is opened: a list of parts, each with the
white space around it. New values follow the layout of their file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from reconcile.core.document import Kind, Node
from reconcile.core.model import Json

BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Slice:
    """A value inside which nothing has changed."""

    source: str
    node: Node

    @property
    def text(self) -> str:
        return self.source[self.node.start : self.node.end]


@dataclass(slots=True, kw_only=True)
class Part:
    """A value in its place: white space, its key and colon where it has them, the value, white space."""

    lead: str
    key: str | None = None
    head: str = ""
    value: Slice | Container
    trail: str
    margin: str | None  # the line break and the indentation before it; None where something shares its line

    @property
    def text(self) -> str:
        return f"{self.lead}{self.head}{self.value.text}{self.trail}"

    def opened(self) -> Container | None:
        """Its members or items, apart from now on; None where it can have none."""
        if isinstance(self.value, Slice) and self.value.node.kind in (Kind.OBJECT, Kind.ARRAY):
            self.value = Container.opened(self.value, self.margin)
        return self.value if isinstance(self.value, Container) else None


@dataclass(slots=True, kw_only=True)
class Container:
    """An object or an array with its members or items as parts."""

    kind: Kind
    parts: list[Part]
    blank: str  # what stands between its brackets while it is empty
    margin: str | None  # of the part that holds it

    @classmethod
    def opened(cls, value: Slice, margin: str | None) -> Self:
        source, node = value.source, value.node
        parts: list[Part] = []
        at = node.start + 1
        for key, start, child in _children(node):
            lead, head, trail = source[at:start], source[start : child.start], _blank(source, child.end)
            part = Part(lead=lead, key=key, head=head, value=Slice(source, child), trail=trail, margin=margin_of(lead))
            parts.append(part)
            at = child.end + len(trail) + 1
        return cls(kind=node.kind, parts=parts, blank=_blank(source, node.start + 1), margin=margin)

    @property
    def text(self) -> str:
        left, right = "{}" if self.kind is Kind.OBJECT else "[]"
        inside = ",".join(part.text for part in self.parts) if self.parts else self.blank
        return f"{left}{inside}{right}"

    def find(self, step: str | int) -> int | None:
        """The index of the part with this key (of several the last, as `json.loads` has it) or at this index."""
        indexes = range(len(self.parts))
        if self.kind is Kind.OBJECT:
            return next((index for index in reversed(indexes) if self.parts[index].key == step), None)
        return step if isinstance(step, int) and step in indexes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is spelled, as far as new values follow it."""

    newline: str | None  # None where the outermost members or items share a line
    unit: str  # one level of indentation
    gap: str  # what follows a comma between values on one line
    colon: str

    @classmethod
    def of(cls, whole: Slice) -> Self:
        """What the outermost members or items show; what `json.dumps` does where they show nothing."""
        source, node = whole.source, whole.node
        children = _children(node)
        margin = margin_of(_blank(source, node.start + 1))
        colon = source[node.members[0].key_end : node.members[0].value.start] if node.members else ": "
        between = source[children[0][2].end : children[1][1]] if children[1:] else colon
        gap = between.lstrip(" \t\r\n")[1:]
        return cls(
            newline=margin and margin.rstrip(" \t"),
            unit=margin.lstrip("\r\n") if margin is not None and children else "  ",
            gap=gap if margin_of(gap) is None else " ",
            colon=colon if margin_of(colon) is None else ": ",
        )

    def spelling(self, value: Json | Decimal, margin: str | None) -> str:
        """The value on one line; or, with a margin, on several that begin with it."""
        if isinstance(value, Decimal):
            return f"{value:f}"
        if margin is None:
            return json.dumps(value, allow_nan=False, separators=("," + self.gap, self.colon))
        text = json.dumps(value, allow_nan=False, indent=self.unit, separators=(",", self.colon))
        return text.replace("\n", margin)


def margin_of(blank: str) -> str | None:
    """The last line break in white space and the indentation after it; None where it has no line break."""
    before, newline, indentation = blank.rpartition("\n")
    if not newline:
        return None
    return ("\r\n" if before.endswith("\r") else "\n") + indentation


def _children(node: Node) -> list[tuple[str | None, int, Node]]:
    """Of each member or item: its key, where it begins (at its key or at itself), its value."""
    members = [(member.key, member.key_start, member.value) for member in node.members]
    return [*members, *((None, item.start, item) for item in node.items)]


def _blank(source: str, at: int) -> str:
    found = BLANK.match(source, at)
    return found[0] if found else ""
