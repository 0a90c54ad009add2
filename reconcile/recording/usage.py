"""What a response says that it used, of every shape that is in use. Reads numbers, ids and the model; never text.

- chat completions: `prompt_tokens`, `completion_tokens`, `prompt_tokens_details.cached_tokens`
- responses: `input_tokens`, `output_tokens`, `input_tokens_details.cached_tokens`
- Anthropic messages: `input_tokens`, to which `cache_read_input_tokens` and `cache_creation_input_tokens` are added,
  `output_tokens`, `cache_read_input_tokens`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_NAME = 200
"""Characters of a model's name or of an id; a longer one is none."""

MOST_TOKENS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A response. Input includes cached input, output includes reasoning."""

    tokens_in: int
    tokens_out: int
    cached_tokens: int
    model: str | None
    response_id: str | None


def counted(response: object) -> Counted | None:
    """What a response, an object or a dictionary, counts; None where it does not say."""
    tokens = _tokens(member(response, "usage"))
    if tokens is None or tokens[2] > tokens[0] or max(tokens) > MOST_TOKENS:
        return None
    return Counted(
        tokens_in=tokens[0],
        tokens_out=tokens[1],
        cached_tokens=tokens[2],
        model=name_of(member(response, "model")),
        response_id=name_of(member(response, "id")),
    )


def member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def name_of(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None


def _tokens(usage: object) -> tuple[int, int, int] | None:
    whole, out = _count(member(usage, "prompt_tokens")), _count(member(usage, "completion_tokens"))
    if whole is not None:
        cached = _cached(usage, "prompt_tokens_details")
        return None if out is None else (whole, out, cached)
    whole, out = _count(member(usage, "input_tokens")), _count(member(usage, "output_tokens"))
    if whole is None or out is None:
        return None
    read, made = (_count(member(usage, f"cache_{kind}_input_tokens")) for kind in ("read", "creation"))
    if read is not None or made is not None:
        return whole + (read or 0) + (made or 0), out, read or 0
    return whole, out, _cached(usage, "input_tokens_details")


def _cached(usage: object, details: str) -> int:
    return _count(member(member(usage, details), "cached_tokens")) or 0


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
