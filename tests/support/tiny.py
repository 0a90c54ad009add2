"""A second provider, as small as one can be. Its double is a list of calls and the instant up to which it has told all.

It tells single calls and no requests by the minute, leaves quiet minutes out, and says by a watermark how far it is.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconcile.providers import HOMES
from reconcile.providers.base import Abilities, Fetched, Provider, Unit, Whole, minutes_of_calls
from reconcile.usage import Call


def declare(name, **abilities):
    """A provider of that name that can do so much."""
    return Provider(
        name=name,
        title=name.title(),
        abilities=Abilities(whole=Whole.WATERMARK, page_minutes=60, keeps=timedelta(days=31), **abilities),
        key_id=re.compile("tiny_[a-z]+"),
        key_example="tiny_abc",
        key_page="https://tiny.example/keys",
        key_variable="TINY_KEY_{}",
        admin_key_variables=("TINY_ADMIN_KEY",),
        admin_key_page="tiny.example/admin",
        right="usage",
        url="https://tiny.example",
        url_variable="RECONCILE_TINY_URL",
        gateway_variable="TINY_BASE_URL",
        usage=Tiny,
        spelled=lambda query: f"curl https://tiny.example/{query.window.start}",
    )


@dataclass
class Tiny:
    """What answers for it: all calls that lie before the watermark."""

    name: str = "tiny"
    calls: list[Call] = field(default_factory=list)
    watermark: datetime | None = None
    asked: list = field(default_factory=list)

    def fetch(self, query):
        self.asked.append(query)
        told = [call for call in self.calls if self.watermark is None or call.ended < self.watermark.timestamp()]
        rows = [row for row in minutes_of_calls(told) if query.window.start <= row.minute < query.window.end]
        return Fetched(query, tuple(rows), whole_until=self.watermark)


PROVIDER = declare("tiny", unit=Unit.CALLS)
UNCOUNTED = declare("tiny", counted=False)


def installed(monkeypatch, declared=PROVIDER):
    """The provider, where the program looks for one."""
    monkeypatch.setitem(HOMES, "tiny", "support.tiny")
    monkeypatch.setattr("support.tiny.PROVIDER", declared)
