"""Changes to a JSON text that preserve every byte outside the changed values.

The text is a tree of parts, any of which can change while all the others keep their bytes. A value stays a slice of the
text until something inside it changes. Then it is opened: a list of parts, each with the white space around it. New
values follow the layout of their file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self, TypeAlias, assert_never

from reconcile.runs.document import Node, NodeKind, scan
from reconcile.runs.run import Json
from reconcile.words import Pointer


@dataclass(frozen=True, slots=True)
class Put:
    """The value at `pointer` becomes `value`. A missing member, and the objects that lead to it, are added.

    A Decimal is written digit by digit, for no float may stand between an amount and its file; its object must exist.
    """

    pointer: Pointer
    value: Json | Decimal


@dataclass(frozen=True, slots=True)
class Remove:
    """What is at `pointer` goes, if there is anything."""

    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Insert:
    """`value` becomes item `index` of the array at `pointer`; with the array's length as index it is appended."""

    pointer: Pointer
    index: int
    value: Json


Change: TypeAlias = Put | Remove | Insert


def amend(text: str, changes: Sequence[Change]) -> str:
    """The text with the changes made in their order; a value that is equal already keeps its spelling.

    Raises LookupError where a change names a place that cannot be: a member of a number, an item beyond the end.
    """
    whole = Slice(text, scan(text))
    layout = Layout.of(whole)
    start, end = whole.node.start, whole.node.end
    root = ValuePart(lead=text[:start], value=whole, trail=text[end:], margin=layout.newline)
    for change in changes:
        match change:
            case Put(pointer, value):
                _put(root, pointer, value, layout)
            case Insert(pointer, index, value):
                _add(_part(root, pointer), index, value, layout)
            case Remove(pointer):
                _remove(root, pointer)
            case _:
                assert_never(change)
    return root.text


def same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; true is no 1, but 1 and 1.0 are the same number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return bool(one == other)


def _part(root: ValuePart, pointer: Pointer) -> ValuePart | None:
    part: ValuePart | None = root
    for step in pointer:
        container = part.opened() if part else None
        index = container.find(step) if container else None
        part = container.parts[index] if container and index is not None else None
    return part


def _put(root: ValuePart, pointer: Pointer, value: Json | Decimal, layout: Layout) -> None:
    part = _part(root, pointer)
    if part is not None:
        if not same(json.loads(part.value.text, parse_float=Decimal if isinstance(value, Decimal) else None), value):
            part.value = _fresh(value, part.margin, layout)
        return
    parent, step = pointer[:-1], pointer[-1]
    holder = _part(root, parent)
    if holder is None and isinstance(step, str) and not isinstance(value, Decimal):
        _put(root, parent, {step: value}, layout)
    else:
        _add(holder, step, value, layout)


def _add(holder: ValuePart | None, step: str | int, value: Json | Decimal, layout: Layout) -> None:
    """A new member at the end, or a new item before the one that has its index."""
    container = holder.opened() if holder else None
    if container is None or not _fits(step, container):
        raise LookupError(f"there is no place for {step!r}")
    key, index = (step, len(container.parts)) if isinstance(step, str) else (None, step)
    lead, trail = _room(container, index, layout)
    head = "" if key is None else json.dumps(key) + layout.colon
    margin = margin_of(lead)
    part = ValuePart(lead=lead, key=key, head=head, value=_fresh(value, margin, layout), trail=trail, margin=margin)
    container.parts.insert(index, part)


def _fits(step: str | int, container: Container) -> bool:
    if isinstance(step, str):
        return container.kind is NodeKind.OBJECT
    return container.kind is NodeKind.ARRAY and 0 <= step <= len(container.parts)


def _fresh(value: Json | Decimal, margin: str | None, layout: Layout) -> Slice:
    spelling = layout.spelling(value, margin)
    return Slice(spelling, scan(spelling))


def _room(container: Container, index: int, layout: Layout) -> tuple[str, str]:
    """The white space before and after a new part; what stands next to a bracket stays there."""
    parts, margin = container.parts, container.margin
    if not parts:
        return (margin + layout.unit, margin) if margin is not None else ("", "")
    first, last = parts[0], parts[-1]
    between = layout.gap if first is last and first.margin is None else last.lead
    if index == 0:
        lead, first.lead = first.lead, between
        return lead, ""
    if index < len(parts):
        return between, ""
    trail, last.trail = last.trail, "" if first is last else parts[-2].trail
    return between, trail


def _remove(root: ValuePart, pointer: Pointer) -> None:
    holder = _part(root, pointer[:-1])
    container = holder.opened() if holder else None
    index = container.find(pointer[-1]) if container else None
    if container is None or index is None:
        return
    gone, parts = container.parts.pop(index), container.parts
    if not parts:
        container.blank = ""
    elif index == 0:
        parts[0].lead = gone.lead
    elif index == len(parts):
        parts[-1].trail = gone.trail


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
class ValuePart:
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
        if isinstance(self.value, Slice) and self.value.node.kind in (NodeKind.OBJECT, NodeKind.ARRAY):
            self.value = Container.opened(self.value, self.margin)
        return self.value if isinstance(self.value, Container) else None


@dataclass(slots=True, kw_only=True)
class Container:
    """An object or an array with its members or items as parts."""

    kind: NodeKind
    parts: list[ValuePart]
    blank: str  # what stands between its brackets while it is empty
    margin: str | None  # of the part that holds it

    @classmethod
    def opened(cls, value: Slice, margin: str | None) -> Self:
        source, node = value.source, value.node
        parts: list[ValuePart] = []
        at = node.start + 1
        for key, start, child in _children(node):
            lead, head, trail = source[at:start], source[start : child.start], _blank(source, child.end)
            part = ValuePart(
                lead=lead, key=key, head=head, value=Slice(source, child), trail=trail, margin=margin_of(lead)
            )
            parts.append(part)
            at = child.end + len(trail) + 1
        return cls(kind=node.kind, parts=parts, blank=_blank(source, node.start + 1), margin=margin)

    @property
    def text(self) -> str:
        left, right = "{}" if self.kind is NodeKind.OBJECT else "[]"
        inside = ",".join(part.text for part in self.parts) if self.parts else self.blank
        return f"{left}{inside}{right}"

    def find(self, step: str | int) -> int | None:
        """The index of the part with this key (of several the last, as `json.loads` has it) or at this index."""
        indexes = range(len(self.parts))
        if self.kind is NodeKind.OBJECT:
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
