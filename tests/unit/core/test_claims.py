"""Whose traffic is whose: scopes from the file, the environment and a run's own words, and who shares minutes."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.attribution.claims import (
    EVERYTHING,
    Asked,
    claims_of,
    followed,
    gone,
    key_id_variable,
    key_variable,
    missing_key_id,
    neighbours,
    record_of,
    renames,
    scopes,
    unknown_key_id,
)
from reconcile.minutes import Clock, Window, instant
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, Generation, OwnScope, Run, RunKey
from reconcile.runs.state import Neighbour, Policy, State, Status
from reconcile.usage import Recorded

KEY_ID_VARIABLE = re.compile(r"OPENAI_API_KEY_[A-Z0-9_]+_ID")
"""The environment variables that name a framework's key ids, as the origin project spells them."""

NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
KEY_A = Scope("openai", ("key_a",))


@pytest.mark.parametrize(
    ("framework", "variable"),
    [
        pytest.param("chatdev", "OPENAI_API_KEY_CHATDEV_ID", id="upper case"),
        pytest.param("ChatDev", "OPENAI_API_KEY_CHATDEV_ID", id="mixed case"),
        pytest.param("chat-dev", "OPENAI_API_KEY_CHAT_DEV_ID", id="a dash"),
        pytest.param("meta.gpt 2", "OPENAI_API_KEY_META_GPT_2_ID", id="a dot, a space and a digit"),
        pytest.param("café", "OPENAI_API_KEY_CAF__ID", id="another alphabet"),
    ],
)
def test_the_variable_of_a_framework(framework, variable):
    assert key_id_variable(framework) == variable
    assert key_variable(framework) == variable.removesuffix("_ID")


@pytest.mark.parametrize(
    ("configured", "variables", "expected"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"chatdev": KEY_A}, {}, {"chatdev": KEY_A}, id="the file"),
        pytest.param({}, {"OPENAI_API_KEY_CHATDEV_ID": "key_a"}, {"chatdev": KEY_A}, id="the environment"),
        pytest.param(
            {"chatdev": Scope("openai", ("key_b",))},
            {"OPENAI_API_KEY_CHATDEV_ID": "key_a"},
            {"chatdev": KEY_A},
            id="the environment wins",
        ),
        pytest.param(
            {"chatdev": Scope("other", ("key_b",), ("proj_1",), ("gpt-4o",))},
            {"OPENAI_API_KEY_CHATDEV_ID": "key_a"},
            {"chatdev": Scope("other", ("key_a",), ("proj_1",), ("gpt-4o",))},
            id="and leaves the rest of the scope",
        ),
        pytest.param(
            {},
            {"OPENAI_API_KEY_CHATDEV_ID": " key_a, key_b ,,"},
            {"chatdev": Scope("openai", ("key_a", "key_b"))},
            id="several ids",
        ),
        pytest.param(
            {"chatdev": KEY_A},
            {"OPENAI_API_KEY_CHATDEV_ID": " , "},
            {"chatdev": KEY_A},
            id="an empty variable",
        ),
        pytest.param(
            {"chatdev": Scope("openai", (), ("proj_1",))},
            {},
            {"chatdev": Scope("openai", (), ("proj_1",))},
            id="a project without keys",
        ),
        pytest.param(
            {"chatdev": Scope("openai", (), (), ("gpt-4o",))}, {}, {}, id="a model alone tells no traffic apart"
        ),
        pytest.param({}, {"OPENAI_API_KEY_METAGPT_ID": "key_a"}, {}, id="another framework's variable"),
    ],
)
def test_the_scope_of_a_framework(configured, variables, expected):
    assert scopes(["chatdev"], configured, variables) == (expected, [])


def test_a_framework_without_a_run_keeps_its_configured_scope():
    assert scopes([], {"chatdev": KEY_A}, {}) == ({"chatdev": KEY_A}, [])


def test_two_frameworks_that_one_variable_would_name_are_an_error_and_get_no_scope_from_it():
    variables = {"OPENAI_API_KEY_CHAT_DEV_ID": "key_a"}
    found, errors = scopes(["chat_dev", "chat-dev", "metagpt"], {"chat-dev": Scope("openai", ("key_b",))}, variables)
    assert found == {"chat-dev": Scope("openai", ("key_b",))}
    assert [(error.code, error.message) for error in errors] == [
        ("ambiguous_key_id", "OPENAI_API_KEY_CHAT_DEV_ID names more than one framework: chat-dev, chat_dev")
    ]


@pytest.mark.parametrize("value", ["sk-proj-SECRET", "key_a, sk-proj-SECRET", "key a", "key_\u00e9"])
def test_what_is_no_key_id_in_a_variable_gives_no_scope_and_is_not_shown(value):
    found, errors = scopes(["chatdev"], {}, {"OPENAI_API_KEY_CHATDEV_ID": value})
    assert (found, [error.code for error in errors]) == ({}, ["malformed_key_id"])
    assert not any(part in str(errors[0]) + errors[0].remedy for part in ("SECRET", "key_a,", "key a"))


def test_two_frameworks_with_one_variable_name_are_no_error_while_it_is_unset():
    assert scopes(["chat_dev", "chat-dev"], {}, {}) == ({}, [])


def test_a_missing_key_id_names_the_framework_how_many_runs_and_the_variable():
    error = missing_key_id("chat-dev", 3)
    assert (error.code, error.exit_code) == ("missing_key_id", 1)
    assert error.message == "chat-dev: 3 runs due, but the id of the API key they used is not known"
    assert "set OPENAI_API_KEY_CHAT_DEV_ID=key_... or frameworks.chat-dev.api_key_ids" in error.remedy


def test_a_key_id_that_nothing_waits_for_speaks_of_no_run_that_is_due():
    error = unknown_key_id("chat-dev")
    assert (error.code, error.remedy) == ("missing_key_id", missing_key_id("chat-dev", 1).remedy)
    assert error.message == "chat-dev: the id of the API key that its runs used is not known"


# ------------------------------------------------------------------------------------------ claims of runs


def run(own_scope=None, framework="chatdev"):
    return Run(
        key=RunKey(framework, "r1"),
        path=f"runs/{framework}/r1/metrics.json",
        generation=Generation.V2,
        window=Window(NOON, NOON + 600),
        started_at=instant(NOON),
        ended_at=instant(NOON + 600),
        recorded=Recorded(api_calls=3),
        own_scope=own_scope,
    )


BASE = Scope("openai", ("key_a",), ("proj_1",), ("gpt-4o",))


@pytest.mark.parametrize(
    ("own", "base", "expected"),
    [
        pytest.param(None, BASE, BASE, id="the framework's"),
        pytest.param(OwnScope(), BASE, BASE, id="own words that say nothing"),
        pytest.param(
            OwnScope(provider="other", api_key_ids=("key_b",), project_ids=(), models=("gpt-4.1",)),
            BASE,
            Scope("other", ("key_b",), (), ("gpt-4.1",)),
            id="own words win, empty ones too",
        ),
        pytest.param(OwnScope(api_key_ids=("key_b",)), None, Scope("openai", ("key_b",)), id="own words alone"),
        pytest.param(OwnScope(project_ids=("proj_2",)), None, Scope("openai", (), ("proj_2",)), id="a project alone"),
        pytest.param(OwnScope(models=("gpt-4o",)), None, None, id="a model alone"),
        pytest.param(OwnScope(api_key_ids=()), KEY_A, None, id="own words that take the keys away"),
        pytest.param(None, None, None, id="nothing known"),
    ],
)
def test_the_claim_of_a_run(own, base, expected):
    one = run(own)
    claims = claims_of([one], {} if base is None else {"chatdev": base}, Policy())
    assert {key: (claim.scope, claim.window, claim.recorded) for key, claim in claims.items()} == (
        {} if expected is None else {one.key: (expected, one.window, one.recorded)}
    )


def test_a_run_without_a_scope_does_not_stop_the_others():
    assert [str(key) for key in claims_of([run(framework="metagpt"), run()], {"chatdev": KEY_A}, Policy())] == [
        "chatdev/r1"
    ]


# ------------------------------------------------------------------------------------------- where it may be booked


def minutes(*spans):
    """Windows from these minutes to those, counted from the run's first."""
    return tuple(Window(NOON + 60 * start, NOON + 60 * end) for start, end in spans)


def ran(*spans, **members):
    """A run of these seconds."""
    return replace(run(), spans=tuple((NOON + start, NOON + end) for start, end in spans), **members)


def settled(one, status=Status.VERIFIED, **members):
    """The run with a verdict on it as it is."""
    state = State(status=status, reasons=("stable",), window=one.window, sessions=one.sessions, **members)
    return replace(one, state=state)


RAN = ran((0, 600))
SESSIONS = ran((0, 120), (480, 600), sessions=minutes((0, 2), (8, 10)))


@pytest.mark.parametrize(
    ("one", "policy", "reach"),
    [
        pytest.param(RAN, {}, minutes((-1, 11)), id="a minute more, where nothing is known of the clock"),
        pytest.param(ran((30, 570)), {}, minutes((-1, 11)), id="by seconds, not by minutes"),
        pytest.param(ran((70.5, 529.5)), {}, minutes((0, 10)), id="which may be no minute more"),
        pytest.param(RAN, {"clock_uncertainty": 5}, minutes((-1, 11)), id="at least ten seconds, where it is stated"),
        pytest.param(RAN, {"clock_uncertainty": 90}, minutes((-2, 12)), id="or as it is stated"),
        pytest.param(
            ran((10, 590), clock=Clock(0.0, 2.0, "date_headers")), {}, minutes((0, 10)), id="ten, where it was measured"
        ),
        pytest.param(SESSIONS, {}, minutes((-1, 3), (7, 11)), id="around each session"),
        pytest.param(
            ran((0, 120), (180, 600), sessions=minutes((0, 2), (3, 10))), {}, minutes((-1, 11)), id="that may meet"
        ),
    ],
)
def test_the_reach_is_the_seconds_it_ran_widened_by_what_its_clock_may_be_off(one, policy, reach):
    policy = Policy(**{name: timedelta(seconds=seconds) for name, seconds in policy.items()})
    claim = claims_of([one], {"chatdev": KEY_A}, policy)[one.key]
    assert (claim.reach, claim.minutes) == (reach, one.sessions or (one.window,))


@pytest.mark.parametrize(
    ("one", "asked", "reach", "batch"),
    [
        pytest.param(RAN, EVERYTHING, minutes((-1, 11)), "exclude", id="one that was never read"),
        pytest.param(settled(RAN), EVERYTHING, minutes((0, 10)), "include", id="one that version one settled"),
        pytest.param(
            settled(RAN, reach_seconds=90.0, batch="exclude"), EVERYTHING, minutes((-2, 12)), "exclude", id="settled"
        ),
        pytest.param(settled(RAN), Asked(force=True), minutes((-1, 11)), "exclude", id="settled, and forced"),
        pytest.param(
            settled(RAN), Asked(force=True, run_id="other"), minutes((0, 10)), "include", id="another is forced"
        ),
        pytest.param(settled(RAN, Status.FAILED), EVERYTHING, minutes((-1, 11)), "exclude", id="given up"),
        pytest.param(settled(RAN, Status.PENDING), EVERYTHING, minutes((-1, 11)), "exclude", id="still open"),
        pytest.param(
            replace(settled(RAN), window=minutes((0, 9))[0]), EVERYTHING, minutes((-1, 11)), "exclude", id="edited"
        ),
    ],
)
def test_a_settled_run_claims_what_it_was_judged_with_unless_it_is_judged_anew(one, asked, reach, batch):
    claim = claims_of([one], {"chatdev": KEY_A}, Policy(), asked)[one.key]
    assert (claim.reach, claim.scope.batch) == (reach, batch)


def test_neighbours_are_those_whose_reaches_meet():
    """Two runs a minute apart, and a third that ran while the first was interrupted."""
    first = SESSIONS
    second = replace(ran((660, 900)), key=RunKey("chatdev", "r2"), window=minutes((11, 15))[0])
    third = replace(ran((240, 360)), key=RunKey("chatdev", "r3"), window=minutes((4, 6))[0])
    claims = claims_of([first, second, third], {"chatdev": KEY_A}, Policy())
    assert {
        key.run_id: [other.run.run_id for other in others] for key, others in neighbours(claims.values()).items()
    } == {
        "r1": ["r2"],
        "r2": ["r1"],
    }


# ----------------------------------------------------------------------------------------------- neighbours

some_scopes = st.sampled_from(
    [KEY_A, Scope("openai", ("key_b",)), Scope("openai", ("key_a", "key_b")), Scope("openai", (), ("proj_1",))]
)
some_windows = st.builds(
    lambda start, length: Window(NOON + 60 * start, NOON + 60 * (start + length)), st.integers(0, 20), st.integers(1, 8)
)


@examples(150)
@given(st.lists(st.tuples(some_scopes, some_windows), max_size=8), st.randoms(use_true_random=False))
def test_neighbours_are_all_pairs_whose_minutes_and_scopes_meet(pairs, rng):
    claims = [Claim(RunKey("chatdev", f"r{i}"), scope, window) for i, (scope, window) in enumerate(pairs)]
    expected = {
        one.run: {
            other.run
            for other in claims
            if other is not one and other.window.meets(one.window) and other.scope.meets(one.scope)
        }
        for one in claims
    }
    found = neighbours(claims)
    assert {run: {other.run for other in others} for run, others in found.items()} == {
        run: others for run, others in expected.items() if others
    }
    shuffled = rng.sample(claims, len(claims))
    assert neighbours(shuffled) == found


def test_runs_that_touch_are_no_neighbours():
    claims = [
        Claim(RunKey("chatdev", name), KEY_A, Window(NOON + 60 * i, NOON + 60 * i + 60)) for i, name in enumerate("ab")
    ]
    assert neighbours(claims) == {}


# ------------------------------------------------------------------------------------------ files that are gone


def beside(name, *named, scope=KEY_A):
    """A run whose file names these neighbours, (run, first minute, last minute), and its claim."""
    known = tuple(
        Neighbour(run=other, window=Window(NOON + 60 * start, NOON + 60 * end)) for other, start, end in named
    )
    key = RunKey("chatdev", name)
    one = replace(run(), key=key, state=State(status=Status.PENDING, neighbours=known))
    return one, {key: Claim(key, scope, one.window)}


def test_a_neighbour_that_makes_no_claim_any_more_is_a_claim_without_a_count():
    one, claims = beside("a", ("chatdev/b", 9, 12))
    (claim,) = gone([one], claims)
    assert claim == Claim(RunKey("chatdev", "b"), KEY_A, Window(NOON + 540, NOON + 720), gone=True)
    assert claim.known.parts == (None, None, None, None)


def test_a_neighbour_that_still_makes_its_claim_is_not_gone():
    one, claims = beside("a", ("chatdev/b", 9, 12))
    other = RunKey("chatdev", "b")
    assert gone([one], claims | {other: Claim(other, KEY_A, one.window)}) == ()


def test_a_run_that_was_never_read_or_has_no_scope_names_nobody():
    one, _ = beside("a", ("chatdev/b", 9, 12))
    assert gone([one, run()], {}) == ()
    assert gone([run()], {run().key: Claim(run().key, KEY_A, run().window)}) == ()


@pytest.mark.parametrize(
    ("scope", "keys"),
    [
        pytest.param(Scope("openai", ("key_b", "key_a")), ("key_a", "key_b"), id="the keys of both"),
        pytest.param(Scope("openai", (), ("proj_1",)), (), id="every key, where one names none"),
    ],
)
def test_what_several_files_name_has_the_minutes_and_the_traffic_of_all(scope, keys):
    one, claims = beside("a", ("chatdev/b", 9, 12))
    other, more = beside("c", ("chatdev/b", 8, 11), scope=scope)
    (claim,) = gone([one, other], claims | more)
    assert (claim.window, claim.scope) == (Window(NOON + 480, NOON + 720), Scope("openai", keys))


# ------------------------------------------------------------------------------------------ runs of another name


def knows(*named, name="a"):
    """A run whose verdict names these claims beside its own."""
    known = tuple(
        Neighbour(run=str(claim.run), window=claim.window, record=None if claim.gone else record_of(claim))
        for claim in named
    )
    return replace(run(), key=RunKey("chatdev", name), state=State(status=Status.VERIFIED, neighbours=known))


def claimed(name, *, calls=3, start=9, scope=KEY_A, framework="chatdev"):
    return Claim(RunKey(framework, name), scope, minutes((start, 12))[0], Recorded(api_calls=calls))


OLD = claimed("b")


@pytest.mark.parametrize(
    ("new", "found"),
    [
        pytest.param([claimed("c")], "chatdev/c", id="the same minutes and record"),
        pytest.param([claimed("b", calls=4, framework="metagpt")], "metagpt/b", id="another record, but the run id"),
        pytest.param([claimed("c", calls=4)], None, id="another record"),
        pytest.param([claimed("c", start=8)], None, id="other minutes"),
        pytest.param([claimed("c", scope=Scope("openai", ("key_b",)))], None, id="other traffic"),
        pytest.param([claimed("c"), claimed("d")], None, id="two that could be it"),
        pytest.param([OLD, claimed("c")], None, id="it is still there"),
        pytest.param([], None, id="nothing new"),
    ],
)
def test_a_path_that_vanished_and_one_that_appeared_can_be_one_run(new, found):
    one = knows(OLD)
    claims = {claim.run: claim for claim in [Claim(one.key, KEY_A, one.window), *new]}
    names = renames([one], claims, claims)
    assert {old: str(key) for old, key in names.items()} == ({"chatdev/b": found} if found else {})
    assert [each.run for each in followed(one, names).state.neighbours] == [found or "chatdev/b"]


def test_one_that_the_verdict_names_already_is_no_other_run():
    one = knows(OLD, claimed("c"))
    claims = {claim.run: claim for claim in [Claim(one.key, KEY_A, one.window), claimed("c")]}
    assert renames([one], claims, claims) == {}


def test_a_file_that_is_there_and_cannot_be_read_did_not_vanish():
    one = knows(OLD)
    claims = {claim.run: claim for claim in [Claim(one.key, KEY_A, one.window), claimed("c")]}
    assert renames([one], claims, {*claims, OLD.run}) == {}


def test_a_neighbour_that_version_one_named_is_known_by_its_minutes():
    one = knows(replace(OLD, gone=True))
    claims = {claim.run: claim for claim in [Claim(one.key, KEY_A, one.window), claimed("c", calls=9)]}
    assert renames([one], claims, claims) == {"chatdev/b": RunKey("chatdev", "c")}
    assert followed(run(), {"chatdev/b": RunKey("chatdev", "c")}) == run()


def test_two_files_with_the_same_record_are_two_claims():
    one, other = claimed("b"), claimed("c")
    assert record_of(one) == record_of(other)
    assert neighbours([one, other]) == {one.run: (other,), other.run: (one,)}


def test_a_neighbour_that_is_gone_reaches_as_far_as_it_was_known_to():
    one, claims = beside("a", ("chatdev/b", 9, 12))
    known = replace(one.state.neighbours[0], reach=minutes((8, 13)))
    (claim,) = gone([replace(one, state=replace(one.state, neighbours=(known,)))], claims)
    assert (claim.minutes, claim.reach) == (minutes((9, 12)), minutes((8, 13)))
