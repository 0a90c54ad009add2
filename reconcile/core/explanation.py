"""What a schema objects to in a value, as sentences for the person who has to mend it.

The remedy stands in the schema, as `x-remedy` beside the keywords it is about. Where a member is missing, its
description says what to add.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconcile.core.defects import MOST, Defect, named, shown
from reconcile.core.model import Pointer

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def explain(schema: dict[str, Any], value: object) -> list[Defect]:
    """A sentence for each place of the value that the schema objects to; none where the value is valid.

    The pointer of a missing member ends with that member's name.
    """
    # Slow to import, and most passes have nothing to explain.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    defects: dict[Pointer, str] = {}
    for error in islice(Draft202012Validator(schema).iter_errors(value), MOST):
        for pointer, fault, remedy in _faults(error):
            defects.setdefault(pointer, f"{named(pointer)} {fault}; {remedy}")
    return list(defects.items())


def _faults(error: ValidationError) -> Iterator[tuple[Pointer, str, str]]:
    """The place, what is wrong there, and the remedy."""
    at = tuple(error.absolute_path)
    schema: Any = error.schema
    found: Any = error.instance
    limit: Any = error.validator_value
    properties = schema.get("properties", {})
    match error.validator:
        case "required":
            for name in (name for name in limit if name not in found):
                yield (*at, name), "is missing", f"add it: {_clause(properties[name]['description'])}"
        case "additionalProperties":
            for name in (name for name in found if name not in properties):
                yield (*at, name), "is not known here", _instead(str(name), properties)
        case keyword:
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
        case "minItems" | "maxItems":
            return f"is a list of {len(found)}"
        case _:  # pattern, minLength
            return f"is {shown(found)}, which is not in the right form"


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _instead(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"write {close[0]}" if close else f"take it out or write one of {', '.join(known)}"
