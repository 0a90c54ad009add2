"""A row of the call log."""

from __future__ import annotations

from collections.abc import Mapping

from reconcile.recording.usage import WRITES, Counted

UNKNOWN_MODEL = "unknown"


def row_of(
    counted: Counted | None,
    started_at: str,
    ended_at: str,
    model: str | None,
    response_id: str | None,
    members: Mapping[str, object],
) -> dict[str, object]:
    """The row of a call, with `members` that only some have. Without usage it has zeros, and says why."""
    found = counted or Counted()
    writes = {f"{name}_tokens": getattr(found, name) for name in WRITES}
    return {
        "started_at": started_at,
        "ended_at": ended_at,
        "model": model or UNKNOWN_MODEL,
        "input_tokens": found.tokens_in,
        "output_tokens": found.tokens_out,
        "cached_tokens": found.cached_tokens,
        **{name: count for name, count in writes.items() if count},
        **({"requests": found.requests} if found.requests > 1 else {}),
        **({"response_id": response_id} if response_id else {}),
        **members,
    }
