"""Rows of the costs endpoint: amounts to the last digit, whether they come as text or as numbers.

The specification says number; the service sends text with forty decimals, and zeros like `0E-6176`. An amount is the
same whichever way it is spelled, so it is kept without its trailing zeros.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Any

from reconcile.adapters.providers.openai.trust import TEXT, Untrusted, spelled
from reconcile.core.comparing.sides import Cost

RESULT = "organization.costs.result"
PATH = "/organization/costs"

GROUP_BY = ("line_item", "project_id")
GROUP_BY_KEY = (*GROUP_BY, "api_key_id")

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")
LONGEST = 10_000
"""Characters of a number: more than any of those recorded has."""
MOST_WHOLE, MOST_DECIMALS = 15, 100
"""Digits before and after the point. Sums of such amounts are exact in a context that is made for it."""


def number(text: str) -> Decimal:
    """For json: a number to its last digit. Raises ValueError where no decimal can hold it."""
    if len(text) > LONGEST or not NUMBER.fullmatch(text):
        raise ValueError("a number with more digits or a larger exponent than is read")
    return Decimal(text)


def cost(day: int, row: Any) -> Cost:  # noqa: ANN401 (anything that JSON can be)
    """One line item of a day. Raises Untrusted."""
    if type(row) is not dict or row.get("object") != RESULT:
        raise Untrusted("unexpected_shape", f"a result at {spelled(day)} is not one of costs")
    amount = row.get("amount")
    if type(amount) is not dict:
        raise Untrusted("invalid_amount", f"{spelled(day)} has a line without an amount: {row.get('line_item')!r:.80}")
    texts = {name: row.get(name) for name in (*GROUP_BY_KEY, "quantity_unit")}
    if any(type(text) not in TEXT for text in texts.values()):
        shown = ", ".join(f"{name} {text!r:.40}" for name, text in texts.items())
        raise Untrusted("unexpected_shape", f"{spelled(day)} has a dimension of another type: {shown}")
    quantity = row.get("quantity")
    return Cost(
        day=day,
        amount=_exact(amount.get("value"), "an amount", day),
        currency=_currency(amount.get("currency"), day),
        quantity=None if quantity is None else _exact(quantity, "a quantity", day),
        **texts,
    )


def _exact(value: Any, what: str, day: int) -> Decimal:  # noqa: ANN401 (anything that JSON can be)
    """The value without trailing zeros: none of its digits is lost."""
    try:
        found = number(value) if type(value) is str else Decimal(value) if type(value) in (int, Decimal) else None
    except ValueError:
        found = None
    if found is None:
        raise Untrusted("invalid_amount", f"{spelled(day)} has {what} that is no decimal number: {value!r:.60}")
    short = found.normalize(Context(prec=LONGEST)) if found else Decimal(0)
    decimals = -int(short.as_tuple().exponent)
    if short.adjusted() >= MOST_WHOLE or decimals > MOST_DECIMALS:
        raise Untrusted("invalid_amount", f"{spelled(day)} has {what} that cannot be: {str(value)!r:.60}")
    return short if decimals >= 0 else short.quantize(Decimal(1))


def _currency(value: Any, day: int) -> str:  # noqa: ANN401 (anything that JSON can be)
    if type(value) is not str or not re.fullmatch("[A-Za-z]{3}", value):
        raise Untrusted("invalid_amount", f"{spelled(day)} has an amount of no currency: {value!r:.40}")
    return value.lower()
