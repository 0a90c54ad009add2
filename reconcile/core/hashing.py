"""Ids of keys and projects in a document for others, replaced by hashes: equal ones stay equal, and name nothing.

An id is no secret, and a hash of one is no lock: who has a list of ids can tell which is which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set

from reconcile.core.model import Json

LENGTH = 12
"""Hexadecimal digits: among a million ids, two are alike once in five hundred such documents."""
SHAPES = r"(?:key|proj)_(?:[A-Za-z0-9]{8,}|(?=[A-Za-z]*[0-9])[A-Za-z0-9]{4,})"
"""What the provider's ids look like, and made-up ones, for those that stand in a message only."""
LONG = 12
"""Characters of an id that no other word holds by chance: it is replaced within words too, as in the name of a run."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def hashed(document: Json, ids: Iterable[str], codes: Set[str] = frozenset()) -> Json:
    """The document with these ids, and all that look like one, replaced wherever they stand in a text.

    An id may be any word, and who writes a run's file chooses it. So what is told by a code, an amount or a day stays
    as it is: the members named in `codes`, and texts that are a day.
    """
    known = sorted(filter(None, set(ids)), key=len, reverse=True)
    within = [re.escape(each) for each in known if len(each) >= LONG]
    alone = [*(re.escape(each) for each in known if len(each) < LONG), SHAPES]
    pattern = re.compile("|".join([*within, rf"(?<![A-Za-z0-9_])(?:{'|'.join(alone)})(?![A-Za-z0-9_])"]))
    return _replaced(document, pattern, codes)


def _replaced(value: Json, pattern: re.Pattern[str], codes: Set[str]) -> Json:
    match value:
        case str():
            return value if DAY.fullmatch(value) else pattern.sub(lambda match: pseudonym(match[0]), value)
        case list():
            return [_replaced(each, pattern, codes) for each in value]
        case dict():
            return {name: each if name in codes else _replaced(each, pattern, codes) for name, each in value.items()}
        case _:
            return value


def pseudonym(name: str) -> str:
    """`key-3f9a0c1b2d4e`."""
    kind = "project" if name.startswith("proj_") else "key"
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:LENGTH]}"
