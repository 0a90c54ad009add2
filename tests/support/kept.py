"""Calls that an application made, the log that it kept of them, and what the provider says of the same calls."""

import json
from dataclasses import dataclass, replace
from random import Random

from support.week import START, WEEK, price

from reconcile.ledger.comparison import compare
from reconcile.ledger.formats import Fields, LogFormat
from reconcile.ledger.lines import LineParser
from reconcile.ledger.scroll import Scroll
from reconcile.money.entry import HOUR, Dimensions, Entry, Official
from reconcile.usage import Tokens

MODEL = "gpt-4o-2024-08-06"
KEPT = LogFormat(
    fields=Fields(
        timestamp=("at",),
        model=("model",),
        api_key_id=("key",),
        input_tokens=("in",),
        output_tokens=("out",),
        cached_tokens=("cached",),
        reasoning_tokens=("thought",),
    )
)


@dataclass(frozen=True)
class Call:
    number: int
    at: int
    given: int
    cached: int
    answered: int
    thought: int
    key: str = "key_app"

    def line(self, **changes):
        return {
            "at": self.at, "model": MODEL, "key": self.key, "in": self.given, "out": self.answered,
            "cached": self.cached, "thought": self.thought, **changes,
        }  # fmt: skip


def calls(count=120, seed=1, key="key_app"):
    """Some each working hour of three days, no two alike."""
    dice = Random(seed)  # noqa: S311  a test that can be repeated
    made = []
    for number in range(count):
        hour = number // 5
        at = START + (24 * (hour // 9) + 8 + hour % 9) * HOUR + number % 5 * 600 + dice.randrange(500)
        given, answered = dice.randrange(600, 4000), dice.randrange(50, 900)
        cached = given // 512 * 128 if number % 3 else 0
        made.append(Call(number, at, given, cached, answered, answered // 3, key))
    return made


def official(made):
    """The provider's hours."""
    entries = [
        Entry(
            start=call.at // HOUR * HOUR,
            who=Dimensions(model=MODEL, api_key_id=call.key),
            tokens=Tokens(call.given - call.cached, call.cached, 0, call.answered),
            requests=1,
        )
        for call in made
    ]
    return Official(usage=tuple(entries), costs=None)


def read(lines, log_format=KEPT):
    """A log that is looked into line by line."""
    scroll = Scroll(WEEK.start, WEEK.end, closely=True)
    scroll.open("kept.ndjson", None, LineParser(log_format))
    for line in lines:
        scroll.take(line if isinstance(line, bytes) else json.dumps(line).encode())
    return scroll.result()


def compared(lines, made, log_format=KEPT):
    """The log against the provider, at list prices."""
    return compare(read(lines, log_format), official(made), WEEK, settled_until=WEEK.end, price_of=price)


def first(lines, made, log_format=KEPT):
    """The first reason, and how much of the difference in tokens it leaves."""
    found = compared(lines, made, log_format)
    reason = found.breaks[0]
    gap = found.local.tokens.total - found.official.tokens.total
    return reason.code.value, gap - reason.explains


def moved(call, **changes):
    return replace(call, **changes)
