"""AEI, and the shares of steps: parts that always add up to the whole."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.runs import EXAMPLES, FIRST, MINUTES, SCOPE, Tale, attribution_of, neighbour

from reconcile.minutes import Window
from reconcile.runs.run import Claim, RunKey, Step
from reconcile.usage import Recorded, Usage, total
from reconcile.verdict.amendment import StepUsage, aei, apportion, step_usage


@pytest.mark.parametrize(
    ("autr", "tokens", "expected"),
    [
        pytest.param(1.0, 84604, 1 / math.log(84605), id="the formula"),
        pytest.param(0.5, 84604, 0.5 / math.log(84605), id="less autonomy"),
        pytest.param(0.0, 84604, 0.0, id="no autonomy"),
        pytest.param(1.0, 0, 0.0, id="no tokens"),
        pytest.param(1.0, 1, 1 / math.log(2), id="one token"),
    ],
)
def test_aei(autr, tokens, expected):
    assert aei(autr, tokens) == expected


def steps(*spans):
    """Steps by the seconds they took, counted from the run's first minute; None where they are not known."""
    return [
        Step(number=number, span=span and (FIRST + span[0], FIRST + span[1]))
        for number, span in enumerate(spans, start=1)
    ]


def shares(found):
    """By step: tokens in, `~` where they are estimated, `?` where the step has no times."""
    return " ".join("?" if each.usage is None else f"{'~' * each.estimated}{each.usage.tokens_in}" for each in found)


SPLIT = {
    "one step has it all": ("100 200", steps((0, 120)), "300"),
    "a minute each": ("100 200", steps((0, 60), (60, 120)), "100 200"),
    "a shared minute is split by seconds": ("100", steps((0, 45), (45, 60)), "~75 ~25"),
    "only those who share are estimated": ("100 200 300", steps((0, 90), (90, 120), (120, 180)), "~200 ~100 300"),
    "a minute between steps goes to the nearest": ("100 . 50 . 200", steps((0, 60), (240, 300)), "150 200"),
    "a minute between two as near goes to the first": ("100 50 200", steps((0, 60), (120, 180)), "150 200"),
    "a minute after all steps": ("200 50", steps((0, 30), (30, 60)), "~100 ~150"),
    "a step of no length takes what is nearest": ("100", steps((30, 30)), "100"),
    "a step that used nothing": ("100 .", steps((0, 60), (60, 120)), "100 0"),
    "a step without times gets nothing": ("100 200", steps((0, 120), None), "300 ?"),
    "no step has times": ("100 200", steps(None, None), "? ?"),
    "no usage": (".", steps((0, 60), (60, 120)), "0 0"),
    "several rows of a minute are one": ("100 200", steps((0, 120)), "300"),
    "remainders go where they are largest": ("100", steps((0, 20), (20, 40), (40, 60)), "~34 ~33 ~33"),
}


@pytest.mark.parametrize(("shown", "timed", "expected"), SPLIT.values(), ids=SPLIT)
def test_how_a_run_is_shared_out_among_its_steps(shown, timed, expected):
    assert shares(step_usage(timed, attribution_of(shown))) == expected


def test_minutes_of_several_models_are_added():
    attribution = attribution_of("100 100 100")
    twice = attribution.reported + attribution.reported
    two_models = replace(attribution, rows=attribution.rows * 2, reported=twice, bounds=None)
    assert shares(step_usage(steps((0, 60), (60, 180)), two_models)) == "~200 ~400"


def test_a_figure_that_is_not_exact_is_estimated_everywhere():
    attribution = attribution_of("100 . . . . . . . . 50", neighbour("b", 9, 12))
    assert shares(step_usage(steps((0, 60), (540, 600)), attribution)) == "~100 ~50"


def test_what_a_run_holds_of_shared_minutes_goes_to_the_steps_of_those_minutes():
    attribution = attribution_of("100 . . . . . . . . 50 20", neighbour("b", 9, 12))
    (first, last) = step_usage(steps((0, 60), (540, 600)), attribution)
    assert (first.usage.tokens_in, last.usage.tokens_in) == (100, attribution.figure.tokens_in - 100)


def test_a_share_that_is_exact_is_estimated_where_others_hold_the_rest_of_a_minute():
    run = Tale(recorded_usage={"api_calls": 1}).run
    attribution = attribution_of("100 . . . . . . . . 50 20", neighbour("b", 9, 12, calls=2), run=run)
    assert attribution.exact
    assert shares(step_usage(steps((0, 60), (540, 600)), attribution)) == "~100 ~0"


def test_what_is_left_of_shared_minutes_is_spread_as_their_tokens_stand_to_each_other():
    """One request of two is the run's, at most the larger: 1,050 tokens over minutes of 1,155 and 55."""
    run = Tale(recorded_usage={"api_calls": 2}).run
    attribution = attribution_of("100 . . . . . . . 1050 50", neighbour("b", 8, 12, calls=1), run=run)
    assert attribution.figure.tokens_in == 1150
    found = step_usage(steps((0, 60), (480, 540), (540, 600)), attribution)
    assert shares(found) == "~100 ~1002 ~48"


def test_a_figure_below_what_its_own_minutes_hold_is_spread_over_all_of_them():
    """Neither run recorded a call, and yet one of them tokens: not even all of a minute that no call claims is left."""
    other = Claim(RunKey("chatdev", "b"), SCOPE, Window(FIRST + 540, FIRST + 720), Recorded(None, 9, None, 0))
    attribution = attribution_of(". . . . . . . . . 100", other, run=Tale(recorded_usage={"api_calls": 0}).run)
    assert (attribution.figure.tokens_out, attribution.reported.tokens_out, attribution.shared) == (1, 10, ())
    (found,) = step_usage(steps((540, 600)), attribution)
    assert found.usage == attribution.figure


def test_a_rest_that_would_be_more_cached_than_input_is_spread_over_all_minutes():
    """The neighbour recorded its input, so at most 10 of the shared minute are left; but not its cached tokens."""
    other = Claim(RunKey("chatdev", "b"), SCOPE, Window(FIRST + 540, FIRST + 720), Recorded(90, None, None, 1))
    run = Tale(recorded_usage={"api_calls": 7}).run
    attribution = attribution_of("3 3 3 3 3 3 . . . 2x100", other, run=run)
    assert (attribution.figure.tokens_in, attribution.figure.cached_tokens) == (28, 25)
    found = step_usage(steps((0, 540), (540, 600)), attribution)
    assert total(each.usage for each in found) == attribution.figure
    assert all(each.usage.cached_tokens <= each.usage.tokens_in for each in found)


def test_parts_of_cached_input_never_exceed_the_input():
    parts = apportion(Usage(3, 0, 2, 0), [Fraction(1), Fraction(1), Fraction(1)])
    assert all(part.cached_tokens <= part.tokens_in for part in parts)
    assert total(parts) == Usage(3, 0, 2, 0)


AMOUNTS = st.tuples(*[st.integers(0, 10_000)] * 4).map(lambda n: Usage(n[0] + n[2], n[1], n[2], n[3]))
WEIGHTS = st.lists(st.fractions(0, 60, max_denominator=1000), min_size=1, max_size=8).filter(any)


@given(AMOUNTS, WEIGHTS)
@EXAMPLES
def test_parts_add_up_and_none_is_more_cached_than_input(usage, weights):
    parts = apportion(usage, weights)
    assert total(parts) == usage
    assert all(0 <= part.cached_tokens <= part.tokens_in and min(part.parts) >= 0 for part in parts)


@given(AMOUNTS, WEIGHTS)
@EXAMPLES
def test_a_part_is_within_two_of_its_exact_share(usage, weights):
    """Cached and uncached input are rounded apart, so that input may be off by one twice."""
    for part, weight in zip(apportion(usage, weights), weights, strict=True):
        exact = [amount * weight / sum(weights) for amount in usage.parts]
        assert all(abs(whole - share) < 2 for whole, share in zip(part.parts, exact, strict=True))


SECONDS = st.floats(0, MINUTES * 60, allow_nan=False)
SPANS = st.lists(st.one_of(st.none(), st.tuples(SECONDS, SECONDS).map(sorted).map(tuple)), min_size=1, max_size=6)
SHOWN = st.lists(st.sampled_from([".", "100", "3x250", "2x7"]), min_size=1, max_size=MINUTES).map(" ".join)
OTHERS = st.lists(
    st.builds(neighbour, st.sampled_from("bcd"), st.integers(-3, 9), st.integers(10, 14), calls=st.integers(0, 4))
    | st.builds(neighbour, st.sampled_from("efg"), st.integers(-3, 9), st.integers(10, 14)),
    max_size=2,
    unique_by=lambda claim: claim.run,
)


@given(SPANS, SHOWN, OTHERS)
@EXAMPLES
def test_the_steps_of_a_run_add_up_to_its_figure(spans, shown, others):
    assume(any(spans))
    attribution = attribution_of(shown, *others)
    found = step_usage(steps(*spans), attribution)
    assert total(each.usage for each in found if each.usage) == attribution.figure
    assert [each.usage is None for each in found] == [span is None for span in spans]


def test_a_step_without_times_is_never_estimated():
    attribution = attribution_of("100 . . . . . . . . 50", neighbour("b", 9, 12))
    assert step_usage(steps((0, 30), (30, 60), None), attribution)[-1] == StepUsage(number=3, usage=None)
