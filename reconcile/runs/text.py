"""From the bytes of a file to a JSON value, and what keeps bytes from being one.

The quick way, `value_of`, only notices that something is wrong; `obstacle` and `flaws` find out what and where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from reconcile.runs.document import TOKEN, Node, NodeKind, duplicate_keys, walk
from reconcile.runs.run import is_lfs_pointer
from reconcile.words import Pointer, named, shortened

MAX_DEPTH = 100
"""Levels of objects and arrays in a document, the outermost included. Real files have six."""

CONTAINER = (dict, list)

SCALARS = frozenset({NodeKind.STRING, NodeKind.NUMBER, NodeKind.LITERAL})

BOM = "\ufeff"

POINTED = "is a Git LFS pointer; keep run files out of LFS"

SURROGATE_ESCAPE = re.compile(r"\\u[dD]")

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair that stands for one character; `json.loads` has joined the whole pairs by now."""

LONE = "holds half a surrogate pair, which is no character; write the whole pair or the character itself"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why bytes are no JSON document: `offset` is the place in `text`, as far as it can be read."""

    text: str
    offset: int
    message: str


def text_of(data: bytes) -> str | Obstacle:
    """The text of a file that is UTF-8 without a byte order mark (RFC 8259, section 8.1), and the file itself."""
    if is_lfs_pointer(data):
        return Obstacle("", 0, POINTED)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode()
        message = f"byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        return Obstacle(readable, len(readable), message)
    if text.startswith(BOM):
        return Obstacle(text, 0, "the file begins with a byte order mark; save it as UTF-8 without one")
    return text


def value_of(text: str) -> object:
    """The value of a text that has neither an obstacle nor a flaw. Raises ValueError or RecursionError for others."""
    value: object = _STRICT.decode(text)
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError
    if SURROGATE_ESCAPE.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError
    return number


def _refused(_: str) -> NoReturn:
    raise ValueError


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refused)


def _depth(value: object) -> int:
    depth, layer = 0, [value] if isinstance(value, CONTAINER) else []
    while layer:
        depth += 1
        inside = (part.values() if isinstance(part, dict) else part for part in layer)
        layer = [child for parts in inside for child in parts if isinstance(child, CONTAINER)]
    return depth


def obstacle(text: str) -> Obstacle | None:
    """What keeps the text from having a value at all."""
    if not text.strip():
        return Obstacle(text, 0, "the file is empty; let the run write its file again")
    too_deep = _too_deep(text)
    if too_deep is not None:
        message = f"objects and arrays are nested more than {MAX_DEPTH} levels deep; write them flatter"
        return Obstacle(text, too_deep, message)
    try:
        lenient_value(text)
    except json.JSONDecodeError as error:
        fault = error.msg[:1].lower() + error.msg[1:]
        return Obstacle(text, error.pos, f"this is not JSON: {fault}; mend it or let the run write its file again")
    return None


def _too_deep(text: str) -> int | None:
    """The offset of the first bracket that opens one level too many."""
    depth = 0
    for token in TOKEN.finditer(text):
        mark = text[token.start()]
        depth += (mark in "{[") - (mark in "}]")
        if depth > MAX_DEPTH:
            return token.start()
    return None


def lenient_value(text: str) -> object:
    """The value of a text that may have flaws. Raises JSONDecodeError where it is no JSON."""
    value: object = json.loads(text, parse_int=_integer)
    return value


def plain_value(text: str) -> object:
    """The value of a text, for a validator that takes nothing but JSON: in the place of what is none, and a flaw by
    itself, stands a zero or a question mark."""
    value: object = json.loads(text, parse_int=_whole, parse_float=_some, parse_constant=lambda _: 0)
    if SURROGATE_ESCAPE.search(text):
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _whole(digits: str) -> int:
    found = _integer(digits)
    return found if isinstance(found, int) else 0


def _some(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else 0.0


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # Python converts 4,300 digits and no more
        return math.inf


def flaws(text: str, root: Node) -> Iterator[tuple[int, Pointer, str]]:
    """What a reader of JSON may take in its own way: the offset, the place and a sentence for each."""
    for pointer, offset in duplicate_keys(root):
        yield offset, pointer, f"{named(pointer)} is there twice, and readers differ on which counts; keep one of them"
    for pointer, node in walk(root):
        fault = _flaw(node.kind, text[node.start : node.end]) if node.kind in SCALARS else None
        if fault:
            yield node.start, pointer, f"{named(pointer)} {fault}"
        for member in node.members:
            if LONE_SURROGATE.search(member.key):
                yield member.key_start, (*pointer, member.key), f"the key of {named((member.key,))} {LONE}"


def _flaw(kind: NodeKind, spelling: str) -> str | None:
    if kind is NodeKind.STRING and SURROGATE_ESCAPE.search(spelling) and LONE_SURROGATE.search(json.loads(spelling)):
        return LONE
    if kind is NodeKind.LITERAL and spelling not in {"true", "false", "null"}:
        return f"is {spelling}, which JSON does not have; write a number or take the member out"
    if kind is NodeKind.NUMBER and lenient_value(spelling) in {math.inf, -math.inf}:
        return f"is {shortened(spelling)}, a number too large to be read; write the true figure"
    return None
