"""List prices: what the pinned table answers, and above all what it must not be believed."""

import subprocess
import sys
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from support.money import used

from reconcile.errors import ConfigurationError
from reconcile.money.entry import midnight
from reconcile.money.list_prices import PACKAGE, PINNED, list_prices

ROOT = Path(__file__).resolve().parents[2]

OLD, NEW = date(2026, 1, 5), date(2026, 11, 1)
"""Before and after the table's first prices of batches and tiers."""


@pytest.fixture(scope="module")
def price_of():
    return list_prices()


def rates(price_of, model, day=NEW, tokens=(1000, 0, 0, 100), requests=1, **who):
    """USD for a million tokens: uncached input, cache read, cache write, output."""
    found = price_of(used(model, tokens, requests, midnight(day), **who))
    return found and tuple(str((rate * 10**6).normalize()) for rate in found.rates)


MINI = ("0.15", "0.075", "0.15", "0.6")
SOL, LARGE_SOL = ("4", "0.4", "5", "2E+1"), ("8", "0.8", "1E+1", "3E+1")


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "gpt-4o-mini", "GPT-4o-mini"])
def test_a_snapshot_and_its_model_have_the_same_prices(price_of, model):
    assert rates(price_of, model) == MINI


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2025, 6, 9), ("1E+1", "0.5", "1E+1", "4E+1")), (date(2025, 6, 10), ("2", "0.5", "2", "8"))],
)
def test_prices_are_those_of_the_day_of_usage(price_of, day, expected):
    assert rates(price_of, "o3-2025-04-16", day) == expected


def test_the_known_amount_of_the_example_run_is_met_to_the_last_digit(price_of):
    entry = used("gpt-4o-mini-2024-07-18", (84604 - 42624, 42624, 0, 23275))
    assert price_of(entry).of(entry.tokens) == Decimal("0.0234588")


def test_the_source_names_package_and_version(price_of):
    assert price_of(used("gpt-4o-mini")).source == "genai-prices 0.2.3"


@pytest.mark.parametrize(
    "model",
    ["no-such-model", "gpt-4o-2099-01-01", "", None, "claude-sonnet-4-5", "gpt-4o-audio-preview", "gpt-image-1",
     "whisper-1", "gpt-realtime"],
)  # fmt: skip
def test_an_unknown_model_and_one_that_takes_more_than_text_has_no_price(price_of, model):
    assert rates(price_of, model) is None


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"batch": True}, ("0.625", "0.0625", "0.625", "5")),
        ({"service_tier": "batch"}, ("0.625", "0.0625", "0.625", "5")),
        ({"batch": True, "service_tier": "default"}, ("0.625", "0.0625", "0.625", "5")),
        ({"service_tier": "flex"}, ("0.625", "0.0625", "0.625", "5")),
        ({"service_tier": "Priority"}, ("2.5", "0.25", "2.5", "2E+1")),
        ({"service_tier": "default", "batch": False}, ("1.25", "0.125", "1.25", "1E+1")),
        ({"service_tier": "scale"}, None),
        ({"batch": True, "service_tier": "flex"}, None),
    ],
    ids=["a batch", "a batch called a tier", "a batch in the ordinary tier", "flex", "priority", "the ordinary one",
         "a tier that is not listed", "a batch in a tier"],
)  # fmt: skip
def test_batches_and_tiers_have_prices_of_their_own_or_none(price_of, who, expected):
    assert rates(price_of, "gpt-5-2025-08-07", **who) == expected


@pytest.mark.parametrize("who", [{"service_tier": "flex"}, {"service_tier": "priority"}])
def test_before_the_table_knows_a_tier_its_standard_price_is_not_taken_for_it(price_of, who):
    assert rates(price_of, "gpt-5-2025-08-07", OLD, **who) is None
    assert rates(price_of, "gpt-5-2025-08-07", OLD) is not None


def test_a_standard_price_of_cached_input_is_not_taken_for_that_of_a_batch(price_of):
    """The table's prices of a batch of this model say nothing of cached input."""
    assert rates(price_of, "o3", batch=True) == ("1", "1", "1", "4")
    assert rates(price_of, "o3", tokens=(1000, 1, 0, 100), batch=True) is None


def test_a_model_without_a_tier_s_price_has_none_in_that_tier(price_of):
    assert rates(price_of, "text-embedding-3-small", tokens=(1000, 0, 0, 0), service_tier="priority") is None


@pytest.mark.parametrize(
    ("tokens", "requests", "expected"),
    [
        ((3_000_000, 0, 0, 9), 15, SOL),
        ((3_000_000, 0, 0, 9), 1, LARGE_SOL),
        ((272_000, 0, 0, 9), 1, SOL),
        ((200_000, 72_001, 0, 9), 1, LARGE_SOL),
        ((544_001, 0, 0, 9), 2, LARGE_SOL),
        ((272_000, 0, 0, 9), 0, SOL),
        ((272_001, 0, 0, 9), 0, None),
    ],
    ids=["many small ones", "a large one", "at the threshold", "cached input counts", "the mean decides",
         "no count, too few tokens to matter", "no count, and it matters"],
)  # fmt: skip
def test_long_context_prices_hold_for_a_request_and_not_for_a_sum(price_of, tokens, requests, expected):
    assert rates(price_of, "gpt-5.6-sol", tokens=tokens, requests=requests) == expected


def test_a_model_without_output_has_a_price_as_long_as_it_has_none(price_of):
    assert rates(price_of, "text-embedding-3-small", tokens=(1000, 0, 0, 0)) == ("0.02", "0.02", "0.02", "0")
    assert rates(price_of, "text-embedding-3-small") is None


def test_a_question_is_looked_up_once(price_of):
    first, again = (price_of(used("gpt-4o", api_key_id=key)) for key in "ab")
    assert first is again


def test_without_the_extra_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(ConfigurationError, match="genai-prices, which is not installed") as caught:
        list_prices()
    assert caught.value.code == "missing_extra"
    assert "pip install 'genai-prices==0.2.3'" in caught.value.remedy


def test_what_the_remedy_installs_is_what_the_extra_pins():
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["pricing"]
    assert pinned == [f"{PACKAGE}=={PINNED}"]
    for lock in ("requirements-dev.txt", "requirements-compare.lock"):
        assert f"\n{PACKAGE}=={PINNED}" in (ROOT / lock).read_text("utf-8"), lock
    assert PACKAGE not in (ROOT / "requirements.lock").read_text("utf-8")


def test_only_who_asks_for_prices_loads_the_table():
    """In a process of its own: here it is loaded already."""
    code = "import sys, reconcile.money.list_prices, reconcile.workspace; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_before_the_table_knows_batch_jobs_they_cost_half_of_its_standard_prices_and_it_says_so(price_of):
    standard, half = (
        price_of(used("gpt-5-2025-08-07", (1000, 0, 0, 100), 1, midnight(OLD), batch=batch)) for batch in (False, True)
    )
    assert [2 * rate for rate in half.rates] == list(standard.rates)
    assert half.source == f"{standard.source}, batch jobs at half of it"
