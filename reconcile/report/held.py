"""How a verdict is held, in words: the label of a status, what a figure rests on, and what it takes for granted.

The grade comes first wherever a status is shown, so that nobody takes an assumption for a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconcile.minutes import MINUTE, instant
from reconcile.passes.summary import graded, standing
from reconcile.report.phrases import printable
from reconcile.runs.run import Run
from reconcile.runs.state import Guard, Proof, State
from reconcile.verdict.judgement import Contest
from reconcile.words import plural

LABELS = {"skipped": "unread"}
"""Where a word of the summary would mislead a person: a run that was never read may be due now."""

STYLES = {
    "verified": "green",
    "inherited": "blue",
    "pending": "cyan",
    "data_not_available": "cyan",
    "warning": "yellow",
    "failed": "red",
}

HELD = {
    Proof.PROVEN: "every call and all tokens that the run recorded were reported, and nothing else",
    Proof.SUPPORTED: "as many calls as the run recorded were reported; or as many tokens, where it told no calls",
    Proof.ASSUMED: "the run recorded nothing that could contradict the figure",
}
UNGRADED = "its file was written before verdicts were graded; --force reads it again and grades it"

RESTS_ON = {
    "calls_and_tokens_matched": "calls and tokens: both equal what was recorded",
    "calls_matched": "calls: as many were reported as were recorded",
    "tokens_matched": "tokens: as many were reported as were recorded",
    "assumed": "an assumption: not every run in its minutes recorded its calls",
}
ASSUMPTIONS = {
    "closed_key": "nobody else used the key in these minutes",
    "scope_complete": "the run used no other key or model",
    "usage_complete": "the provider had reported all by then",
    "no_unrecorded_retries": "no retry went unrecorded",
    "clock": "the clock is right within {seconds:g} s",
    "completions_only": "embedding, audio and image calls are not in the figure",
    "unreadable_runs": "runs whose files cannot be read made no calls in these minutes",
}


def label_of(run: Run) -> str:
    """Where the run stands: `proven (verified)`, `warning`, `unread`."""
    status, grade = named(standing(run)), graded(run)
    return f"{grade} ({status})" if grade else status


def reasoned(run: Run) -> str:
    """The same with the codes of its reasons: `proven (verified: stable)`, `warning (shared_minutes)`. A file that
    another tool wrote may have any."""
    codes = ", ".join(run.state.reasons) if run.state else ""
    if not codes:
        return label_of(run)
    status, grade = named(standing(run)), graded(run)
    return f"{grade} ({status}: {codes})" if grade else f"{status} ({codes})"


def named(status: str) -> str:
    """A status as a person reads it."""
    return LABELS.get(status, status)


def style(run: Run) -> str:
    """How the label is painted."""
    return STYLES.get(standing(run), "dim")


def tally(counts: Mapping[str, int]) -> list[str]:
    """The grades that there are: `4 proven`, `1 assumed`."""
    return [f"{counts[grade]:,} {grade}" for grade in Proof if counts[grade]]


def counted(name: str, counts: Mapping[str, int]) -> str:
    """`2 unread`, `6 verified (4 proven, 1 supported, 1 assumed)`."""
    held = f" ({', '.join(tally(counts))})" if name == "verified" else ""
    return f"{counts[name]:,} {named(name)}{held}"


# ------------------------------------------------------------------------------------------- what it rests on


def held(run: Run) -> list[str]:
    """What the grade of a verified run means; nothing for any other."""
    grade = graded(run)
    return [HELD[grade], *([UNGRADED] if ungraded(run) else [])] if grade else []


def ungraded(run: Run) -> bool:
    """Whether a new read may grade the verdict better: version one wrote it, of a run that recorded something."""
    told = any(part is not None for part in run.known.parts)
    return told and run.state is not None and run.state.proof is None


def rests_on(state: State) -> str:
    """What an exact figure rests on and takes for granted, in a line."""
    taken = ", ".join(assumed(state))
    return f"{basis(state)}{f'; taken for granted: {taken}' if taken else ''}"


def basis(state: State) -> str:
    """What an exact figure rests on. In a file that another tool wrote any word may stand, and is shown as it is."""
    completeness = state.completeness or "assumed"
    return RESTS_ON.get(completeness) or printable(completeness)


def assumed(state: State) -> list[str]:
    """A sentence for all that it takes for granted, and what the quiet minutes around it say of a key for itself."""
    return [_sentence(name, state) for name in state.assumes]


def _sentence(name: str, state: State) -> str:
    known = ASSUMPTIONS.get(name)
    if known is None:
        return printable(name)
    quiet = f" ({guard_text(state.guard)})" if state.guard and name == "closed_key" else ""
    return known.format(seconds=state.reach_seconds) + quiet


def guard_text(guard: Guard) -> str:
    """What the unclaimed minutes around a run say of foreign traffic."""
    seen = f"{plural(guard.requests, 'request')} in {plural(guard.minutes, 'unclaimed minute')} nearby"
    most = guard.most_hidden
    return seen if most is None else f"{seen}: at most {most:.3f} a minute at 95 %"


def contested(contests: Iterable[Contest]) -> str:
    """`baes/b claims 14:09Z too: to be read`."""
    claimed = (f"{printable(str(each.run))} claims {', '.join(_spans(each))} too" for each in contests)
    return f"{'; '.join(claimed)}: to be read"


def _spans(contest: Contest) -> Iterator[str]:
    for window in contest.minutes:
        first, last = instant(window.start), instant(window.end - MINUTE)
        yield f"{first:%H:%MZ}" + (f" to {last:%H:%MZ}" if window.minutes > 1 else "")
