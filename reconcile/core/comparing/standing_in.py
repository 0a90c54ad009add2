"""Committed runs in the place of a log: their figures as entries, by the minute where evidence has them."""

from __future__ import annotations

from reconcile.core.comparing.sides import LOGGED_GRAIN, Dimensions, Entry, Tokens
from reconcile.core.evidence import Evidence
from reconcile.core.model import Run, Scope
from reconcile.core.pricing import entries_of_settled


def figures_of_run(run: Run, scope: Scope, evidence: Evidence | None) -> tuple[Entry, ...]:
    """What a run's file says that it used; nothing where it says nothing yet.

    Without rows that are all its own, the figure stands as a whole in the quarter of an hour in which the run began.
    """
    by_the_minute = entries_of_settled(run, evidence)
    if by_the_minute is not None:
        return by_the_minute
    figure = run.state.figure if run.state else None
    if figure is None or figure.is_zero:
        return ()
    start = run.window.start - run.window.start % LOGGED_GRAIN
    who = Dimensions(
        framework=run.key.framework,
        model=_only(scope.models),
        api_key_id=_only(scope.api_key_ids),
        project_id=_only(scope.project_ids),
    )
    tokens = Tokens(
        uncached=figure.tokens_in - figure.cached_tokens, cache_read=figure.cached_tokens, output=figure.tokens_out
    )
    unknown = run.state.unknown if run.state else frozenset()
    return (Entry(start=start, who=who, tokens=tokens, requests=figure.api_calls, untold=unknown),)


def _only(names: tuple[str, ...]) -> str | None:
    return names[0] if len(names) == 1 else None
