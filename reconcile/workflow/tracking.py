"""For programs that keep a usage log: what the provider says, what the log says, and the difference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from reconcile.adapters.providers.openai import BASE_URL
from reconcile.adapters.providers.openai.raw import entries_of_page, raw_usage
from reconcile.adapters.usage_logs.records import Line, lines_of_logs
from reconcile.core.comparing.formats import LogFormat
from reconcile.core.comparing.sides import BadLine, Tokens
from reconcile.core.comparing.tracking import Stats, UsageRecord, UsageRecords, compared, log_stats, provider_stats
from reconcile.errors import UsageError
from reconcile.workflow.comparing import known_prices, period_of
from reconcile.workflow.opening import clock

DETECTED = LogFormat()


def fetch_openai_usage(
    api_key: str,
    start_date: str,
    end_date: str | None = None,
    bucket_width: str = "1d",
    *,
    base_url: str | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Completions usage of whole UTC days, both ends included, as one page of the API: every bucket of every page.

    `end_date` is yesterday where it is None. `base_url` is OPENAI_BASE_URL or OpenAI's where it is None. Only buckets
    that are over are asked for. Raises UsageError, ConfigurationError and ProviderError; the key must be an admin key.
    """
    period = period_of(start_date, end_date, now or clock())
    address = base_url or os.environ.get("OPENAI_BASE_URL") or BASE_URL
    until = int((now or clock()).timestamp())
    return raw_usage(api_key, address, period, bucket_width, until=until, now=now)


def parse_openai_usage_response(response: Mapping[str, Any]) -> Stats:
    """`total_tokens`, `input_tokens`, `cached_tokens`, `output_tokens`, `total_requests`, `estimated_cost`,
    `by_date: [[day, {tokens, requests, cost}]]` and `raw_data`.

    Costs are decimals at list prices by part, model and day; None without the extra `pricing` and where a model has no
    list price. Raises ProviderError where the response is none.
    """
    return provider_stats(tuple(entries_of_page(response)), known_prices(), response)


def parse_usage_logs(
    log_dir: str | os.PathLike[str],
    start_date: str | None = None,
    end_date: str | None = None,
    *,
    time_zone: str | None = None,
    log_format: LogFormat = DETECTED,
) -> UsageRecords:
    """The records of a log, or of all logs in a folder, of these UTC days, both ends included. Bad lines are in `bad`.

    Timestamps without an offset are taken to be of `time_zone`, an IANA name; without one they are bad lines.
    Raises UsageError where there is no log, ConfigurationError where its format or zone is not known.
    """
    dated = replace(log_format, time_zone=_zone(time_zone)) if time_zone else log_format
    records, bad = UsageRecords(), []
    for line in lines_of_logs(os.fspath(log_dir), dated):
        if isinstance(line, BadLine):
            bad.append(line)
        elif (start_date or "") <= (record := _record(line)).date <= (end_date or "9999-12-31"):
            records.append(record)
    if bad and not records:
        raise UsageError(
            f"{bad[0].file}: none of its lines counts; line {bad[0].line}: {bad[0].why}",
            code="no_usable_line",
            remedy="mend the log, or say how it is to be read",
        )
    records.bad = tuple(bad)
    return records


def calculate_usage_stats(records: UsageRecords) -> Stats:
    """`total_records`, `total_requests`, `total_tokens`, `total_cost`, `by_call_type`, `by_scope`, `by_model`,
    `by_date` (the latest first), `average_tokens_per_call`, `average_cost_per_call` and `bad_lines`.

    A cost is None where a line of the group has none.
    """
    return log_stats(records)


def compare_usage(local_stats: Stats, openai_stats: Stats, tolerance: float = 5.0) -> Stats:
    """`local`, `openai` and `difference` of tokens, requests and cost, `reconciled` and `verdict`.

    The verdict is `no_data` where a side is empty; `reconciled` where tokens differ by less than `tolerance` per cent
    and requests not at all; else `mismatch`.
    """
    return compared(local_stats, openai_stats, tolerance)


def _record(line: Line) -> UsageRecord:
    record, said = line.record, line.value.get
    return UsageRecord(
        date=f"{datetime.fromtimestamp(record.quarter, UTC):%Y-%m-%d}",
        tokens=Tokens(*record.parts),
        requests=record.requests,
        cost=record.cost,
        model=record.model,
        call_type=_text(said("call_type")),
        scope=_text(said("scope")),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"{name!r} is no time zone", code="bad_time_zone", remedy="write UTC or an IANA name such as Europe/Berlin"
        ) from error
