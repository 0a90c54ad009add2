"""For programs that keep a usage log: what the provider says, what the log says, and the difference."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

from reconcile.errors import UsageError
from reconcile.ledger.formats import LogFormat
from reconcile.ledger.readers.records import LogLine, lines_of_logs
from reconcile.ledger.tracking import (
    LogStats,
    ProviderStats,
    UsageComparison,
    UsageRecord,
    UsageRecords,
    compared,
    log_stats,
    provider_stats,
)
from reconcile.ledger.usage_logs import day_of, known_prices, period_of
from reconcile.money.entry import midnight
from reconcile.providers.openai.asking import BASE_URL
from reconcile.providers.openai.raw import entries_of_page, raw_usage
from reconcile.runs.state import Policy
from reconcile.usage import Tokens
from reconcile.workspace import clock

DETECTED = LogFormat()
DATES = ("start_date", "end_date")
SETTLED = Policy().min_age
URL_VARIABLE, GATEWAY_VARIABLE = "RECONCILE_OPENAI_URL", "OPENAI_BASE_URL"


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

    `end_date` is today where it is None. `base_url` is that of the variable RECONCILE_OPENAI_URL, else OpenAI's, where
    it is None; OPENAI_BASE_URL, where calls are sent, is ignored, and a UserWarning says so where it differs. Only
    buckets are asked for that were over half an hour ago: usage is reported that late. `now`: an aware instant; the
    clock where it is None. Raises UsageError, ConfigurationError and ProviderError, among them that of a key that is
    no admin key.
    """
    moment = (now or clock()).astimezone(UTC)
    period = period_of(start_date, end_date or f"{moment:%Y-%m-%d}", moment, DATES)
    address = (base_url or os.environ.get(URL_VARIABLE) or BASE_URL).rstrip("/")
    if base_url is None and (os.environ.get(GATEWAY_VARIABLE) or address).rstrip("/") != address:
        warnings.warn(f"{GATEWAY_VARIABLE} is ignored; to ask elsewhere, set {URL_VARIABLE}", stacklevel=2)
    return raw_usage(api_key, address, period, bucket_width, until=int((moment - SETTLED).timestamp()), now=now)


def parse_openai_usage_response(response: Mapping[str, Any]) -> ProviderStats:
    """The sums of an answer of the usage API, over all and by UTC day, and the answer itself as `raw_data`.

    `estimated_cost` is at list prices by part, model and day; NaN without the extra `pricing`, and where a model has no
    list price. Raises ProviderError where the response is none.
    """
    return provider_stats(entries_of_page(response), known_prices(), response)


def parse_usage_logs(
    log_dir: str | os.PathLike[str],
    start_date: str | None = None,
    end_date: str | None = None,
    *,
    time_zone: str | None = None,
    log_format: LogFormat = DETECTED,
) -> UsageRecords:
    """The records of a log, or of all logs in a folder, of these UTC days, both ends included. Bad lines are in `bad`.

    Timestamps without an offset are of `time_zone`, an IANA name. Where none is stated they are taken for this
    machine's local time, which is what `datetime.now()` writes, and a UserWarning says so.
    Raises UsageError where there is no log and where none of its lines counts, ConfigurationError where its format is
    not known, StoreError where it cannot be read.
    """
    local = _LocalTime()
    zone = _zone(time_zone) if time_zone else log_format.time_zone or local
    start = midnight(day_of(start_date, DATES[0])) if start_date else -inf
    end = midnight(day_of(end_date, DATES[1]) + timedelta(days=1)) if end_date else inf
    if start >= end:
        raise UsageError(
            f"start_date is {start_date} and end_date {end_date}", code="bad_period", remedy="start before the end"
        )
    found = lines_of_logs(os.fspath(log_dir), replace(log_format, time_zone=zone), start, end)
    if found.bad and not found.sound:
        first = found.bad[0]
        raise UsageError(
            f"{first.file}: none of its lines counts; line {first.line}: {first.why}",
            code="no_usable_line",
            remedy="mend the log, or say with log_format how it is to be read",
        )
    if local.asked:
        warnings.warn(
            f"{log_dir}: timestamps without an offset were taken for this machine's local time; state time_zone",
            stacklevel=2,
        )
    return UsageRecords(map(_record, found.inside), found.bad)


def calculate_usage_stats(records: Sequence[UsageRecord]) -> LogStats:
    """The sums of a log: over all, and by call type, scope, model and UTC day. Logs that belong together are added up
    by giving their records together: `[*production, *staging]`.
    """
    return log_stats(records)


def compare_usage(local_stats: LogStats, openai_stats: ProviderStats, tolerance: float = 5.0) -> UsageComparison:
    """Both sides and local less the provider's, absolute and in per cent of the provider's.

    `verdict` is `no_data` where a side has no usage; `reconciled` where input and output tokens each differ by less
    than `tolerance` per cent, and requests not at all; else `mismatch`. Costs are shown and not tested: here one is an
    estimate, and the other what the log says.
    """
    return compared(local_stats, openai_stats, tolerance)


class _LocalTime(tzinfo):
    """This machine's own zone, and whether anything was taken to be of it."""

    asked = False

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        self.asked = True
        return moment.replace(tzinfo=None).astimezone().utcoffset() if moment else None

    def dst(self, _: datetime | None) -> None:
        """Not told: an offset is all that is asked for."""

    def tzname(self, _: datetime | None) -> None:
        """Not told."""


def _record(line: LogLine) -> UsageRecord:
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
            f"time_zone: {name!r} is no time zone",
            code="bad_time_zone",
            remedy="write UTC or an IANA name such as Europe/Berlin",
        ) from error
