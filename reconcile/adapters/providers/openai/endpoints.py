"""The usage endpoints of the specification: what each counts, in which unit, and by what it can be told apart.

A table and no code. Two result objects are not named like their path: `file_searches` and `web_searches`.
"""

from __future__ import annotations

from dataclasses import dataclass

CALLER = ("project_id", "user_id", "api_key_id")
CALLER_FILTERS = ("project_ids", "user_ids", "api_key_ids")
MODEL_CALLER = (*CALLER, "model")
MODEL_FILTERS = (*CALLER_FILTERS, "models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One path below /organization/usage/."""

    name: str
    """Last part of the path."""
    result: str
    """Between `organization.usage.` and `.result` in the object of its rows."""
    unit: str
    """Of `counted`, in the words of a report."""
    counted: str
    """The field that holds the quantity."""
    requests: str | None
    """The field that holds the requests to a model; None where the endpoint tells of none."""
    group_by: tuple[str, ...]
    filters: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"/organization/usage/{self.name}"

    @property
    def object(self) -> str:
        return f"organization.usage.{self.result}.result"


COMPLETIONS = Endpoint(
    name="completions",
    result="completions",
    unit="input_tokens",
    counted="input_tokens",
    requests="num_model_requests",
    group_by=(*MODEL_CALLER, "batch", "service_tier"),
    filters=(*MODEL_FILTERS, "batch"),
)
EMBEDDINGS = Endpoint(
    name="embeddings",
    result="embeddings",
    unit="input_tokens",
    counted="input_tokens",
    requests="num_model_requests",
    group_by=MODEL_CALLER,
    filters=MODEL_FILTERS,
)
OTHERS = (
    Endpoint(
        name="moderations",
        result="moderations",
        unit="input_tokens",
        counted="input_tokens",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="images",
        result="images",
        unit="images",
        counted="images",
        requests="num_model_requests",
        group_by=(*MODEL_CALLER, "size", "source"),
        filters=(*MODEL_FILTERS, "sizes", "sources"),
    ),
    Endpoint(
        name="audio_speeches",
        result="audio_speeches",
        unit="characters",
        counted="characters",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="audio_transcriptions",
        result="audio_transcriptions",
        unit="seconds",
        counted="seconds",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="vector_stores",
        result="vector_stores",
        unit="usage_bytes",
        counted="usage_bytes",
        requests=None,
        group_by=("project_id",),
        filters=("project_ids",),
    ),
    Endpoint(
        name="code_interpreter_sessions",
        result="code_interpreter_sessions",
        unit="sessions",
        counted="num_sessions",
        requests=None,
        group_by=("project_id",),
        filters=("project_ids",),
    ),
    Endpoint(
        name="file_search_calls",
        result="file_searches",
        unit="requests",
        counted="num_requests",
        requests=None,
        group_by=(*CALLER, "vector_store_id"),
        filters=(*CALLER_FILTERS, "vector_store_ids"),
    ),
    Endpoint(
        name="web_search_calls",
        result="web_searches",
        unit="requests",
        counted="num_requests",
        requests="num_model_requests",
        group_by=(*MODEL_CALLER, "context_level"),
        filters=(*MODEL_FILTERS, "context_levels"),
    ),
)
ENDPOINTS = (COMPLETIONS, EMBEDDINGS, *OTHERS)
