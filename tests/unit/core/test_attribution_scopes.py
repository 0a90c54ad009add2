"""Attribution where the scopes of runs differ: which rows are whose, and what may be called exact."""

import pytest
from support.worlds import NOON, WIDE, window

from reconcile.attribution.attribute import attribute
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Completeness
from reconcile.usage import Bucket, Recorded, Usage

MINI, LARGE = "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"
KEY_A, KEY_B = Scope("openai", ("key_a",)), Scope("openai", ("key_b",))
KEYS = Scope("openai", ("key_a", "key_b"))


def claim(name, scope, start, end, calls=None, tokens=None):
    return Claim(RunKey("chatdev", name), scope, window(start, end), Recorded(tokens, tokens, tokens, calls))


def row(minute, requests, tokens, key="key_a", model=MINI, project="proj_1"):
    return Bucket(NOON + 60 * minute, Usage(tokens, tokens, tokens, requests), key, model, project)


def shares(claims, rows):
    return {key.run_id: share for key, share in attribute(claims, rows, [WIDE]).by_run.items()}


def interval(share):
    low, high = share.bounds.low.tokens_in, share.bounds.high.tokens_in
    return low if low == high else (low, high)


MEETING = [
    pytest.param(KEY_A, KEYS, id="one key of several"),
    pytest.param(KEY_A, Scope("openai", ("key_a",), (), (MINI,)), id="a model of a key"),
    pytest.param(
        Scope("openai", ("key_a",), (), ("gpt-4o-mini",)),
        Scope("openai", ("key_a",), (), (MINI,)),
        id="alias",
    ),
    pytest.param(KEY_A, Scope("openai", (), ("proj_1",)), id="a key and its project"),
    pytest.param(Scope("openai", ("key_a",), ("proj_1",)), Scope("openai", (), ("proj_1",)), id="a key in a project"),
]


@pytest.mark.parametrize(("one", "other"), MEETING)
@pytest.mark.parametrize("calls", [(None, None), (2, 3)], ids=["nothing recorded", "counts that would settle it"])
def test_a_shared_minute_with_usage_is_never_exact_between_scopes(one, other, calls):
    claims = [claim("a", one, 0, 2, calls[0]), claim("b", other, 1, 3, calls[1])]
    found = shares(claims, [row(0, 2, 10), row(1, 2, 40), row(2, 1, 20)])
    assert {name: interval(share) for name, share in found.items()} == {"a": (10, 50), "b": (20, 60)}
    assert {name: share.shared for name, share in found.items()} == {"a": (NOON + 60,), "b": (NOON + 60,)}


@pytest.mark.parametrize(("one", "other"), MEETING)
def test_shared_minutes_without_usage_are_exact_between_scopes(one, other):
    found = shares([claim("a", one, 0, 2), claim("b", other, 1, 3)], [row(0, 2, 10), row(2, 1, 20)])
    assert {name: interval(share) for name, share in found.items()} == {"a": 10, "b": 20}
    assert {share.completeness for share in found.values()} == {Completeness.ASSUMED}


@pytest.mark.parametrize(("one", "other"), MEETING)
@pytest.mark.parametrize(
    ("calls", "waits"),
    [
        pytest.param((2, 3), False, id="all there"),
        pytest.param((5, None), True, id="more than its minutes hold"),
        pytest.param((3, 3), True, id="more together than is reported"),
    ],
)
def test_a_missing_call_holds_up_all_whose_scopes_meet(one, other, calls, waits):
    claims = [claim("a", one, 0, 2, calls[0]), claim("b", other, 1, 3, calls[1])]
    found = shares(claims, [row(0, 2, 10), row(1, 2, 40), row(2, 1, 20)])
    assert [share.bounds is None for share in found.values()] == [waits, waits]


def test_the_count_of_a_run_that_was_read_in_part_proves_nothing_missing():
    claims = [claim("a", KEY_A, 0, 2, 1), claim("b", KEYS, 1, 9, 7)]
    result = attribute(claims, [row(0, 1, 10)], [window(-60, 2)])
    assert {key.run_id: interval(share) for key, share in result.by_run.items()} == {"a": 10}


def test_totals_that_add_up_settle_a_shared_minute_between_scopes():
    claims = [claim("a", KEY_A, 0, 2, None, 30), claim("b", KEYS, 1, 3, None, 40)]
    found = shares(claims, [row(0, 2, 10), row(1, 2, 40), row(2, 1, 20, "key_b")])
    assert {name: interval(share) for name, share in found.items()} == {"a": 30, "b": 40}


def test_scopes_that_cannot_admit_the_same_usage_know_nothing_of_each_other():
    found = shares([claim("a", KEY_A, 0, 2, 1), claim("b", KEY_B, 1, 3, 1)], [row(1, 1, 10), row(1, 1, 20, "key_b")])
    assert {name: interval(share) for name, share in found.items()} == {"a": 10, "b": 20}
    assert {share.neighbours for share in found.values()} == {()}
    assert {share.completeness for share in found.values()} == {Completeness.CALLS_MATCHED}


def test_a_scope_that_links_two_others_at_another_time_lends_them_no_usage():
    """The run over both keys is hours away, but scopes are pooled for the whole day."""
    claims = [claim("a", KEY_A, 0, 2), claim("b", KEYS, 300, 301)]
    result = attribute(claims, [row(1, 1, 10), row(1, 1, 20, "key_b")], [WIDE])
    assert result.by_run[RunKey("chatdev", "a")].reported.tokens_in == 10
    assert [(each.api_key_id, each.usage.tokens_in) for each in result.unattributed] == [("key_b", 20)]


def test_usage_of_a_linked_scope_beside_a_run_is_not_the_runs_concern():
    claims = [claim("a", KEY_A, 0, 2), claim("b", KEYS, 300, 301)]
    assert shares(claims, [row(1, 1, 10), row(5, 1, 20, "key_b")])["a"].guard.requests == 0


def test_minutes_claimed_by_scopes_that_never_meet_are_watched():
    """A run on the other key fills the time after `a`, and a third run links both keys elsewhere."""
    claims = [claim("a", KEY_A, 0, 2), claim("b", KEY_B, 2, 90), claim("c", KEYS, 300, 301)]
    share = shares(claims, [row(1, 1, 10), row(5, 1, 99), row(5, 1, 20, "key_b")])["a"]
    assert (share.guard.minutes, share.guard.requests) == (120, 1)
    assert interval(share) == (0, 10)


def test_usage_beside_a_run_counts_only_if_its_scope_admits_it():
    mini = Scope("openai", ("key_a",), (), ("gpt-4o-mini",))
    share = shares([claim("a", mini, 0, 2)], [row(1, 1, 10), row(5, 1, 20, model=LARGE)])["a"]
    assert (share.guard.requests, interval(share)) == (0, 10)


def test_scopes_that_meet_through_a_third_are_looked_at_together():
    """`a` and `b` share no bucket, but what `c` had of either is unknown."""
    claims = [claim("a", KEY_A, 0, 2), claim("b", KEY_B, 0, 2), claim("c", KEYS, 1, 3)]
    found = shares(claims, [row(0, 1, 1), row(1, 1, 10), row(0, 1, 2, "key_b"), row(1, 1, 20, "key_b")])
    assert {name: interval(share) for name, share in found.items()} == {"a": (1, 11), "b": (2, 22), "c": (0, 30)}
    assert {name: [other.run.run_id for other in share.neighbours] for name, share in found.items()} == {
        "a": ["c"],
        "b": ["c"],
        "c": ["a", "b"],
    }


@pytest.mark.parametrize("batch", ["exclude", "include", "only"])
def test_what_a_claim_admits_stays_as_it_was_claimed_where_no_batch_job_was_reported(batch):
    """It may be reported later."""
    one = Claim(RunKey("chatdev", "a"), Scope("openai", ("key_a",), batch=batch), window(0, 2))
    rows = [Bucket(NOON, Usage(10, 1, 0, 1), "key_a")]
    assert attribute([one], rows, [WIDE]).by_run[one.run].claim == one


@pytest.mark.parametrize(
    ("batch", "tokens", "left"),
    [
        pytest.param("exclude", 10, [500], id="is nobody's unless it is claimed"),
        pytest.param("include", 510, [], id="is among the others"),
        pytest.param("only", 500, [10], id="is all that is claimed"),
    ],
)
def test_a_batch_job(batch, tokens, left):
    one = Claim(RunKey("chatdev", "a"), Scope("openai", ("key_a",), batch=batch), window(0, 2))
    rows = [
        Bucket(NOON, Usage(10, 1, 0, 1), "key_a", batch=False),
        Bucket(NOON, Usage(500, 50, 0, 5), "key_a", batch=True),
    ]
    found = attribute([one], rows, [WIDE])
    assert found.by_run[one.run].figure.tokens_in == tokens
    assert [row.usage.tokens_in for row in found.unattributed] == left
