"""What is asked of each endpoint for a comparison, and how its rows are read.

Model calls by the hour, so that a clock that is off can be found; everything else by the day, as costs are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

from reconcile.money.entry import Cost, Entry
from reconcile.providers.openai import rows
from reconcile.providers.openai.paging import DAYS, HOURS, Grain, Span
from reconcile.providers.openai.rows import COMPLETIONS, EMBEDDINGS, OTHERS, Endpoint
from reconcile.providers.transport import Params

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic(Generic[T]):
    """One endpoint, asked in one way. `read` makes a value of the start of a bucket and a row, or raises Untrusted."""

    name: str
    path: str
    version: str
    """Of the question: to be changed with the grain, the grouping, or the fields that are kept."""
    grain: Grain
    group_by: tuple[str, ...]
    kept: tuple[str, ...]
    """The fields that a cache keeps: those that `read` reads. Names and addresses of people are not among them."""
    read: Callable[[int, Any], T] = field(repr=False)
    whose: str = "the usage API"
    parse_float: Callable[[str], Any] | None = None
    less: Topic[T] | None = None
    """What is asked instead where the service refuses this."""
    total: Topic[Entry] | None = None
    """The same usage in one row a day, which the rows are held against."""
    late: bool = False
    """Whether a day without rows may be one that is not reported yet, however long ago it ended."""

    def params(self, span: Span) -> Params:
        return [*span.params, *(("group_by", name) for name in self.group_by)]

    def row(self, row: Any) -> Any:  # noqa: ANN401 (a row that was read)
        """What a cache keeps of a row."""
        return {name: row[name] for name in self.kept if name in row}


def _usage(
    endpoint: Endpoint, read: Callable[[Endpoint, int, Any], T], *counts: str, total: Topic[Entry] | None = None
) -> Topic[T]:
    grouped = rows.grouped_by(endpoint)
    told = (endpoint.counted, endpoint.requests, *counts)
    return Topic(
        name=endpoint.name,
        path=endpoint.path,
        version="1",
        grain=HOURS if total else DAYS,
        group_by=grouped,
        kept=("object", *grouped, *(name for name in told if name)),
        read=partial(read, endpoint),
        total=total,
    )


def _calls(endpoint: Endpoint, *counts: str) -> Topic[Entry]:
    whole = replace(_usage(endpoint, rows.entry), group_by=())
    return _usage(endpoint, rows.entry, *counts, total=whole)


def _costs(version: str, group_by: tuple[str, ...], less: Topic[Cost] | None = None) -> Topic[Cost]:
    return Topic(
        name="costs",
        path=rows.PATH,
        version=version,
        grain=DAYS,
        group_by=group_by,
        kept=("object", *group_by, "amount", "quantity", "quantity_unit"),
        read=rows.cost,
        whose="the costs API",
        parse_float=rows.number,
        less=less,
        late=True,
    )


CALLS = (_calls(COMPLETIONS, "output_tokens", *rows.INPUT), _calls(EMBEDDINGS))
MEASURED = tuple(_usage(endpoint, rows.measured) for endpoint in OTHERS)
COSTS = _costs("1", rows.GROUP_BY)
COSTS_BY_KEY = _costs("1-by-key", rows.GROUP_BY_KEY, COSTS)
