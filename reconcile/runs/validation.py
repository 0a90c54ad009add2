"""Whether the bytes of a metrics.json are a valid document of their generation, and if not, everything that is wrong.

A valid file is decided quickly: decode, a compiled schema, a few comparisons. Only what fails there is scanned and
explained, so a finding costs milliseconds and a good file microseconds. What a schema objects to becomes a sentence for
the person who has to mend it. The remedy stands in the schema, as `x-remedy` beside the keywords it is about; where a
member is missing, its description says what to add.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

import jsonschema_rs

from reconcile.runs.consistency import contradictions
from reconcile.runs.document import Lines, Node, find, pointer_text, scan
from reconcile.runs.run import Finding, Generation, RunKey
from reconcile.runs.text import Obstacle, flaws, lenient_value, obstacle, plain_value, text_of, value_of
from reconcile.words import MOST, Defect, Pointer, escaped, named, shown

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


TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def explain(schema: dict[str, Any], value: object, most: int = MOST) -> list[Defect]:
    """A sentence for each place of the value that the schema objects to; none where the value is valid.

    The pointer of a missing member ends with that member's name.
    """
    defects: dict[Pointer, str] = {}
    for objection in islice(_objections(schema, value, most), most):
        for pointer, fault, remedy in _faults(objection):
            defects.setdefault(pointer, f"{named(pointer)} {fault}; {remedy}")
    return list(defects.items())


class _Objection(NamedTuple):
    """A keyword that a value does not meet, and the part of the schema it stands in."""

    at: Pointer
    keyword: str
    schema: Any
    found: Any


def _objections(schema: dict[str, Any], value: object, most: int) -> Iterator[_Objection]:
    """By the compiled validator, which takes milliseconds for what takes the other one seconds; that one has the word
    on values that are no JSON, as YAML can hold them."""
    compiled = jsonschema_rs.Draft202012Validator(schema)
    try:
        found = compiled.iter_errors(value) if most > 1 else _first(compiled, value)
    except ValueError:
        yield from _slow_objections(schema, value)
        return
    for error in found:
        *inside, keyword = error.schema_path
        yield _Objection(
            tuple(error.instance_path), str(keyword), _part(schema, inside), _part(value, error.instance_path)
        )


def _first(compiled: jsonschema_rs.Draft202012Validator, value: object) -> Iterable[jsonschema_rs.ValidationError]:
    """One objection, without a look for others."""
    try:
        compiled.validate(value)
    except jsonschema_rs.ValidationError as error:
        return (error,)
    return ()


def _slow_objections(schema: dict[str, Any], value: object) -> Iterator[_Objection]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  slow to import, and hardly ever needed

    for error in Draft202012Validator(schema).iter_errors(value):
        yield _Objection(tuple(error.absolute_path), str(error.validator), error.schema, error.instance)


def _part(whole: Any, path: Iterable[str | int]) -> Any:  # noqa: ANN401  # of any schema and any value
    for step in path:
        whole = whole[step]
    return whole


def _faults(objection: _Objection) -> Iterator[tuple[Pointer, str, str]]:
    """The place, what is wrong there, and the remedy."""
    at, _, schema, found = objection
    limit: Any = schema[objection.keyword]
    properties = schema.get("properties", {})
    match objection.keyword:
        case "required":
            for name in (name for name in limit if name not in found):
                yield (*at, name), "is missing", f"add it: {_clause(properties[name]['description'])}"
        case "additionalProperties":
            for name in (name for name in found if name not in properties):
                yield (*at, name), "is not known here", _instead(str(name), properties)
        case keyword if "x-remedy" in schema:
            yield at, _fault(keyword, limit, found), schema["x-remedy"]


def _fault(keyword: object, limit: Any, found: Any) -> str:  # noqa: ANN401  # parts of any schema and any value
    match keyword:
        case "type":
            wanted = [limit] if isinstance(limit, str) else limit
            return f"is {shown(found)}, not {' or '.join(TYPES[name] for name in wanted)}"
        case "enum":
            return f"is {shown(found)}, none of {', '.join(limit)}"
        case "minimum":
            return f"is {shown(found)}, less than {limit}"
        case "maximum":
            return f"is {shown(found)}, more than {limit}"
        case "not":
            return f"does not belong here (it is {shown(found)})"
        case "minItems" | "maxItems" | "maxLength":
            return f"is a list of {len(found)}" if isinstance(found, list) else f"has {len(found)} characters"
        case _:  # pattern, minLength
            return f"is {shown(found)}, which is not in the right form"


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _instead(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"write {close[0]}" if close else f"take it out or write one of {', '.join(known)}"
