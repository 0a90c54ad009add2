"""The one comment: found by its first line, and changed only where it would show something else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile import HOSTILE
from support.runs import EXAMPLES, Tale, after, neighbour
from support.week import calls, compared, official

from reconcile.action.comment import CommentStep, FoundComment, content_digest, find, marker, next_step
from reconcile.errors import ProviderError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy, Proof

DIGEST = "0123456789abcdef"
OURS = marker("default", DIGEST)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(OURS + "### LLM usage", id="as it was written"),
        pytest.param(OURS.replace("\n", "\r\n") + "### LLM usage", id="with line ends as browsers send them"),
        pytest.param(OURS.rstrip(), id="with nothing below"),
    ],
)
def test_a_comment_is_ours_by_its_first_line(body):
    assert find([(7, "hello"), (8, body)], "default") == FoundComment(8, DIGEST)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"see:\n{OURS}", id="quoted below"),
        pytest.param(f"> {OURS}", id="quoted in the first line"),
        pytest.param(f" {OURS}", id="after a space"),
        pytest.param(f"\n{OURS}", id="in the second line"),
        pytest.param(OURS.rstrip() + " and more\n", id="with more in its line"),
        pytest.param(marker("default2", DIGEST), id="of a longer key"),
        pytest.param(marker("defaul", DIGEST), id="of a shorter key"),
        pytest.param(OURS.upper(), id="in capitals"),
        pytest.param(OURS.replace(DIGEST, DIGEST[1:]), id="with a short digest"),
        pytest.param(OURS.replace(DIGEST, "z" * 16), id="with a digest that is none"),
    ],
)
def test_a_look_alike_is_not(body):
    assert find([(7, body)], "default") is None


def test_the_oldest_of_several_is_ours():
    assert find([(3, OURS), (9, marker("default", "f" * 16))], "default") == FoundComment(3, DIGEST)


def test_each_key_has_its_own():
    comments = [(3, marker("a.b", DIGEST)), (4, marker("a_b", DIGEST))]
    assert (find(comments, "a_b"), find(comments, "a.b")) == (FoundComment(4, DIGEST), FoundComment(3, DIGEST))


def test_what_is_done():
    assert next_step(None, DIGEST) is CommentStep.CREATE
    assert next_step(FoundComment(1, DIGEST), DIGEST) is CommentStep.KEEP
    assert next_step(FoundComment(1, "f" * 16), DIGEST) is CommentStep.UPDATE


# ------------------------------------------------------------------------------------------------ the digest


def report(*shown, run_id="a", neighbours=()):
    tale = Tale(neighbours=neighbours)
    for number, each in enumerate(shown):
        tale.read(f"{number:02}:45", each)
    return RunReport(run=replace(tale.run, key=RunKey("chatdev", run_id)), selection=Selection.DUE)


def summary(*reports, **members):
    given = {"now": after("02:00"), "policy": Policy(), "discovered": len(reports), "runs": reports, **members}
    return Summary(**given)


ERROR = ProviderError("no answer", code="timeout", remedy="run again")
FINDINGS = (Finding("a", 1, 1, "", "one"), Finding("b", 1, 1, "", "two"))
KNOWN = summary(report("100"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(summary(report("200")), id="a figure"),
        pytest.param(summary(report("100", "100")), id="a status"),
        pytest.param(summary(report("100", run_id="b")), id="a run's name"),
        pytest.param(summary(report()), id="no read"),
        pytest.param(summary(report("100"), report("100", run_id="b")), id="one run more"),
        pytest.param(summary(report("100"), errors=(ERROR,)), id="an error"),
        pytest.param(summary(report("100"), findings=FINDINGS), id="findings"),
    ],
)
def test_what_is_shown_changes_the_digest(other):
    assert content_digest(other) != content_digest(KNOWN)


def test_how_a_verdict_is_held_changes_the_digest():
    verified = report("100", "100")
    state = verified.run.state
    proven, bolder = (replace(state, **facts) for facts in ({"proof": Proof.PROVEN}, {"assumes": ()}))
    shown = [summary(replace(verified, run=replace(verified.run, state=each))) for each in (state, proven, bolder)]
    assert len(set(map(content_digest, shown))) == 3


def test_bounds_change_the_digest():
    shares = report("100 200", "100 200", neighbours=[neighbour("b", 1, 12)])
    wider = replace(shares.run.state.bounds, low=shares.run.state.bounds.high)
    other = replace(shares, run=replace(shares.run, state=replace(shares.run.state, bounds=wider)))
    assert content_digest(summary(shares)) != content_digest(summary(other))


def test_a_comparison_changes_the_digest_where_its_figures_do():
    known, other = compared(calls()), compared(calls()[1:], official(calls()))
    assert len({content_digest(KNOWN), content_digest(KNOWN, known), content_digest(KNOWN, other)}) == 3


def test_how_much_was_read_for_a_comparison_does_not():
    once, again = compared(calls()), compared(calls(), official(calls(), requests=40))
    longer = replace(again, log=replace(again.log, lines=9_000, files=("a", "b")))
    assert content_digest(KNOWN, longer) == content_digest(KNOWN, once)


def test_times_and_the_order_of_findings_do_not():
    later = replace(summary(report("100"), findings=FINDINGS), now=after("09:00") + timedelta(days=1))
    assert content_digest(later) == content_digest(summary(report("100"), findings=FINDINGS[::-1]))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_name_has_a_digest_that_a_marker_can_hold(text):
    shown = content_digest(summary(report("100", run_id=text), findings=(Finding(text, 1, 1, text, text),)))
    assert find([(1, marker("default", shown) + text)], "default") == FoundComment(1, shown)


@EXAMPLES
@given(st.text(max_size=200))
def test_no_text_in_front_of_a_marker_makes_a_comment_ours(text):
    assert text.startswith("<!--") or find([(1, f"{text}x{OURS}")], "default") is None
