"""A sentence for each reason: both numbers, and what would help. Names in it are untrusted; escape where it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from reconcile.minutes import MINUTE, instant, spelled
from reconcile.runs.run import BOOKING_SLACK, Claim, Run
from reconcile.runs.state import Completeness, Reason
from reconcile.usage import KINDS, Bounds, Usage, names
from reconcile.verdict.judgement import Case, restated_from
from reconcile.verdict.plateau import Effect
from reconcile.words import plural

NOUNS = dict(zip(KINDS, ("tokens in", "tokens out", "cached tokens", "calls"), strict=True))

GONE = " (whose file is gone or broken: put it back)"

LATE_CLAIM = (
    "Another run has claimed minutes of this one since it was settled, and they could not be read again: "
    "any part of the figure may be the other run's"
)


MISSING = "not all usage of them is in yet, a recorded call was never billed, or the key id is wrong"

NO_CALLS = "No calls recorded, and none reported that could be its own"

MOST_ENDPOINTS = 3
"""Names that fit a line."""


def message(case: Case, reasons: tuple[Reason, ...]) -> str:
    """What the reasons mean for this run."""
    return "; ".join(SENTENCES[reason](case) for reason in reasons)


def _stable(case: Case) -> str:
    minutes = round((case.at - case.plateau.since).total_seconds() / 60)
    said = [f"Data stable across {minutes} minute interval", *_cut_off(case), *_shifted(case), *_left_out(case)]
    return "; ".join(said)


def _cut_off(case: Case) -> list[str]:
    """Calls without an answer that were billed all the same."""
    billed, known = case.attribution.aborted_billed, case.attribution.claim.known
    if not billed:
        return []
    return [f"{known.api_calls:,} answered and {billed:,} cut off but billed, which is every request of its minutes"]


def _shifted(case: Case) -> list[str]:
    """What a complete log tells of the clock that wrote it, where that was off."""
    shift = case.attribution.shift
    if shift is None or (shift[0] <= BOOKING_SLACK and shift[1] >= -BOOKING_SLACK):
        return []
    slow, (low, high) = shift[0] > 0, sorted(abs(seconds) for seconds in shift)
    return [f"the clock of the machine was {low:.0f} to {high:.0f} s {'slow' if slow else 'fast'}"]


def _left_out(case: Case) -> list[str]:
    """Calls that the run made and that are not in its figure, which is of completions."""
    others = case.attribution.claim.known.others
    named = ", ".join(f"{count:,} of {endpoint}" for endpoint, count in others[:MOST_ENDPOINTS])
    return [f"not in the figure: calls of other endpoints ({named})"] if others else []


def _log_matched(case: Case) -> str:
    calls = plural(case.attribution.figure.api_calls, "call")
    proven = f"{calls} and all their tokens, as in the complete call log: nothing is left to wait for"
    return "; ".join([proven, *_shifted(case), *_left_out(case)])


def _missing(case: Case) -> str:
    known = case.run.known
    if known.unknown and case.attribution.bounds:
        return (
            f"{plural(known.unknown, 'request')} that the recorder did not understand may still be billed: "
            f"{_known(known.api_calls)} calls recorded, {case.attribution.reported.api_calls:,} reported"
        )
    others = plural(len(case.attribution.neighbours), "other run")
    minutes = f"its minutes, which it shares with {others}" if case.attribution.neighbours else "its minutes"
    return (
        f"{_known(case.run.known.api_calls)} calls recorded, {case.attribution.reported.api_calls:,} reported in "
        f"{minutes}: {_elsewhere(case) or MISSING}"
    )


def _elsewhere(case: Case) -> str | None:
    """What the run recorded, found whole in minutes that nobody claims."""
    shift = case.attribution.misplaced
    if shift is None:
        return None
    where, clock = ("after", "slow") if shift > 0 else ("before", "fast")
    minutes = plural(abs(shift), "minute")
    return (
        f"its calls and tokens, all of them, were reported {minutes} {where} its own. The clock of the machine was "
        f"about {minutes} {clock}: state it in the run's file (clock) or correct its times"
    )


def _tokens_missing(case: Case) -> str:
    pairs = zip(KINDS, case.attribution.claim.known.tokens, case.attribution.reported.parts, strict=False)
    short = [
        f"{NOUNS[kind]} {recorded:,} recorded, {reported:,} reported"
        for kind, recorded, reported in pairs
        if recorded is not None and recorded > reported
    ]
    said = "; ".join(short) or "The runs that share these minutes recorded more tokens than were reported"
    return f"{said}: not all usage is in yet, or the recorder counts more than is billed"


def _stalled(case: Case) -> str:
    feed, own = case.attribution.feed, case.run.own_scope
    seen = {row.model for row in case.attribution.rows}
    named = own.models if own and own.models else ()
    waited = [alias for alias in named if not any(names(alias, model) for model in seen)] or list(feed.silent)
    until = spelled(instant(feed.newest + MINUTE)) if feed.newest is not None else "later minutes"
    if waited:
        shown = ", ".join(waited[:MOST_ENDPOINTS])
        return f"Usage of others is in until {until}, but none of {shown} since before the run: it may be late"
    own_until = spelled(instant(feed.own + MINUTE)) if feed.own is not None else "before the run"
    return f"Usage of others is in until {until}, but that of this run's key only until {own_until}: it may be late"


def _clock_off(case: Case) -> str:
    seen = case.run.state.seen_in_future if case.run.state else None
    return seen_early(seen or case.at, case.run)


def seen_early(seen: datetime, run: Run) -> str:
    """The sentence for a file that was there before its run had ended."""
    return (
        f"Its file was there {spelled(seen)} and says that the run ended {spelled(run.ended_at)}: a clock or a time "
        "zone is off, so these may be the wrong minutes; correct its times, and it is read anew"
    )


def _lower(case: Case) -> str:
    read, figure = _tokens(case.attribution.reported), _tokens(case.plateau.figure)
    return f"Read {read} after {figure}: the higher figure stands"


def _zero_with_calls(case: Case) -> str:
    pairs = zip(KINDS, case.run.known.parts, strict=True)
    recorded = ", ".join(f"{count:,} {NOUNS[kind]}" for kind, count in pairs if count)
    where = _elsewhere(case)
    return f"No usage was ever reported, but the run recorded {recorded}{f': {where}' if where else ''}"


def _no_usage(case: Case) -> str:
    where = _elsewhere(case)
    return f"No usage reported for these minutes yet{f': {where}' if where else ''}"


def _cutoff(case: Case) -> str:
    return (
        f"Not stable {_hours(case)} hours after the run ended: {case.plateau.counted} of "
        f"{case.policy.min_stable_verifications} reads at {_tokens(case.plateau.figure)}; a later --max-age reopens it"
    )


def _waiting(case: Case) -> str:
    if case.stable and case.young and case.run.known.api_calls == 0:
        return "No usage for a run that recorded no calls; that is believed four hours after its end"
    what = "Rose to" if case.effect is Effect.ROSE else "Read"
    due = spelled(case.plateau.due_at(case.policy))
    wanted = case.policy.min_stable_verifications
    return (
        f"{what} {_tokens(case.plateau.figure)}, {case.plateau.counted} of {wanted} reads; the next counts from {due}"
    )


def _shared(case: Case) -> str:
    attribution = case.attribution
    others = attribution.neighbours
    bounds = attribution.bounds
    between = f": between {bounds.low.tokens_in:,} and {bounds.high.tokens_in:,} tokens in" if bounds else ""
    count = len(attribution.shared)
    verb = "is" if count == 1 else "are"
    minutes = f"{plural(count, 'minute')} with usage {verb} shared" if count else "Minutes are shared"
    return f"{minutes} with {_names(others)}{between}"


def _names(claims: Sequence[Claim]) -> str:
    shown = ", ".join(f"{claim.run}{GONE if claim.gone else ''}" for claim in claims[:3])
    return f"{shown} and {len(claims) - 3} more" if len(claims) > 3 else shown  # noqa: PLR2004  three names fit a line


def _edge(case: Case) -> str:
    guard, beyond = case.attribution.guard, case.attribution.beyond
    if beyond and case.attribution.completeness is Completeness.CALLS_MATCHED and case.attribution.exact:
        return (
            f"As many calls as recorded, but some in {spelled(instant(beyond[0]))}, outside the run by its own clock: "
            "believed four hours after its end. Recorded tokens would settle it at once"
        )
    if beyond:
        return (
            f"Usage in {spelled(instant(beyond[0]))}, beside the run: its own if its clock is off, or a stranger's. "
            "Recorded tokens, a measured clock or a pause of two minutes between runs would tell"
        )
    if not guard.requests:
        return (
            "Requests that nobody recorded lie within 60 minutes: a late call and a foreign one may cancel in the count"
        )
    return (
        f"{plural(guard.requests, 'request')} that no run claims in the {guard.minutes} nearest unclaimed minutes: "
        "a run may still be going, or somebody else uses the key"
    )


def _extra(case: Case) -> str:
    attribution = case.attribution
    if not case.at_figure:
        return _restated(case)
    calls = attribution.claim.known.api_calls or 0
    bounds = attribution.bounds
    between = ""
    if bounds and not bounds.exact:
        between = (
            f"; foreign traffic would leave at least {bounds.low.tokens_in:,} of {bounds.high.tokens_in:,} tokens in"
        )
    return (
        f"{plural(attribution.reported.api_calls, 'call')} reported in its minutes, {calls:,} recorded: retries that "
        f"were not recorded, or foreign traffic{between}"
    )


def _mismatch(case: Case) -> str:
    attribution = case.attribution
    if attribution.bounds and not attribution.exact:
        return _mismatch_or_late(attribution.bounds)
    pairs = zip(KINDS, attribution.claim.known.parts, attribution.figure.parts, strict=True)
    differing = [
        f"{NOUNS[kind]} {recorded:,} recorded, {reported:,} reported"
        for kind, recorded, reported in pairs
        if recorded is not None and recorded != reported
    ]
    said = "; ".join(differing) or _log_against_the_rest(case)
    return f"{said}: the recorder counts differently, and the figure is the reported one"


def _mismatch_or_late(bounds: Bounds) -> str:
    """Others use the key, so the record may be right and what was reported be lacking."""
    pairs = zip(KINDS, bounds.low.parts, bounds.high.parts, strict=True)
    between = "; ".join(f"{NOUNS[kind]} {low:,} to {high:,}" for kind, low, high in pairs if low != high)
    return (
        f"What was recorded and what was reported do not agree: {between}. The recorder counts differently, or a call "
        "is not in yet and somebody else's stands in its place"
    )


def _log_against_the_rest(case: Case) -> str:
    """A log was found to be wrong, and of what it says only the number of calls was used."""
    log = case.attribution.claim.log
    if log is None:
        return "The recorded totals are not possible beside what was reported"
    if log.strays:
        verb = "lies" if log.strays == 1 else "lie"
        return f"{plural(log.strays, 'call')} of the call log {verb} outside the run"
    other = "its scope or what the run's own file says" if case.attribution.claim.doubted else "the reported minutes"
    return (
        f"The call log has {plural(log.total.api_calls, 'call')} with {_tokens(log.total)}, which does not fit {other}"
    )


def _restated(case: Case) -> str:
    if not case.at_figure:
        since = spelled(case.plateau.rival.since) if case.plateau.rival else spelled(case.at)
        return (
            f"Settled at {_tokens(case.plateau.figure)}, but {_tokens(case.attribution.reported)} is read since {since}"
        )
    settled = restated_from(case)
    before = f" at {_tokens(settled.figure)}" if settled else ""
    return f"Settled before{before}; {_tokens(case.attribution.figure)} since {spelled(case.plateau.since)}"


def _hours(case: Case) -> int:
    return int((case.at - case.run.ended_at).total_seconds() // 3600)


def _tokens(usage: Usage) -> str:
    return f"{usage.tokens_in:,} in, {usage.tokens_out:,} out"


def _known(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"


SENTENCES: dict[Reason, Callable[[Case], str]] = {
    Reason.FIRST_READ: _waiting,
    Reason.RISING: _waiting,
    Reason.AWAITING_STABILITY: _waiting,
    Reason.STABLE: _stable,
    Reason.NO_API_CALLS: lambda case: "; ".join([NO_CALLS, *_left_out(case)]),
    Reason.LOG_MATCHED: _log_matched,
    Reason.NO_USAGE_YET: _no_usage,
    Reason.CALLS_MISSING: _missing,
    Reason.LOWER_READ: _lower,
    Reason.EDGE_USAGE: _edge,
    Reason.TOKENS_MISSING: _tokens_missing,
    Reason.STALLED_FEED: _stalled,
    Reason.ENDS_IN_FUTURE: _clock_off,
    Reason.CLOCK_OFF: _clock_off,
    Reason.SHARED_MINUTES: _shared,
    Reason.EXTRA_CALLS: _extra,
    Reason.RECORDED_MISMATCH: _mismatch,
    Reason.RESTATED: _restated,
    Reason.ZERO_UNCONFIRMED: lambda _: "No usage was reported, and nothing confirms that no calls were made",
    Reason.ZERO_USAGE_WITH_CALLS: _zero_with_calls,
    Reason.CUTOFF_PASSED: _cutoff,
}
