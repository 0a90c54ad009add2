"""What a response says that it used, of every shape that is in use. Reads numbers, ids and the model; never text.

- chat completions, LiteLLM: `prompt_tokens`, `completion_tokens`, `prompt_tokens_details.cached_tokens` and, in that,
  `cache_write_tokens`
- responses, the Agents SDK: `input_tokens`, `output_tokens`, `input_tokens_details.cached_tokens` and, in that,
  `cache_write_tokens` and its details by lifetime, `requests`
- Anthropic messages: `input_tokens`, to which `cache_read_input_tokens` and `cache_creation_input_tokens` are added,
  `output_tokens`, and `iterations` of compaction and of an advisor, which come on top
- LangChain messages: `input_tokens`, all included, `output_tokens`, `input_token_details.cache_read`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from reconcile.usage import NO_TOKENS, Tokens, sum_of

LONGEST_NAME = 200
"""Characters of a model's name or of an id; a longer one is none."""

MOST_TOKENS = 10**12

ON_TOP = {"compaction", "advisor_message"}
"""Iterations of a message whose tokens its own figures leave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a response counts."""

    tokens: Tokens = NO_TOKENS
    requests: int = 1
    """How many requests the tokens are the sum of."""
    model: str | None = None
    response_id: str | None = None

    @property
    def bare(self) -> Counted:
        """The numbers alone."""
        return replace(self, model=None, response_id=None)


def total(parts: Sequence[Counted]) -> Counted:
    """The sum, of as many requests as all of them."""
    return Counted(tokens=sum_of(part.tokens for part in parts), requests=sum(part.requests for part in parts))


LIFETIMES = {
    "cache_write_5m": "ephemeral_5m_input_tokens",
    "cache_write_30m": "ttl_30m_tokens",
    "cache_write_1h": "ephemeral_1h_input_tokens",
    "cache_write_12h": "ttl_12h_tokens",
}
"""What is written to a cache for how long: Anthropic's names of five minutes and an hour, OpenAI's of the others."""


def counted(response: object) -> Counted | None:
    """What a response, an object or a dictionary, counts; None where it does not say."""
    return usage_of(member(response, "usage"), member(response, "model"), member(response, "id"))


def usage_of(usage: object, model: object, response_id: object) -> Counted | None:
    """The usage, with the names of what it is of; None where it is no usage."""
    tokens = _tokens(usage)
    if tokens is None:
        return None
    requests = _count(member(usage, "requests"))
    whole, read = tokens.input, tokens.cache_read
    if read > whole or max(whole, *tokens.counts) > MOST_TOKENS or not _in_range(requests):
        return None
    if tokens.written > whole:
        tokens = _parts(whole, tokens.output, read)
    return Counted(
        tokens=tokens,
        requests=1 if requests is None else requests,
        model=name_of(model),
        response_id=name_of(response_id),
    )


def member(value: object, name: str) -> object:
    """A member of an object or a dictionary; None where there is none, or where it cannot be had."""
    with suppress(Exception):  # of a property of whatever library
        return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return None


def name_of(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None


MOST_REQUESTS = 1_000_000


def _in_range(requests: int | None) -> bool:
    """Whether as many requests can stand in a row. The Agents SDK says 0 where a response told no usage."""
    return requests is None or 0 < requests <= MOST_REQUESTS


Writes: TypeAlias = Mapping[str, int]
"""By field of `Tokens`, what was written to a cache."""


def _parts(whole: int, out: int, read: int, written: Writes = MappingProxyType({})) -> Tokens:
    """The parts of an input that has all of them in it, and the output."""
    return Tokens(uncached=whole - read - sum(written.values()), cache_read=read, output=out, **written)


def _tokens(usage: object) -> Tokens | None:
    """What the usage says; None where it is none."""
    whole, out = _count(member(usage, "prompt_tokens")), _count(member(usage, "completion_tokens"))
    if whole is not None:
        return None if out is None else _parts(whole, out, _cached(usage, "prompt_tokens_details"), _written(usage))
    whole, out = _count(member(usage, "input_tokens")), _count(member(usage, "output_tokens"))
    if whole is None or out is None:
        return None
    read, made = (_count(member(usage, f"cache_{kind}_input_tokens")) for kind in ("read", "creation"))
    if read is not None or made is not None:
        own = _parts(whole + (read or 0) + (made or 0), out, read or 0, _written(usage))
        return sum_of([own, *_on_top(usage)])
    details = member(usage, "input_token_details")
    if details is not None:
        read = _count(member(details, "cache_read")) or 0
        return _parts(whole, out, read, _lifetimes(details, _count(member(details, "cache_creation")) or 0))
    own = _parts(whole, out, _cached(usage, "input_tokens_details"), _written(usage, "input_tokens_details"))
    return sum_of([own, *_on_top(usage)])


def _on_top(usage: object) -> Iterable[Tokens]:
    iterations = member(usage, "iterations")
    for each in iterations if isinstance(iterations, list | tuple) else ():
        tokens = _tokens(each) if member(each, "type") in ON_TOP else None
        if tokens is not None:
            yield tokens


def _cached(usage: object, details: str) -> int:
    return _count(member(member(usage, details), "cached_tokens")) or 0


def _written(usage: object, details: str = "prompt_tokens_details") -> Writes:
    """What was written to the cache, by lifetime as far as that is told."""
    inner = member(usage, details)
    totals = (
        member(usage, "cache_creation_input_tokens"),
        member(inner, "cache_write_tokens"),
        member(inner, "cache_creation_tokens"),
    )
    made = next((each for each in map(_count, totals) if each is not None), 0)
    told = (
        member(usage, "cache_creation")
        or member(inner, "cache_write_tokens_details")
        or member(inner, "cache_creation_token_details")
    )
    return _lifetimes(told, made)


def _lifetimes(told: object, made: int) -> Writes:
    """The writes: what is told by lifetime, and what is left of all that was made."""
    known = {field: _count(member(told, name)) or 0 for field, name in LIFETIMES.items()}
    return known | {"cache_write": max(made - sum(known.values()), 0)}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
