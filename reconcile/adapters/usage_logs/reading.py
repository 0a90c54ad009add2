"""Reads logs, whatever their size: by line, or with embedded DuckDB where that can prove to do the same."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.adapters.usage_logs import database
from reconcile.adapters.usage_logs.files import Pattern, find
from reconcile.adapters.usage_logs.streaming import format_of, stream
from reconcile.core.comparing.formats import LogFormat
from reconcile.core.comparing.scroll import Scroll
from reconcile.core.comparing.sides import UsageLog


def read_logs(
    patterns: Sequence[Pattern], log_format: LogFormat | Sequence[LogFormat], start: int, end: int
) -> UsageLog:
    """All that the logs hold of the period from `start` to `end`, in Unix seconds, and MARGIN around it.

    The format is one for all patterns, or one for each.

    Raises UsageError where a pattern matches nothing, ConfigurationError where a format is not known, and StoreError
    where a file cannot be read whole: then nothing of it counts.
    """
    files = find(patterns)
    given = [log_format] * len(patterns) if isinstance(log_format, LogFormat) else log_format
    formats = [format_of(file, given[file.pattern]) for file in files]
    scroll = database.summed(files, formats, start, end) if database.large(files) and database.available() else None
    if scroll is None:
        scroll = Scroll(start, end, closely=not database.large(files))
        stream(files, formats, scroll)
    return scroll.result()
