"""What is wrong at one place of a document, and how a sentence names and shows what stands there.

A document is untrusted: everything that is quoted from it is shortened and escaped to plain ASCII, and what looks like
a secret key is not shown at all.
"""

from __future__ import annotations

import json
from typing import TypeAlias

Pointer: TypeAlias = tuple[str | int, ...]
"""A place in a JSON document: the keys and indexes that lead to it."""


Defect: TypeAlias = tuple[Pointer, str]
"""A place, and one sentence that says what is wrong there and how to mend it."""

LONGEST = 60
"""Characters of a value that are shown."""

MOST = 1000
"""Defects of one kind that are told of one file: a hostile one can hold millions."""

KEY_PREFIX = "sk-"
"""How secret API keys begin."""


def shown(value: object) -> str:
    """The value as JSON, in short."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str() if value.startswith(KEY_PREFIX):
            return f'"{KEY_PREFIX}..."'
        case str():
            return shortened(json.dumps(value[: LONGEST + 1]))
        case _:
            return shortened(json.dumps(value, default=str))


def named(pointer: Pointer) -> str:
    """The innermost name on the way to a place: `tokens_in`, `steps[2]`."""
    if not pointer:
        return "the document"
    last = pointer[-1]
    if isinstance(last, int):
        return f"{named(pointer[:-1])}[{last}]"
    return escaped(str(last))


def escaped(text: str, longest: int = LONGEST) -> str:
    """Untrusted text in short, on one line, in plain ASCII."""
    return shortened(json.dumps(text[: longest + 1])[1:-1], longest)


def shortened(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def plural(count: int, noun: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
