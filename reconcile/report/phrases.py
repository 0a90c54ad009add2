"""Numbers, ages and instants as a person reads them, titles, paragraphs, and text of others made harmless."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from rich.color import ColorSystem
from rich.style import Style

from reconcile.minutes import instant
from reconcile.usage import KINDS, Usage
from reconcile.words import plural

Paint = Callable[[str, str], str]
"""Text and a style to text: coloured for a terminal, as it is elsewhere."""


def painter(*, colour: bool) -> Paint:
    """What paints for this output."""
    return _painted if colour else lambda text, style: text  # noqa: ARG005  a plain output has no styles


def _painted(text: str, style: str) -> str:
    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


def printable(text: str) -> str:
    """Untrusted text on one line: control, format and bidirectional characters are spelled out."""
    if text.isprintable():  # as nearly all text is
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def titled(title: str, body: str, paint: Paint) -> str:
    """A section; nothing where there is nothing in it."""
    return f"{paint(title, 'bold')}\n{body}" if body else ""


def wrapped(text: str, width: int, indent: str = "") -> str:
    """A paragraph whose words are whole."""
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def duration(span: timedelta) -> str:
    """The two largest units: `12 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days:,} d {hours} h" if hours else f"{days:,} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def clock(moment: datetime, now: datetime) -> str:
    """`14:05Z`, with the date where it is not today's."""
    return f"{moment:%H:%MZ}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%MZ}"


def minute(seconds: int, now: datetime) -> str:
    return clock(instant(seconds), now)


def tokens(usage: Usage, unknown: Collection[str] = ()) -> str:
    """`84,604 in, 23,275 out, 0 cached, 31 calls`; `? cached` where another tool left it out."""
    said = (
        f"{usage.tokens_in:,} in",
        f"{usage.tokens_out:,} out",
        f"{usage.cached_tokens:,} cached",
        plural(usage.api_calls, "call"),
    )
    words = ("in", "out", "cached", "calls")
    parts = zip(KINDS, words, said, strict=True)
    return ", ".join(f"? {word}" if kind in unknown else figure for kind, word, figure in parts)
