"""A log record by record, for programs: everything a line says, of as many lines as fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from reconcile.adapters.usage_logs.files import find
from reconcile.adapters.usage_logs.streaming import columns_of, format_of, lines_of
from reconcile.core.comparing.formats import LogFormat, Shape
from reconcile.core.comparing.lines import LineParser, Record
from reconcile.core.comparing.scroll import MOST_BYTES
from reconcile.core.comparing.sides import BadLine


@dataclass(frozen=True, slots=True)
class Line:
    """A line that counts: what it tells, and all that it says."""

    record: Record
    value: Mapping[str, Any]


def lines_of_logs(path: str, log_format: LogFormat) -> Iterator[Line | BadLine]:
    """The lines of a file, of those that match a pattern, or of all logs in a folder, one after the other.

    Raises as `read_logs` does.
    """
    for file in find([(None, path)]):
        shaped = format_of(file, log_format)
        csv = shaped.shape is Shape.CSV
        parser = LineParser(shaped, columns_of(file) if csv else ())
        with closing(lines_of(file)) as lines:
            for number, line in enumerate(lines, 1):
                if (csv and number == 1) or (line is not None and (not line or line.isspace())):
                    continue
                found = (
                    f"the line has more than {MOST_BYTES:,} bytes"
                    if line is None
                    else parser.parse(line, first=number == 1)
                )
                if isinstance(found, str):
                    yield BadLine(file=file.path, line=number, why=found)
                elif found is not None and line is not None and not found.aborted:
                    yield Line(found, parser.value_of(line))
