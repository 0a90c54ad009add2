"""What the dashboard shows of a run: its figure by model, and its minutes in parts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import FIRST, KEY, MODEL, SCOPE, WINDOW, Tale, after, attribution_of, neighbour, usage

from reconcile.attribution.evidence import evidence_of
from reconcile.insight.account import Account
from reconcile.insight.dashboard import MOST_PARTS, WIDTHS, part_width, timeline, whole_by_model
from reconcile.minutes import MINUTE, Window
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport
from reconcile.runs.run import Claim
from reconcile.runs.state import Policy
from reconcile.usage import Bucket, total


def account(tale, shown=None, *neighbours):
    run = tale.run
    return Account(
        report=RunReport(run=run, selection=Selection.OBSERVED),
        claim=Claim(KEY, SCOPE, run.window),
        neighbours=(),
        plateau=None,
        policy=Policy(),
        now=after("03:00"),
        requests=(),
        evidence=evidence_of(attribution_of(shown, *neighbours), after("02:00")) if shown else None,
    )


def test_a_run_that_was_never_read_has_no_usage_of_any_model():
    assert whole_by_model(account(Tale())) == ()


def test_without_evidence_nobody_knows_the_models():
    tale = Tale()
    tale.read("00:45", "100 3x50")
    assert whole_by_model(account(tale)) == ((None, tale.run.state.figure),)


def test_shared_minutes_have_no_models_of_one_run():
    beside = neighbour("b", 0, 3)
    tale = Tale(neighbours=[beside])
    tale.read("00:45", "100 3x50")
    assert whole_by_model(account(tale, "100 3x50", beside)) == ((None, tale.run.state.figure),)


def test_an_exact_figure_is_told_by_model():
    tale = Tale()
    tale.read("00:45", "100 3x50")
    told = account(tale, "100 3x50")
    first, second = told.evidence.rows
    told = replace(told, evidence=replace(told.evidence, rows=(first, replace(second, model="other"))))
    assert whole_by_model(told) == ((MODEL, usage(100)), ("other", usage(50, calls=3)))


@pytest.mark.parametrize(
    ("minutes", "runs", "width"),
    [(240, 1, 1), (241, 1, 2), (1440, 50, 10), (12, 1_000, 1), (13, 1_000, 2), (1440, 1_000, 120), (10**6, 1, 1440)],
)
def test_a_timeline_has_as_many_parts_as_fit_on_a_page_of_so_many(minutes, runs, width):
    assert part_width(Window(0, minutes * MINUTE), runs) == width


def test_no_runs_is_no_division_by_zero():
    assert part_width(Window(0, MOST_PARTS * MINUTE), 0) == 1


rows = st.lists(
    st.builds(
        lambda minute, tokens, key, model: Bucket(FIRST + minute * MINUTE, usage(tokens), key, model),
        st.integers(0, 9),
        st.integers(0, 99),
        st.sampled_from(["key_a", "key_b", None]),
        st.sampled_from(["m", None]),
    ),
    max_size=30,
)


@given(rows, st.sampled_from(WIDTHS))
def test_the_parts_of_a_timeline_add_up_to_its_rows(rows, width):
    parts = timeline(Tale().run, tuple(rows), width)
    assert total(part.usage for part in parts) == total(row.usage for row in rows)
    assert len({(part.minute, part.api_key_id, part.model) for part in parts}) == len(parts)
    assert all((part.minute - WINDOW.start) % (width * MINUTE) == 0 for part in parts)


def test_a_part_is_dated_by_its_first_minute():
    shown = [Bucket(FIRST + minute * MINUTE, usage(100), "key_a", MODEL) for minute in (0, 3, 5)]
    parts = timeline(Tale().run, tuple(shown), 5)
    assert [(part.minute - FIRST, part.usage) for part in parts] == [(0, usage(200, calls=2)), (300, usage(100))]
    assert timeline(Tale().run, (), 5) == []
