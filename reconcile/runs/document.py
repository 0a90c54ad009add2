"""Where everything is in the text of a JSON document: one scanner for positions, duplicate keys and edits.

Only a finding or an edit needs it. Deciding whether a document is valid does not.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from reconcile.words import Pointer

TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{}]|[^][{}",: \t\r\n]++', re.DOTALL)
"""A string, a bracket, or a bare word. A string that never closes reaches to the end, so that no text is read twice."""

LINE_END = re.compile("\n")


class NodeKind(Enum):
    OBJECT = auto()
    ARRAY = auto()
    STRING = auto()
    NUMBER = auto()
    LITERAL = auto()  # true, false, null; and NaN and the infinities, which Python reads and JSON does not have


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document: `text[start:end]` is how it is spelled."""

    kind: NodeKind
    start: int
    end: int
    members: tuple[ObjectMember, ...] = ()
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectMember:
    """One member of an object; `text[key_start:key_end]` is its key with the quotes."""

    key: str
    key_start: int
    key_end: int
    value: Node


@dataclass(slots=True)
class _Open:
    """An object or an array whose closing bracket has not been met."""

    kind: NodeKind
    start: int
    members: list[ObjectMember] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    key: tuple[str, int, int] | None = None

    def take(self, value: Node) -> None:
        if self.key is None:
            self.items.append(value)
        else:
            self.members.append(ObjectMember(*self.key, value))
            self.key = None


def scan(text: str) -> Node:
    """The tree of a text that `json.loads` accepts. Keeps no stack of calls, so depth is no limit."""
    outside = _Open(NodeKind.ARRAY, 0)
    stack = [outside]
    for token in TOKEN.finditer(text):
        start, end = token.span()
        mark = text[start]
        if mark in "{[":
            stack.append(_Open(NodeKind.OBJECT if mark == "{" else NodeKind.ARRAY, start))
        elif mark in "}]":
            done = stack.pop()
            stack[-1].take(Node(done.kind, done.start, end, tuple(done.members), tuple(done.items)))
        elif mark == '"' and stack[-1].kind is NodeKind.OBJECT and stack[-1].key is None:
            stack[-1].key = (_unquoted(text[start:end]), start, end)
        else:
            stack[-1].take(Node(_scalar(mark, text[end - 1]), start, end))
    return outside.items[0]


def _unquoted(spelling: str) -> str:
    return json.loads(spelling) if "\\" in spelling else spelling[1:-1]


def _scalar(first: str, last: str) -> NodeKind:
    if first == '"':
        return NodeKind.STRING
    return NodeKind.NUMBER if last in "0123456789" else NodeKind.LITERAL  # -Infinity begins like a number


def walk(root: Node) -> Iterator[tuple[Pointer, Node]]:
    """Every value and its place, in the order of the text."""
    waiting: list[tuple[Pointer, Node]] = [((), root)]
    while waiting:
        pointer, node = waiting.pop()
        yield pointer, node
        children: list[tuple[str | int, Node]] = [(member.key, member.value) for member in node.members]
        children.extend(enumerate(node.items))
        waiting.extend(((*pointer, step), child) for step, child in reversed(children))


def find(root: Node, pointer: Pointer) -> Node | None:
    """The value at `pointer`; of members with the same key the last, as `json.loads` has it."""
    node: Node | None = root
    for step in pointer:
        node = _child(node, step) if node is not None else None
    return node


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(step, int):
        return node.items[step] if 0 <= step < len(node.items) else None
    return next((member.value for member in reversed(node.members) if member.key == step), None)


def duplicate_keys(root: Node) -> list[tuple[Pointer, int]]:
    """The place and the offset of each key that its object has had before."""
    repeated: list[tuple[Pointer, int]] = []
    for pointer, node in walk(root):
        seen: set[str] = set()
        for member in node.members:
            if member.key in seen:
                repeated.append(((*pointer, member.key), member.key_start))
            seen.add(member.key)
    return repeated


class Lines:
    """Where the lines of a text begin, so that many places are told without reading it again for each."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in LINE_END.finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset, both counted from 1, the column in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def pointer_text(pointer: Pointer) -> str:
    """The place as a JSON pointer (RFC 6901): `/steps/0/tokens_in`, and nothing for the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)
