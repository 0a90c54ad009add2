"""Which figure stands and how often it was confirmed, read by read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES, HOURLY, after, clock_of, observed, usage

from reconcile.core.model import Policy
from reconcile.core.plateau import Effect, follow, placed, plateau_of, stamped

POLICY = Policy()


STAMPS = {
    "the first": ([], "00:50 100", "00:50"),
    "higher": (["00:10 50"], "00:50 100", "00:50"),
    "rival": (["00:10 150"], "00:50 100", "00:50"),
    "lower again, asked for in time": (["00:00 150", "00:01 100"], "00:50 100", "00:50"),
    "lower again, asked for too early": (["00:00 150", "00:10 100"], "00:50 100", "00:30"),
    "equal, asked for in time": (["00:01 100"], "00:50 100", "00:50"),
    "equal, asked for too early": (["00:10 100"], "00:50 100", "00:30"),
    "back, asked for in time": (["00:00 100", "00:20 50"], "00:50 100", "00:50"),
    "back, asked for too early": (["00:10 100", "00:20 50"], "00:50 100", "00:30"),
}


@pytest.mark.parametrize(("reads", "read", "expected"), STAMPS.values(), ids=STAMPS)
def test_a_slow_read_makes_no_two_reads_look_further_apart_than_they_were(reads, read, expected):
    """Each was asked for at 00:30 and answered at 00:50."""
    before = plateau_of(map(observed, reads), POLICY)
    dated = stamped(before, observed(read), after("00:30"), POLICY)
    assert dated.at == after(expected)
    counted, _ = follow(before, dated, POLICY)
    asked, _ = follow(before, observed(read.replace("00:50", "00:30")), POLICY)
    confirmations = [(plateau.rival or plateau).counted for plateau in (counted, asked)]
    assert confirmations[0] == confirmations[1]


def effects(reads, policy=POLICY):
    """What each read did, in order."""
    plateau, found = None, []
    for read in reads:
        plateau, effect = follow(plateau, read, policy)
        found.append(effect.name.lower())
    return found


EFFECTS = {
    "the first": (["00:30 100"], "first"),
    "the first zero": (["00:30 0"], "first"),
    "equal after the interval": (["00:30 100", "01:00 100"], "first counted"),
    "equal after the interval less a minute": (["00:30:00 100", "00:59:00 100"], "first counted"),
    "equal a second before that": (["00:30:00 100", "00:58:59 100"], "first early"),
    "equal once more than is asked for": (["00:30 100", "01:00 100", "09:00 100"], "first counted early"),
    "early reads do not move the interval": (["00:30 100", "00:50 100", "01:00 100"], "first early counted"),
    "higher": (["00:30 100", "00:31 120"], "first rose"),
    "higher than zero": (["00:30 0", "00:31 120"], "first rose"),
    "more calls for the same tokens": (["00:30 100", "00:31 2x100"], "first rose"),
    "more calls for fewer tokens": (["00:30 100", "00:31 2x90"], "first lower"),
    "zero": (["00:30 100", "01:00 0"], "first zero"),
    "zero between lower reads": (["00:30 100", "01:00 60", "01:10 0", "01:30 60"], "first lower zero lower"),
    "rival": (["00:30 100", "01:00 60"], "first lower"),
    "lower again, too early": (["00:30 100", "01:00 60", "01:10 60"], "first lower early"),
    "lower again, after the interval": (["00:30 100", "01:00 60", "01:30 60"], "first lower lower"),
    "lower once more than is asked for": (
        ["00:30 100", "01:00 60", "01:30 60", "09:00 60"],
        "first lower lower early",
    ),
    "lower still": (["00:30 100", "01:00 60", "01:01 50"], "first lower lower"),
    "back after a lower read": (["00:30 100", "00:40 60", "00:41 100"], "first lower returned"),
    "higher after a lower read": (["00:30 100", "00:40 60", "00:41 120"], "first lower rose"),
}


@pytest.mark.parametrize(("reads", "expected"), EFFECTS.values(), ids=EFFECTS)
def test_what_a_read_does(reads, expected):
    assert effects(map(observed, reads)) == expected.split()


COUNTED = {
    "a return counts when it comes after the interval": (["00:30 100", "00:50 60", "01:00 100"], (100, 2, None)),
    "a return before it does not": (["00:30 100", "00:40 60", "00:41 100"], (100, 1, None)),
    "no more is counted than is asked for": (["00:30 100", "01:30 100", "02:30 100"], (100, 2, None)),
    "a rise begins at one": (["00:30 100", "01:30 100", "02:30 120"], (120, 1, None)),
    "lower reads count apart": (["00:30 100", "01:30 60", "02:30 60"], (100, 1, (60, 2, None))),
    "another lower figure begins at one": (["00:30 100", "01:30 60", "02:30 50"], (100, 1, (50, 1, None))),
    "a rise forgets lower reads": (["00:30 100", "01:30 60", "02:30 120"], (120, 1, None)),
}


def counted(plateau):
    return plateau and (plateau.figure.tokens_in, plateau.counted, counted(plateau.rival))


@pytest.mark.parametrize(("reads", "expected"), COUNTED.values(), ids=COUNTED)
def test_how_often_a_figure_is_confirmed(reads, expected):
    assert counted(plateau_of(map(observed, reads), POLICY)) == expected


@pytest.mark.parametrize("restart", [{"forced": True}, {"window_changed": True}], ids=["forced", "another window"])
@pytest.mark.parametrize("tokens", [0, 60, 100, 120])
def test_a_restart_forgets_what_was_read_before(restart, tokens):
    reads = [observed("00:30 100"), observed("01:30 100"), observed(f"02:30 {tokens}", **restart)]
    assert effects(reads)[-1] == "first"
    assert counted(plateau_of(reads, POLICY)) == (tokens, 1, None)


THEIRS = {
    "ours is lower": ("01:30 60", "first"),
    "ours is higher in one kind and lower in another": ("01:30 2x60", "first"),
    "ours is equal": ("01:30 100", "counted"),
    "ours is higher": ("01:30 120", "rose"),
    "ours is zero": ("01:30 0", "zero"),
}


@pytest.mark.parametrize(("read", "expected"), THEIRS.values(), ids=THEIRS)
def test_our_read_after_another_tools(read, expected):
    assert effects([observed("00:30 100", status=None), observed(read)]) == ["first", expected]


def test_a_lower_read_of_another_tool_is_below_its_own():
    reads = [observed("00:30 100", status=None), observed("01:30 60", status=None)]
    assert effects(reads) == ["first", "rival"]


def test_a_figure_that_we_confirmed_is_ours():
    reads = [observed("00:30 100", status=None), observed("01:30 100"), observed("02:30 60")]
    assert effects(reads) == ["first", "counted", "rival"]


def test_a_figure_of_ours_that_another_tool_confirmed_is_still_ours():
    reads = [observed("00:30 100"), observed("01:30 100", status=None), observed("02:30 60")]
    assert effects(reads) == ["first", "counted", "rival"]


def test_no_observations_are_no_plateau():
    assert plateau_of([], POLICY) is None


def test_two_means_two():
    one, two = observed("00:30 100"), observed("01:30 100")
    stable = [plateau_of(reads, POLICY).stable(POLICY) for reads in ([one], [one, two])]
    assert stable == [False, True]


def test_a_plateau_knows_when_the_next_read_counts():
    plateau = plateau_of([observed("00:30 100"), observed("00:45 100")], HOURLY)
    assert plateau.due_at(HOURLY) == after("01:30")
    assert (plateau.figure, plateau.since, plateau.last) == (usage(100), after("00:30"), after("00:30"))


def test_the_same_instant_never_counts_twice():
    instantly = Policy(verification_interval=timedelta(0))
    assert effects(map(observed, ["00:30 100", "00:30 100"]), instantly) == ["first", "early"]


def test_a_read_that_was_overtaken_and_changes_nothing_is_too_early():
    later = [observed("01:30 100")]
    _, effect = placed(plateau_of([observed("00:30 100")], POLICY), observed("01:00 60"), later, POLICY)
    assert effect is Effect.EARLY


def test_a_read_that_was_overtaken_may_confirm_a_figure():
    plateau, effect = placed(None, observed("00:30 100"), [observed("01:30 100")], POLICY)
    assert (effect, counted(plateau)) == (Effect.FIRST, (100, 2, None))


READS = st.lists(
    st.tuples(st.integers(30, 600), st.sampled_from(["0", "60", "100", "2x90", "120"])), min_size=1, max_size=8
).map(lambda reads: [observed(f"{clock_of(minute)} {shown}") for minute, shown in sorted(reads)])


@given(READS)
@EXAMPLES
def test_lower_reads_and_zeros_leave_the_figure_as_it_would_be_without_them(reads):
    plateau, kept = None, []
    for read in reads:
        plateau, effect = follow(plateau, read, POLICY)
        kept += [] if effect in {Effect.RIVAL, Effect.ZERO, Effect.EARLY} else [read]
    without = plateau_of(kept, POLICY)
    assert (plateau.figure, plateau.counted, plateau.last) == (without.figure, without.counted, without.last)


@given(READS)
@EXAMPLES
def test_the_counted_reads_are_an_interval_apart(reads):
    plateau = plateau_of(reads, POLICY)
    assert plateau.last - plateau.since >= (plateau.counted - 1) * timedelta(minutes=29)


@given(READS, READS)
@EXAMPLES
def test_reads_placed_late_lead_to_where_they_lead_in_order(first, second):
    instants = {read.at for read in first}
    history = first
    for read in (read for read in second if read.at not in instants):
        earlier = [each for each in history if each.at <= read.at]
        later = history[len(earlier) :]
        plateau, _ = placed(plateau_of(earlier, POLICY), read, later, POLICY)
        history = [*earlier, read, *later]
        assert plateau == plateau_of(history, POLICY)
