"""The likeliest distribution of interval-censored times, held against what is known of it otherwise."""

from collections import Counter
from math import log

import pytest
from support.worlds import dice, seeds

from reconcile.insight.turnbull import Interval, estimate, quantile, share_by


def told(*times):
    """`(0, 5]` as `(0, 5)`; each an interval that was seen once."""
    return estimate(Counter(Interval(*time) for time in times))


def shares(masses):
    return {(mass.after, mass.by): round(mass.share, 6) for mass in masses if mass.share > 1e-6}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(0, 1), (1, 2), (2, 3), (2, 3)], {(0, 1): 0.25, (1, 2): 0.25, (2, 3): 0.5}),
        ([(0, 30), (0, 90), (0, 40)], {(0, 30): 1}),
        ([(0, 5), (5, 9)], {(0, 5): 0.5, (5, 9): 0.5}),
        ([(0, None), (3, None)], {(3, None): 1}),
        ([(0, 10), (0, 10), (5, None), (20, None)], {(5, 10): 2 / 3, (20, None): 1 / 3}),
        ([(0, 1), (1, None), (2, 3), (3, 4)], {(0, 1): 0.25, (2, 3): 0.375, (3, 4): 0.375}),
    ],
    ids=[
        "apart, each at its place",
        "left-censored, at the youngest",
        "an end belongs to its interval",
        "never seen",
        "no one knows beyond",
        "right-censored, shared out as Kaplan and Meier do",
    ],
)
def test_where_the_mass_lies(times, expected):
    assert shares(told(*times)) == pytest.approx(expected, abs=1e-4)


def likelihood(times, masses, shared):
    return sum(log(sum(p for m, p in zip(masses, shared, strict=True) if inside(m, time))) for time in times)


def inside(mass, time):
    after, by = time
    return mass.after >= after and (by is None or (mass.by is not None and mass.by <= by))


@pytest.mark.parametrize("seed", seeds(40))
def test_no_other_shares_are_likelier(seed):
    roll = dice(seed)
    starts = [roll.randrange(0, 20) for _ in range(12)]
    times = [(start, roll.choice([None, start + roll.randrange(1, 10)])) for start in starts]
    masses = told(*times)
    best = likelihood(times, masses, [mass.share for mass in masses])
    for _ in range(50):
        other = [mass.share + roll.random() * roll.choice([0.001, 0.1, 1]) for mass in masses]
        assert likelihood(times, masses, [share / sum(other) for share in other]) <= best + 1e-6


def test_the_shares_sum_to_one_and_a_quantile_is_where_they_reach_it():
    masses = told((0, 1), (1, 2), (2, 3), (2, None))
    assert sum(mass.share for mass in masses) == pytest.approx(1)
    assert [quantile(masses, share) for share in (0.25, 0.26, 0.5, 1)] == [1, 2, 2, 3]
    assert [round(share_by(masses, age), 6) for age in (0, 1, 2, 3)] == [0, 0.25, 0.5, 1]


def test_a_quantile_beyond_what_was_seen_is_unknown():
    assert quantile(told((0, 5), (5, None)), 0.75) is None


def test_a_thousand_wide_intervals_say_nothing_against_a_few_narrow_ones():
    times = Counter({Interval(0, 31 + minute): 20 for minute in range(60)} | {Interval(31, 91): 40})
    masses = estimate(times)
    assert shares(masses) == pytest.approx({(0, 31): 1 / 3, (31, 32): 2 / 3}, abs=1e-4)
