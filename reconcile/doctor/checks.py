"""One thing that was looked at, and how it is; and what a secret key looks like.

Whether a redacted value can be what is left of a secret is decided here. Nothing of it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconcile.doctor.facts import KeyKind
from reconcile.providers.base import ListedKey

MOST_NAMED = 3
"""Things of a kind that a line names; the others are counted."""


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`message` says what was found, `remedy` what to do; None where there is nothing to do. Names in them are
    untrusted."""

    name: str
    status: Health
    message: str
    remedy: str | None = None


def ok(name: str, message: str) -> Check:
    return Check(name=name, status=Health.OK, message=message)


def warning(name: str, message: str, remedy: str) -> Check:
    return Check(name=name, status=Health.WARNING, message=message, remedy=remedy)


def error(name: str, message: str, remedy: str) -> Check:
    return Check(name=name, status=Health.ERROR, message=message, remedy=remedy)


def listed(names: Iterable[object]) -> str:
    """`a, b, c and 4 more`."""
    every: Sequence[str] = [str(name) for name in names]
    left = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {left:,} more" if left > 0 else "")


LEFT_OUT = re.compile(r"\.{2,}|\u2026|\*+")
"""What stands in a redacted value for what is left out."""

FEWEST_SHOWN = 3
"""Characters of a secret's end that make it worth a comparison."""

KEY = re.compile(r"sk-[A-Za-z0-9_-]{12,}")
"""What is no text but a key, wherever it comes from."""

HIDDEN = "[key]"
SHORTEST = 8
"""Characters of a secret: shorter ones would be found in every other word."""


def kind_of(secret: str) -> KeyKind:
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        return KeyKind.MALFORMED
    if secret.startswith("sk-admin-"):
        return KeyKind.ADMIN
    return KeyKind.PROJECT if secret.startswith(("sk-proj-", "sk-svcacct-")) else KeyKind.OTHER


def fitting(secret: str, keys: Iterable[ListedKey]) -> tuple[str, ...]:
    """Ids of the keys whose redacted value begins and ends like the secret."""
    return tuple(dict.fromkeys(key.id for key in keys if _fits(secret, key.redacted)))


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without any of these secrets, and without what looks like another one."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return KEY.sub(HIDDEN, text)


def _fits(secret: str, redacted: str) -> bool:
    first, *between, last = LEFT_OUT.split(redacted) if LEFT_OUT.search(redacted) else (redacted, "?", "")
    shown = len(first) + len(last)
    return (
        not between
        and len(last) >= FEWEST_SHOWN
        and len(secret) > shown
        and secret.startswith(first)
        and secret.endswith(last)
    )
