"""Whole passes over real files, against the simulated provider over real HTTP: what users were promised."""

import itertools
import json
from dataclasses import replace

import pytest
from support.bench import at, called, recorded

from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, StoreError, UsageError
from reconcile.insight.survey import validate
from reconcile.passes.apply import conclude, run_pass
from reconcile.passes.fetch import read_usage
from reconcile.passes.summary import standing
from reconcile.passes.tree import read_tree
from reconcile.providers.base import Scope
from reconcile.simulator import faults

ASSUMED = ["closed_key", "scope_complete", "usage_complete"]


def every_minute(start, end, step=20, key="key_chatdev", tokens=100):
    """A call every `step` seconds from start to end, each with a figure of its own."""
    first, last = at(start).timestamp(), at(end).timestamp()
    instants = range(int(first), int(last), step)
    day = at("00:00").timestamp()
    for number, instant in enumerate(instants):
        seconds = instant - day
        clock = f"{int(seconds // 3600)}:{int(seconds // 60 % 60)}:{seconds % 60}"
        yield called(clock, tokens + number, 10 + number, key=key)


def test_a_run_goes_from_nothing_to_verified_in_two_hourly_passes(bench):
    calls = bench.add("chatdev/a", "12:00:31", "12:08:05", [*every_minute("12:00:31", "12:08:05")])
    bench.run("13:17")
    assert bench.verdict("chatdev/a") == "pending: first_read"
    bench.run("14:17")
    assert bench.verdict("chatdev/a") == "verified: stable"
    totals = recorded(calls)
    assert bench.value("chatdev/a")["aggregate_metrics"] | {"AUTR": 1.0} == {
        "AUTR": 1.0,
        "TOK_IN": totals["tokens_in"],
        "TOK_OUT": totals["tokens_out"],
        "CACHED_TOKENS": 0,
        "API_CALLS": totals["api_calls"],
        "AEI": bench.value("chatdev/a")["aggregate_metrics"]["AEI"],
    }


def test_a_verified_run_is_left_alone_by_later_passes(bench):
    bench.add("chatdev/a", "12:00", "12:05", [("12:01",), ("12:03",)])
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    before = bench.bytes()
    later = [bench.run(clock).counts["written"] for clock in ("15:17", "16:17", "17:17")]
    assert (later, bench.bytes()) == ([0, 0, 0], before)


def test_a_run_of_forty_seconds_without_a_minute_boundary_verifies_at_its_true_figure(bench):
    bench.add("chatdev/a", "12:00:10", "12:00:50", [("12:00:20", 700, 70), ("12:00:40", 300, 30)])
    bench.run("13:17")
    bench.run("14:17")
    block = bench.block("chatdev/a")
    figure = (block["verification_status"], block["total_tokens_in"], block["total_tokens_out"])
    assert figure == ("verified", 1000, 100)


class TestTwoRunsOfOneKeyThatShareMinutes:
    A = (("12:00:30", 100), ("12:03:10", 150))
    B = (("12:03:40", 400), ("12:06:00", 60))

    def add(self, bench, *, count):
        for name, start, end, made in (
            ("chatdev/a", "12:00:05", "12:03:20", self.A),
            ("chatdev/b", "12:03:30", "12:07:00", self.B),
        ):
            calls = [called(clock, tokens, key="key_chatdev") for clock, tokens in made]
            bench.add(name, start, end, calls, recorded=count(calls) if count else None)

    def test_never_verify_where_nothing_was_recorded_and_the_bounds_hold_the_truth(self, bench):
        self.add(bench, count=None)
        verdicts = [
            bench.run(clock) and bench.verdict("chatdev/a") for clock in ("13:17", "14:17", "15:17", "+1 13:17")
        ]
        bounds = [bench.block(name)["attribution"]["bounds"]["tokens_in"] for name in ("chatdev/a", "chatdev/b")]
        assert (verdicts[1:], bounds) == (["warning: shared_minutes"] * 3, [[100, 650], [60, 610]])

    def test_verify_where_recorded_calls_and_tokens_account_for_everything(self, bench):
        self.add(bench, count=recorded)
        for clock in ("13:17", "14:17"):
            bench.run(clock)
        found = [(bench.verdict(n), bench.block(n)["total_tokens_in"]) for n in ("chatdev/a", "chatdev/b")]
        assert found == [("verified: stable", 250), ("verified: stable", 460)]

    def test_verify_where_recorded_calls_alone_place_every_request(self, bench):
        bench.add("chatdev/a", "12:00:05", "12:03:20", [("12:00:30", 100)], recorded={"api_calls": 1})
        bench.add("chatdev/b", "12:03:30", "12:07:00", [("12:03:40", 400), ("12:06", 60)], recorded={"api_calls": 2})
        for clock in ("13:17", "14:17"):
            bench.run(clock)
        found = [(bench.verdict(n), bench.block(n)["total_tokens_in"]) for n in ("chatdev/a", "chatdev/b")]
        assert found == [("verified: stable", 100), ("verified: stable", 460)]


def test_a_run_whose_recorded_calls_come_late_waits_for_them(bench):
    calls = [called("12:01", key="key_chatdev"), called("12:02", key="key_chatdev", visible="15:00")]
    bench.add("chatdev/a", "12:00:10", "12:04", calls, recorded={"api_calls": 2})
    verdicts = [bench.run(clock) and bench.verdict("chatdev/a") for clock in ("13:17", "14:17", "15:17", "16:17")]
    assert verdicts == [
        "pending: first_read, calls_missing",
        "pending: calls_missing",
        "pending: rising",
        "verified: stable",
    ]


def test_a_run_committed_late_over_the_minutes_of_a_verified_one_takes_that_verdict_back(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500), ("12:04:30", 300)])
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    assert bench.verdict("chatdev/a") == "verified: stable"
    bench.add("chatdev/late", "12:04:10", "12:09", [("12:08", 90)])
    summary = bench.run("15:17")
    block = bench.block("chatdev/a")
    assert (bench.verdict("chatdev/a"), block["attribution"]["bounds"]["tokens_in"], summary.exit_code) == (
        "warning: shared_minutes",
        [500, 800],
        1,
    )


def test_a_late_claim_changes_nothing_while_the_provider_is_away(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 500)])
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    bench.add("chatdev/late", "12:04:10", "12:09", [])
    bench.simulator.script(*[faults.server_error()] * 9)
    before = bench.file("chatdev/a").read_bytes()
    bench.run("+9 15:17")
    assert bench.verdict("chatdev/a") == "verified: stable"
    assert bench.file("chatdev/a").read_bytes() == before


def side_by_side(bench):
    """Two runs that share the minute 12:04, in which the second made a call."""
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)])
    bench.add("chatdev/b", "12:04:10", "12:09", [("12:04:30", 50)])


def broken(bench):
    bench.write("chatdev/b", "{")


def deleted(bench):
    bench.file("chatdev/b").unlink()


@pytest.mark.parametrize("vanish", [broken, deleted])
@pytest.mark.parametrize("force", [False, True], ids=["", "even by force"])
def test_a_run_is_not_verified_with_the_calls_of_a_neighbour_whose_file_is_gone(bench, vanish, force):
    side_by_side(bench)
    bench.run("13:17")
    vanish(bench)
    for clock in ("14:17", "15:17", "16:17"):
        bench.run(clock, force=force)
    assert bench.verdict("chatdev/a") == "warning: shared_minutes"
    assert bench.block("chatdev/a")["attribution"]["bounds"]["tokens_in"] == [100, 150]


def test_a_neighbour_that_is_back_whole_settles_what_was_shared(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)], recorded={"api_calls": 1})
    bench.add("chatdev/b", "12:04:10", "12:09", [("12:04:30", 50)], recorded={"api_calls": 1})
    whole = bench.file("chatdev/b").read_bytes()
    bench.run("13:17")
    broken(bench)
    bench.run("14:17")
    assert bench.verdict("chatdev/a") == "warning: shared_minutes"
    bench.file("chatdev/b").write_bytes(whole)
    for clock in ("15:17", "16:17"):
        bench.run(clock)
    assert (bench.verdict("chatdev/a"), bench.value("chatdev/a")["aggregate_metrics"]["TOK_IN"]) == (
        "verified: stable",
        100,
    )


def test_a_run_whose_key_id_is_not_known_any_more_is_neither_read_nor_forgotten(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)], key="key_one")
    bench.add("other/b", "12:04:10", "12:09", [("12:04:30", 50)], key="key_one")
    bench.run("13:17")
    del bench.scopes["other"]
    before = bench.file("other/b").read_bytes()
    bench.run("14:17")
    assert bench.verdict("chatdev/a") == "warning: shared_minutes"
    assert bench.file("other/b").read_bytes() == before


def test_a_pass_that_was_held_up_does_not_shorten_the_way_to_the_next_read(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    for begun, answered, verdict in (
        ("13:00", "13:20", "pending: first_read"),
        ("13:31", "13:31", "pending: first_read"),
        ("13:50", "13:50", "verified: stable"),
    ):
        bench.simulator.set_now(at(begun))
        clock = itertools.chain([at(begun)], itertools.repeat(at(answered))).__next__
        run_pass(replace(bench.workspace(begun), clock=clock), bench.provider())
        assert bench.verdict("chatdev/a") == verdict


FAILURES = {
    "answers 500": [faults.server_error(500)] * 3,
    "answers HTML": [faults.web_page],
    "sends half a body": [faults.cut_short] * 3,
    "says more follows and not where": [faults.lost_cursor],
    "leads its cursor in a circle": [faults.looping_cursor] * 3,
    "leaves a minute out": [faults.missing_minute()],
    "answers a minute twice": [faults.repeated_minute()],
    "refuses the key's scope": [faults.missing_scope(403)],
    "is out for a day": [faults.not_found],
}


@pytest.mark.parametrize("script", FAILURES.values(), ids=FAILURES)
def test_nothing_changes_in_any_file_when_the_provider(bench, script):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01",)])
    bench.add("baes/b", "12:20", "12:25", [("12:21",)])
    before = bench.bytes()
    bench.simulator.script(*script)
    summary = bench.run("13:17")
    assert (summary.exit_code, bench.bytes()) == (3, before)
    assert summary.errors[0].remedy


THEIRS = "proj_of_others"


@pytest.fixture
def lab(bench):
    """Two frameworks told apart by project, so that the usage of every project is read; and a call of another one."""
    bench.scopes |= {name: Scope("openai", (), (f"proj_{name}",)) for name in ("chatdev", "baes")}
    bench.add("chatdev/a", "12:00:10", "12:05", [replace(called("12:01", 77, key="key_a"), project_id="proj_chatdev")])
    bench.add("baes/b", "12:00:10", "12:05", [replace(called("12:01", 55, key="key_b"), project_id="proj_baes")])
    bench.simulator.ledger.add([replace(called("12:01:30", 900, key="key_c"), project_id=THEIRS)])
    return bench


def odd_rows(project, *lost, **fields):
    """Every row of the project is changed, and those of the `lost` ones are left out."""

    def edit(page):
        for bucket in page["data"]:
            bucket["results"] = [row for row in bucket["results"] if row["project_id"] not in lost]
            for row in bucket["results"]:
                row.update(fields if row["project_id"] == project else {})

    return faults.edited(edit)


@pytest.mark.parametrize("fields", [{"input_tokens": -1}, {"num_model_requests": 1.5}, {"batch": "no"}])
def test_a_row_of_others_that_cannot_be_true_stops_no_run(lab, fields):
    for clock in ("13:17", "14:17"):
        lab.simulator.script(odd_rows(THEIRS, **fields))
        assert lab.run(clock).errors == ()
    assert (lab.verdict("chatdev/a"), lab.verdict("baes/b")) == ("verified: stable", "verified: stable")


def test_a_row_that_may_be_ours_and_cannot_be_true_is_never_left_out(lab):
    for fields in ({"input_tokens": -1}, {"input_tokens": -1, "project_id": 7}):
        lab.simulator.script(odd_rows("proj_chatdev", **fields))
        (error,) = lab.run("13:17").errors
        assert (error.code, lab.verdict("chatdev/a"), lab.verdict("baes/b")) == ("invalid_count", None, None)


def test_a_row_of_ours_that_is_lost_beside_an_odd_one_of_others_is_missed(lab):
    lab.simulator.script(*[odd_rows(THEIRS, "proj_chatdev", input_tokens=-1), None] * 2)
    (error,) = lab.run("13:17").errors
    assert (error.code, lab.verdict("chatdev/a")) == ("control_total", None)


def test_a_claim_that_came_while_an_odd_row_was_read_is_not_judged_by_it(lab):
    lab.simulator.set_now(at("13:17"))
    lab.simulator.script(odd_rows(THEIRS, input_tokens=-1))
    workspace = lab.workspace("13:17")
    read = read_usage(workspace, read_tree(workspace), lab.provider(), Asked())
    lab.scopes["late"] = Scope("openai", (), (THEIRS,))
    lab.add("late/c", "12:00:10", "12:05")
    workspace = lab.workspace("13:17")
    conclude(workspace, read_tree(workspace), read, Asked())
    assert (lab.verdict("late/c"), lab.verdict("chatdev/a")) == (None, "pending: first_read")


def test_a_run_beside_minutes_that_could_not_be_read_is_not_verified(bench):
    """Its own minutes are on the first page. On the second is what tells that somebody else uses the key."""
    bench.add("chatdev/z", "13:30", "13:34:30", [("13:31", 5)])
    bench.add("chatdev/a", "+1 12:00:10", "+1 12:05", [("+1 12:01", 77), ("+1 12:40", 900)])
    for clock in ("+1 13:17", "+1 14:17"):
        page_and_total = (None, None)
        bench.simulator.script(*page_and_total, *[faults.server_error(500)] * 3)
        assert bench.run(clock).exit_code == 3
    assert (bench.verdict("chatdev/a"), bench.verdict("chatdev/z")) == (None, "verified: stable")
    bench.run("+1 15:17")
    bench.run("+1 16:17")
    assert bench.verdict("chatdev/a") == "pending: edge_usage"


def test_a_failed_pass_is_made_up_for_by_the_next(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.run("13:17")
    bench.simulator.script(*[faults.server_error(500)] * 3)
    bench.run("14:17")
    bench.run("15:17")
    assert (bench.verdict("chatdev/a"), len(bench.block("chatdev/a")["attempts"])) == ("verified: stable", 2)


def test_a_transient_zero_is_said_and_stored_nowhere(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.run("13:17")
    before = bench.bytes()
    bench.simulator.script(faults.transient_zero, faults.transient_zero)
    summary = bench.run("14:17")
    assert bench.bytes() == before
    assert "zero" in summary.runs[0].note


def test_rows_that_do_not_add_up_are_asked_for_once_more(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77), ("12:02", 5)])
    bench.simulator.script(faults.dip)
    summary = bench.run("13:17")
    assert (summary.runs[0].run.state.figure.tokens_in, summary.api.requests) == (82, 4)


def test_rows_that_do_not_add_up_twice_are_an_error_and_no_figure(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77), ("12:02", 5)])
    before = bench.bytes()
    bench.simulator.script(faults.dip, None, faults.dip, None)
    summary = bench.run("13:17")
    assert bench.bytes() == before
    assert ([error.code for error in summary.errors], summary.exit_code) == (["control_total"], 3)


def test_minutes_that_are_younger_than_the_least_age_are_not_held_to_a_total(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.add("chatdev/b", "12:59", "13:05", [("13:00", 5)])
    summary = bench.run("13:17")
    control = bench.simulator.requests[-1].params
    assert "group_by" not in dict(control)
    assert int(dict(control)["end_time"]) == int(at("12:47").timestamp())
    assert summary.errors == ()


def test_three_hundred_runs_of_one_day_take_one_or_two_requests(bench):
    for number in range(300):
        start = 60 * 20 // 300 * number
        clock = f"{start // 60}:{start % 60}"
        bench.add(f"fw{number % 3}/{number:03}", clock, f"{clock}:40", [(f"{clock}:20",)])
    summary = bench.run("23:17")
    assert summary.counts["pending"] == summary.counts["due"] == 300
    assert 1 <= len(bench.simulator.requests) <= 2


def test_a_dry_run_shows_the_exact_change_and_writes_nothing(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    before = bench.bytes()
    rehearsed = bench.run("13:17", dry_run=True)
    assert bench.bytes() == before
    bench.run("13:17")
    (change,) = rehearsed.changes
    assert change.after == bench.file("chatdev/a").read_text("utf-8")


def test_one_bad_file_stops_no_other(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.write("chatdev/bad", '{"run_id": "bad", ')
    summary = bench.run("13:17")
    assert (summary.counts["invalid"], summary.counts["pending"], summary.exit_code) == (1, 1, 1)
    bench.run("14:17")
    assert bench.block("chatdev/a")["assumes"] == [*ASSUMED, "unreadable_runs"]


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_validated(bench, monkeypatch):
    bench.add("chatdev/a", "12:00:10", "12:05", [])
    bench.write("chatdev/bad", "{")
    workspace = bench.workspace("13:17")
    read = type(workspace.store).read

    def vanishing(self, key):
        bench.file("chatdev/a").unlink(missing_ok=True)
        return read(self, key)

    monkeypatch.setattr(type(workspace.store), "read", vanishing)
    files, (first, second) = validate(workspace)
    assert (files, second.path) == (2, str(bench.file("chatdev/bad")))
    assert (first.path, first.message.split(" (")[0]) == (str(bench.file("chatdev/a")), "cannot be read")


def test_a_file_that_is_none_may_hide_a_run_too(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.file("chatdev/hidden").mkdir(parents=True)
    bench.run("13:17")
    bench.run("14:17")
    block = bench.block("chatdev/a")
    assert block["assumes"] == [*ASSUMED, "unreadable_runs"]
    assert "; 1 unreadable file may claim its minutes too" in block["verification_message"]


@pytest.mark.parametrize(
    ("scope", "assumes"),
    [
        pytest.param(Scope("openai", ("key_chatdev",)), [*ASSUMED, "unreadable_runs"], id="the same key"),
        pytest.param(Scope("openai", ("key_baes",)), ASSUMED, id="another key"),
        pytest.param(None, [*ASSUMED, "unreadable_runs"], id="a key nobody knows"),
    ],
)
def test_an_unreadable_file_of_another_framework_counts_where_it_may_have_used(bench, scope, assumes):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.write("baes/bad", "{")
    if scope:
        bench.scopes["baes"] = scope
    bench.run("13:17")
    bench.run("14:17")
    assert bench.block("chatdev/a")["assumes"] == assumes


def test_a_framework_without_a_key_id_says_which_variable_to_set_and_the_others_go_on(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.add("my-tool/b", "12:00:10", "12:05", [])
    del bench.scopes["my-tool"]
    summary = bench.run("13:17")
    (error,) = summary.errors
    assert "OPENAI_API_KEY_MY_TOOL_ID" in error.remedy
    assert (summary.exit_code, bench.verdict("chatdev/a")) == (1, "pending: first_read")


def test_no_admin_key_is_a_configuration_error_only_when_something_is_due(bench):
    missing = ConfigurationError("no key", code="missing_admin_key", remedy="set it")
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    young = run_pass(bench.workspace("12:06"), missing)
    due = run_pass(bench.workspace("13:17"), missing)
    assert (young.errors, due.errors) == ((), (missing,))


def test_a_run_that_does_not_exist_is_a_usage_error(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [])
    with pytest.raises(UsageError, match="chatdev/b"):
        bench.run("13:17", framework="chatdev", run_id="b")


def test_only_the_run_asked_for_is_written(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    bench.add("chatdev/b", "12:20:10", "12:25", [("12:21", 77)])
    bench.run("13:17", framework="chatdev", run_id="b")
    assert (bench.verdict("chatdev/a"), bench.verdict("chatdev/b")) == (None, "pending: first_read")


def test_another_process_that_writes_meanwhile_loses_nothing(bench, monkeypatch):
    """A second pass runs between the reading and the writing of the first."""
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    store_type = type(bench.workspace("13:17").store)
    update = store_type.update
    once = itertools.chain([True], itertools.repeat(False))

    def interrupted(self, key, change):
        if next(once):
            value = bench.value("chatdev/a")
            bench.write("chatdev/a", json.dumps({**value, "added_by_hand": "kept"}, indent=2))
        return update(self, key, change)

    monkeypatch.setattr(store_type, "update", interrupted)
    bench.run("13:17")
    assert bench.value("chatdev/a")["added_by_hand"] == "kept"
    assert bench.verdict("chatdev/a") == "pending: first_read"


def test_a_run_whose_times_were_edited_while_it_was_read_is_left_for_the_next_pass(bench, monkeypatch):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    store_type = type(bench.workspace("13:17").store)
    update = store_type.update

    def interrupted(self, key, change):
        value = bench.value("chatdev/a")
        bench.write("chatdev/a", json.dumps({**value, "end_timestamp": at("12:09").isoformat()}, indent=2))
        return update(self, key, change)

    monkeypatch.setattr(store_type, "update", interrupted)
    summary = bench.run("13:17")
    assert (bench.block("chatdev/a"), standing(summary.runs[0].run)) == ({}, "skipped")
    assert "changed" in summary.runs[0].note


def test_settled_runs_of_other_keys_are_seen_at_their_figures_beside_a_run_that_is_due(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 77)])
    for clock in ("13:17", "14:17"):
        bench.run(clock)
    bench.add("baes/b", "14:00", "14:04", [("14:01", 88)])
    summary = bench.run("15:17")
    notes = {str(report.run.key): report.note for report in summary.runs}
    assert (notes, bench.verdict("chatdev/a")) == ({"chatdev/a": None, "baes/b": None}, "verified: stable")


class TestCallLogs:
    def test_a_complete_log_verifies_a_run_in_its_first_pass(self, bench):
        calls = bench.add("chatdev/a", "12:00:31", "12:08:05", [*every_minute("12:00:31", "12:08:05")])
        bench.add_log("chatdev/a", calls)
        bench.run("13:17")
        assert bench.verdict("chatdev/a") == "verified: log_matched"
        assert bench.block("chatdev/a")["total_tokens_in"] == recorded(calls)["tokens_in"]

    def test_and_waits_for_what_is_late(self, bench):
        made = [*every_minute("12:00:31", "12:08:05"), called("12:07:50", 70, key="key_chatdev", visible="13:30")]
        bench.add_log("chatdev/a", bench.add("chatdev/a", "12:00:31", "12:08:05", made))
        bench.run("13:17")
        assert bench.verdict("chatdev/a") == "pending: first_read, calls_missing"
        bench.run("14:17")
        assert bench.verdict("chatdev/a") == "verified: log_matched"

    def test_two_runs_that_log_share_minutes_of_a_key(self, bench):
        made = {
            name: bench.add(f"chatdev/{name}", "12:00:31", "12:08:05", [*every_minute("12:00:31", "12:08:05", step)])
            for name, step in (("a", 20), ("b", 35))
        }
        for name, calls in made.items():
            bench.add_log(f"chatdev/{name}", calls)
        bench.run("13:17")
        for name, calls in made.items():
            assert bench.verdict(f"chatdev/{name}") == "verified: log_matched"
            assert bench.block(f"chatdev/{name}")["total_tokens_in"] == recorded(calls)["tokens_in"]

    def test_a_log_with_a_defect_is_told_of_and_its_run_goes_on_without_it(self, bench):
        bench.add_log("chatdev/a", bench.add("chatdev/a", "12:00:31", "12:08:05", [("12:01",)]), first="yes")
        summary = bench.run("13:17")
        assert [(each.path.endswith("a/calls.ndjson"), each.line) for each in summary.findings] == [(True, 1)]
        assert (bench.verdict("chatdev/a"), summary.exit_code) == ("pending: first_read", 1)

    def test_what_is_no_log_is_told_of_and_its_run_goes_on(self, bench):
        bench.add("chatdev/a", "12:00:31", "12:08:05", [("12:01",)])
        (bench.runs / "chatdev" / "a" / "calls.ndjson").mkdir()
        summary = bench.run("13:17")
        assert [each.message for each in summary.findings] == ["is a folder; put the run's own call log in its place"]
        assert bench.verdict("chatdev/a") == "pending: first_read"

    def test_a_log_that_cannot_be_read_is_an_error_and_its_run_goes_on(self, bench, monkeypatch):
        bench.add_log("chatdev/a", bench.add("chatdev/a", "12:00:31", "12:08:05", [("12:01",)]))

        def refused(_, key):
            raise StoreError(f"{key}: refused", code="unreadable_file", remedy="none")

        monkeypatch.setattr(type(bench.workspace("13:17").store), "read_log", refused)
        summary = bench.run("13:17")
        assert [error.message for error in summary.errors] == ["chatdev/a: refused"]
        assert bench.verdict("chatdev/a") == "pending: first_read"

    def test_a_log_too_large_is_not_read(self, bench):
        bench.add("chatdev/a", "12:00:31", "12:08:05", [("12:01",)])
        with (bench.runs / "chatdev" / "a" / "calls.ndjson").open("wb") as file:
            file.truncate(64_000_001)
        (finding,) = bench.run("13:17").findings
        assert "64000001 bytes" in finding.message

    @pytest.mark.parametrize(
        ("below", "files", "lines"),
        [
            pytest.param(None, 4, [2, 1, 1], id="everything"),
            pytest.param("chatdev/a/calls.ndjson", 1, [2], id="a log"),
            pytest.param("chatdev/a/metrics.json", 1, [], id="a run's file"),
            pytest.param("chatdev/b", 2, [1, 1], id="a run's folder"),
        ],
    )
    def test_validate_looks_at_logs_too(self, bench, below, files, lines):
        """`a` logged a call hours away, and the file of `b`, which is no JSON, gives its log no window."""
        calls = bench.add("chatdev/a", "12:00:31", "12:08:05", [("12:01",), ("15:01",)])
        bench.add_log("chatdev/a", [calls[1]])
        bench.write("chatdev/b", "{")
        bench.add_log("chatdev/b", [calls[1]], first="yes")
        found, findings = validate(bench.workspace("13:17"), [bench.runs / below] if below else [])
        assert (found, [finding.line for finding in findings]) == (files, lines)

    def test_validate_names_what_is_no_log(self, bench):
        bench.add("chatdev/a", "12:00:31", "12:08:05")
        (bench.runs / "chatdev" / "a" / "calls.ndjson").mkdir()
        found, findings = validate(bench.workspace("13:17"))
        assert (found, len(findings)) == (2, 1)
