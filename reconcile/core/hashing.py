"""Ids of keys and projects in a document for others, replaced by hashes: equal ones stay equal, and name nothing.

An id is no secret, and a hash of one is no lock: who has a list of ids can tell which is which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from reconcile.core.model import Json

LENGTH = 12
"""Hexadecimal digits: among a million ids, two are alike once in five hundred such documents."""
SHAPES = r"(?:key|proj)_[A-Za-z0-9]{8,}"
"""What the provider's ids look like, for those that stand in a message only."""


def hashed(document: Json, ids: Iterable[str]) -> Json:
    """The document with these ids, and all that look like one, replaced wherever they stand in a text."""
    known = sorted((re.escape(each) for each in set(ids) if each), key=len, reverse=True)
    pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join([*known, SHAPES])})(?![A-Za-z0-9_])")
    return _replaced(document, pattern)


def _replaced(value: Json, pattern: re.Pattern[str]) -> Json:
    match value:
        case str():
            return pattern.sub(lambda match: pseudonym(match[0]), value)
        case list():
            return [_replaced(each, pattern) for each in value]
        case dict():
            return {name: _replaced(each, pattern) for name, each in value.items()}
        case _:
            return value


def pseudonym(name: str) -> str:
    """`key-3f9a0c1b2d4e`."""
    kind = "project" if name.startswith("proj_") else "key"
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:LENGTH]}"
