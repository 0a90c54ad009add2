"""API keys as a provider lists them: never a secret, only what is left of it in its redacted value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconcile.errors import ReconcileError


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """One key of one project. Names are its owner's text; two keys may have the same."""

    id: str
    name: str
    redacted: str
    """`sk-abc...def`: its beginning and its end."""
    project_id: str
    project: str
    archived: bool = False
    """Whether its project is."""
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What one question to a provider came to."""

    asked_at: datetime
    """By this machine's clock, when the answer had come."""
    served_at: datetime | None = None
    """By the provider's, where it tells."""
    local: bool = False
    """Whether the provider is on this machine, as a simulator is."""
    problem: ReconcileError | None = None
    """Why the key was refused, or nobody answered."""
