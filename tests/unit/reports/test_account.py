"""`explain`, compared whole."""

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

import pytest
from support.hostile import HOSTILE
from support.runs import KEY, SCOPE, WINDOW, Tale, after, attribution_of, neighbour, run_after, theirs

from reconcile.attribution.claims import missing_key_id
from reconcile.attribution.evidence import evidence_of
from reconcile.errors import ReconcileError
from reconcile.insight.account import Account, account_json
from reconcile.minutes import Clock, Window
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport
from reconcile.providers.base import Scope
from reconcile.report.explanation import account_text
from reconcile.report.phrases import painter, printable
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Policy
from reconcile.verdict.judgement import Contest
from reconcile.verdict.plateau import plateau_of


def told(tale, *given, **members):
    return account_of(tale.run, *given, neighbours=tale.neighbours, **members)


def account_of(run, *given, **members):
    return account_text(the_account(run, *given, **members), painter(colour=False), 100)


def the_account(
    run, clock="03:00", *, selection=Selection.OBSERVED, scope=SCOPE, problem=None, neighbours=(), shown=None
):
    claim = Claim(KEY, scope, run.window, run.recorded) if scope else None
    return Account(
        report=RunReport(run=run, selection=selection),
        claim=claim,
        neighbours=attribution_of("1", *neighbours).neighbours if claim else (),
        plateau=plateau_of(run.state.observations, Policy()) if run.state else None,
        policy=Policy(),
        now=after(clock),
        requests=("curl 'https://api.example/usage'",) if claim else (),
        evidence=evidence_of(attribution_of(shown, *neighbours), after(clock)) if shown else None,
        problem=problem,
    )


def text(value):
    return dedent(value).strip("\n")


def test_a_neighbour_whose_file_is_gone():
    tale = Tale(neighbours=[replace(neighbour("b", 9, 12), gone=True)])
    tale.read("00:45", "100")
    assert "chatdev/b shares 1 minute, 11:59Z, and its file is gone or broken" in told(tale)


def test_a_run_that_shares_minutes():
    tale = Tale(neighbours=[neighbour("b", 1, 12), neighbour("c", 1, 11, calls=1)])
    tale.read("00:45", "100 2x200")
    tale.read("01:45", "100 2x200")
    assert told(tale) == text("""
chatdev/a  runs/chatdev/a/metrics.json
  status        warning (shared_minutes)
  why           1 minute with usage is shared with chatdev/c, chatdev/b: between 100 and 300 tokens
                in
  figure        300 in, 30 out, 75 cached, 2 calls
                not exact: between 100 in, 10 out, 25 cached, 1 call
                               and 300 in, 30 out, 75 cached, 2 calls
  ended         2026-01-06T12:00:00Z, 3 h ago
  window        2026-01-06 11:50Z to 12:00Z, 10 whole minutes: usage is stored by the minute, so the
                first and the last count whole
  clock         its usage was looked for in its own minutes only
  recorded      nothing: the run did not count its own calls and tokens
  around it     0 requests in 120 unclaimed minutes nearby: at most 0.025 a minute at 95 %
  scope         openai; key key_a
  neighbours    chatdev/c shares 9 minutes, 11:51Z to 11:59Z, and recorded 1 call
                chatdev/b shares 9 minutes, 11:51Z to 11:59Z, and did not record its calls
  observations  2026-01-06T12:45:00Z  pending             300 in, 30 out, 75 cached, 2 calls  of 300
                in, 3 calls
                2026-01-06T13:45:00Z  warning             300 in, 30 out, 75 cached, 2 calls  of 300
                in, 3 calls
                2 of 2 reads that agree and are far enough apart, since 2026-01-06T12:45:00Z
  next          nothing: it is settled; reconcile run chatdev a --force reads it again
  advice        A start of chatdev/c, chatdev/b at 12:00Z or later would have kept their minutes
                apart.
                What helps most: record the calls and all tokens of every response in
                recorded_usage, in this run and its neighbours; a key of its own; a measured clock;
                or a pause of two minutes between runs.
  to read it    curl 'https://api.example/usage'
""")


def test_the_minutes_are_those_of_the_evidence_and_the_shared_ones_come_first():
    tale = Tale(neighbours=[neighbour("b", 1, 12)])
    tale.read("00:45", "100 2x200")
    said = told(tale, shown="100 2x200 1x50 1x50 1x50 1x50 1x50 1x50 1x50 1x50")
    minutes = [line.strip() for line in said.partition("  minutes ")[2].splitlines()[:2]]
    assert minutes == [
        "11:51Z  200 in, 20 out, 50 cached, 2 calls, shared with chatdev/b",
        "11:52Z  50 in, 5 out, 12 cached, 1 call, shared with chatdev/b",
    ]
    assert "and 2 more minutes: usage_evidence.json has all" in said


def test_a_run_that_was_never_read_and_whose_scope_is_not_known():
    problem = missing_key_id("chatdev", 1)
    assert told(Tale(), "00:12", selection=Selection.TOO_YOUNG, scope=None, problem=problem) == text("""
chatdev/a  runs/chatdev/a/metrics.json
  status        unread
  figure        none: nothing was read yet
  ended         2026-01-06T12:00:00Z, 12 min ago
  window        2026-01-06 11:50Z to 12:00Z, 10 whole minutes: usage is stored by the minute, so the
                first and the last count whole
  recorded      nothing: the run did not count its own calls and tokens
  next          ended 12 min ago: due at 12:12Z
  problem       chatdev: 1 run due, but the id of the API key they used is not known. set
                OPENAI_API_KEY_CHATDEV_ID=key_... or frameworks.chatdev.api_key_ids in
                reconcile.yml; the id stands beside the key on https://platform.openai.com/api-keys
""")


def test_a_run_that_another_tool_read_that_was_restated_and_then_forced():
    theirs = {"timestamp": "2026-01-06T12:05:00+00:00", "total_tokens_in": 50, "total_tokens_out": 5}
    block = {"verification_status": "pending", "attempts": [theirs]}
    tale = Tale(usage_api_reconciliation=block, recorded_usage={"api_calls": 2, "tokens_in": 300, "source": "log"})
    tale.read("00:45", "100 200")
    tale.read("01:45", "100 200")
    tale.read("02:45", "100 200 50")
    tale.read("03:45", "100 200 50")
    tale.read("04:45", "100 200 50", forced=True)
    scope = Scope("openai", ("key_a", "key_b"), ("proj",), ("gpt-4o",))
    assert told(tale, "24:00", selection=Selection.DUE, scope=scope) == text("""
chatdev/a  runs/chatdev/a/metrics.json
  status        pending (first_read)
  why           Read 350 in, 35 out, 1 of 2 reads; the next counts from 2026-01-06T17:15:00Z
  figure        300 in, 30 out, 75 cached, 2 calls
                not exact: between 300 in, 15 out, 37 cached, 2 calls
                               and 350 in, 35 out, 87 cached, 3 calls
  ended         2026-01-06T12:00:00Z, 1 d ago
  window        2026-01-06 11:50Z to 12:00Z, 10 whole minutes: usage is stored by the minute, so the
                first and the last count whole
  clock         its usage was looked for in its own minutes only
  recorded                     recorded  reported
                tokens in           300   300-350
                tokens out            -     15-35
                cached tokens         -     37-87
                calls                 2         3  differs
                from log
                more calls reported than recorded: retries, an incomplete log, or foreign traffic
  around it     0 requests in 120 unclaimed minutes nearby: at most 0.025 a minute at 95 %
  scope         openai; key key_a, key_b; project proj; model gpt-4o
  neighbours    no other run shares its minutes
  observations  2026-01-06T12:05:00Z  another tool        50 in, 5 out, ? cached, ? calls
                2026-01-06T12:45:00Z  pending             300 in, 30 out, 75 cached, 2 calls
                2026-01-06T13:45:00Z  verified            300 in, 30 out, 75 cached, 2 calls
                2026-01-06T14:45:00Z  higher_read         350 in, 35 out, 87 cached, 3 calls
                2026-01-06T15:45:00Z  higher_read         350 in, 35 out, 87 cached, 3 calls
                2026-01-06T16:45:00Z  pending             350 in, 35 out, 87 cached, 3 calls  forced
                1 of 2 reads that agree and are far enough apart, since 2026-01-06T16:45:00Z
  next          ended 1 d ago: the next pass reads it again
  to read it    curl 'https://api.example/usage'
""")


def test_a_recorder_that_counts_wrongly_shows_where():
    recorded = {"api_calls": 2, "tokens_in": 250, "tokens_out": 30, "cached_tokens": 75}
    tale = Tale(recorded_usage=recorded)
    for clock in ("00:45", "01:45"):
        tale.read(clock, "100 200")
    said = told(tale)
    assert "tokens in           250       300  differs" in said
    assert "as many calls, other tokens: the recorder counts wrongly" in said


def test_what_a_run_recorded_before_it_is_read():
    tale = Tale(recorded_usage={"api_calls": 2, "tokens_in": 1_300, "source": "log"})
    assert "recorded      1,300 tokens in, 2 calls, from log" in told(tale, selection=Selection.DUE)


def test_a_window_over_midnight_names_both_days():
    tale = Tale(start_timestamp="2026-01-05T23:50:00Z")
    assert "window        2026-01-05 23:50Z to 2026-01-06 12:00Z, 730 whole minutes" in told(tale)


STATED = Policy(clock_uncertainty=timedelta(seconds=12))
CLOCKS = {
    "not measured": (
        {"reach_seconds": 60.0},
        None,
        "looked for its usage 60 s around its minutes (clock not measured)",
    ),
    "stated": (
        {"reach_seconds": 12.0, "policy": STATED},
        None,
        "looked for its usage 12 s around its minutes (clock within 12 s, as the policy states)",
    ),
    "measured": (
        {"reach_seconds": 10.0},
        Clock(-3.5, 0.25, "chrony"),
        "looked for its usage 10 s around its minutes (clock -3.5 s within 0.25 s, by chrony)",
    ),
    "found beside its minutes": (
        {"reach_seconds": 60.0, "beyond_window": 1},
        None,
        (
            "looked for its usage 60 s around its minutes (clock not measured) 1 minute outside its own with usage of "
            "the figure"
        ),
    ),
}


@pytest.mark.parametrize(("facts", "clock", "said"), CLOCKS.values(), ids=CLOCKS)
def test_it_says_how_far_around_a_run_its_usage_was_looked_for(facts, clock, said):
    run = run_after("00:45", "01:45")
    run = replace(run, clock=clock, state=replace(run.state, **facts))
    assert f"clock {said} recorded" in " ".join(account_of(run).split())


def test_what_a_verdict_is_held_by_and_assumes_is_told_line_by_line():
    tale = Tale(recorded_usage={"api_calls": 2})
    for clock in ("00:45", "01:45"):
        tale.read(clock, "100 200")
    said = told(tale)
    assert "  status        supported (verified: stable)\n" in said
    assert (
        said.partition(" 2 calls\n")[2].partition("  ended ")[0]
        == """\
  held          as many calls as the run recorded were reported; or as many tokens, where it told no
                calls
  rests on      calls: as many were reported as were recorded
  assumes       the provider had reported all by then
                no retry went unrecorded
"""
    )


def test_a_contest_is_what_happens_next():
    contest = Contest(RunKey("baes", "b"), (Window(WINDOW.start, WINDOW.start + 60),))
    account = the_account(run_after("00:45", "01:45"))
    contested = replace(account, report=replace(account.report, contests=(contest,)))
    said = account_text(contested, painter(colour=False), 100)
    assert "  next          baes/b claims 11:50Z too: to be read\n" in said


def test_a_restated_run_shows_both_figures():
    tale = Tale()
    for clock, shown in (("00:45", "100"), ("01:45", "100"), ("02:45", "150"), ("03:45", "150")):
        tale.read(clock, shown)
    assert (
        "settled before at 100 in, 10 out, 25 cached, 1 call; read since: 150 in, 15 out, 37 cached, 1 call"
        in " ".join(told(tale, "04:00").split())
    )


@pytest.mark.parametrize(
    ("start", "end", "advice"),
    [
        pytest.param(-2, 3, "A start at 11:53Z or later would have kept its minutes apart.", id="before it"),
        pytest.param(
            5, 15, "A start of chatdev/b at 12:00Z or later would have kept their minutes apart.", id="after it"
        ),
    ],
)
def test_advice_names_the_neighbour_that_could_have_kept_away(start, end, advice):
    tale = Tale(neighbours=[neighbour("b", start, end)])
    for clock in ("00:45", "01:45"):
        tale.read(clock, "100 200 300 400 500 600 700")
    said = " ".join(told(tale).split())
    assert advice in said
    assert said.count("would have kept") == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_words_of_another_tool_are_shown_and_stay_on_their_lines(text):
    run = Tale(**theirs(("00:05", 50))).run
    run = replace(run, state=replace(run.state, message=text, reasons=(text,), completeness=text, assumes=(text,)))
    assert not [c for c in account_of(run) if not c.isprintable() and c != "\n"]
    assert printable(text)[:20].split()[0] in account_of(run)


def test_the_document_of_an_account_has_its_window_scope_neighbours_minutes_and_reads():
    tale = Tale(neighbours=[neighbour("b", 9, 12, calls=3)])
    tale.read("00:45", "100")
    account = the_account(tale.run, neighbours=tale.neighbours, shown="100")
    document = account_json(account)
    window = tale.run.window
    assert document["window"] == {"start": window.start, "end": window.end}
    assert document["scope"] == {"provider": "openai", "api_key_ids": ["key_a"], "project_ids": [], "models": []}
    (other,) = document["neighbours"]
    assert (other["run"], other["api_calls"], other["start"] < window.end) == ("chatdev/b", 3, True)
    assert [(row["minute"], row["tokens_in"]) for row in document["minutes"]] == [(window.start, 100)]
    assert [each["tokens_in"] for each in document["observations"]] == [100]
    assert (document["counted_reads"], document["requests"], document["errors"]) == (1, list(account.requests), [])


def test_the_document_of_a_run_that_was_never_read_says_what_is_not_known():
    problem = ReconcileError("no answer", code="provider_unavailable", remedy="try again")
    document = account_json(the_account(Tale().run, scope=None, problem=problem))
    absent = ("scope", "neighbours", "minutes", "observations", "counted_reads", "requests")
    assert [document[name] for name in absent] == [None, [], None, [], 0, []]
    assert [each["message"] for each in document["errors"]] == ["no answer"]
