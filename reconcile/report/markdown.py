"""A pass as GitHub Markdown, for a comment and for the job summary.

In everything that came from a file, a branch or an API every character but letters, digits and spaces is spelled as an
entity: it can neither form Markdown nor HTML, split a cell, mention anyone nor link to anything. It is cut short as
well, so that one long text leaves room for the rows of all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconcile.errors import ReconcileError
from reconcile.passes.summary import RunReport, Summary, Unattributed, standing
from reconcile.report.held import counted, label_of, reasoned, rests_on
from reconcile.report.next_step import at_rest, next_step
from reconcile.report.phrases import minute, printable
from reconcile.report.terminal import broken, compared, figures
from reconcile.runs.run import Finding, Run
from reconcile.runs.state import Observation
from reconcile.words import plural

FIGURES = "tokens in | out | cached | calls"
RULE = "--: | --: | --: | --:"

LONGEST_NAME, LONGEST_SENTENCE = 200, 600
"""Characters that are shown of one."""

GROUPS = {"verified": "good", "inherited": "good", "warning": "bad", "failed": "bad"}
"""Where a run is shown by its standing; all others wait."""

AT = "&#64;"

LONGEST_ADDRESS = 1000
"""Characters of a path that is still linked."""

REFERENCE = re.compile(r"[@#]|\bgh-(?=[0-9])|:(?![0-9]{2}:)(?=[\w+-]+:)", re.IGNORECASE)
"""Where what GitHub looks for in text begins: `@name`, `#1`, `GH-1`, `:emoji:`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where the reader may go on; None where there is nothing to link."""

    blob: str | None = None
    """The address of the files at the commit that was reported on, without a path."""
    commit: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading, what stands once below it, and rows that may be left out at the end: those are never made."""

    title: str
    head: tuple[str, ...]
    count: int
    rows: Iterator[str]


def summary_markdown(
    summary: Summary, links: Links, limit: int, lead: str = "", *, rest: str = "the summary of the job has more"
) -> str:
    """The pass below `lead`, in at most `limit` characters: rows are left out whole, and counted.

    `rest` says where those are that were left out.
    """
    tail = _footer(summary, links)
    passed_over = f"\n{prose(summary.census.line)}\n" if summary.census.line else ""
    text = f"{lead}{_title(summary)}\n{passed_over}"
    room = limit - len(tail) - len(rest) - 50  # for the line that says how much was left out
    left_out = 0
    for section in _sections(summary, links):
        opening = "\n".join(("", section.title, "", *section.head)) + "\n"
        kept = _fitting(section.rows, room - len(text) - len(opening))
        left_out += section.count - len(kept)
        if kept:
            text += opening + "".join(f"{row}\n" for row in kept)
    more = f"\n{plural(left_out, 'row')} left out: {rest}.\n" if left_out else ""
    return text + more + tail


def code(text: str) -> str:
    """An untrusted name that stays what it is, in a cell, a list or a link.

    GitHub finds no mentions in code, but addresses of mail it does, after entities are resolved: a comment parts them.
    """
    return f"<code>{_escaped(_short(text, LONGEST_NAME)).replace(AT, f'{AT}<!-- -->')}</code>"


def prose(text: str) -> str:
    """A sentence with untrusted names in it. Mentions and references are looked for after entities are resolved, so
    a space of no width parts them."""
    return _escaped(REFERENCE.sub("\\g<0>\u200b", _short(text, LONGEST_SENTENCE)))


def _short(text: str, longest: int) -> str:
    shown = printable(text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in " \u200b" else f"&#{ord(c)};" for c in text)


def _title(summary: Summary) -> str:
    counts = summary.counts
    names = ("verified", "inherited", "warning", "failed", "pending", "data_not_available", "skipped")
    parts = [counted(name, counts).replace("_", " ") for name in names if counts[name]]
    parts += [plural(counts["invalid"], "invalid file")] if counts["invalid"] else []
    return f"### LLM usage: {', '.join(parts) or 'no runs'}"


def _sections(summary: Summary, links: Links) -> Iterable[_Section]:
    findings, errors = sorted(summary.findings), summary.errors
    yield _Section("**Findings**", (), len(findings), (_finding(each, links) for each in findings))
    yield _Section("**Errors**", (), len(errors), (_error(each) for each in errors))
    groups: dict[str, list[RunReport]] = {"good": [], "bad": [], "waiting": []}
    for report in summary.runs:
        groups[GROUPS.get(standing(report.run), "waiting")].append(report)
    good, bad, waiting = groups.values()
    head = _head("run | status | why", FIGURES)
    yield _Section("**To look at**", head, len(bad), (_bad(each, links) for each in bad))
    head = _head("run | status | rests on | since the last read", FIGURES)
    yield _Section("**Verified**", head, len(good), (_good(each, links) for each in good))
    head = _head("run | status | why | next", FIGURES)
    yield _Section("**Waiting**", head, len(waiting), (_waiting(each, summary, links) for each in waiting))
    head = ("| key | model | minutes | tokens in | out | requests |", "| --- | --- | --- | --: | --: | --: |")
    rows = (_unattributed(each, summary) for each in summary.unattributed)
    yield _Section("**Usage that no run claims**", head, len(summary.unattributed), rows)


def _head(names: str, figures_: str) -> tuple[str, str]:
    words = " | ".join("---" for _ in names.split(" | "))
    return f"| {names} | {figures_} |", f"| {words} | {RULE} |"


def _row(report: RunReport, links: Links, *cells: str) -> str:
    name = _linked(code(str(report.run.key)), links.blob, report.run.path)
    return f"| {' | '.join((name, *cells, *figures(report)))} |"


def _good(report: RunReport, links: Links) -> str:
    state = report.run.state
    rests = "another tool" if state is None or not state.completeness else rests_on(state)
    return _row(report, links, code(label_of(report.run)), prose(rests), _change(report.run))


def _bad(report: RunReport, links: Links) -> str:
    said = [_message(report), *([compared(report.run)] if broken(report) else [])]
    return _row(report, links, code(reasoned(report.run)), "<br>".join(prose(each) for each in said))


def _waiting(report: RunReport, summary: Summary, links: Links) -> str:
    step = "" if at_rest(report) else prose(next_step(report, summary.policy, summary.now))
    return _row(report, links, code(reasoned(report.run)), prose(_message(report)), step)


def _message(report: RunReport) -> str:
    state = report.run.state
    return "; ".join(part for part in (state.message if state else "", report.note or "") if part)


def _change(run: Run) -> str:
    """What the last kept read changed against the one before it."""
    kept: Sequence[Observation] = run.state.observations if run.state else ()
    reads = [each.figure for each in kept if not each.aside]
    if len(reads) <= 1:
        return "first read"
    difference = reads[-1] - reads[-2]
    if difference.is_zero:
        return "unchanged"
    return f"{difference.tokens_in:+,} in, {difference.tokens_out:+,} out"


def _error(error: ReconcileError) -> str:
    return f"- {code(error.code)} {prose(error.message)}: {prose(error.remedy)}"


def _finding(finding: Finding, links: Links) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}"
    where = _linked(code(place), links.blob, finding.path, finding.line)
    return f"- {where} {code(finding.pointer or '/')} {prose(finding.message)}"


def _linked(shown: str, base: str | None, path: str, line: int | None = None) -> str:
    address = quote(path, safe="/", errors="surrogateescape")
    if base is None or len(address) > LONGEST_ADDRESS:
        return shown
    return f"[{shown}]({base}/{address}{f'#L{line}' if line else ''})"


def _unattributed(row: Unattributed, summary: Summary) -> str:
    span = f"{minute(row.start, summary.now)} to {minute(row.end, summary.now)}"
    usage = row.usage
    cells = (code(row.api_key_id or "no key id"), code(row.model or "no model"), span)
    return f"| {' | '.join(cells)} | {usage.tokens_in:,} | {usage.tokens_out:,} | {usage.api_calls:,} |"


def _footer(summary: Summary, links: Links) -> str:
    parts = [f"Pass of {summary.now:%Y-%m-%d %H:%MZ}"]
    parts += [f"[commit]({links.commit})"] if links.commit else []
    parts += [f"[job]({links.job})"] if links.job else []
    asked = plural(summary.api.requests, "request")
    return f"\n<sub>{' · '.join([*parts, f'{asked} to the provider'])}</sub>\n"


def _fitting(rows: Iterator[str], room: int) -> list[str]:
    kept = []
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            break
        kept.append(row)
    return kept
