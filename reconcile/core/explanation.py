"""What a schema objects to in a value, as sentences for the person who has to mend it.

The remedy stands in the schema, as `x-remedy` beside the keywords it is about. Where a member is missing, its
description says what to add.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import jsonschema_rs

from reconcile.core.defects import MOST, Defect, named, shown
from reconcile.core.model import Pointer

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
