"""The arithmetic of figures, windows and scopes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES, FIRST, WINDOW, Tale, after, usage

from reconcile.minutes import MINUTE, Window, any_holds, any_meets, instant, joined, minutes_of
from reconcile.providers.base import Scope
from reconcile.runs.run import RunKey
from reconcile.runs.state import Proof, State, Status
from reconcile.usage import Bounds, Bucket, Recorded, Usage, names, total

HIGHER = {
    "more of all kinds": (Usage(2, 2, 2, 2), True),
    "more of one kind": (Usage(1, 1, 1, 2), True),
    "the same": (Usage(1, 1, 1, 1), False),
    "less of one kind": (Usage(1, 1, 1, 0), False),
    "more of one kind and less of another": (Usage(2, 0, 1, 1), False),
}


@pytest.mark.parametrize(("figure", "expected"), HIGHER.values(), ids=HIGHER)
def test_when_a_figure_rose(figure, expected):
    assert figure.rose_from(Usage(1, 1, 1, 1)) is expected


def test_figures_add_and_subtract_kind_by_kind():
    assert Usage(5, 4, 3, 2) + Usage(1, 1, 1, 1) == Usage(6, 5, 4, 3)
    assert Usage(5, 4, 3, 2) - Usage(6, 1, 1, 1) == Usage(-1, 3, 2, 1)
    assert total([Usage(1, 2, 3, 4), Usage(1, 2, 3, 4)]) == Usage(2, 4, 6, 8)
    assert total([]) == Usage()


def test_only_nothing_of_any_kind_is_zero():
    assert Usage().is_zero
    assert not Usage(api_calls=1).is_zero


def test_bounds_are_exact_where_they_meet():
    assert Bounds(usage(100), usage(100)).exact
    assert not Bounds(usage(60), usage(100)).exact


def test_recorded_tokens_are_the_parts_without_calls():
    assert Recorded(1, 2, None, 4).tokens == (1, 2, None)


AROUND = {
    "whole minutes": ((120, 240), (120, 240)),
    "the first and the last partial minute": ((121, 239), (120, 240)),
    "a second after the minute": ((120, 241), (120, 300)),
    "within a minute": ((125, 130), (120, 180)),
    "nothing": ((120, 120), (120, 180)),
    "fractions": ((119.9, 120.1), (60, 180)),
}


@pytest.mark.parametrize(("span", "window"), AROUND.values(), ids=AROUND)
def test_a_window_holds_every_minute_it_touches(span, window):
    assert Window.around(*span) == Window(*window)


@given(st.floats(0, 1e9), st.floats(0, 1e6))
@EXAMPLES
def test_a_window_is_whole_minutes_around_its_span(start, length):
    window = Window.around(start, start + length)
    assert window.start <= start
    assert start + length <= window.end
    assert (window.start % MINUTE, window.end % MINUTE) == (0, 0)
    assert window.minutes == len(minutes_of(window)) >= 1


MEETS = {
    "apart": ((0, 60), (120, 180), False, False),
    "touching": ((0, 60), (60, 120), False, False),
    "overlapping": ((0, 120), (60, 180), True, False),
    "inside": ((0, 180), (60, 120), True, True),
    "the same": ((0, 60), (0, 60), True, True),
}


@pytest.mark.parametrize(("one", "other", "meets", "holds"), MEETS.values(), ids=MEETS)
def test_windows_that_meet_and_hold_others(one, other, meets, holds):
    assert Window(*one).meets(Window(*other)) is Window(*other).meets(Window(*one)) is meets
    assert Window(*one).holds(Window(*other)) is holds
    assert any_meets([Window(*one)], Window(*other)) is meets
    assert any_holds([Window(*one)], Window(*other)) is holds


def test_a_window_is_widened_on_both_sides():
    assert Window(120, 180).widened(1) == Window(60, 240)


def test_nothing_meets_or_holds_a_window():
    assert not any_meets([], Window(0, 60))
    assert not any_holds([], Window(0, 60))


WINDOWS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 5)).map(lambda w: Window(w[0] * 60, (w[0] + w[1]) * 60)), max_size=6
)


@given(WINDOWS, st.integers(0, 20), st.integers(1, 5))
@EXAMPLES
def test_joined_windows_are_the_same_minutes_sorted_and_apart(windows, start, length):
    apart = joined(windows)
    minutes = {minute for window in windows for minute in minutes_of(window)}
    assert [minute for window in apart for minute in minutes_of(window)] == sorted(minutes)
    assert all(one.end < other.start for one, other in pairwise(apart))
    asked = Window(start * 60, (start + length) * 60)
    assert any_meets(apart, asked) == bool(minutes & set(minutes_of(asked)))
    assert any_holds(apart, asked) == (minutes >= set(minutes_of(asked)))


ALIASES = {
    "the name itself": ("gpt-4o-mini", "gpt-4o-mini", True),
    "a dated snapshot": ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", True),
    "a snapshot dated by month and day": ("gpt-3.5-turbo", "gpt-3.5-turbo-0125", True),
    "a preview is another model": ("gpt-4", "gpt-4-0125-preview", False),
    "another model that begins alike": ("gpt-4o", "gpt-4o-mini", False),
    "a snapshot of another model": ("gpt-4o", "gpt-4o-mini-2024-07-18", False),
    "a snapshot does not stand for its model": ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", False),
    "no model reported": ("gpt-4o", None, False),
    "a dot is a dot": ("gpt-4.1", "gpt-441-2025-04-14", False),
}


@pytest.mark.parametrize(("alias", "model", "expected"), ALIASES.values(), ids=ALIASES)
def test_a_model_stands_for_its_dated_snapshots(alias, model, expected):
    assert names(alias, model) is expected


BUCKET = Bucket(FIRST, usage(100), "key_a", "gpt-4o-mini-2024-07-18", "proj_1")

ADMITS = {
    "everything": (Scope("openai"), True),
    "its key": (Scope("openai", ("key_a", "key_b")), True),
    "another key": (Scope("openai", ("key_b",)), False),
    "its project": (Scope("openai", (), ("proj_1",)), True),
    "another project": (Scope("openai", (), ("proj_2",)), False),
    "its model": (Scope("openai", ("key_a",), (), ("gpt-4o", "gpt-4o-mini")), True),
    "another model": (Scope("openai", ("key_a",), (), ("gpt-4o",)), False),
}


@pytest.mark.parametrize(("scope", "expected"), ADMITS.values(), ids=ADMITS)
def test_what_a_scope_admits(scope, expected):
    assert scope.admits(BUCKET) is expected


MEETING = {
    "one key in common": (Scope("openai", ("key_a", "key_b")), Scope("openai", ("key_b",)), True),
    "no key in common": (Scope("openai", ("key_a",)), Scope("openai", ("key_b",)), False),
    "one admits every key": (Scope("openai"), Scope("openai", ("key_b",)), True),
    "another provider": (Scope("openai"), Scope("other"), False),
    "other projects": (Scope("openai", (), ("proj_1",)), Scope("openai", (), ("proj_2",)), False),
    "a model and its snapshot": (
        Scope("openai", models=("gpt-4o",)),
        Scope("openai", models=("gpt-4o-2024-08-06",)),
        True,
    ),
    "other models": (Scope("openai", models=("gpt-4o",)), Scope("openai", models=("gpt-4o-mini",)), False),
    "one admits every model": (Scope("openai"), Scope("openai", models=("gpt-4o",)), True),
}


@pytest.mark.parametrize(("one", "other", "expected"), MEETING.values(), ids=MEETING)
def test_scopes_that_can_admit_the_same_bucket(one, other, expected):
    assert one.meets(other) is other.meets(one) is expected


@pytest.mark.parametrize("status", Status)
def test_which_statuses_are_settled(status):
    assert status.settled is (status not in {Status.PENDING, Status.DATA_NOT_AVAILABLE})


def test_a_run_that_was_never_read_is_neither_edited_nor_settled():
    run = Tale().run
    assert (run.edited, run.settled) == (False, False)


def test_a_run_whose_times_changed_is_edited_and_no_longer_settled():
    tale = Tale()
    tale.read("00:30", "100")
    tale.read("01:30", "100")
    run = tale.run
    assert (run.edited, run.settled) == (False, True)
    moved = replace(run, window=WINDOW.widened(1))
    assert (moved.edited, moved.settled) == (True, False)


def test_a_run_is_named_by_its_folders():
    assert str(RunKey("chatdev", "a")) == "chatdev/a"


def test_the_minutes_of_a_window_are_those_in_it():
    assert list(minutes_of(Window(60, 180))) == [60, 120]


def test_an_instant_is_aware():
    assert instant(after("00:00").timestamp()) == after("00:00")


@pytest.mark.parametrize(
    ("members", "grade"),
    [
        pytest.param({"proof": Proof.PROVEN}, Proof.PROVEN, id="as it says"),
        pytest.param({"completeness": "calls_and_tokens_matched"}, Proof.SUPPORTED, id="matched, under version one"),
        pytest.param({"completeness": "calls_matched"}, Proof.SUPPORTED, id="counted, under version one"),
        pytest.param({"completeness": "assumed"}, Proof.ASSUMED, id="assumed"),
        pytest.param({"status": Status.WARNING}, None, id="a warning has none"),
        pytest.param({"ours": False}, None, id="nor has another tool's"),
    ],
)
def test_how_a_verified_figure_is_held(members, grade):
    assert State(**{"status": Status.VERIFIED, **members}).grade is grade


@pytest.mark.parametrize(
    ("members", "held"),
    [
        pytest.param({}, (), id="never read"),
        pytest.param({"window": Window(600, 1200)}, (Window(600, 1200),), id="its window"),
        pytest.param(
            {"window": Window(600, 1200), "sessions": (Window(600, 660), Window(1140, 1200))},
            (Window(600, 660), Window(1140, 1200)),
            id="its sessions",
        ),
        pytest.param(
            {"window": Window(600, 1200), "reach_seconds": 60.0}, (Window(600, 1200),), id="not what it only reaches"
        ),
        pytest.param(
            {"window": Window(600, 1200), "reach_seconds": 61.0, "beyond_window": 1},
            (Window(480, 1320),),
            id="that too, where its figure holds usage of it",
        ),
    ],
)
def test_the_minutes_that_a_verdict_holds(members, held):
    assert State(status=Status.VERIFIED, **members).held == held
