"""A provider of whole days before a simulator whose ledger is known, and faults for one endpoint of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from reconcile.money.entry import DAY, HOUR, Official, Period
from reconcile.providers.openai.bill import OpenAIBilling
from reconcile.providers.transport import Patience
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall, Use
from reconcile.simulator.faults import Asking, Fault
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator

KEY = "sk-admin-simulated-and-never-shown"
FIRST = date(2026, 1, 5)
PERIOD = Period(FIRST, date(2026, 1, 7))
START = PERIOD.start
NOW = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)
MINI = "gpt-4o-mini-2024-07-18"

MEASURED = (
    "moderations",
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "vector_stores",
    "code_interpreter_sessions",
    "file_search_calls",
    "web_search_calls",
)


def call(hour: float, **facts: Any) -> BilledCall:
    """A call so many hours after the start of the period: 1000 tokens in, 256 of them cached, and 200 out."""
    known = {"tokens_in": 1000, "tokens_out": 200, "cached_tokens": 256, "api_key_id": "key_a", "model": MINI}
    return BilledCall(at=START + hour * HOUR, **(known | facts))


def embedding(hour: float, **facts: Any) -> BilledCall:
    return call(hour, tokens_out=0, cached_tokens=0, model="text-embedding-3-small", endpoint="embeddings", **facts)


def use(endpoint: str, day: int, quantity: int, **facts: Any) -> Use:
    return Use(at=START + day * DAY + 60, endpoint=endpoint, quantity=quantity, **facts)


def billing(simulator: Simulator, **settings: Any) -> OpenAIBilling:
    patience = Patience(tries=3, read_timeout=5, sleep=lambda _: None, random=lambda: 0.0)
    return OpenAIBilling(KEY, simulator.base_url, **({"patience": patience, "now": NOW} | settings))


def fetched(simulator: Simulator, period: Period = PERIOD, until: int | None = None, **settings: Any) -> Official:
    """Everything of a period that is over."""
    asked = {name: settings.pop(name) for name in ("costs", "other", "closed_before") if name in settings}
    return billing(simulator, **settings).fetch(
        period, until=period.end if until is None else until, **({"costs": True, "other": True} | asked)
    )


def asked(simulator: Simulator, path: str) -> list[Asking]:
    return [request for request in simulator.requests if request.path == f"/v1/organization/{path}"]


def at(path: str, *script: Fault | None) -> Fault:
    """Faults of one path, in the order of its replies; after them all are right. To be scripted for every reply."""
    left = list(script)

    def fault(request: Asking, right: Reply) -> Reply:
        if request.path != f"/v1/organization/{path}" or not left:
            return right
        wrong = left.pop(0)
        return wrong(request, right) if wrong else right

    return fault


def spoil(simulator: Simulator, path: str, *script: Fault | None) -> None:
    """Scripts `at` for as many replies as any test asks for."""
    fault = at(path, *script)
    simulator.script(*[fault] * 60)


def row_with(**fields: Any) -> Fault:
    """Changes the first row that the page has; a field of ... is taken away."""

    def edit(page: dict[str, Any]) -> None:
        row = next(row for bucket in page["data"] for row in bucket["results"])
        row.update(fields)
        for name in [name for name, value in fields.items() if value is ...]:
            del row[name]

    return faults.edited(edit)


def on_every_page(edit: Callable[[dict[str, Any]], object]) -> Fault:
    return faults.edited(edit)
