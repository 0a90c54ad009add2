"""Plan and fetch: the usage of the minutes that a pass needs, or why it could not be had.

Builds what asks a provider, from plain values. Apart from `opening`: most commands ask nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconcile.attribution.booking import UNKNOWN_UNCERTAINTY
from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, ProviderError, ReconcileError
from reconcile.minutes import GUARD_MINUTES, MINUTE, Window, minute_of
from reconcile.passes.planning import PAGE_MINUTES, plan
from reconcile.passes.selection import Selected, Selection, ends_in_future
from reconcile.passes.summary import ApiUse
from reconcile.passes.tree import Tree, Workspace
from reconcile.providers.base import Fetched, Query, UsageProvider
from reconcile.providers.cache import PeriodCache
from reconcile.providers.openai import asking, bill, completions, stored
from reconcile.providers.openai.control import control_query, differing
from reconcile.runs.run import Claim, RunKey
from reconcile.usage import Bucket, OddRow
from reconcile.verdict.judgement import late_claims

REFUSED = {"invalid_api_key", "missing_scope", "wrong_organization", "access_denied"}
"""Refusals of the key: the provider would say the same of every other query."""

MOST_QUERIES = 1_000
"""Pages of minutes that one pass asks for, each with its control total: three years of one-minute buckets."""

Provider = UsageProvider | ConfigurationError
"""A source of usage, or why there is none."""

Announce = Callable[[Sequence[Query]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the provider answered: the buckets of the windows that were read whole, and why others were not."""

    queries: tuple[Query, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    covered: tuple[Window, ...] = ()
    odd: tuple[OddRow, ...] = ()
    """Rows that cannot be true, and were nobody's when they were read."""
    unread: tuple[Window, ...] = ()
    """The windows of queries without a whole answer."""
    begun: datetime
    """Before the first query: the figures were not read earlier. A later read counts from there."""
    at: datetime
    """After the last answer: the figures were not read later. A read that confirms them is held against this."""
    api: ApiUse
    errors: tuple[ReconcileError, ...] = ()
    punctual: bool = False
    """Whether our clock agrees with the provider's: a run that ends in the future by it does so indeed."""

    def judges(self, claim: Claim) -> bool:
        """Whether what was read tells about the claim: its keys were asked for, and no guard minute stayed unread.

        Unclaimed usage that could not be seen would look like none.
        """
        beside = [part.widened(GUARD_MINUTES) for part in claim.reach]
        return (
            self.asked_for(claim)
            and not any(claim.scope.may_admit(row) for row in self.odd)
            and not any(window.meets(part) for window in self.unread for part in beside)
        )

    def asked_for(self, claim: Claim) -> bool:
        """Whether the claim's keys were in the queries: usage of one that was not would look like none."""
        asked = {key for query in self.queries for key in query.api_key_ids}
        return not asked or (bool(claim.scope.api_key_ids) and asked.issuperset(claim.scope.api_key_ids))


def read_usage(
    workspace: Workspace, tree: Tree, provider: Provider, asked: Asked, announce: Announce = lambda _: None
) -> Read:
    """The usage of all minutes that the runs which are due need. Where there is no provider, they wait."""
    selected = tree.selected(workspace, asked)
    queries = _plan(workspace, tree.reopened(workspace, asked), selected) or _asking_the_time(workspace, tree, selected)
    affordable, errors = _affordable(queries)
    announce(affordable)
    read = _fetch(workspace, affordable, provider)
    left = tuple(query.window for query in queries if query not in affordable)
    return replace(read, unread=(*read.unread, *left), errors=(*errors, *read.errors))


def read_claims(workspace: Workspace, claims: Sequence[Claim], provider: Provider) -> Read:
    """The usage of these claims' minutes now, however old they are."""
    scopes = list(dict.fromkeys(claim.scope for claim in claims))
    queries = plan(_reached(claims), [], scopes, workspace.now)
    return _fetch(workspace, tuple(replace(query, scopes=tuple(scopes)) for query in queries), provider)


def claimed_late(tree: Tree, each: Selected) -> bool:
    """Whether others have claimed minutes of a settled run since its verdict."""
    asked = each.selection is not Selection.NOT_ASKED
    return asked and bool(late_claims(each.run, tree.neighbours.get(each.run.key, ())))


def _plan(workspace: Workspace, tree: Tree, selected: Iterable[Selected]) -> tuple[Query, ...]:
    """Queries for the runs that are due or claimed late, with the settled ones that fit in, and for all neighbours.

    Every run that may be judged has its keys in the queries: one that was not asked for would look like a zero.
    """
    known = [each for each in selected if each.run.key in tree.claims]
    needed = _with_neighbours(tree, [each.run.key for each in known if each.due or claimed_late(tree, each)])
    observed = _with_neighbours(tree, [each.run.key for each in known if each.selection is Selection.OBSERVED])
    scopes = list(dict.fromkeys(claim.scope for _, claim in [*needed, *observed]))
    queries = plan(_brought(needed), _brought(observed), scopes, workspace.now)
    everyones = tuple(dict.fromkeys(claim.scope for claim in tree.everyone))
    return tuple(replace(query, scopes=everyones) for query in queries)


def _reached(claims: Iterable[Claim]) -> list[Window]:
    return [part for claim in claims for part in claim.reach]


def _asking_the_time(workspace: Workspace, tree: Tree, selected: Iterable[Selected]) -> tuple[Query, ...]:
    """The last whole minute, where a run is seen that ends in the future and nothing else has to be read: the answer
    tells whose clock is wrong. An instant that was given is taken for true."""
    seen = [tree.claims[each.run.key] for each in selected if ends_in_future(each) and each.run.key in tree.claims]
    if not seen or workspace.clock is None:
        return ()
    minute = minute_of(workspace.now.timestamp()) - MINUTE
    scopes = list(dict.fromkeys(claim.scope for claim in seen))
    queries = plan([Window(minute, minute + MINUTE)], [], scopes, workspace.now)
    return tuple(replace(query, scopes=tuple(scopes)) for query in queries)


def _with_neighbours(tree: Tree, keys: Iterable[RunKey]) -> list[tuple[Claim, Claim]]:
    """Claims to be read, each beside the run that it is read for."""
    return [(tree.claims[key], claim) for key in keys for claim in (tree.claims[key], *tree.neighbours.get(key, ()))]


def _brought(pairs: Iterable[tuple[Claim, Claim]]) -> list[Window]:
    """The minutes that these claims bring into a plan. One whose file is gone is known by hearsay: it may be as wide as
    a file says, and has made any number of calls, so it is read no further than a page from the run itself."""
    found: list[Window] = []
    for own, claim in pairs:
        near = own.span.widened(PAGE_MINUTES)
        parts = (_cut(part, near) for part in claim.reach) if claim.gone else claim.reach
        found += [part for part in parts if part.start < part.end]
    return found


def _cut(part: Window, near: Window) -> Window:
    return Window(max(part.start, near.start), min(part.end, near.end))


def _affordable(queries: tuple[Query, ...]) -> tuple[tuple[Query, ...], tuple[ReconcileError, ...]]:
    """The newest of the queries, as many as one pass may make; and that the others wait."""
    if len(queries) <= MOST_QUERIES:
        return queries, ()
    error = ProviderError(
        f"this pass takes {len(queries):,} queries, more than {MOST_QUERIES:,}: the oldest minutes were not read",
        code="too_many_requests_needed",
        remedy="limit the pass with --framework, or --max-age; `reconcile list` names the runs that are due",
    )
    return tuple(sorted(queries, key=lambda query: query.window)[-MOST_QUERIES:]), (error,)


def _fetch(workspace: Workspace, queries: tuple[Query, ...], provider: Provider) -> Read:
    """Every query's answer. One that fails leaves its minutes unread; the others stand."""
    begun = workspace.instant()
    if isinstance(provider, ConfigurationError):
        return Read(
            begun=begun,
            at=begun,
            api=ApiUse(),
            errors=(provider,) if queries else (),
            punctual=workspace.clock is None,
        )
    answers: list[Fetched] = []
    errors: list[ReconcileError] = []
    punctual = workspace.clock is None
    for query in queries:
        try:
            answers.append(_proven(workspace, query, provider))
            punctual = punctual or _agrees(answers[-1].date, workspace.instant())
        except ProviderError as error:
            errors.append(error)
            if error.code in REFUSED:
                break
    return Read(
        queries=queries,
        buckets=tuple(bucket for answer in answers for bucket in answer.buckets),
        covered=tuple(answer.query.window for answer in answers),
        odd=tuple(row for answer in answers for row in answer.odd),
        unread=tuple(query.window for query in queries if query not in {answer.query for answer in answers}),
        begun=begun,
        at=workspace.instant(),
        api=ApiUse(
            requests=sum(answer.pages + answer.retries for answer in answers) + len(errors),
            pages=sum(answer.pages for answer in answers),
            retries=sum(answer.retries for answer in answers),
        ),
        errors=tuple(errors),
        punctual=punctual,
    )


def _agrees(date: datetime | None, now: datetime) -> bool:
    return date is not None and abs(date - now) <= timedelta(seconds=UNKNOWN_UNCERTAINTY)


def _proven(workspace: Workspace, query: Query, provider: UsageProvider) -> Fetched:
    """The answer whose rows add up to its control total. One difference may be usage that came in between."""
    control = control_query(query, workspace.now, workspace.policy.min_age)
    first = _checked(query, control, provider)
    if first.problem is None:
        return first.answer
    second = _checked(query, control, provider)
    if second.problem:
        raise second.problem
    return _with_costs(second.answer, first.answer)


@dataclass(frozen=True, slots=True)
class _Checked:
    answer: Fetched
    problem: ProviderError | None = None


def _checked(query: Query, control: Query | None, provider: UsageProvider) -> _Checked:
    rows = provider.fetch(query)
    if control is None:
        return _Checked(rows)
    whole = provider.fetch(control)
    return _Checked(_with_costs(rows, whole), differing(rows, whole))


def _with_costs(answer: Fetched, other: Fetched) -> Fetched:
    """The answer, with what another took added to what it took."""
    return replace(answer, pages=answer.pages + other.pages, retries=answer.retries + other.retries)


MOST_REQUESTS = bill.MOST_REQUESTS


def openai_usage(
    admin_key: str,
    base_url: str = asking.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> UsageProvider:
    """OpenAI's usage API. `on_progress` hears how many minutes of a query are answered, and how many it has."""
    return completions.OpenAIUsage(admin_key, base_url, now=now, on_progress=on_progress)


def openai_billing(
    admin_key: str,
    base_url: str = asking.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cached: bool = True,
    max_requests: int | None = MOST_REQUESTS,
) -> bill.OpenAIBilling:
    """OpenAI's usage and costs of whole days. `on_progress` hears how many queries are answered, and how many there
    are; `cached`: closed days are kept in the user's cache directory and not asked for again.
    """
    cache = PeriodCache() if cached else None
    return bill.OpenAIBilling(
        admin_key, base_url, now=now, on_progress=on_progress, cache=cache, max_requests=max_requests
    )


def openai_responses(api_key: str, base_url: str, headers: Mapping[str, str]) -> stored.OpenAIResponses:
    """The responses of an experiment, asked for with its own key where it sends its calls."""
    return stored.OpenAIResponses(api_key=api_key, base_url=base_url, headers=headers)


def curl_lines(base_url: str) -> Callable[[Query], str]:
    """What spells a query as a curl line."""
    return lambda query: completions.curl_line(query, base_url)
