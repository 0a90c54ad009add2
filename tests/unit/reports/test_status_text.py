"""`status` of one run, as text and as Markdown."""

from dataclasses import replace
from textwrap import dedent

import pytest
from support.hostile import HOSTILE, rendered
from support.runs import KEY, SCOPE, WINDOW, Tale, after, attribution_of, call_log, neighbour, theirs

from reconcile.attribution.claims import missing_key_id
from reconcile.attribution.evidence import evidence_of
from reconcile.insight.account import Account
from reconcile.insight.expectation import Models
from reconcile.insight.situation import situation_of
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport
from reconcile.report.phrases import painter
from reconcile.report.status import situation_text, took
from reconcile.report.status_markdown import situation_markdown
from reconcile.runs.run import Claim, Finding, Generation, RunKey, Step
from reconcile.runs.state import Policy
from reconcile.usage import Recorded, Usage
from reconcile.verdict.plateau import plateau_of


def situated(
    run,
    clock="03:00",
    *,
    selection=Selection.OBSERVED,
    shown=None,
    neighbours=(),
    others=(),
    models=None,
    problem=None,
    due_at=None,
):
    account = Account(
        report=RunReport(run=run, selection=selection, due_at=due_at),
        claim=Claim(KEY, SCOPE, run.window, run.recorded),
        neighbours=attribution_of("1", *neighbours).neighbours,
        plateau=plateau_of(run.state.observations, Policy()) if run.state else None,
        policy=Policy(),
        now=after(clock),
        requests=(),
        evidence=evidence_of(attribution_of(shown, *neighbours), after(clock)) if shown else None,
        problem=problem,
    )
    return situation_of(account, others, models or {})


def told(*given, **members):
    return situation_text(situated(*given, **members), painter(colour=False), 110)


def flat(*given, **members):
    return " ".join(told(*given, **members).split())


def stable(shown="100", **members):
    tale = Tale(**members)
    for clock in ("00:45", "01:45"):
        tale.read(clock, shown)
    return tale.run


VERIFIED, UNREAD = stable(), Tale().run


def other(name, tokens, calls=1):
    state = replace(VERIFIED.state, figure=Usage(tokens, tokens // 10, 0, calls))
    return replace(VERIFIED, key=RunKey("chatdev", name), state=state)


OTHERS = [other("b", 50), other("c", 80), other("d", 150)]


def text(value):
    return dedent(value).strip("\n")


def test_a_verified_run_beside_runs_like_it():
    assert told(VERIFIED, shown="100", others=OTHERS) == text("""
        chatdev/a  runs/chatdev/a/metrics.json
          status        assumed (verified: stable), since 2026-01-06T13:45:00Z
          why           Data stable across 60 minute interval
                        ended 3 h ago, at 2026-01-06T12:00:00Z
          figure        100 in, 10 out, 25 cached, 1 call
          rests on      an assumption: not every run in its minutes recorded its calls; taken for granted: nobody else
                        used the key in these minutes (0 requests in 120 unclaimed minutes nearby: at most 0.025 a
                        minute at 95 %), the run used no other key or model, the provider had reported all by then
          asked         2026-01-06T12:45:00Z  pending             100 in, 10 out, 25 cached, 1 call
                        2026-01-06T13:45:00Z  verified            100 in, 10 out, 25 cached, 1 call
                        2 of 2 reads that agree and are far enough apart, since 2026-01-06T12:45:00Z
                        usage_evidence.json: 1 row with usage in 1 minute, read at 2026-01-06T15:00:00Z
          calls         not counted by the run
                        reported of gpt-4o-mini-2024-07-18: 100 in, 10 out, 25 cached, 1 call
                        the run took 10 min 0 s
          recorded      nothing: the run did not count its own calls and tokens
          expected                     lowest  median  highest  verified
                        tokens in          50      80      150       100  1.2 times the median; within the range
                        tokens out          5       8       15        10  1.2 times the median; within the range
                        cached tokens       0       0        0        25  above the highest
                        calls               1       1        1         1  1 times the median; within the range
                        from 3 comparable runs: others of the framework, verified here and exact; their usage a run
                        the range of 3 comparable runs holds the next one in at least 2 of 4 cases, if that is a run
                        like them; of each kind by itself. An estimate, and written nowhere
          affected      not affected: what is measured otherwise, such as duration, success and quality
          next          nothing: it is settled; reconcile run chatdev a --force reads it again
                        the whole account: reconcile explain chatdev a
        """)


def test_a_run_that_was_not_read_yet():
    steps = (Step(number=1, span=(WINDOW.start, WINDOW.start + 77.4)), Step(number=2, span=None))
    run = replace(UNREAD, generation=Generation.V1, steps=steps)
    said = told(
        run, "00:12", selection=Selection.TOO_YOUNG, due_at=after("00:30"), problem=missing_key_id("chatdev", 1)
    )
    assert said == text("""
        chatdev/a  runs/chatdev/a/metrics.json
          status        unread, since 2026-01-06T12:00:00Z
          why           ended 12 min ago, at 2026-01-06T12:00:00Z
          figure        none: nothing was read yet
          asked         nothing: no read of this run was kept yet
          calls         not counted by the run
                        the run took 10 min 0 s
          recorded      nothing: the run did not count its own calls and tokens
          steps         1  2026-01-06T11:50:00Z  1 min 17 s
                        2  no times
          expected      no range: 0 comparable runs: others of the framework, verified here and exact. Fewer than 3 of
                        them say next to nothing
          affected      TOK_IN, TOK_OUT, CACHED_TOKENS, API_CALLS, steps[].tokens_in, steps[].tokens_out of its file,
                        and AEI where it has one, are not final
                        `reconcile list --require-verified` does not pass while it is not verified
                        not affected: what is measured otherwise, such as duration, success and quality
          next          ended 12 min ago: due at 12:30Z
                        from 2026-01-07 12:00Z on it is past the cutoff and is not read any more
                        by hand, once it is due: reconcile run chatdev a
                        the whole account: reconcile explain chatdev a
                        chatdev: 1 run due, but the id of the API key they used is not known. set
                        OPENAI_API_KEY_CHATDEV_ID=key_... or frameworks.chatdev.api_key_ids in reconcile.yml; the id
                        stands beside the key on https://platform.openai.com/api-keys
                        What would say more: calls and tokens of every response, summed up in recorded_usage or
                        written to calls.ndjson; reconcile.record and reconcile record do it.
        """)


def test_the_calls_of_a_log():
    run = replace(UNREAD, log=call_log("1:100 3:50 4:10!"))
    said = flat(run, selection=Selection.DUE)
    assert "calls 2 calls counted by the run 2 calls in calls.ndjson, 1 more cut off to gpt-4o-mini-2024-07-18" in said
    assert "in the minutes from 2026-01-06T11:51:00Z to 2026-01-06T11:54:00Z" in said
    assert "What would say more" not in said


def test_a_log_that_may_lack_calls_and_has_some_of_other_minutes():
    log = replace(call_log("1:100", complete=False), strays=1, models=frozenset())
    said = flat(replace(UNREAD, log=log), selection=Selection.DUE)
    assert "1 call in calls.ndjson, which may lack some, 1 outside the run's minutes in the minutes from" in said


def test_what_is_expected_by_call():
    run = replace(UNREAD, recorded=Recorded(api_calls=3))
    models = {KEY: Models({"a"}), RunKey("chatdev", "e"): Models({"gpt-4o"})}
    run = replace(run, log=call_log("1:100 2:100 3:100"))
    said = flat(run, selection=Selection.DUE, others=[*OTHERS, other("e", 9)], models=models)
    assert "lowest median highest tokens in 150 240 450 tokens out 15 24 45 cached tokens 0 0 0 from" in said
    assert "verified here and exact, 1 of other models left out; their usage a call, times 3 calls" in said
    assert "a guide and no promise: the usage a call of few calls spreads wider than that of many. An" in said
    assert "cases" not in said


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        pytest.param("16000", "200 times the median; above the highest by 10,567 %", id="far above"),
        pytest.param("168", "2.1 times the median; above the highest by 12 %", id="above"),
        pytest.param("25", "0.31 times the median; below the lowest by 50 %", id="below"),
    ],
)
def test_how_far_a_verified_figure_lies_outside(tokens, said):
    assert said in flat(stable(tokens), others=OTHERS)


def test_a_figure_far_below_the_median_is_not_rounded_to_nothing():
    state = replace(VERIFIED.state, figure=Usage(100, 10, 0, 1))
    others = [other("b", 10**6), other("c", 10**6), other("d", 10**6)]
    said = flat(replace(VERIFIED, state=state), others=others)
    assert "less than 0.01 times the median; below the lowest by 100 %" in said


def test_a_run_that_shares_minutes_says_whose_verdicts_depend_on_it():
    one, two = neighbour("b", 1, 12), neighbour("c", 1, 11)
    said = flat(stable("100 2x200", neighbours=[one, two]), neighbours=[one, two])
    assert "and AEI where it has one, are not proven the verdicts of chatdev/c, chatdev/b, which share minutes" in said
    assert "rests on" not in said
    assert "What helps most: record the calls" in said
    assert "no evidence of this figure lies beside the file" in said
    assert "the verdict of chatdev/b, which shares minutes with it" in flat(VERIFIED, neighbours=[one])


def test_of_many_runs_that_share_its_minutes_some_are_named():
    said = flat(VERIFIED, neighbours=[neighbour(f"n{number}", 1, 12) for number in range(22)])
    assert said.count("chatdev/n") == 20
    assert ", 2 more, which share minutes with it" in said


def test_a_run_past_the_cutoff():
    read = Tale()
    read.read("00:45", "100")
    assert "gets a last read, and is closed as it stands then" in flat(read.run, selection=Selection.DUE)
    assert "past the cutoff and" not in flat(read.run, "25:00", selection=Selection.LAST_READ)
    missed = flat(UNREAD, "25:00", selection=Selection.PAST_CUTOFF)
    assert "are not reconciled, and no pass does it any more by itself" in missed
    assert "--max-age 3d reaches it" in missed


def test_a_run_that_ends_in_the_future():
    said = flat(replace(UNREAD, ended_at=after("05:00")), selection=Selection.NOT_ENDED)
    assert "why ends in the future, at 2026-01-06T17:00:00Z" in said


def test_what_another_tool_verified_rests_on_nothing_that_is_known():
    said = flat(Tale(**theirs(("00:05", 50), status="verified")).run, selection=Selection.INHERITED)
    assert "rests on" not in said
    assert "status inherited why" in said


def test_quiet_minutes_are_told_where_nothing_is_assumed():
    recorded = {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1}
    run = stable(recorded_usage=recorded)
    granted = "taken for granted: no retry went unrecorded"
    assert f"both equal what was recorded; {granted} 0 requests in 120 unclaimed minutes nearby" in flat(run)


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3_723, "1 h 2 min 3 s")])
def test_how_long_something_took(seconds, said):
    assert took(seconds) == said


# ------------------------------------------------------------------------------------------------------ Markdown


def test_markdown_has_the_same_parts_and_a_table_of_what_is_expected():
    recorded = {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1}
    page = rendered(situation_markdown(situated(stable(recorded_usage=recorded), shown="100", others=OTHERS)))
    said = " ".join(page.text.split())
    assert said.startswith(
        "chatdev/a: proven (verified: stable), since 2026-01-06T13:45:00Z file runs/chatdev/a/metrics.json why"
    )
    assert "recorded recorded / reported: calls 1 / 1, tokens in 100 / 100" in said
    assert (
        "lowest median highest verified tokens in 50 80 150 100 1.2 times the median; within the range tokens out"
        in said
    )
    assert {"h3", "ul", "strong", "table"} <= {name for name, _ in page.elements}


def test_markdown_of_a_run_without_a_range_has_no_table():
    page = rendered(situation_markdown(situated(UNREAD, selection=Selection.DUE)))
    assert "table" not in {name for name, _ in page.elements}
    assert "recorded nothing: the run did not count its own calls and tokens" in " ".join(page.text.split())


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_words_of_others_are_text_in_both(hostile):
    def about(words):
        run = Tale(**theirs(("00:05", 50))).run
        state = replace(run.state, message=words, reasons=(words,), completeness=words, assumes=(words,), exact=True)
        key, log = RunKey(words, words), replace(call_log("1:100"), models=frozenset({words}))
        run = replace(run, key=key, path=words, state=state, log=log, recorded=Recorded(api_calls=1, source=words))
        return replace(situated(run, selection=Selection.DUE), differences=(Finding(words, 1, 1, words, words),))

    said = situation_text(about(hostile), painter(colour=False), 100)
    assert not [c for c in said if not c.isprintable() and c != "\n"]
    page, tame = (rendered(situation_markdown(about(words))) for words in (hostile, "tame"))
    assert (page.elements, page.addresses) == (tame.elements, tame.addresses)


@pytest.mark.parametrize(("pointer", "place"), [("/TOK_IN", "/TOK_IN "), ("", "")], ids=["a member", "the whole file"])
def test_what_does_not_follow_from_the_evidence_is_said_before_the_status(pointer, place):
    finding = Finding("runs/chatdev/a/metrics.json", 3, 5, pointer, "is 1, and the evidence comes to 2")
    found = replace(situated(VERIFIED), differences=(finding, finding))
    said = " ".join(situation_text(found, painter(colour=False), 110).split())
    doubt = f"its file does not follow from its evidence: {place}is 1, and the evidence comes to 2"
    more = "reconcile audit runs/chatdev/a/metrics.json has all"
    assert f"metrics.json audit {doubt} {more} status assumed (verified: stable)" in said
    page = " ".join(rendered(situation_markdown(found)).text.split())
    assert page.startswith("chatdev/a: assumed (verified: stable), since 2026-01-06T13:45:00Z, but see audit file")
    assert f"audit {doubt}{more} why" in page.replace("2 reconcile", "2reconcile")
