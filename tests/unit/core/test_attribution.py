"""Attribution against the worked examples of docs/attribution.md, and what it says beside the bounds."""

import pytest
from support.worlds import NOON, WIDE, window

from reconcile.attribution.attribute import attribute
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Completeness, Guard
from reconcile.usage import Bucket, Recorded, Usage

SCOPE = Scope("openai", ("key_a",))

TWO_RUNS = "1x100 2x250 1x90 1x110 3x400 1x50 1x60 1x70"
ONE_RUN = "2x1000 1x3000 2x500"
BOTH, CALLS, ASSUMED = Completeness.CALLS_AND_TOKENS_MATCHED, Completeness.CALLS_MATCHED, Completeness.ASSUMED


def minutes(text, start=0, key="key_a"):
    """`2x250` is a minute of two requests and 250 tokens of each kind; a dot is a quiet one."""
    for index, cell in enumerate(text.split(), start):
        if cell != ".":
            requests, tokens = map(int, cell.split("x"))
            yield Bucket(NOON + 60 * index, Usage(tokens, tokens, tokens, requests), key, "gpt-4o-mini-2024-07-18")


def claim(name, start, end, calls=None, tokens=None, scope=SCOPE):
    recorded = Recorded(tokens, tokens, tokens, calls)
    return Claim(RunKey("chatdev", name), scope, window(start, end), recorded)


def shares(text, *claims, covered=(WIDE,), extra=()):
    result = attribute(claims, [*minutes(text), *extra], covered)
    return {key.run_id: share for key, share in result.by_run.items()}


def interval(share):
    if share.bounds is None:
        return None
    low, high = share.bounds.low.tokens_in, share.bounds.high.tokens_in
    return low if low == high else (low, high)


def intervals(found):
    return {name: interval(share) for name, share in found.items()}


# ------------------------------------------------------------------------------------- worked examples


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param((None, None), (None, None), {"a": (550, 950), "b": (180, 580)}, id="windows only"),
        pytest.param((5, None), (6, None), {"a": 550, "b": 580}, id="counts that place the shared minute"),
        pytest.param((6, None), (5, None), {"a": (550, 950), "b": (180, 580)}, id="counts that split it"),
        pytest.param((6, 700), (5, 430), {"a": 700, "b": 430}, id="totals that add up"),
        pytest.param((7, None), (3, None), {"a": (550, 950), "b": (110, 580)}, id="a surplus of one"),
        pytest.param((7, None), (5, None), {"a": None, "b": None}, id="a call short"),
        pytest.param((None, 700), (None, None), {"a": (700, 950), "b": (180, 430)}, id="a total is the other's limit"),
        pytest.param((None, 700), (None, 430), {"a": 700, "b": 430}, id="totals that add up without counts"),
    ],
)
def test_two_runs_with_a_shared_minute(a, b, expected):
    assert intervals(shares(TWO_RUNS, claim("a", 0, 5, *a), claim("b", 4, 9, *b))) == expected


@pytest.mark.parametrize(
    ("calls", "tokens", "expected", "told"),
    [
        pytest.param(None, None, 4500, None, id="nothing recorded"),
        pytest.param(5, None, 4500, None, id="as many calls"),
        pytest.param(4, None, (1500, 4500), None, id="a request more"),
        pytest.param(4, 3900, (3900, 4500), None, id="a request more beside recorded totals"),
        pytest.param(4, 4600, None, "lacking", id="a request more but fewer tokens"),
        pytest.param(5, 4550, None, "lacking", id="as many calls but fewer tokens"),
        pytest.param(5, 4450, 4500, "mismatched", id="as many calls but more tokens"),
        pytest.param(0, None, (0, 4500), None, id="no calls recorded"),
        pytest.param(0, 10, (10, 4500), None, id="no calls recorded, but tokens"),
        pytest.param(6, None, None, None, id="a call short"),
        pytest.param(6, 4600, None, None, id="a call short, and tokens"),
    ],
)
def test_one_run_alone(calls, tokens, expected, told):
    share = shares(ONE_RUN, claim("a", 0, 3, calls, tokens))["a"]
    assert (interval(share), share.mismatched, share.lacking) == (expected, told == "mismatched", told == "lacking")


# --------------------------------------------------------------------------- when a figure may be exact


@pytest.mark.parametrize(
    ("text", "claims", "expected"),
    [
        pytest.param(
            "1x10 2x20 5x90",
            [claim("a", 0, 2, 3), claim("b", 1, 3, 4)],
            {"a": 30, "b": (0, 90)},
            id="its minutes hold just its calls, and a surplus elsewhere does not matter",
        ),
        pytest.param(
            "1x10 2x20 1x40",
            [claim("a", 0, 2, 1), claim("b", 1, 3, 3)],
            {"a": 10, "b": 60},
            id="the shared minute is all its neighbour's",
        ),
        pytest.param(
            "1x10 2x20 1x40",
            [claim("a", 0, 2), claim("b", 1, 3, 3)],
            {"a": 10, "b": 60},
            id="its minutes hold just its calls, and a neighbour's are unknown",
        ),
        pytest.param(
            "1x10 . 1x40",
            [claim("a", 0, 2), claim("b", 1, 3)],
            {"a": 10, "b": 40},
            id="no shared minute holds usage",
        ),
        pytest.param(
            "2x10",
            [claim("a", 0, 1, 1), claim("b", 0, 1, 1)],
            {"a": (0, 10), "b": (0, 10)},
            id="counts do not split the tokens of a minute",
        ),
        pytest.param(
            "2x10",
            [claim("a", 0, 1, 0), claim("b", 0, 1, 2)],
            {"a": 0, "b": 10},
            id="its neighbour made no call",
        ),
    ],
)
def test_when_a_figure_is_exact(text, claims, expected):
    assert intervals(shares(text, *claims)) == expected


def test_what_the_others_cannot_have_used_is_a_runs_own():
    """Of four requests `c` made the last and `b` at most one of the others, so `a` used all but the larger of these."""
    found = shares("1x100 1x50 1x60 1x5", claim("a", 0, 4, 2), claim("b", 1, 4), claim("c", 3, 4, 1))
    assert intervals(found) == {"a": (150, 210), "b": (0, 60), "c": 5}


def test_calls_are_bounded_like_tokens():
    found = shares("5x10 2x20 1x40", claim("a", 0, 2), claim("b", 1, 2), claim("c", 1, 3))
    calls = {name: (share.bounds.low.api_calls, share.bounds.high.api_calls) for name, share in found.items()}
    assert calls == {"a": (5, 7), "b": (0, 2), "c": (1, 3)}


def test_a_run_that_recorded_no_calls_may_own_a_retry_beside_a_run_that_recorded_nothing():
    """Where all calls are known, a retry would show as a surplus; here nothing would tell."""
    found = shares("3x100 1x40", claim("a", 0, 2), claim("b", 1, 3, calls=0))
    assert intervals(found) == {"a": (100, 140), "b": (0, 40)}


# ------------------------------------------------------------------------- what the figures rest on


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param((None, None), (None, None), (ASSUMED, ASSUMED), id="nothing recorded"),
        pytest.param((5, None), (None, None), (ASSUMED, ASSUMED), id="a neighbour recorded nothing"),
        pytest.param((5, None), (6, None), (CALLS, CALLS), id="everyone's calls"),
        pytest.param((6, 700), (5, 430), (BOTH, BOTH), id="everyone's calls and tokens"),
        pytest.param((6, 700), (5, None), (CALLS, CALLS), id="one run's tokens"),
        pytest.param((6, 700), (4, 430), (CALLS, CALLS), id="a request more, though tokens add up"),
        pytest.param((5, 650), (6, 480), (BOTH, BOTH), id="calls and tokens that add up, wherever they were booked"),
        pytest.param((5, 650), (6, 470), (CALLS, CALLS), id="calls that add up and tokens that do not"),
    ],
)
def test_completeness_of_two_runs(a, b, expected):
    found = shares(TWO_RUNS, claim("a", 0, 5, *a), claim("b", 4, 9, *b))
    assert (found["a"].completeness, found["b"].completeness) == expected


def test_minutes_that_hold_just_its_calls_and_tokens_prove_a_figure_whatever_its_neighbour_recorded():
    found = shares("2x30 . 1x40", claim("a", 0, 2, 2, 30), claim("b", 1, 3))
    assert [found[name].completeness for name in "ab"] == [BOTH, ASSUMED]


def test_the_surplus_is_what_nobody_recorded_and_unknown_where_a_count_is():
    counted = shares(TWO_RUNS, claim("a", 0, 5, 7), claim("b", 4, 9, 3))
    unknown = shares(TWO_RUNS, claim("a", 0, 5, 5), claim("b", 4, 9))
    assert [share.surplus for share in (*counted.values(), *unknown.values())] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("start", "calls", "nearby"),
    [
        pytest.param(61, 1, True, id="from the 60th minute on"),
        pytest.param(62, 1, False, id="from the 61st minute on"),
        pytest.param(2, 2, False, id="all recorded"),
        pytest.param(2, None, False, id="nothing recorded"),
    ],
)
def test_a_surplus_nearby_is_told(start, calls, nearby):
    """Where a request was foreign, another that made up for a late call may be."""
    found = shares("1x10", claim("a", 0, 2, 1), claim("b", start, start + 1, calls), extra=minutes("2x20", start))
    assert found["a"].surplus_nearby is nearby


# --------------------------------------------------------------- recorded totals that cannot be true


@pytest.mark.parametrize(
    ("claims", "mismatched", "lacking", "expected"),
    [
        pytest.param(
            [claim("a", 0, 5, 5, 550), claim("b", 4, 9, 6, 600)],
            "",
            "b",
            {"a": 550, "b": None},
            id="totals above what there is, and a run that certainly used its own",
        ),
        pytest.param(
            [claim("a", 0, 5, 6, 700), claim("b", 4, 9, 5, 400)],
            "ab",
            "",
            {"a": (550, 950), "b": (180, 580)},
            id="totals that do not add up, and no telling whose",
        ),
        pytest.param(
            [claim("a", 0, 5, None, 900), claim("b", 4, 9, None, 400)],
            "",
            "ab",
            {"a": None, "b": None},
            id="totals above what there is, though each is possible",
        ),
        pytest.param(
            [claim("a", 0, 5, None, 1000), claim("b", 4, 9)],
            "",
            "a",
            {"a": None, "b": (180, 580)},
            id="a total above all usage of its minutes",
        ),
        pytest.param(
            [claim("a", 0, 5, 5, 550), claim("b", 4, 9, 6, 580), claim("c", 5, 9, 0, 7)],
            "",
            "c",
            {"a": 550, "b": 580, "c": None},
            id="tokens of a run without calls",
        ),
        pytest.param(
            [claim("a", 0, 5, 5, 550), claim("b", 4, 9, 6, 500), claim("c", 5, 9, 0)],
            "b",
            "",
            {"a": 550, "b": 580, "c": 0},
            id="a run that wrote no tokens down because it made no calls",
        ),
    ],
)
def test_totals_that_cannot_be_true_are_named_and_not_used(claims, mismatched, lacking, expected):
    """Those above what was reported wait for the rest; others are held to be counted wrongly."""
    found = shares(TWO_RUNS, *claims)
    assert intervals(found) == expected
    assert "".join(name for name, share in found.items() if share.mismatched) == mismatched
    assert "".join(name for name, share in found.items() if share.lacking) == lacking


def test_totals_of_a_run_that_waits_for_calls_are_no_mismatch():
    found = shares(TWO_RUNS, claim("a", 0, 5, 7, 5000), claim("b", 4, 9, 5, 430))
    assert not any(share.mismatched for share in found.values())


# ----------------------------------------------------------------- neighbours and shared minutes


def test_neighbours_share_minutes_and_shared_minutes_hold_usage():
    found = shares(
        "1x10 1x10 . 1x10", claim("a", 0, 3), claim("b", 1, 2), claim("c", 2, 4), claim("d", 4, 5), claim("e", 9, 10)
    )
    assert {name: [other.run.run_id for other in share.neighbours] for name, share in found.items()} == {
        "a": ["b", "c"],
        "b": ["a"],
        "c": ["a"],
        "d": [],
        "e": [],
    }
    assert {name: share.shared for name, share in found.items()} == {
        "a": (NOON + 60,),
        "b": (NOON + 60,),
        "c": (),
        "d": (),
        "e": (),
    }


def test_a_run_that_made_no_calls_shares_no_minute_with_one_that_counted():
    found = shares("2x10", claim("a", 0, 1, 2), claim("b", 0, 1, 0))
    assert [(share.shared, len(share.neighbours)) for share in found.values()] == [((), 1), ((NOON,), 1)]


def test_rows_of_zeros_are_no_usage():
    found = shares("0x0 1x10", claim("a", 0, 1), claim("b", 0, 2))
    assert [(interval(share), share.shared) for share in found.values()] == [(0, ()), (10, ())]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([claim("a", 0, 2)], {"a": 17}, id="a run alone has them"),
        pytest.param([claim("a", 0, 2, 2)], {"a": (7, 17)}, id="a count does not say whose they are"),
        pytest.param([claim("a", 0, 2), claim("b", 1, 2)], {"a": (10, 17), "b": (0, 7)}, id="either may have them"),
    ],
)
def test_tokens_that_were_reported_without_a_request_are_anybodys(claims, expected):
    assert intervals(shares("2x10 0x7", *claims)) == expected


def test_the_figure_is_the_high_bound_and_everything_where_there_are_none():
    found = shares(TWO_RUNS, claim("a", 0, 5), claim("b", 4, 9))
    waiting = shares(TWO_RUNS, claim("a", 0, 5, 9))["a"]
    assert [share.figure.tokens_in for share in (*found.values(), waiting)] == [950, 580, 950]
    assert waiting.reported.api_calls == 8
    assert not waiting.exact


# ---------------------------------------------------------------------------------- what was read


def test_a_claim_that_was_read_in_part_gets_nothing_and_its_count_is_not_believed():
    found = shares("1x10 2x20 . .", claim("a", 0, 2, 2), claim("b", 1, 4, 1, 20), covered=[window(-60, 3)])
    assert set(found) == {"a"}
    assert interval(found["a"]) == (10, 30)
    assert found["a"].completeness is ASSUMED
    assert [other.run.run_id for other in found["a"].neighbours] == ["b"]


def test_a_total_that_may_lie_in_minutes_nobody_read_is_no_floor():
    found = shares("1x10 2x20", claim("a", 0, 2), claim("b", 1, 4, None, 20), covered=[window(-60, 3)])
    assert interval(found["a"]) == (10, 30)


def test_a_claim_outside_of_what_was_read_takes_no_part():
    """Were it to, its other scope would make the counts of the others useless."""
    both_keys = Scope("openai", ("key_a", "key_b"))
    claims = [claim("a", 0, 2, 2), claim("b", 1, 4), claim("c", 3, 6, scope=both_keys)]
    assert intervals(shares("1x10 1x20", *claims, covered=[window(-60, 3)])) == {"a": 30}


# ------------------------------------------------------------------------------------- the guard


@pytest.mark.parametrize(
    ("minute", "seen"),
    [
        pytest.param(-60, 1, id="60 minutes before"),
        pytest.param(-61, 0, id="61 minutes before"),
        pytest.param(61, 1, id="60 minutes after"),
        pytest.param(62, 0, id="61 minutes after"),
        pytest.param(2, 1, id="in the minute it ends"),
    ],
)
def test_the_60_nearest_minutes_on_either_side_are_watched(minute, seen):
    share = shares("1x10 1x20", claim("a", 0, 2), extra=minutes("1x5", minute))["a"]
    assert share.guard == Guard(minutes=120, requests=seen)
    assert interval(share) == ((0, 30) if seen else 30)


def test_tokens_that_nobody_claims_open_the_key_without_a_request_too():
    share = shares("1x10 1x20", claim("a", 0, 2), extra=minutes("0x5", 10))["a"]
    assert (share.guard.requests, interval(share)) == (1, (0, 30))


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        pytest.param((None, None), {"a": (0, 30), "b": (0, 60)}, id="nothing recorded"),
        pytest.param((None, 3), {"a": (0, 10), "b": 60}, id="what is known needs no closed key"),
        pytest.param((2, 2), {"a": (10, 30), "b": (40, 60)}, id="all counted"),
    ],
)
def test_usage_that_nobody_claims_ends_the_presumption_of_a_closed_key(calls, expected):
    claims = [claim("a", 0, 2, calls[0]), claim("b", 1, 3, calls[1])]
    assert intervals(shares("1x10 2x20 1x40", *claims, extra=minutes("3x9", -5))) == expected


def test_a_run_looks_past_its_neighbours():
    """Three runs back to back, and a foreign request 20 minutes behind the last."""
    chain = [claim("a", 0, 30), claim("b", 30, 60), claim("c", 60, 70), claim("d", 80, 90)]
    found = shares(". 1x10", *chain, extra=minutes("1x5", 110))
    assert {name: share.guard.requests for name, share in found.items()} == dict.fromkeys("abcd", 1)


def test_only_minutes_that_were_read_are_watched():
    covered = [window(-30, 3), window(10, 20)]
    share = shares("1x10", claim("a", 0, 2), covered=covered)["a"]
    assert share.guard == Guard(minutes=30 + 1 + 10, requests=0)


def test_a_run_that_reaches_out_of_what_was_read_claims_no_minute_of_the_next_part():
    covered = [window(-30, 3), window(10, 20)]
    found = shares("1x10", claim("a", 0, 2), claim("b", 2, 5), claim("c", 12, 14), covered=covered)
    assert {name: share.guard.minutes for name, share in found.items()} == {"a": 30 + 2 + 6, "c": 30 + 2 + 6}


def test_another_key_s_usage_is_not_the_run_s_concern():
    share = shares("1x10", claim("a", 0, 2), extra=minutes("1x5", 5, key="key_b"))["a"]
    assert share.guard.requests == 0


def test_usage_between_runs_is_unattributed():
    result = attribute([claim("a", 0, 1), claim("b", 2, 3)], minutes("1x10 2x20 1x40"), [WIDE])
    assert [row.usage.tokens_in for row in result.unattributed] == [20]


def test_no_figure_has_more_cached_than_input_although_each_kind_is_bounded_by_itself():
    """A neighbour's recorded input leaves less input than the shared minute has cached tokens."""
    neighbour = Claim(RunKey("chatdev", "b"), SCOPE, window(0, 1), Recorded(tokens_in=90, api_calls=1))
    mine = Claim(RunKey("chatdev", "a"), SCOPE, window(0, 1), Recorded(api_calls=1))
    row = Bucket(NOON, Usage(100, 10, 25, 2), "key_a", "gpt-4o-mini-2024-07-18")
    share = attribute([mine, neighbour], [row], [WIDE]).by_run[mine.run]
    assert (share.figure.tokens_in, share.figure.cached_tokens) == (10, 10)


def test_totals_that_contradict_each_other_across_kinds_are_set_aside_and_named():
    neighbour = Claim(RunKey("chatdev", "b"), SCOPE, window(0, 1), Recorded(tokens_in=95, api_calls=1))
    mine = Claim(RunKey("chatdev", "a"), SCOPE, window(0, 1), Recorded(cached_tokens=20, api_calls=1))
    row = Bucket(NOON, Usage(100, 10, 25, 2), "key_a", "gpt-4o-mini-2024-07-18")
    share = attribute([mine, neighbour], [row], [WIDE]).by_run[mine.run]
    assert (share.mismatched, share.bounds.low, share.figure.cached_tokens) == (True, Usage(), 5)
