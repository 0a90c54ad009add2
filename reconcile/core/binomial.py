"""Exact bounds on a probability from independent trials (Clopper and Pearson 1934): they hold at any number of trials.

Nothing is approximated by a normal distribution: where all of 60 runs were complete, that has no spread at all.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

HALVINGS = 60
"""The bounds are found by halving [0, 1]; so many halvings leave less than a float can tell apart."""

NEGLIGIBLE = 1e-17


def at_least(successes: int, trials: int, error: float) -> float:
    """A number that the probability of success exceeds, but for a chance of `error`. Without trials 0."""
    return 1 - at_most(trials - successes, trials, error)


def at_most(successes: int, trials: int, error: float) -> float:
    """A number that the probability of success stays below, but for a chance of `error`. Without trials 1."""
    if successes >= trials:
        return 1.0
    low, high = successes / trials, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if chance_of_at_most(successes, trials, middle) > error:
            low = middle
        else:
            high = middle
    return high


def chance_of_at_most(successes: int, trials: int, rate: float) -> float:
    """The chance of that many successes or fewer. `0 <= successes < trials`."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    if successes > trials * rate:
        more = trials - successes - 1
        return 1 - (chance_of_at_most(more, trials, 1 - rate) if more < trials else 1.0)
    choices = lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)
    term = exp(choices + successes * log(rate) + (trials - successes) * log1p(-rate))
    total = 0.0
    for count in range(successes, -1, -1):  # from the largest term downwards
        total += term
        if term <= total * NEGLIGIBLE:
            break
        term *= count / (trials - count + 1) * (1 - rate) / rate
    return min(1.0, total)
