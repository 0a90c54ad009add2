"""`status` of a folder, as text and as Markdown."""

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

import pytest
from support.hostile import HOSTILE, rendered
from support.runs import WINDOW, after, neighbour, run_after

from reconcile.errors import StoreError
from reconcile.insight.board import board_of
from reconcile.minutes import Window
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.report.overview import board_text
from reconcile.report.phrases import painter
from reconcile.report.status_markdown import board_markdown
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy
from reconcile.verdict.judgement import Contest

UNREAD, PENDING, VERIFIED = run_after(), run_after("00:45"), run_after("00:45", "01:45")
WARNED = run_after("00:45", "01:45", shown="100 2x200", neighbours=[neighbour("b", 1, 12)])


def report(name, run, selection, *, hours=2, due_at=None):
    framework, run_id = name.split("/", 1)
    key = RunKey(framework, run_id)
    run = replace(run, key=key, path=f"runs/{name}/metrics.json", ended_at=after("02:00") - timedelta(hours=hours))
    return RunReport(run=run, selection=selection, due_at=due_at)


def folder(*reports, framework=None, **members):
    given = {"discovered": len(reports), **members}
    summary = Summary(now=after("02:00"), policy=Policy(), runs=reports, **given)
    return board_of(summary, framework)


def told(board):
    return board_text(board, painter(colour=False), 100)


MIXED = folder(
    report("chatdev/a", VERIFIED, Selection.OBSERVED),
    report("chatdev/b", PENDING, Selection.DUE),
    report("chatdev/c", UNREAD, Selection.TOO_YOUNG, hours=0.25, due_at=after("02:15")),
    report("baes/d", WARNED, Selection.OBSERVED),
    report("baes/e", UNREAD, Selection.PAST_CUTOFF, hours=200),
    discovered=6,
    findings=(Finding("runs/baes/f/metrics.json", 1, 2, "/steps", "is missing"),),
    unreadable={"baes": 1},
    errors=(StoreError("runs/baes/g: cannot be read", code="unreadable_file", remedy="look"),),
)


def test_the_board_says_what_is_verified_and_what_is_to_look_at():
    assert told(MIXED) == dedent("""
        1 of 5 runs verified: 1 assumed; 2 waiting, 1 due now, next due 14:15Z; 2 to look at; 1 invalid
        file.

                    under 1 h  1 to 4 h  4 to 24 h  1 to 7 d  7 to 30 d  over 30 d  all
          verified          0         1          0         0          0          0    1
          waiting           1         1          0         0          0          0    2
          missed            0         0          0         0          1          0    1
          broken            0         1          0         0          0          0    1

          framework  verified  waiting  missed  broken  invalid
          baes              0        0       1       1        1
          chatdev           1        2       0       0        0

        To look at
          run     status   tokens in  tokens out  cached  calls
          baes/d  warning    100-300       10-30   25-75    1-3
              1 minute with usage is shared with chatdev/b: between 100 and 300 tokens in
              runs/baes/d/metrics.json
          baes/e  unread           -           -       -      -
              ended 8 d 8 h ago, past the cutoff of 1 d, and was not read: reconcile run baes e --max-age
              10d reaches it
              runs/baes/e/metrics.json

        Findings
        runs/baes/f/metrics.json:1:2: /steps: is missing

        Waiting
          chatdev/b  pending  ended 2 h ago: the next pass reads it again
          chatdev/c  unread   ended 15 min ago: due at 14:15Z

        Errors
        unreadable_file: runs/baes/g: cannot be read
          look
        """).strip("\n")


def test_an_empty_folder_has_no_table():
    assert told(folder()) == "no runs."
    assert board_markdown(folder()) == "### LLM usage: no runs."


def test_runs_that_all_wait_for_their_time_are_not_due_now():
    only = folder(report("chatdev/c", UNREAD, Selection.TOO_YOUNG, due_at=after("02:15")))
    assert told(only).startswith("0 of 1 run verified; 1 waiting, next due 14:15Z.")


def many(selection, run, count=32):
    return [report(f"chatdev/{number:02}", run, selection, hours=30) for number in range(count)]


@pytest.mark.parametrize("tell", [told, board_markdown], ids=["text", "Markdown"])
@pytest.mark.parametrize(
    ("board", "left"),
    [
        pytest.param(
            folder(*many(Selection.PAST_CUTOFF, UNREAD)), "and 12 more: reconcile list --all", id="to look at"
        ),
        pytest.param(
            folder(*many(Selection.DUE, UNREAD), framework="chatdev"),
            "and 12 more: reconcile list chatdev --all",
            id="waiting",
        ),
        pytest.param(
            folder(findings=tuple(Finding(f"runs/a/{n:02}/metrics.json", 1, 1, "", "is bad") for n in range(32))),
            "and 12 more: reconcile validate",
            id="findings",
        ),
    ],
)
def test_of_each_list_twenty_are_shown(tell, board, left):
    said = tell(board)
    shown = rendered(said).text if tell is board_markdown else said
    assert (left in shown, "/19" in shown, "/20" in shown) == (True, True, False)


def test_a_framework_has_its_own_findings():
    findings = tuple(Finding(f"runs/{name}/f/metrics.json", 1, 1, "", "is bad") for name in ("baes", "chatdev"))
    said = told(folder(report("baes/a", VERIFIED, Selection.OBSERVED), framework="baes", findings=findings))
    assert ("runs/baes/f/metrics.json" in said, "runs/chatdev/f/metrics.json" in said) == (True, False)


def test_a_framework_has_no_findings_of_another_that_has_a_run_of_its_name():
    findings = tuple(
        Finding(path, 1, 1, "", "is bad")
        for path in ("baes/chatdev/baes/metrics.json", "baes/baes/chatdev/metrics.json", "baes/baes/linked")
    )
    said = told(folder(report("baes/a", VERIFIED, Selection.OBSERVED), framework="baes", findings=findings))
    assert [each.path in said for each in findings] == [False, True, True]


def test_what_another_tool_verified_is_said_apart():
    theirs = replace(VERIFIED, state=replace(VERIFIED.state, ours=False))
    board = folder(report("chatdev/a", VERIFIED, Selection.OBSERVED), report("chatdev/b", theirs, Selection.INHERITED))
    assert told(board).startswith("2 of 2 runs verified: 1 assumed, 1 by another tool.")


def test_a_verified_run_that_is_contested_waits_to_be_read():
    contested = replace(
        report("chatdev/a", VERIFIED, Selection.SETTLED),
        contests=(Contest(RunKey("baes", "b"), (Window(WINDOW.start, WINDOW.start + 120),)),),
    )
    board = folder(contested)
    assert told(board).startswith("1 of 1 run verified: 1 assumed; 1 contested.")
    assert told(board).endswith(
        "Waiting\n  chatdev/a  assumed (verified)  baes/b claims 11:50Z to 11:51Z too: to be read"
    )
    page = " ".join(rendered(board_markdown(board)).text.split())
    assert page.endswith(
        "Waiting chatdev/a assumed (verified): Data stable across 60 minute interval; baes/b claims 11:50Z to 11:51Z "
        "too: to be read"
    )


def test_markdown_has_the_same_tables_and_lists():
    page = rendered(board_markdown(MIXED))
    assert (
        page.text.split()
        == dedent("""
        LLM usage: 1 of 5 runs verified: 1 assumed; 2 waiting, 1 due now, next due 14:15Z; 2 to look at; 1 invalid file.
        under 1 h 1 to 4 h 4 to 24 h 1 to 7 d 7 to 30 d over 30 d all
        verified 0 1 0 0 0 0 1
        waiting 1 1 0 0 0 0 2
        missed 0 0 0 0 1 0 1
        broken 0 1 0 0 0 0 1
        framework verified waiting missed broken invalid
        baes 0 0 1 1 1
        chatdev 1 2 0 0 0
        To look at
        baes/d warning: 1 minute with usage is shared with chatdev/b: between 100 and 300 tokens in
        baes/e unread: ended 8 d 8 h ago, past the cutoff of 1 d, and was not read: reconcile run baes e --max-age 10d
        reaches it
        Findings
        runs/baes/f/metrics.json:1:2 /steps is missing
        Waiting
        chatdev/b pending: Read 300 in, 30 out, 1 of 2 reads; the next counts from 2026-01-06T13:15:00Z; ended 2 h ago:
        the next pass reads it again
        chatdev/c unread: ended 15 min ago: due at 14:15Z
        Errors
        unreadable_file runs/baes/g: cannot be read: look
        """).split()
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_names_of_others_are_text_on_the_board(text):
    def board(name):
        run = replace(UNREAD, key=RunKey(name, name), path=name)
        return folder(RunReport(run=run, selection=Selection.DUE), findings=(Finding(name, 1, 1, name, name),))

    assert not [c for c in told(board(text)) if not c.isprintable() and c != "\n"]
    page, tame = rendered(board_markdown(board(text))), rendered(board_markdown(board("tame")))
    assert (page.elements, page.addresses) == (tame.elements, tame.addresses)
