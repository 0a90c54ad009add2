"""What runs like one let expect of it, and how far a verified figure lies from that."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from support.runs import KEY, MODEL, Tale, after, attribution_of, call_log, neighbour, theirs

from reconcile.attribution.evidence import evidence_of
from reconcile.insight.expectation import Basis, Place, Spread, candidates, expectation_json, expectation_of, models_of
from reconcile.runs.run import CallLog, RunKey
from reconcile.usage import Recorded, Usage

PROVEN = Tale()
for clock in ("00:45", "01:45"):
    PROVEN.read(clock, "100")
PROVEN = PROVEN.run


def run(name, tokens_in, *, calls=1, recorded=None, base=PROVEN):
    figure = Usage(tokens_in, tokens_in // 10, 0, calls)
    state = replace(base.state, figure=figure)
    return replace(base, key=RunKey("chatdev", name), state=state, recorded=Recorded(api_calls=recorded))


def expected(subject, *others, models=None):
    return expectation_of(subject, others, models or {})


def input_of(found):
    return found.spreads[0]


UNREAD = replace(PROVEN, state=None)
OTHERS = [run("b", 100, calls=10), run("c", 300, calls=10), run("d", 200, calls=20)]


def test_a_run_that_does_not_know_its_calls_is_compared_by_run():
    found = expected(UNREAD, *OTHERS)
    assert (found.basis, found.calls, found.comparable) == (Basis.RUN, None, 3)
    assert [(each.kind, each.low, each.median, each.high) for each in found.spreads] == [
        ("tokens_in", 100, 200, 300),
        ("tokens_out", 10, 20, 30),
        ("cached_tokens", 0, 0, 0),
        ("api_calls", 10, 10, 20),
    ]


def test_a_run_that_knows_its_calls_is_compared_by_call():
    found = expected(replace(UNREAD, recorded=Recorded(api_calls=7)), *OTHERS, run("e", 0, calls=0))
    assert (found.basis, found.calls, found.comparable) == (Basis.CALL, 7, 3)
    assert [(each.kind, each.low, each.median, each.high) for each in found.spreads] == [
        ("tokens_in", 70, 70, 210),
        ("tokens_out", 7, 7, 21),
        ("cached_tokens", 0, 0, 0),
    ]


def test_by_call_the_range_promises_nothing():
    found = expected(replace(UNREAD, recorded=Recorded(api_calls=7)), *OTHERS)
    assert found.spreads
    assert found.cases is expectation_json(found)["holds"] is None
    assert expectation_json(expected(UNREAD, *OTHERS))["holds"] == {"cases": 2, "of": 4}


def test_the_range_of_n_exchangeable_runs_holds_the_next_in_n_less_1_of_n_and_1_cases():
    dice = Random(4)  # noqa: S311  a world drawn from dice
    for size in (3, 4, 8, 12):
        used = dice.sample(range(1, 100_000), size + 1)
        held = 0
        for position, tokens in enumerate(used):
            others = [run(str(number), each) for number, each in enumerate(used) if number != position]
            found = expected(run("next", tokens), *others)
            held += input_of(found).place is Place.WITHIN
        assert (held, size + 1) == found.cases


def test_figures_that_are_equal_only_make_the_range_hold_more():
    assert input_of(expected(run("a", 100), *(run(name, 100) for name in "bcd"))).place is Place.WITHIN


def test_two_comparable_runs_give_no_range():
    found = expected(UNREAD, *OTHERS[:2])
    assert (found.comparable, found.spreads) == (2, ())
    assert expectation_json(found)["holds"] is None


NOT_EXACT = Tale(neighbours=[neighbour("b", 1, 12)])
NOT_EXACT.read("00:45", "100 2x200")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(PROVEN, key=RunKey("baes", "b")), id="of another framework"),
        pytest.param(PROVEN, id="the run itself"),
        pytest.param(replace(UNREAD, key=RunKey("chatdev", "b")), id="not read"),
        pytest.param(replace(NOT_EXACT.run, key=RunKey("chatdev", "b")), id="not verified"),
        pytest.param(
            replace(PROVEN, key=RunKey("chatdev", "b"), state=replace(PROVEN.state, exact=False)), id="not exact"
        ),
        pytest.param(
            replace(Tale(**theirs(("00:05", 50), status="verified")).run, key=RunKey("chatdev", "b")), id="inherited"
        ),
    ],
)
def test_not_comparable(other):
    assert candidates(PROVEN, [other, run("c", 1)]) == (run("c", 1),)


# -------------------------------------------------------------------------------------------------------- models


@pytest.mark.parametrize(
    ("own", "other", "comparable"),
    [
        pytest.param({"gpt-4o"}, {"gpt-4o"}, True, id="the same"),
        pytest.param({"gpt-4o"}, {"gpt-4o-2024-08-06"}, True, id="a dated snapshot of it"),
        pytest.param({"gpt-4o-2024-08-06"}, {"gpt-4o"}, True, id="its alias"),
        pytest.param({"gpt-4o"}, set(), True, id="not known of the other"),
        pytest.param(set(), {"gpt-4o"}, True, id="not known of the run"),
        pytest.param({"gpt-4o"}, {"gpt-4o-mini"}, False, id="another"),
        pytest.param({"gpt-4o"}, {"gpt-4o", "gpt-4o-mini"}, False, id="one more"),
        pytest.param({"gpt-4o", "gpt-4o-mini"}, {"gpt-4o"}, False, id="one less"),
    ],
)
def test_runs_of_other_models_are_not_comparable(own, other, comparable):
    models = {KEY: frozenset(own), RunKey("chatdev", "b"): frozenset(other)}
    found = expected(UNREAD, *OTHERS, models=models)
    assert (found.comparable, found.other_models) == ((3, 0) if comparable else (2, 1))


def evidence(shown, *others):
    return evidence_of(attribution_of(shown, *others), after("01:45"))


def test_models_are_those_of_a_complete_log():
    complete, partial = call_log("0:100"), call_log("0:100", complete=False)
    assert models_of(replace(UNREAD, log=complete), None) == {MODEL}
    assert models_of(replace(UNREAD, log=partial), None) == frozenset()
    assert isinstance(complete, CallLog)


def test_models_are_else_those_of_the_reported_rows():
    assert models_of(PROVEN, evidence("100")) == {MODEL}
    assert models_of(PROVEN, evidence("50 50")) == {MODEL}
    assert models_of(PROVEN, None) == models_of(UNREAD, evidence("100")) == frozenset()


def test_rows_of_several_models_say_nothing_where_some_may_be_a_neighbours():
    shared = evidence("100 2x200", neighbour("b", 1, 12))
    rows = (shared.rows[0], replace(shared.rows[1], model="gpt-4o"))
    read = NOT_EXACT.run
    whole = replace(read, state=replace(read.state, figure=shared.rows[0].usage + shared.rows[1].usage))
    assert models_of(whole, replace(shared, rows=rows)) == frozenset()
    assert models_of(whole, shared) == {MODEL}


# ------------------------------------------------------------------------------------------------ a verified run


@pytest.mark.parametrize(
    ("tokens", "place", "times", "beyond"),
    [
        pytest.param(280, Place.WITHIN, Fraction(7, 5), None, id="within"),
        pytest.param(336, Place.ABOVE, Fraction(42, 25), Fraction(12, 100), id="above"),
        pytest.param(50, Place.BELOW, Fraction(1, 4), Fraction(1, 2), id="below"),
    ],
)
def test_how_far_a_verified_figure_lies_from_the_others(tokens, place, times, beyond):
    spread = input_of(expected(run("a", tokens), *OTHERS))
    assert (spread.figure, spread.place, spread.times_median, spread.beyond) == (tokens, place, times, beyond)


def test_a_run_that_is_not_verified_lies_nowhere():
    spread = input_of(expected(NOT_EXACT.run, *OTHERS))
    assert (spread.figure, spread.place, spread.times_median, spread.beyond) == (None, None, None, None)


def test_a_median_and_an_end_of_zero_divide_nothing():
    spread = Spread(kind="tokens_in", low=Fraction(0), median=Fraction(0), high=Fraction(0), figure=5)
    assert (spread.place, spread.times_median, spread.beyond) == (Place.ABOVE, None, None)


def test_a_range_in_whole_numbers_only_widens():
    found = expected(run("a", 99, recorded=1), run("b", 10, calls=3), run("c", 11, calls=3), run("d", 100, calls=3))
    kind = expectation_json(found)["kinds"][0]
    assert kind == {
        "kind": "tokens_in", "lowest": 3, "median": 4, "highest": 34,
        "verified": 99, "times_median": 27.0, "place": "above", "beyond_share": 1.97,
    }  # fmt: skip
