"""Which figure stands and how often it was confirmed, read by read."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES, HOURLY, after, clock_of, observed, usage

from reconcile.runs.state import Policy
from reconcile.verdict.plateau import RIVAL_READ, Effect, follow, placed, plateau_of, stamped

POLICY = Policy()


STAMPS = {
    "the first": ([], "00:50 100", "00:50"),
    "higher": (["00:10 50"], "00:50 100", "00:50"),
    "lower": (["00:10 150"], "00:50 100", "00:50"),
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
    "more calls for fewer tokens": (["00:30 100", "00:31 2x90"], "first rival"),
    "zero": (["00:30 100", "01:00 0"], "first zero"),
    "zero between lower reads": (["00:30 100", "01:00 60", "01:10 0", "01:30 60"], "first rival zero rival"),
    "lower": (["00:30 100", "01:00 60"], "first rival"),
    "lower again, too early": (["00:30 100", "01:00 60", "01:10 60"], "first rival early"),
    "lower again, after the interval": (["00:30 100", "01:00 60", "01:30 60"], "first rival rival"),
    "lower once more than is asked for": (
        ["00:30 100", "01:00 60", "01:30 60", "09:00 60"],
        "first rival rival early",
    ),
    "lower still": (["00:30 100", "01:00 60", "01:01 50"], "first rival rival"),
    "back after a lower read": (["00:30 100", "00:40 60", "00:41 100"], "first rival returned"),
    "higher after a lower read": (["00:30 100", "00:40 60", "00:41 120"], "first rival rose"),
    "some kinds more and others less, again": (["00:30 100", "01:00 2x90", "01:30 2x90"], "first rival first"),
    "that, too early": (["00:30 100", "01:00 2x90", "01:10 2x90"], "first rival early"),
    "that, with a zero between": (["00:30 100", "01:00 2x90", "01:10 0", "01:30 2x90"], "first rival zero first"),
    "that, with the figure between": (
        ["00:30 100", "00:40 2x90", "00:50 100", "01:10 2x90"],
        "first rival returned rival",
    ),
    "that, with another figure between": (
        ["00:30 100", "00:40 2x90", "00:50 60", "01:10 2x90"],
        "first rival rival rival",
    ),
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


# ------------------------------------------------------------------------ what a verdict or a record makes of a figure


def settled(*reads, matched=False):
    """Reads of which the last was made a verdict of."""
    *before, last = map(observed, reads)
    return plateau_of([*before, replace(last, status="verified", matched=matched)], POLICY)


def fresh(read, *, matched=False):
    """A read that is being judged."""
    return replace(observed(read), fresh=True, matched=matched)


def led(plateau, *reads):
    """Where the reads lead: what each did, and the figure that stands."""
    found = []
    for read in reads:
        plateau, effect = follow(plateau, read, POLICY)
        found.append(effect.name.lower())
    return " ".join(found), plateau.figure.tokens_in


RIVALS = {
    "higher": (["02:00 120"], "rival"),
    "higher, again": (["02:00 120", "02:30 120"], "rival rival"),
    "higher, for a day": (["02:00 120", "02:30 120", "26:30 120"], "rival rival early"),
    "higher, and back": (["02:00 120", "02:30 100"], "rival returned"),
    "higher, then more so": (["02:00 120", "02:30 130"], "rival rival"),
    "lower, again": (["02:00 60", "02:30 60"], "rival rival"),
    "some kinds more and others less, again": (["02:00 2x90", "02:30 2x90"], "rival rival"),
}


@pytest.mark.parametrize(("reads", "expected"), RIVALS.values(), ids=RIVALS)
def test_a_settled_figure_stands_whatever_else_is_read(reads, expected):
    assert led(settled("00:30 100", "01:30 100"), *map(fresh, reads)) == (expected, 100)


def test_a_higher_read_that_was_kept_as_one_leaves_the_figure_and_one_that_was_kept_as_pending_took_its_place():
    before = settled("00:30 100", "01:30 100")
    assert led(before, observed("02:30 120", status=RIVAL_READ)) == ("rival", 100)
    assert led(before, observed("02:30 120", status="pending")) == ("rose", 120)


def test_a_verdict_on_a_zero_stands_only_where_it_was_verified():
    given_up = plateau_of([observed("00:30 0"), observed("25:30 0", status="warning")], POLICY)
    assert led(given_up, fresh("26:30 100")) == ("rose", 100)
    assert led(settled("00:30 0", "04:30 0"), fresh("05:30 100")) == ("rival", 0)


RECORDS = {
    "a lower read that is all of the record": ("00:30 200", "01:30 100", "first"),
    "one with some kinds more and others less": ("00:30 3x90", "01:30 100", "first"),
    "a higher one": ("00:30 60", "01:30 100", "rose"),
    "an equal one": ("00:30 100", "01:30 100", "counted"),
}


@pytest.mark.parametrize(("before", "read", "expected"), RECORDS.values(), ids=RECORDS)
def test_a_read_of_all_that_was_recorded_starts_anew_whatever_was_read_before(before, read, expected):
    plateau, effect = follow(plateau_of([observed(before)], POLICY), fresh(read, matched=True), POLICY)
    assert (effect.name.lower(), plateau.figure.tokens_in, plateau.matched) == (expected, 100, True)


def test_a_settled_figure_never_falls_even_to_what_was_recorded_but_rises_to_it():
    assert led(settled("00:30 200", "01:30 200"), fresh("02:30 100", matched=True)) == ("rival", 200)
    assert led(settled("00:30 60", "01:30 60"), fresh("02:30 100", matched=True)) == ("rose", 100)


def test_a_figure_that_is_all_of_the_record_outlasts_one_higher_read_before_it_is_settled():
    before = plateau_of([replace(observed("00:30 100"), matched=True)], POLICY)
    assert led(before, fresh("01:30 120"), fresh("02:30 100")) == ("rival returned", 100)
    assert led(before, fresh("01:30 120"), fresh("02:30 120")) == ("rival rose", 120)


READS = st.lists(
    st.tuples(st.integers(30, 600), st.sampled_from(["0", "60", "100", "2x90", "120"])), min_size=1, max_size=8
).map(lambda reads: [observed(f"{clock_of(minute)} {shown}") for minute, shown in sorted(reads)])


@given(READS)
@EXAMPLES
def test_lower_reads_and_zeros_leave_the_figure_as_it_would_be_without_them(reads):
    """But a figure that is higher in one kind and lower in another needs both of its reads."""
    plateau, kept, rival = None, [], None
    for read in reads:
        plateau, effect = follow(plateau, read, POLICY)
        mixed = effect is Effect.FIRST and rival
        kept += [rival, read] if mixed else [] if effect in {Effect.RIVAL, Effect.ZERO, Effect.EARLY} else [read]
        if plateau.rival and plateau.rival.counted == 1 and plateau.rival.last == read.at:
            rival = read
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
