"""Models that the log names otherwise than the provider: the same calls, under another name and so another price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconcile.core.comparing.breaks.codes import Break, Code
from reconcile.core.comparing.breaks.view import TOKENS, Row, View
from reconcile.core.comparing.exact import NOTHING, less
from reconcile.core.comparing.figures import Amount, Figures, Metric

FEW = 0.01
"""Of all tokens: fewer under another name are no reason to be named."""

CANCELS = 0.9
"""Share of what one name has too much of that the others must lack."""

SHOWN = 3


def respelled(rest: View, local: Figures, official: Figures) -> Iterator[Break]:
    """Where all models together agree, and one has what another lacks. Names are untrusted."""
    ours, theirs = (
        _by_model(row for row in rest.local if rest.start <= row.start < rest.until),
        _by_model(rest.official),
    )
    apart = {name: ours.get(name, 0) - theirs.get(name, 0) for name in sorted({*ours, *theirs} - {None}, key=str)}
    over = {name: count for name, count in apart.items() if count > 0}
    short = {name: -count for name, count in apart.items() if count < 0}
    moved, most = sorted((sum(over.values()), sum(short.values())))
    if None in ours or None in theirs or moved <= FEW * sum(theirs.values()) or moved < CANCELS * most:
        return
    metric, explains = _in_money(local, official)
    yield Break(
        code=Code.MODEL_SPELLING,
        metric=metric,
        local=local.of(metric),
        official=official.of(metric),
        explains=explains,
        arithmetic=f"the log has {moved:,} tokens under {_named(over)} that the provider reports under {_named(short)}",
        remedy="log the model that the answer names, not an alias or the one that was asked for",
    )


def _in_money(local: Figures, official: Figures) -> tuple[Metric, Amount]:
    """What another name changes: the cost, where both sides have one, and no token."""
    if local.cost is None or official.cost is None:
        return Metric.TOTAL, 0
    return Metric.COST, less(local.cost, official.cost or NOTHING)


def _by_model(rows: Iterable[Row]) -> dict[str | None, int]:
    sums: dict[str | None, int] = {}
    for row in rows:
        sums[row.who.model] = sums.get(row.who.model, 0) + sum(row.counts[part] for part in TOKENS)
    return sums


def _named(models: dict[str | None, int]) -> str:
    names = [str(name) for name in sorted(models, key=lambda name: (-models[name], str(name)))]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
