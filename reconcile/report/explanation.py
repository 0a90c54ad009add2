"""`explain`: how one run's figure came about, told from the window to the next step."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime

from reconcile.insight.account import Account, AgreementLine, against, agreement
from reconcile.minutes import MINUTE, Window, instant, spelled
from reconcile.providers.base import Scope
from reconcile.report.held import assumed, basis, guard_text, held, reasoned, style
from reconcile.report.next_step import next_step
from reconcile.report.phrases import Paint, duration, printable, tokens, wrapped
from reconcile.report.terminal import span
from reconcile.runs.run import Claim, Run
from reconcile.runs.state import State
from reconcile.usage import Usage
from reconcile.words import plural

LABEL = 16
MOST_MINUTES = 8
NOUNS = ("tokens in", "tokens out", "cached tokens", "calls")

SEPARATING = (
    "What helps most: record the calls and all tokens of every response in recorded_usage, in this run and its "
    "neighbours; a key of its own; a measured clock; or a pause of two minutes between runs."
)


def account_text(account: Account, paint: Paint, width: int) -> str:
    """The account, a labelled paragraph for each of its parts."""
    run, state = account.report.run, account.report.run.state
    parts = [
        ("status", [paint(printable(reasoned(run)), style(run))]),
        ("why", [printable(state.message)] if state and state.message else []),
        ("figure", figure_lines(account)),
        ("held", held(run)),
        ("rests on", [basis(state)] if state and state.completeness else []),
        ("assumes", assumed(state) if state else []),
        ("ended", [f"{spelled(run.ended_at)}, {duration(account.now - run.ended_at)} ago"]),
        ("window", [_window(run.window)]),
        ("clock", clock_lines(account)),
        ("recorded", recorded_lines(account)),
        ("around it", [guard_text(state.guard)] if state and state.guard else []),
        ("scope", [_scope(account.claim.scope)] if account.claim else []),
        ("neighbours", neighbour_lines(account)),
        ("minutes", _minutes(account)),
        ("observations", observation_lines(account)),
        ("next", [next_step(account.report, account.policy, account.now)]),
        ("advice", advice_lines(account)),
        ("problem", [f"{account.problem.message}. {account.problem.remedy}"] if account.problem else []),
        ("to read it", list(account.requests)),
    ]
    head = paint(printable(str(run.key)), "bold") + f"  {printable(run.path)}"
    return "\n".join([head, *(paragraph(label, lines, width) for label, lines in parts if lines)])


def paragraph(label: str, lines: list[str], width: int) -> str:
    indent = " " * LABEL
    shown = [line if label in {"to read it", "recorded"} else wrapped(line, width - LABEL) for line in lines]
    body = textwrap.indent("\n".join(shown), indent)
    return f"  {label}".ljust(LABEL) + body[LABEL:]


def figure_lines(account: Account) -> list[str]:
    state = account.report.run.state
    if state is None:
        return ["none: nothing was read yet"]
    lines = [tokens(state.figure, state.unknown)]
    if state.bounds:
        low, high = state.bounds.low, state.bounds.high
        lines.append(f"not exact: between {tokens(low)}")
        lines.append(f"{'and':>18} {tokens(high)}")
    if state.restatement:
        lines.append(f"settled before at {tokens(state.restatement[0])}; read since: {tokens(state.restatement[1])}")
    return lines


def _window(window: Window) -> str:
    start, end = instant(window.start), instant(window.end)
    to = f"{end:%H:%MZ}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%MZ}"
    return (
        f"{start:%Y-%m-%d %H:%MZ} to {to}, {plural(window.minutes, 'whole minute')}: usage is stored by the minute, so "
        "the first and the last count whole"
    )


def clock_lines(account: Account) -> list[str]:
    """How far around the run's minutes its usage was looked for, and what its clock is known by."""
    run, state = account.report.run, account.report.run.state
    if state is None or not state.ours:
        return []
    if not state.reach_seconds:
        return ["its usage was looked for in its own minutes only"]
    beside = plural(state.beyond_window, "minute")
    found = [f"{beside} outside its own with usage of the figure"] if state.beyond_window else []
    return [f"looked for its usage {state.reach_seconds:g} s around its minutes ({_known_by(run, state)})", *found]


def _known_by(run: Run, state: State) -> str:
    if run.clock:
        return f"clock {run.clock.offset:+g} s within {run.clock.uncertainty:g} s, by {printable(run.clock.source)}"
    stated = state.policy.clock_uncertainty if state.policy else None
    return f"clock within {stated.total_seconds():g} s, as the policy states" if stated else "clock not measured"


def recorded_lines(account: Account) -> list[str]:
    recorded, lines = account.report.run.known, against(account.report.run)
    known = [f"{value:,} {noun}" for value, noun in zip(recorded.parts, NOUNS, strict=True) if value is not None]
    if not known:
        return ["nothing: the run did not count its own calls and tokens"]
    source = [f"from {printable(recorded.source)}"] if recorded.source else []
    return [*_compared(lines), *source, agreement(lines)] if lines else [", ".join([*known, *source])]


def _compared(lines: Sequence[AgreementLine]) -> list[str]:
    rows = [("", "recorded", "reported", "")]
    for name, line in zip(NOUNS, lines, strict=True):
        recorded = "-" if line.recorded is None else f"{line.recorded:,}"
        rows.append((name, recorded, span(line.low, line.high), "" if line.agrees else "differs"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip() for a, b, c, d in rows]


def _scope(scope: Scope) -> str:
    named = {"key": scope.api_key_ids, "project": scope.project_ids, "model": scope.models}
    parts = [f"{name} {', '.join(map(printable, values))}" for name, values in named.items() if values]
    return "; ".join([printable(scope.provider), *parts])


def neighbour_lines(account: Account) -> list[str]:
    if account.claim is None:
        return []
    if not account.neighbours:
        return ["no other run shares its minutes"]
    return [_neighbour(account.claim, other) for other in account.neighbours]


def _neighbour(claim: Claim, other: Claim) -> str:
    shared = _shared(claim, other)
    minutes = plural(sum(part.minutes for part in shared), "minute")
    calls = other.known.api_calls
    recorded = "did not record its calls" if calls is None else f"recorded {plural(calls, 'call')}"
    recorded = "its file is gone or broken" if other.gone else recorded
    return f"{printable(str(other.run))} shares {minutes}, {', '.join(map(_span, shared))}, and {recorded}"


def _shared(claim: Claim, other: Claim) -> list[Window]:
    """The minutes in which usage of both may have been booked."""
    pairs = ((mine, theirs) for mine in claim.reach for theirs in other.reach if mine.meets(theirs))
    return [Window(max(mine.start, theirs.start), min(mine.end, theirs.end)) for mine, theirs in pairs]


def _span(window: Window) -> str:
    last = instant(window.end - MINUTE)
    return f"{instant(window.start):%H:%MZ}" + (f" to {last:%H:%MZ}" if window.minutes > 1 else "")


def _minutes(account: Account) -> list[str]:
    """The minutes with usage, and whom each is shared with. Where they are many, shared ones are kept: they are what is
    asked about."""
    if account.evidence is None:
        return []
    usage: dict[int, Usage] = {}
    for row in account.evidence.rows:
        usage[row.minute] = usage.get(row.minute, Usage()) + row.usage
    beside = {minute: _sharing(account, minute) for minute in usage}
    kept = sorted(usage, key=lambda minute: (not beside[minute], minute))[:MOST_MINUTES]
    lines = [_minute(minute, usage[minute], beside[minute]) for minute in sorted(kept)]
    more = len(usage) - len(lines)
    return [*lines, *([f"and {plural(more, 'more minute')}: usage_evidence.json has all"] if more else [])]


def _sharing(account: Account, minute: int) -> list[str]:
    within = (other for other in account.neighbours if any(minute in part for part in other.reach))
    return [printable(str(other.run)) for other in within]


def _minute(minute: int, usage: Usage, beside: list[str]) -> str:
    shared = f", shared with {', '.join(beside)}" if beside else ""
    return f"{instant(minute):%H:%MZ}  {tokens(usage)}{shared}"


def observation_lines(account: Account) -> list[str]:
    state = account.report.run.state
    plateau = account.plateau
    if state is None or plateau is None:
        return []
    rows = [
        f"{spelled(each.at)}  {printable(each.status or 'another tool').ljust(18)}  {tokens(each.figure, each.unknown)}"
        + (f"  of {_reported(each.reported)}" if each.reported != each.figure else "")
        + ("  forced" if each.forced else "  times changed" if each.window_changed else "")
        for each in state.observations
    ]
    wanted, since = account.policy.min_stable_verifications, spelled(plateau.since)
    return [*rows, f"{plateau.counted} of {wanted} reads that agree and are far enough apart, since {since}"]


def _reported(usage: Usage) -> str:
    return f"{usage.tokens_in:,} in, {plural(usage.api_calls, 'call')}"


def _clear_of(end: int, claims: Sequence[Claim]) -> datetime:
    """The whole minute from which on these may start, so that nothing booked before `end` can be theirs by what their
    clocks may be off."""
    slack = max(claim.clock.uncertainty for claim in claims)
    return instant(-int(-(end + slack) // MINUTE) * MINUTE)


def advice_lines(account: Account) -> list[str]:
    """What would have kept the run's minutes apart from its neighbours'."""
    state = account.report.run.state
    if state is None or account.claim is None or "shared_minutes" not in state.reasons or not account.neighbours:
        return []
    mine = account.claim
    before = [other.span.end for other in account.neighbours if other.window.start <= mine.window.start]
    after = [other for other in account.neighbours if other.window.start > mine.window.start]
    lines = []
    if before:
        lines.append(f"A start at {_clear_of(max(before), [mine]):%H:%MZ} or later would have kept its minutes apart.")
    if after:
        names = ", ".join(printable(str(other.run)) for other in after)
        clear = f"{_clear_of(mine.span.end, after):%H:%MZ}"
        lines.append(f"A start of {names} at {clear} or later would have kept their minutes apart.")
    return [*lines, SEPARATING]
