"""`status` of one run as text: where it stands, what was asked, the calls made, what to expect, what hangs on it.

What runs like it let expect is said in words and as the cells of a table, and always called an estimate.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from reconcile.insight.board import Group
from reconcile.insight.expectation import LEAST, Basis, Expectation, Place, Spread
from reconcile.insight.situation import Situation, logged_span, seconds_taken
from reconcile.minutes import instant, spelled
from reconcile.passes.selection import Selection
from reconcile.report.explanation import NOUNS, advice_lines, figure_lines, observation_lines, paragraph, recorded_lines
from reconcile.report.held import guard_text, reasoned, rests_on, style
from reconcile.report.next_step import command, next_step
from reconcile.report.phrases import Paint, clock, duration, printable, tokens
from reconcile.usage import KINDS
from reconcile.words import plural

MOST = 20
"""Names of runs that are shown."""

RECORD = (
    "What would say more: calls and tokens of every response, summed up in recorded_usage or written to calls.ndjson; "
    "reconcile.record and reconcile record do it."
)
STAND = {
    Group.WAITING: "are not final",
    Group.MISSED: "are not reconciled, and no pass does it any more by itself",
    Group.BROKEN: "are not proven",
}


def situation_text(situation: Situation, paint: Paint, width: int) -> str:
    """The report, a labelled paragraph for each of its parts."""
    report = situation.account.report
    head = paint(printable(str(report.run.key)), "bold") + f"  {printable(report.run.path)}"
    stands = paint(printable(reasoned(report.run)), style(report.run)) + since(situation)
    parts = [("audit", audited(situation)), ("status", [stands]), *sections(situation)]
    tables = {"expected": expected_lines(situation.expected)}
    shown = [(label, [*tables.get(label, []), *lines]) for label, lines in parts if lines]
    return "\n".join([head, *(paragraph(label, lines, width) for label, lines in shown)])


def sections(situation: Situation) -> list[tuple[str, list[str]]]:
    """All of it but the audit, the status and the range of what is expected, a label and its lines each; untrusted
    text in them is on one line, and still to be escaped where it goes."""
    return [
        ("why", why(situation)),
        ("figure", figure_lines(situation.account)),
        ("rests on", rests(situation)),
        ("asked", asked(situation)),
        ("calls", calls(situation)),
        ("recorded", recorded_lines(situation.account)),
        ("steps", steps(situation)),
        ("expected", expected_words(situation.expected)),
        ("affected", affected(situation)),
        ("next", steps_ahead(situation)),
    ]


def audited(situation: Situation) -> list[str]:
    """That its file says what does not follow from its evidence, whatever its status: before anything it says."""
    if not situation.differences:
        return []
    first, path = situation.differences[0], situation.account.report.run.path
    has_all = f"reconcile audit {shlex.quote(printable(path))}"
    place = f"{printable(first.pointer)} " if first.pointer else ""
    return [f"its file does not follow from its evidence: {place}{printable(first.message)}", f"{has_all} has all"]


def since(situation: Situation) -> str:
    """Since when it has its status, where that is known."""
    return f", since {_second(situation.since)}" if situation.since else ""


def why(situation: Situation) -> list[str]:
    """The file's own message, and how old the run is."""
    account, run = situation.account, situation.account.report.run
    said = [printable(run.state.message)] if run.state and run.state.message else []
    age = account.now - run.ended_at
    ended = "ends in the future" if account.report.selection is Selection.NOT_ENDED else f"ended {duration(age)} ago"
    return [*said, f"{ended}, at {_second(run.ended_at)}"]


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def rests(situation: Situation) -> list[str]:
    """What the figure rests on."""
    state = situation.account.report.run.state
    if state is None or not state.completeness:
        return []
    shown = state.guard if "closed_key" not in state.assumes else None  # else it is told with what is assumed
    return [rests_on(state), *([guard_text(shown)] if shown else [])]


def asked(situation: Situation) -> list[str]:
    """Every read that was kept, and the evidence of the figure."""
    account = situation.account
    if account.report.run.state is None:
        return ["nothing: no read of this run was kept yet"]
    evidence = account.evidence
    if evidence is None:
        return [*observation_lines(account), "no evidence of this figure lies beside the file"]
    minutes = len({row.minute for row in evidence.rows if not row.usage.is_zero})
    shown = f"{plural(len(evidence.rows), 'row')} with usage in {plural(minutes, 'minute')}"
    return [*observation_lines(account), f"usage_evidence.json: {shown}, read at {spelled(evidence.read_at)}"]


def calls(situation: Situation) -> list[str]:
    """What is known of the calls that the run made."""
    run = situation.account.report.run
    log, span, counted = run.log, logged_span(run), run.known.api_calls
    lines = ["not counted by the run" if counted is None else f"{plural(counted, 'call')} counted by the run"]
    if log:
        whole = "" if log.complete else ", which may lack some"
        cut = f", {log.aborted:,} more cut off" if log.aborted else ""
        stray = f", {log.strays:,} outside the run's minutes" if log.strays else ""
        lines.append(f"{plural(log.total.api_calls, 'call')} in calls.ndjson{whole}{cut}{stray}")
        lines += [f"to {', '.join(map(printable, sorted(log.models)))}"] if log.models else []
    if span:
        lines.append(f"in the minutes from {spelled(span[0])} to {spelled(span[1])}")
    lines += [f"reported of {printable(model or 'no model')}: {tokens(usage)}" for model, usage in situation.by_model]
    return [*lines, f"the run took {took(seconds_taken(run))}"]


def steps(situation: Situation) -> list[str]:
    """The steps of a file of the first generation, with their times."""
    return [
        f"{step.number}  {spelled(instant(int(step.span[0])))}  {took(step.span[1] - step.span[0])}"
        if step.span
        else f"{step.number}  no times"
        for step in situation.account.report.run.steps
    ]


def took(seconds: float) -> str:
    """`1 h 2 min 3 s`, rounded to seconds."""
    whole = round(seconds)
    minutes = f"{duration(timedelta(seconds=whole))} " if whole >= 60 else ""  # noqa: PLR2004  a minute
    return f"{minutes}{whole % 60} s"


# ------------------------------------------------------------------------------------------- what hangs on it


def affected(situation: Situation) -> list[str]:
    """What depends on the verdict, and what does not."""
    fields, runs = situation.affected.fields, situation.affected.runs
    names = ", ".join(fields)
    lines = [f"{names} of its file, and AEI where it has one, {STAND[situation.group]}"] if fields else []
    if runs:
        verdicts = "the verdict of" if len(runs) == 1 else "the verdicts of"
        share = "shares" if len(runs) == 1 else "share"
        shown = [printable(str(key)) for key in runs[:MOST]] + (
            [f"{len(runs) - MOST:,} more"] if len(runs) > MOST else []
        )
        lines.append(f"{verdicts} {', '.join(shown)}, which {share} minutes with it")
    if situation.affected.gate:
        lines.append("`reconcile list --require-verified` does not pass while it is not verified")
    return [*lines, "not affected: what is measured otherwise, such as duration, success and quality"]


def steps_ahead(situation: Situation) -> list[str]:
    """What happens next and when, and what a person can do."""
    account = situation.account
    report, now = account.report, account.now
    lines = [next_step(report, account.policy, now)]
    if situation.closes_at and situation.closes_at > now:
        what = "gets a last read, and is closed as it stands then" if report.run.state else "is not read any more"
        lines.append(f"from {clock(situation.closes_at, now)} on it is past the cutoff and {what}")
    if situation.group is Group.WAITING:
        lines.append(f"by hand, once it is due: {command(report.run)}")
    lines.append(f"the whole account: {command(report.run, verb='explain')}")
    problem = [f"{account.problem.message}. {account.problem.remedy}"] if account.problem else []
    silent = situation.group is not Group.VERIFIED and report.run.known.api_calls is None
    return [*lines, *problem, *(advice_lines(account) or ([RECORD] if silent else []))]


def expected_rows(expected: Expectation) -> list[tuple[str, ...]]:
    """Cells, with their heading; nothing where there are too few runs."""
    if not expected.spreads:
        return []
    rows = [(NOUNS[KINDS.index(each.kind)], *_range(each)) for each in expected.spreads]
    if expected.spreads[0].figure is None:
        return [("", "lowest", "median", "highest"), *rows]
    lies = [(f"{each.figure:,}", lies_at(each)) for each in expected.spreads]
    head = ("", "lowest", "median", "highest", "verified", "")
    return [head, *((*row, *more) for row, more in zip(rows, lies, strict=True))]


def expected_words(expected: Expectation) -> list[str]:
    """From which runs, and what the range is worth."""
    found = plural(expected.comparable, "comparable run")
    models = f", {expected.other_models:,} of other models left out" if expected.other_models else ""
    what = f"{found}: others of the framework, verified here and exact{models}"
    if not expected.spreads:
        return [f"no range: {what}. Fewer than {LEAST} of them say next to nothing"]
    by_call = f"their usage a call, times {plural(expected.calls or 0, 'call')}"
    return [
        f"from {what}; {by_call if expected.basis is Basis.CALL else 'their usage a run'}",
        f"{_worth(expected, found)}. An estimate, and written nowhere",
    ]


def _worth(expected: Expectation, found: str) -> str:
    """What the range promises, if it promises anything."""
    if expected.cases is None:
        return "a guide and no promise: the usage a call of few calls spreads wider than that of many"
    held, of = expected.cases
    holds = f"the range of {found} holds the next one in at least {held:,} of {of:,} cases"
    return f"{holds}, if that is a run like them; of each kind by itself"


def lies_at(spread: Spread) -> str:
    """`1.4 times the median; within the range`"""
    ratio = f"{_rough(spread.times_median)} times the median; " if spread.times_median is not None else ""
    if spread.place is Place.WITHIN:
        return f"{ratio}within the range"
    where = "above the highest" if spread.place is Place.ABOVE else "below the lowest"
    return f"{ratio}{where}" + (f" by {_rough(spread.beyond * 100)} %" if spread.beyond is not None else "")


def expected_lines(expected: Expectation) -> list[str]:
    """The same cells, aligned."""
    rows = expected_rows(expected)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_row(row, widths) for row in rows]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = range(1, 5)
    cells = zip(row, widths, strict=True)
    aligned = (cell.rjust(wide) if place in numbers else cell.ljust(wide) for place, (cell, wide) in enumerate(cells))
    return "  ".join(aligned).rstrip()


def _rough(value: Fraction) -> str:
    """Two digits, or whole numbers; nothing that is only nearly zero looks like it."""
    if value >= 10:  # noqa: PLR2004  two digits before the point
        return f"{round(value):,}"
    return f"{float(value):.2g}" if not value or value >= Fraction(1, 100) else "less than 0.01"


def _range(spread: Spread) -> tuple[str, str, str]:
    """In whole numbers, rounded so that it only widens."""
    return f"{math.floor(spread.low):,}", f"{round(spread.median):,}", f"{math.ceil(spread.high):,}"
