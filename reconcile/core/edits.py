"""Changes to a JSON text that preserve every byte outside the changed values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, assert_never

from reconcile.core.document import Kind, scan
from reconcile.core.layout import Container, Layout, Part, Slice, margin_of
from reconcile.core.model import Json, Pointer


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
    root = Part(lead=text[:start], value=whole, trail=text[end:], margin=layout.newline)
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


def _part(root: Part, pointer: Pointer) -> Part | None:
    part: Part | None = root
    for step in pointer:
        container = part.opened() if part else None
        index = container.find(step) if container else None
        part = container.parts[index] if container and index is not None else None
    return part


def _put(root: Part, pointer: Pointer, value: Json | Decimal, layout: Layout) -> None:
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


def _add(holder: Part | None, step: str | int, value: Json | Decimal, layout: Layout) -> None:
    """A new member at the end, or a new item before the one that has its index."""
    container = holder.opened() if holder else None
    if container is None or not _fits(step, container):
        raise LookupError(f"there is no place for {step!r}")
    key, index = (step, len(container.parts)) if isinstance(step, str) else (None, step)
    lead, trail = _room(container, index, layout)
    head = "" if key is None else json.dumps(key) + layout.colon
    margin = margin_of(lead)
    part = Part(lead=lead, key=key, head=head, value=_fresh(value, margin, layout), trail=trail, margin=margin)
    container.parts.insert(index, part)


def _fits(step: str | int, container: Container) -> bool:
    if isinstance(step, str):
        return container.kind is Kind.OBJECT
    return container.kind is Kind.ARRAY and 0 <= step <= len(container.parts)


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


def _remove(root: Part, pointer: Pointer) -> None:
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
