"""Passes, lists and findings as text, compared whole."""

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

from support.runs import END, Tale, after, neighbour

from reconcile.errors import ProviderError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import ApiUse, FileChange, RunReport, Summary, Unattributed
from reconcile.report.held import rests_on
from reconcile.report.phrases import painter
from reconcile.report.terminal import diff_text, findings_text, list_text, summary_text
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy, State, Status
from reconcile.usage import Usage

PLAIN = painter(colour=False)
COLOURED = painter(colour=True)


def report(tale, selection=Selection.DUE, **members):
    return RunReport(run=tale.run, selection=selection, **members)


def summary(*reports, **members):
    given = {"now": after("02:00"), "policy": Policy(), "discovered": len(reports), "runs": reports, **members}
    return Summary(**given)


def verified():
    tale = Tale()
    tale.read("00:45", "100 200")
    tale.read("01:45", "100 200")
    return tale


def shared():
    tale = Tale(neighbours=[neighbour("b", 1, 12)])
    tale.read("00:45", "100 2x200")
    tale.read("01:45", "100 2x200")
    return tale


def text(value):
    return dedent(value).strip("\n")


def test_a_break_shows_what_was_recorded_beside_what_is_reported():
    recorded = {"api_calls": 2, "tokens_in": 1_150, "tokens_out": 30}
    tale = Tale(recorded_usage=recorded)
    for clock in ("00:45", "01:45"):
        tale.read(clock, "1000 200")
    said = summary_text(summary(report(tale, written=True)), PLAIN, 160)
    kinds = "calls 2 / 2, tokens in 1,150 / 1,200, tokens out 30 / 120"
    meant = "as many calls, other tokens: the recorder counts wrongly"
    assert f"recorded / reported: {kinds}; {meant}" in " ".join(said.split())


def test_a_pass_in_which_nothing_was_due():
    found = summary(report(Tale(), Selection.TOO_YOUNG, due_at=END + timedelta(minutes=150)))
    assert (
        summary_text(found, PLAIN, 100) == "1 run: 1 unread; 0 files written, 0 requests made; next run due at 14:30Z."
    )


def test_an_empty_folder():
    assert summary_text(summary(), PLAIN, 100) == "0 runs: none; 0 files written, 0 requests made."


def test_everything_a_pass_can_have_to_say():
    error = ProviderError("the usage API answered 500", code="provider_unavailable", remedy="run again later")
    found = summary(
        report(verified(), written=True, note="said once"),
        report(shared(), written=True),
        report(Tale()),
        discovered=4,
        findings=(Finding("runs/chatdev/x/metrics.json", 3, 9, "/steps", "is 5; make it a list"),),
        unattributed=(
            Unattributed(
                api_key_id="key_a",
                model=None,
                start=int(END.timestamp()),
                end=int(END.timestamp()) + 120,
                usage=Usage(7, 8, 0, 1),
            ),
        ),
        errors=(error,),
        api=ApiUse(requests=2, pages=1, retries=1),
    )
    assert summary_text(found, PLAIN, 100) == text("""
  run        status              tokens in  tokens out  cached  calls
  chatdev/a  assumed (verified)        300          30      75      2
      Data stable across 60 minute interval
      rests on an assumption: not every run in its minutes recorded its calls; taken for granted:
      nobody else used the key in these minutes (0 requests in 120 unclaimed minutes nearby: at most
      0.025 a minute at 95 %), the run used no other key or model, the provider had reported all by
      then
      this pass: said once
  chatdev/a  warning               100-300       10-30   25-75    1-3
      1 minute with usage is shared with chatdev/b: between 100 and 300 tokens in
  chatdev/a  unread                      -           -       -      -
      ended 2 h ago: due now

Findings
runs/chatdev/x/metrics.json:3:9: /steps: is 5; make it a list

Usage that no run claims
  key_a  no model  12:00Z to 12:02Z  7 in, 8 out, 1 request

Errors
provider_unavailable: the usage API answered 500
  run again later

3 runs: 1 verified (1 assumed), 1 warning, 1 unread, 1 invalid file; 2 files written, 2 requests made.
""")


def test_a_dry_run_shows_the_changed_lines_only():
    change = FileChange(
        path="runs/a.json", before='{\n "a": 0,\n "b": 1,\n "c": 2\n}', after='{\n "a": 5,\n "b": 1,\n "c": 2\n}'
    )
    found = summary(dry_run=True, changes=(change,))
    assert summary_text(found, PLAIN, 100) == text("""
--- runs/a.json
+++ runs/a.json
@@ -1,3 +1,3 @@
 {
- "a": 0,
+ "a": 5,
  "b": 1,

0 runs: none; nothing written (dry run), 0 requests made.
""")


def test_a_pass_that_only_looked_says_nothing_of_writing():
    assert summary_text(summary(dry_run=True, looked=True), PLAIN, 100) == "0 runs: none."


def test_changed_lines_are_coloured_on_a_terminal():
    change = FileChange(path="runs/a.json", before="0", after="1")
    lines = diff_text(summary(dry_run=True, changes=(change,)), COLOURED).splitlines()
    assert lines[-2:] == ["\x1b[31m-0\x1b[0m", "\x1b[32m+1\x1b[0m"]


def test_the_list_of_what_waits():
    found = summary(report(verified(), Selection.OBSERVED), report(Tale()), report(Tale(), Selection.NOT_ASKED))
    assert list_text(found, PLAIN, 100, everything=False) == text("""
1 run awaiting reconciliation

  run        status  tokens in  tokens out  cached  calls
  chatdev/a  unread          -           -       -      -
      ended 2 h ago: due now
      runs/chatdev/a/metrics.json
""")


def test_the_list_of_everything():
    found = summary(report(verified(), Selection.OBSERVED))
    assert list_text(found, PLAIN, 100, everything=True) == text("""
1 run

  run        status              tokens in  tokens out  cached  calls
  chatdev/a  assumed (verified)        300          30      75      2
      Data stable across 60 minute interval
      rests on an assumption: not every run in its minutes recorded its calls; taken for granted:
      nobody else used the key in these minutes (0 requests in 120 unclaimed minutes nearby: at most
      0.025 a minute at 95 %), the run used no other key or model, the provider had reported all by
      then
      runs/chatdev/a/metrics.json
""")


def test_lists_with_nothing_in_them():
    said = [list_text(summary(), PLAIN, 100, everything=everything) for everything in (False, True)]
    assert said == ["No runs await reconciliation.", "No runs."]


def test_findings_are_sorted_and_harmless():
    findings = [
        Finding("runs/b.json", 1, 1, "", "is \x1b[2J"),
        Finding("runs/a.json", 2, 1, "/x\u202e", "is odd"),
    ]
    assert findings_text(findings).splitlines() == [
        r"runs/a.json:2:1: /x\u202e: is odd",
        r"runs/b.json:1:1: /: is \x1b[2J",
    ]


def test_statuses_are_coloured_on_a_terminal():
    assert "\x1b[32massumed (verified)\x1b[0m" in summary_text(summary(report(verified())), COLOURED, 100)


def test_names_of_runs_cannot_break_a_line():
    tale = Tale()
    odd = RunReport(run=replace(tale.run, key=RunKey("a\nb", "c\x1b[0m")), selection=Selection.DUE)
    assert r"a\nb/c\x1b[0m" in summary_text(summary(odd), PLAIN, 100)


def test_what_another_tools_figure_rests_on_is_shown_in_its_own_words():
    state = State(status=Status.VERIFIED, completeness="their own\ncheck", assumes=("a", "closed_key"))
    assert rests_on(state) == ("their own\\ncheck; taken for granted: a, nobody else used the key in these minutes")
