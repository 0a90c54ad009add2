"""What a line of a bill is for."""

import pytest
from support.money import MINI, billed

from reconcile.money.prices import LineItem, billed_tokens, line_item


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{MINI}, input", LineItem(MINI, "input")),
        (f"{MINI}, cached input", LineItem(MINI, "cached input")),
        (f"{MINI}, output", LineItem(MINI, "output")),
        ("new, with a comma, output", LineItem("new, with a comma", "output")),
        (f"{MINI}, something else", LineItem(MINI)),
        ("o3, something else", None),
        ("web search", None),
        (", input", None),
        (None, None),
    ],
)
def test_a_line_says_its_model_and_part(text, expected):
    assert line_item(billed("1", text), {"gpt-4o-mini"}) == expected


@pytest.mark.parametrize(
    ("quantity", "unit", "tokens"),
    [
        ("30.0", None, 30),
        ("30", "tokens", 30),
        ("1.5", "1000_tokens", 1500),
        ("3", "images", None),
        (None, "tokens", None),
    ],
)
def test_a_line_states_tokens_only_in_units_of_tokens(quantity, unit, tokens):
    assert billed_tokens(billed("1", quantity=quantity, quantity_unit=unit)) == tokens
