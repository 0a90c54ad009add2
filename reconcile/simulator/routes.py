"""The usage endpoints: which records each one shows, under which labels, and the fields of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconcile.runs.run import Json
from reconcile.simulator.calls import BilledCall, Record, Use
from reconcile.simulator.question import QuestionForm

Labels = tuple[str | bool | None, ...]
"""Of a row, in the order of its endpoint's dimensions."""
Amounts = tuple[Any, ...]
"""Whole numbers or decimals that are summed up one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is served below one path."""

    form: QuestionForm
    lines: Callable[[Record], Iterable[tuple[Labels, Amounts]]]
    """What a record adds to the rows: amounts by labels; nothing where it is of another endpoint."""
    result: Callable[[Labels, Amounts], Json]
    """A row of the answer, from its labels (null where they are not grouped by) and the sums of its amounts."""
    clamp: int | None = None
    """Buckets of a page at the most, whatever limit was taken."""


CALLER = {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id"}
MODEL_CALLER = CALLER | {"models": "model"}

OTHER_MEDIA = (
    "input_audio_tokens",
    "input_cached_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "input_cached_image_tokens",
    "output_image_tokens",
)


def _completions(amounts: Amounts) -> dict[str, Json]:
    """Every field the service is known to send."""
    tokens_in, tokens_out, cached, written, requests = amounts
    uncached = tokens_in - cached - written
    return {
        "input_tokens": tokens_in,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_uncached_tokens": uncached,
        "output_tokens": tokens_out,
        "input_text_tokens": uncached,
        "output_text_tokens": tokens_out,
        "input_cached_text_tokens": cached,
        **dict.fromkeys(OTHER_MEDIA, 0),
        "num_model_requests": requests,
    }


def _embeddings(amounts: Amounts) -> dict[str, Json]:
    return {"input_tokens": amounts[0], "num_model_requests": amounts[-1]}


def _counted(*names: str) -> Callable[[Amounts], dict[str, Json]]:
    """Fields of a `Use`: its quantity, and the requests where a second name is given."""
    return lambda amounts: dict(zip(names, amounts, strict=False))


def _amounts(record: Record) -> Amounts:
    if isinstance(record, BilledCall):
        return (record.tokens_in, record.tokens_out, record.cached_tokens, record.cache_write_tokens, 1)
    return (record.quantity, 1) if isinstance(record, Use) else ()


def _lines(name: str, dimensions: tuple[str, ...], record: Record) -> tuple[tuple[Labels, Amounts], ...]:
    """A record has no label for what it knows nothing of; nobody here is a user."""
    if getattr(record, "endpoint", None) != name:
        return ()
    return ((tuple(getattr(record, dimension, None) for dimension in dimensions), _amounts(record)),)


def _result(
    kind: str,
    fields: Callable[[Amounts], dict[str, Json]],
    dimensions: tuple[str, ...],
    labels: Labels,
    amounts: Amounts,
) -> Json:
    """A row with one field more than the service is known to send."""
    return {
        "object": f"organization.usage.{kind}.result",
        **fields(amounts),
        **dict(zip(dimensions, labels, strict=True)),
        "not_in_the_specification": {"simulated": True},
    }


def _endpoint(
    name: str,
    filters: Mapping[str, str],
    fields: Callable[[Amounts], dict[str, Json]],
    *,
    kind: str = "",
    more: tuple[str, ...] = (),
) -> Route:
    dimensions = (*dict.fromkeys(filters.values()), *more)
    return Route(
        form=QuestionForm(path=f"/organization/usage/{name}", dimensions=dimensions, filters=filters),
        lines=partial(_lines, name, dimensions),
        result=partial(_result, kind or name, fields, dimensions),
    )


COMPLETIONS = _endpoint(
    "completions", MODEL_CALLER | {"batch": "batch"}, _completions, more=("service_tier", "api_source")
)
USAGE = (
    COMPLETIONS,
    _endpoint("embeddings", MODEL_CALLER, _embeddings),
    _endpoint("moderations", MODEL_CALLER, _counted("input_tokens", "num_model_requests")),
    _endpoint(
        "images", MODEL_CALLER | {"sizes": "size", "sources": "source"}, _counted("images", "num_model_requests")
    ),
    _endpoint("audio_speeches", MODEL_CALLER, _counted("characters", "num_model_requests")),
    _endpoint("audio_transcriptions", MODEL_CALLER, _counted("seconds", "num_model_requests")),
    _endpoint("vector_stores", {"project_ids": "project_id"}, _counted("usage_bytes")),
    _endpoint("code_interpreter_sessions", {"project_ids": "project_id"}, _counted("num_sessions")),
    _endpoint(
        "file_search_calls",
        CALLER | {"vector_store_ids": "vector_store_id"},
        _counted("num_requests"),
        kind="file_searches",
    ),
    _endpoint(
        "web_search_calls",
        MODEL_CALLER | {"context_levels": "context_level"},
        _counted("num_requests", "num_model_requests"),
        kind="web_searches",
    ),
)
