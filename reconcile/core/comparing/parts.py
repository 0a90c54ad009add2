"""From the counts of a line to token parts that share nothing, proven to sum to what the line says.

input = uncached + cache read + cache write        of OpenAI, whose input includes both
output = answer + reasoning                        reasoning is within it, and never added twice
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from reconcile.core.comparing.formats import Included, LogFormat
from reconcile.core.comparing.unusable import UnusableError
from reconcile.core.defects import shown

MOST = 10**15
"""Tokens in one line, which may stand for a month."""

WHOLE = re.compile(r"[0-9]{1,15}")
DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?")
GROUPED = re.compile(r"[0-9]{1,3}(?:[,._' ][0-9]{3})+")
AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
"""Of money: any number that a language writes for some dollars, to the last digit."""


def count_of(value: object, name: str, units: int = 1) -> int:
    """A number of things, which is whole and not below zero. Raises UnusableError."""
    if type(value) is int:
        number = value * units
    elif isinstance(value, str) and WHOLE.fullmatch(value):
        number = int(value) * units
    elif isinstance(value, str) and DECIMAL.fullmatch(value):
        exact = Decimal(value) * units
        if exact > MOST or exact != exact.to_integral_value():
            raise _no_count(value, name)
        number = int(exact)
    else:
        raise _no_count(value, name)
    if not 0 <= number <= MOST:
        raise _no_count(value, name)
    return number


def without_thousands(value: object, separator: str) -> object:
    """The count `1,234` as `1234`; what is no such count as it is."""
    if not isinstance(value, str) or not separator:
        return value
    parts = value.strip().split(separator)
    whole = len(parts) == 1 or (1 <= len(parts[0]) <= GROUP and all(len(part) == GROUP for part in parts[1:]))
    return "".join(parts) if whole else value


GROUP = 3
"""Digits between two separators of thousands."""


def _no_count(value: object, name: str) -> UnusableError:
    if isinstance(value, str) and GROUPED.fullmatch(value):
        return UnusableError(
            f"{name} is {shown(value)}, which may have separators of thousands in it; say `thousands:` of the log, or "
            "write a whole number from 0 up"
        )
    return UnusableError(f"{name} is {shown(value)}, which is no count; write a whole number from 0 up")


def amount_of(value: object) -> Decimal:
    """Dollars, to the last digit, with or without their sign. Raises UnusableError."""
    bare = str(value).removeprefix("$")
    if isinstance(value, str | int) and not isinstance(value, bool) and AMOUNT.fullmatch(bare):
        return Decimal(bare)
    raise UnusableError(f"cost is {shown(value)}, which is no amount; write US dollars such as 0.0125")


class Counts(NamedTuple):
    """What a line says, before anything is derived from it."""

    given: int
    """Input tokens."""
    answered: int | None
    """Output tokens; None where it does not say, as of embeddings."""
    total: int | None = None
    cached: int = 0
    written: int = 0
    """Input tokens that were written to the cache."""
    reasoning: int = 0


Parts: TypeAlias = tuple[int, int, int, int]
"""Uncached input, cache read, cache write and output, as in `sides.Tokens`."""


def parts_of(log_format: LogFormat, counts: Counts) -> Parts:
    """The parts that the counts of a line are made of. Raises UnusableError where these contradict each other."""
    given, answered, total, cached, written, reasoning = counts
    if answered is None:
        answered = _left(given, total)
    within = 0
    if Included.CACHED in log_format.input_includes:
        within += cached
    if Included.CACHE_WRITE in log_format.input_includes:
        within += written
    if within > given:
        raise UnusableError(
            f"input_tokens is {given} and is to include {within} cached tokens; "
            "log both as reported, or correct input_includes in the mapping"
        )
    if not log_format.output_includes_reasoning:
        output = answered + reasoning
    elif reasoning <= answered:
        output = answered
    else:
        raise UnusableError(
            f"output_tokens is {answered} and is to include {reasoning} reasoning tokens; "
            "log both as reported, or correct output_includes_reasoning in the mapping"
        )
    whole = given - within + cached + written + output
    if total is not None and total != given + answered and total != whole:
        raise UnusableError(
            f"total_tokens is {total} and its parts sum to {whole}; {_remedy(log_format, counts, whole)}"
        )
    return given - within, cached, written, output


def _remedy(log_format: LogFormat, counts: Counts, whole: int) -> str:
    """What to do of a total that is none: the setting by which it would be one, where there is such a setting."""
    lacking = (counts.total or 0) - whole
    if lacking == counts.reasoning and log_format.output_includes_reasoning:
        return "it is with reasoning added: say `output_includes_reasoning: false` of the log"
    if lacking in {counts.cached, counts.written, counts.cached + counts.written}:
        return "it is with cached tokens added: correct `input_includes` of the log"
    return "log all as reported, or correct the mapping"


def _left(given: int, total: int | None) -> int:
    """What a total leaves for the output."""
    if total is None:
        raise UnusableError("output_tokens is missing; log it, or take it out of the mapping where there is no output")
    if total < given:
        raise UnusableError(f"total_tokens is {total}, less than input_tokens, which is {given}; log both as reported")
    return total - given
