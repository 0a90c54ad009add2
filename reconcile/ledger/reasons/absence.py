"""Usage that one side has and the other has nothing of: stretches of time, and keys, projects, models or batch jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconcile.ledger.cut import Of
from reconcile.ledger.figures import Metric
from reconcile.ledger.reasons.codes import BreakCode, Hypotheses, Hypothesis, hour_text
from reconcile.ledger.reasons.view import COMPARED, REQUESTS, TOKENS, Cells, View, ViewRow
from reconcile.money.entry import HOUR
from reconcile.words import plural

OWNERS: dict[str, Of] = {
    "key": lambda who: who.api_key_id,
    "project": lambda who: who.project_id,
    "model": lambda who: who.model,
}
ENVIRONMENT = "environment"

SHOWN = 3
"""How many stretches or names a sentence holds."""

LONG = 3
"""Hours on end without a line of one key, while others have some, before they are no coincidence."""

MOST_STRANGERS = 50

FILES_REMEDY = "look for log files of these hours that were rotated away, deleted or not given"
STRANGER_REMEDY = "look up who owns it; add its logs, or leave it out of the comparison"
ELSEWHERE_REMEDY = "look for the organisation that it is billed in, or leave these calls out of the log"


def silences(view: View) -> Hypotheses:
    """Hours in which nothing is logged while the provider reports; of all, and of one key, project or model."""
    yield from _silence(view, "", view.official, {row.start // HOUR for row in view.local if any(row.counts)}, 1)
    for name, of in OWNERS.items():
        logged: dict[str | None, set[int]] = {}
        for row in view.local:
            logged.setdefault(of(row.who), set()).add(row.start // HOUR)
        for owner in sorted(value for value in logged if value is not None):
            theirs = [row for row in view.official if of(row.who) == owner]
            yield from _silence(view, f" of {name} {owner}", theirs, logged[owner], LONG)


def _silence(view: View, whose: str, theirs: Sequence[ViewRow], logged: set[int], least: int) -> Hypotheses:
    stretches = _stretches({row.start // HOUR for row in theirs if any(row.counts)}, logged, least)
    if not stretches:
        return
    silent = {hour for hours in stretches for hour in hours}
    missing = tuple(row for row in theirs if row.start // HOUR in silent)
    requests = plural(sum(row.counts[REQUESTS] for row in missing), "request")
    said = f"nothing{whose} is logged from {_shown(stretches)}, where the provider reports {requests}"
    after = view.with_local(view.local + missing)
    yield Hypothesis(code=BreakCode.MISSING_LOG, metric=Metric.TOTAL, after=after, said=said, remedy=FILES_REMEDY)


def provider_gaps(view: View) -> Hypotheses:
    """Hours in which lines are logged and the provider, which has others, reports nothing."""
    reported = {row.start // HOUR for row in view.official if any(row.counts)}
    inside = tuple(row for row in view.local if view.start <= row.start < view.until and any(row.counts))
    stretches = _stretches({row.start // HOUR for row in inside}, reported, 1)
    if not stretches or not reported:
        return
    hours = {hour for stretch in stretches for hour in stretch}
    requests = plural(sum(row.counts[REQUESTS] for row in inside if row.start // HOUR in hours), "request")
    shown = _shown(stretches)
    yield Hypothesis(
        code=BreakCode.PROVIDER_GAP,
        metric=Metric.TOTAL,
        after=view.with_local(tuple(row for row in view.local if row.start // HOUR not in hours)),
        said=f"the provider reports nothing from {shown}, where the log has {requests}",
        remedy="compare again later; if it stays so, look in the provider's console for these hours, or for another "
        "organisation that these calls are billed in",
    )


def _shown(stretches: list[list[int]]) -> str:
    shown = ", ".join(f"{hour_text(of[0] * HOUR)} to {hour_text((of[-1] + 1) * HOUR)}" for of in stretches[:SHOWN])
    return shown + (f" and {len(stretches) - SHOWN:,} times more" if len(stretches) > SHOWN else "")


def _stretches(reported: set[int], logged: set[int], least: int) -> list[list[int]]:
    """Hours with reported usage and no line, and between them none with a line; the longest first."""
    found: list[list[int]] = [[]]
    for hour in sorted(reported | logged):
        if hour in logged:
            found.append([])
        else:
            found[-1].append(hour)
    return sorted((hours for hours in found if len(hours) >= least), key=lambda hours: (-len(hours), hours))


def unlogged_batches(view: View) -> Hypotheses:
    """Batch jobs that no line tells of."""
    if any(row.who.batch for row in view.local):
        return
    batches = tuple(row for row in view.official if row.who.batch)
    if batches and len(batches) < len(view.official):
        requests = plural(sum(row.counts[REQUESTS] for row in batches), "request")
        yield Hypothesis(
            code=BreakCode.MISSING_LOG,
            metric=Metric.TOTAL,
            after=view.with_official(tuple(row for row in view.official if not row.who.batch)),
            said=f"the provider reports {requests} of batch jobs, and the log seems to hold none",
            remedy="log the usage of batch jobs too: their output file has it, line by line",
        )


def strangers(view: View) -> Hypotheses:
    """Keys, projects or models that only one side has."""
    for name, of in OWNERS.items():
        known = {of(row.who) for row in view.local} - {None}
        reported = {of(row.who) for row in view.official} - {None}
        yield from _left_out(view, name, of, reported - known)
        if reported:
            yield from _surplus(view, name, of, known - reported)
    environments = {row.who.framework for row in view.local} - {None}
    if len(environments) > 1:
        yield from _surplus(view, ENVIRONMENT, lambda who: who.framework, environments)


def _left_out(view: View, name: str, of: Of, candidates: set[str | None]) -> Hypotheses:
    """What the provider reports beside the log."""
    chosen = _chosen(view, _by_owner(view, view.official, of, candidates), +1)
    kept = tuple(row for row in view.official if of(row.who) not in chosen)
    if chosen and kept:
        usage = _usage(row for row in view.official if of(row.who) in chosen)
        yield Hypothesis(
            code=BreakCode.FOREIGN_KEY,
            metric=Metric.TOTAL,
            after=view.with_official(kept),
            said=f"the provider reports {usage} of {_named(name, chosen)}, which the log seems to hold none of",
            remedy=STRANGER_REMEDY,
        )


def _surplus(view: View, name: str, of: Of, candidates: set[str | None]) -> Hypotheses:
    """What is logged and not reported: it was used elsewhere."""
    local = tuple(row for row in view.local if view.start <= row.start < view.until)
    chosen = _chosen(view, _by_owner(view, local, of, candidates), -1)
    kept = tuple(row for row in view.local if of(row.who) not in chosen)
    if chosen and kept:
        usage = _usage(row for row in local if of(row.who) in chosen)
        yield Hypothesis(
            code=BreakCode.FOREIGN_KEY,
            metric=Metric.TOTAL,
            after=view.with_local(kept),
            said=f"the log has {usage} of {_named(name, chosen)}, which the provider seems to report none of",
            remedy=ELSEWHERE_REMEDY,
        )


def _named(name: str, chosen: Sequence[str]) -> str:
    more = f" and {len(chosen) - SHOWN:,} more" if len(chosen) > SHOWN else ""
    return f"{name} {', '.join(chosen[:SHOWN])}{more}"


def _usage(rows: Iterable[ViewRow]) -> str:
    counted = list(rows)
    tokens = sum(row.counts[part] for row in counted for part in TOKENS)
    return f"{plural(sum(row.counts[REQUESTS] for row in counted), 'request')} and {tokens:,} tokens"


def _by_owner(view: View, rows: Iterable[ViewRow], of: Of, candidates: set[str | None]) -> dict[str, Cells]:
    owned: dict[str, list[ViewRow]] = {}
    for row in rows:
        owner = of(row.who)
        if owner is not None and owner in candidates:
            owned.setdefault(owner, []).append(row)
    return {owner: view.cells(of_owner) for owner, of_owner in sorted(owned.items())}


def _chosen(view: View, owned: dict[str, Cells], sign: int) -> tuple[str, ...]:
    """Owners whose usage put on the other side closes gaps by at least half of it, one after the other."""
    apart = _apart(view)
    left = dict(owned)
    chosen: list[str] = []
    sizes = {owner: _change(view, {}, cells, sign) for owner, cells in owned.items()}
    while left and len(chosen) < MOST_STRANGERS:
        changes = {owner: _change(view, apart, cells, sign) for owner, cells in left.items()}
        best = min(left, key=lambda owner: changes[owner])
        if changes[best] > -sizes[best] / 2 or not sizes[best]:
            break
        chosen.append(best)
        for key, counts in left.pop(best).items():
            cell = apart.setdefault(key, [0] * len(COMPARED))
            for part in COMPARED:
                cell[part] += sign * counts[part]
    return tuple(chosen)


def _apart(view: View) -> Cells:
    """Local less official, cell by cell."""
    apart = {key: list(counts) for key, counts in view.local_cells.items()}
    for key, counts in view.official_cells.items():
        cell = apart.setdefault(key, [0] * len(COMPARED))
        for part in COMPARED:
            cell[part] -= counts[part]
    return apart


def _change(view: View, apart: Cells, added: Cells, sign: int) -> float:
    """By how much the gaps grow when usage is added to the difference; below zero where they close."""
    grown = [0] * len(COMPARED)
    for key, counts in added.items():
        cell = apart.get(key)
        for part in COMPARED:
            old = cell[part] if cell else 0
            grown[part] += abs(old + sign * counts[part]) - abs(old)
    return view.weigh(grown)
