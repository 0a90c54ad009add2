"""Plan and fetch, provider by provider: the usage of the minutes that a pass needs, or why it could not be had.

What one provider answers tells nothing of another's traffic: each has queries, minutes and an instant of its own, and
one that is out of reach leaves the others judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from reconcile.attribution.booking import UNKNOWN_UNCERTAINTY
from reconcile.attribution.claims import Asked
from reconcile.errors import ConfigurationError, ProviderError, ReconcileError
from reconcile.minutes import GUARD_MINUTES, MINUTE, Window, minute_of
from reconcile.passes.planning import PAGE_MINUTES, plan
from reconcile.passes.selection import Selected, Selection, ends_in_future
from reconcile.passes.summary import ApiUse
from reconcile.passes.tree import Tree, Workspace
from reconcile.providers import DEFAULT, HOMES, abilities
from reconcile.providers.base import Fetched, Query, UsageProvider
from reconcile.providers.control import control_query, differing
from reconcile.runs.run import Claim, RunKey
from reconcile.usage import Bucket, OddRow
from reconcile.verdict.judgement import late_claims

REFUSED = {"invalid_api_key", "missing_scope", "wrong_organization", "access_denied"}
"""Refusals of the key: the provider would say the same of every other query."""

MOST_QUERIES = 1_000
"""Pages of minutes that one pass asks for, each with its control total: three years of one-minute buckets."""

Provider = UsageProvider | ConfigurationError
"""A source of usage, or why there is none."""

Sources = Provider | Mapping[str, Provider]
"""One for each provider, by its name; or the only one there is."""

Announce = Callable[[Sequence[Query]], None]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the providers answered: the buckets of the windows that were read whole, and why others were not."""

    queries: tuple[Query, ...] = ()
    answers: tuple[Fetched, ...] = ()
    begun: datetime
    """Before the first query: the figures were not read earlier. A later read counts from there."""
    at: datetime
    """After the last answer: the figures were not read later. A read that confirms them is held against this."""
    api: ApiUse
    errors: tuple[ReconcileError, ...] = ()
    punctual: bool = False
    """Whether our clock agrees with a provider's: a run that ends in the future by it does so indeed."""

    def of(self, provider: str) -> Read:
        """What one provider answered. Where it says itself up to when that is whole, it was read then: a later look
        that shows the same is no second one."""
        return self._by_provider.get(provider) or replace(self, queries=(), answers=())

    @cached_property
    def _by_provider(self) -> dict[str, Read]:
        """Made once, for all the runs that are judged by it."""
        return {name: self._of(name) for name in dict.fromkeys(query.provider for query in self.queries)}

    def _of(self, provider: str) -> Read:
        answers = tuple(answer for answer in self.answers if answer.query.provider == provider)
        marks = [answer.whole_until for answer in answers if answer.whole_until]
        begun, at = (min([self.begun, *marks]), min([self.at, *marks]))
        queries = tuple(query for query in self.queries if query.provider == provider)
        return replace(self, queries=queries, answers=answers, begun=begun, at=at)

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        return tuple(bucket for answer in self.answers for bucket in answer.buckets)

    @cached_property
    def covered(self) -> tuple[Window, ...]:
        """The minutes that were read whole."""
        return tuple(covered for answer in self.answers if (covered := answer.covered).minutes)

    @cached_property
    def unread(self) -> tuple[Window, ...]:
        """The windows of queries without a whole answer."""
        answered = {answer.query for answer in self.answers if answer.covered == answer.query.window}
        return tuple(query.window for query in self.queries if query not in answered)

    @cached_property
    def _odd(self) -> tuple[OddRow, ...]:
        """Rows that cannot be true, and were nobody's when they were read."""
        return tuple(row for answer in self.answers for row in answer.odd)

    @cached_property
    def _keys(self) -> frozenset[str]:
        """Those that were asked for; none where all were."""
        return frozenset(key for query in self.queries for key in query.api_key_ids)

    def judges(self, claim: Claim) -> bool:
        """Whether what was read tells about the claim: its keys were asked for, and no guard minute stayed unread.

        Unclaimed usage that could not be seen would look like none.
        """
        beside = [part.widened(GUARD_MINUTES) for part in claim.reach]
        return (
            self.asked_for(claim)
            and not any(claim.scope.may_admit(row) for row in self._odd)
            and not any(window.meets(part) for window in self.unread for part in beside)
        )

    def asked_for(self, claim: Claim) -> bool:
        """Whether the claim's keys were in the queries: usage of one that was not would look like none."""
        keys = claim.scope.api_key_ids
        return not self._keys or (bool(keys) and self._keys.issuperset(keys))


def by_provider(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Claims by the provider whose usage they are on: those of two never meet."""
    found: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.scope.provider].append(claim)
    return found


def read_usage(
    workspace: Workspace, tree: Tree, sources: Sources, asked: Asked, announce: Announce = lambda _: None
) -> Read:
    """The usage of all minutes that the runs which are due need. Where there is no source for it, they wait."""
    selected = tree.selected(workspace, asked)
    queries = _plan(workspace, tree.reopened(workspace, asked), selected) or _asking_the_time(workspace, tree, selected)
    affordable, errors = _affordable(queries)
    announce(affordable)
    read = _fetch(workspace, affordable, sources)
    return replace(read, queries=queries, errors=(*errors, *read.errors))


def read_claims(workspace: Workspace, claims: Sequence[Claim], sources: Sources) -> Read:
    """The usage of these claims' minutes now, however old they are."""
    queries: list[Query] = []
    for some in by_provider(claims).values():
        scopes = tuple(dict.fromkeys(claim.scope for claim in some))
        planned = plan(_reached(some), [], scopes, workspace.now)
        queries += (replace(query, scopes=scopes) for query in planned)
    return _fetch(workspace, tuple(queries), sources)


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
    everyones = by_provider(tree.everyone)
    queries: list[Query] = []
    for provider in dict.fromkeys(claim.scope.provider for _, claim in [*needed, *observed]):
        due, met = (_on(provider, pairs) for pairs in (needed, observed))
        scopes = list(dict.fromkeys(claim.scope for _, claim in [*due, *met]))
        admitting = tuple(dict.fromkeys(claim.scope for claim in everyones[provider]))
        planned = plan(_brought(due), _brought(met), scopes, workspace.now)
        queries += (replace(query, scopes=admitting) for query in planned)
    return tuple(queries)


def _on(provider: str, pairs: Iterable[tuple[Claim, Claim]]) -> list[tuple[Claim, Claim]]:
    return [(own, claim) for own, claim in pairs if claim.scope.provider == provider]


def _reached(claims: Iterable[Claim]) -> list[Window]:
    return [part for claim in claims for part in claim.reach]


def _asking_the_time(workspace: Workspace, tree: Tree, selected: Iterable[Selected]) -> tuple[Query, ...]:
    """The last whole minute, where a run is seen that ends in the future and nothing else has to be read: the answer
    tells whose clock is wrong. An instant that was given is taken for true."""
    seen = [tree.claims[each.run.key] for each in selected if ends_in_future(each) and each.run.key in tree.claims]
    if not seen or workspace.clock is None:
        return ()
    minute = minute_of(workspace.now.timestamp()) - MINUTE
    scopes = tuple(dict.fromkeys(claim.scope for claim in next(iter(by_provider(seen).values()))))
    queries = plan([Window(minute, minute + MINUTE)], [], scopes, workspace.now)
    return tuple(replace(query, scopes=scopes) for query in queries)


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


def source_of(sources: Sources, provider: str) -> Provider:
    """What answers for the provider; else why nothing does."""
    if isinstance(sources, ConfigurationError):
        return sources
    by_name = sources if isinstance(sources, Mapping) else {getattr(sources, "name", DEFAULT): sources}
    return by_name.get(provider) or ConfigurationError(
        f"nothing is set up that asks {provider}",
        code="no_provider",
        remedy=f"set up {provider}, or name another provider for these runs; {', '.join(HOMES)} can be asked",
    )


def _fetch(workspace: Workspace, queries: tuple[Query, ...], sources: Sources) -> Read:
    """Every query's answer. One that fails leaves its minutes unread; the others stand."""
    begun = workspace.instant()
    answers: list[Fetched] = []
    errors: list[ReconcileError] = []
    asked, punctual = 0, workspace.clock is None
    for provider in dict.fromkeys(query.provider for query in queries):
        source, own = source_of(sources, provider), [query for query in queries if query.provider == provider]
        if isinstance(source, ConfigurationError):
            errors.append(source)
            continue
        answered, failed, agrees = _answers(workspace, own, source)
        answers += answered
        punctual = punctual or agrees
        errors += failed
        asked += sum(answer.pages + answer.retries for answer in answered) + len(failed)
    return Read(
        queries=queries,
        answers=tuple(answers),
        begun=begun,
        at=workspace.instant(),
        api=ApiUse(
            requests=asked,
            pages=sum(answer.pages for answer in answers),
            retries=sum(answer.retries for answer in answers),
        ),
        errors=tuple(errors),
        punctual=punctual,
    )


def _answers(
    workspace: Workspace, queries: Iterable[Query], source: UsageProvider
) -> tuple[list[Fetched], list[ProviderError], bool]:
    """What one provider answers, and whether its clock agrees with ours. A key that it refuses, it would refuse in
    every other query."""
    answers: list[Fetched] = []
    errors: list[ProviderError] = []
    agrees = False
    for query in queries:
        try:
            answers.append(_proven(workspace, query, source))
            agrees = agrees or _agrees(answers[-1].date, workspace.instant())
        except ProviderError as error:
            errors.append(error)
            if error.code in REFUSED:
                break
    return answers, errors, agrees


def _agrees(date: datetime | None, now: datetime) -> bool:
    return date is not None and abs(date - now) <= timedelta(seconds=UNKNOWN_UNCERTAINTY)


def _proven(workspace: Workspace, query: Query, provider: UsageProvider) -> Fetched:
    """The answer whose rows add up to its control total. One difference may be usage that came in between."""
    totals = abilities(query.provider).totals
    control = control_query(query, workspace.now, workspace.policy.min_age) if totals else None
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
