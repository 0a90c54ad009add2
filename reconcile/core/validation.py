"""Whether the bytes of a metrics.json are a valid document of their generation, and if not, everything that is wrong.

A valid file is decided quickly: decode, a compiled schema, a few comparisons. Only what fails there is scanned and
explained, so a finding costs milliseconds and a good file microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Any

import jsonschema_rs

from reconcile.core.consistency import contradictions
from reconcile.core.decoding import Obstacle, flaws, lenient_value, obstacle, plain_value, text_of, value_of
from reconcile.core.defects import MOST, Defect, escaped
from reconcile.core.document import Lines, Node, find, pointer_text, scan
from reconcile.core.explanation import explain
from reconcile.core.model import Finding, Generation, Pointer, RunKey

MAX_BYTES = 2_000_000
"""Size of the largest file that is read. Real ones are 5 to 20 kB."""

LONGEST_POINTER = 300

EXPLAINED = 100_000
"""Characters of the longest file of which every defect is told, with its line. Of a longer one it is the first: to
explain a file must not cost more than to read a few."""

FLAWED = (
    "a key is there twice in an object, or a number or a character is none of JSON; the file is too long to tell "
    f"where: shorten it to {EXPLAINED:,} characters and validate it again"
)

UNEXPLAINED = "the file breaks its schema in a way that cannot be told; compare it with one that is valid"
"""For a file that only the compiled schema objects to, which no file should do: it is never taken for valid."""


UNREAD = object()
"""In the place of a value: the text has none, or one that readers take differently."""


@dataclass(frozen=True, slots=True)
class Document:
    """A valid metrics.json: its text as it stands in the file, and the value of that text."""

    path: str
    run: RunKey
    text: str
    value: dict[str, Any]
    generation: Generation


def too_large(path: str, size: int) -> Finding:
    """The finding for a file that is not read because of its size in bytes."""
    message = f"the file has {size} bytes, more than the {MAX_BYTES} that are read; keep logs and outputs elsewhere"
    return Finding(path, 1, 1, "", message)


def generation_of(value: object) -> Generation:
    """Told by content: v1 numbers its steps with `step_number`; everything else counts as v2."""
    steps = value.get("steps") if isinstance(value, dict) else None
    numbered = isinstance(steps, list) and any(isinstance(step, dict) and "step_number" in step for step in steps)
    return Generation.V1 if numbered else Generation.V2


class Checker:
    """Validates any number of files against the schemas of the two generations."""

    def __init__(self, v1_schema: dict[str, Any], v2_schema: dict[str, Any]) -> None:
        self._schemas = {Generation.V1: v1_schema, Generation.V2: v2_schema}
        self._compiled = {
            generation: jsonschema_rs.Draft202012Validator(schema) for generation, schema in self._schemas.items()
        }

    def check(self, path: str, run: RunKey, data: bytes) -> Document | tuple[Finding, ...]:
        """The document, or what is wrong with it in the order of the text. Never raises, whatever the bytes are."""
        text = text_of(data)
        if isinstance(text, Obstacle):
            return (blocked(path, text),)
        value: object = UNREAD
        with suppress(ValueError, RecursionError):
            value = value_of(text)
            generation = generation_of(value)
            sound = self._compiled[generation].is_valid(value) and not any(contradictions(value, run.run_id))
            if sound and isinstance(value, dict):
                return Document(path, run, text, value, generation)
        if len(text) > EXPLAINED:
            return (self._first_finding(path, run, text, value),)
        return findings_in(
            path,
            text,
            schema_of=lambda value: self._schemas[generation_of(value)],
            contradictions_of=lambda value: contradictions(value, run.run_id),
        )

    def _first_finding(self, path: str, run: RunKey, text: str, value: object) -> Finding:
        if value is UNREAD:
            by = obstacle(text)
            return blocked(path, by) if by else Finding(path, 1, 1, "", FLAWED)
        objections = explain(self._schemas[generation_of(value)], value, most=1)
        at, message = next(chain(objections, contradictions(value, run.run_id)), ((), UNEXPLAINED))
        return Finding(path, 1, 1, escaped(pointer_text(at), LONGEST_POINTER), message)


def findings_in(
    path: str,
    text: str,
    *,
    schema_of: Callable[[object], dict[str, Any]],
    contradictions_of: Callable[[object], Iterator[Defect]],
) -> tuple[Finding, ...]:
    """Everything that is wrong with a text which should be one valid document, in the order of the text."""
    by = obstacle(text)
    if by:
        return (blocked(path, by),)
    root, value = scan(text), lenient_value(text)
    found = list(islice(flaws(text, root), MOST))
    objections = explain(schema_of(value), plain_value(text))
    for defects in (objections, islice(contradictions_of(value), MOST)):
        judged = {pointer for _, pointer, _ in found}  # the first to object to a place has the word
        found += [(_offset(root, at), at, message) for at, message in defects if at not in judged]
    found.sort(key=itemgetter(0))
    lines = Lines(text)
    return tuple(_finding(path, lines, *each) for each in found or [(0, (), UNEXPLAINED)])


def located(path: str, text: str, defects: Iterable[Defect]) -> tuple[Finding, ...]:
    """Findings at the places of a valid document that the pointers lead to, or as near to them as there is one."""
    root, lines = scan(text), Lines(text)
    return tuple(_finding(path, lines, _offset(root, at), at, message) for at, message in islice(defects, MOST))


def _finding(path: str, lines: Lines, offset: int, pointer: Pointer, message: str) -> Finding:
    line, column = lines.place(offset)
    return Finding(path, line, column, escaped(pointer_text(pointer), LONGEST_POINTER), message)


def blocked(path: str, by: Obstacle) -> Finding:
    """The finding for bytes that are no document."""
    return _finding(path, Lines(by.text), by.offset, (), by.message)


def _offset(root: Node, pointer: Pointer) -> int:
    """Where the value at `pointer` begins; for a missing member, the object that lacks it."""
    node = find(root, pointer)
    return node.start if node else _offset(root, pointer[:-1])
