"""Bounds on a probability, held against exact sums of fractions."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES

from reconcile.insight.lag import at_least, at_most, chance_of_at_most


def exact(successes, trials, rate):
    rate = Fraction(rate)
    return sum(comb(trials, n) * rate**n * (1 - rate) ** (trials - n) for n in range(successes + 1))


@given(st.integers(1, 40), st.data())
@EXAMPLES
def test_the_chance_is_that_of_the_exact_sum(trials, data):
    successes = data.draw(st.integers(0, trials - 1))
    rate = data.draw(st.floats(0, 1))
    assert chance_of_at_most(successes, trials, rate) == pytest.approx(float(exact(successes, trials, rate)), abs=1e-9)


@pytest.mark.parametrize(("successes", "rate"), [(50_000, 0.5), (99_000, 0.99), (3, 0.00003), (99_999, 0.00003)])
def test_many_trials_neither_underflow_nor_overflow(successes, rate):
    chance = chance_of_at_most(successes, 100_000, rate)
    assert 0.4 < chance <= 1


def test_none_in_three_hundred_leaves_one_in_a_hundred():
    """The rule of three: with 95 per cent, at most 3 in n."""
    assert at_most(0, 300, 0.05) == pytest.approx(0.00994, abs=1e-5)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0, 0.3085), (4, 10, 0.1216, 0.7376), (10, 10, 0.6915, 1), (0, 0, 0, 1)],
    ids=["none", "some", "all", "no trials"],
)
def test_known_intervals_of_clopper_and_pearson(successes, trials, low, high):
    bounds = at_least(successes, trials, 0.025), at_most(successes, trials, 0.025)
    assert bounds == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 30), st.floats(0.01, 0.99))
@EXAMPLES
def test_a_bound_is_missed_no_more_often_than_it_says(trials, rate):
    """Over all outcomes that this rate can have, weighted by their chance."""
    missed = below = 0.0
    for successes in range(trials):
        chance = chance_of_at_most(successes, trials, rate)
        missed += (chance - below) * (at_most(successes, trials, 0.05) < rate)
        below = chance
    assert missed <= 0.05 + 1e-9


@pytest.mark.parametrize(("rate", "chance"), [(0.0, 1.0), (1.0, 0.0)])
def test_what_never_or_always_happens_is_certain(rate, chance):
    assert chance_of_at_most(2, 5, rate) == chance
