"""One pass: what is due is read, attributed, settled and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from reconcile.core.attribution import Attributed, attribute
from reconcile.core.judgement import late_claims
from reconcile.core.lesson import Applied, Lesson, apply
from reconcile.core.model import Bucket, Claim, Fetched, Query, RunKey, UsageProvider, Window
from reconcile.core.planning import plan
from reconcile.core.selection import EVERYTHING, Asked, Selected, Selection
from reconcile.core.summary import ApiUse, FileChange, RunReport, Summary, gathered, standing
from reconcile.errors import ConfigurationError, ProviderError, ReconcileError, StoreError
from reconcile.workflow.tree import Tree, Workspace, read_tree

UNREAD = "its minutes could not be read in this pass; nothing was changed"

REFUSED = {"invalid_api_key", "missing_scope", "access_denied"}
"""Refusals of the key: the provider would say the same of every other query."""

Provider = UsageProvider | ConfigurationError
"""A source of usage, or why there is none."""

Announce = Callable[[Sequence[Query]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the provider answered: the buckets of the windows that were read whole, and why others were not."""

    buckets: tuple[Bucket, ...] = ()
    covered: tuple[Window, ...] = ()
    api: ApiUse
    errors: tuple[ReconcileError, ...] = ()


def run_pass(
    workspace: Workspace,
    provider: Provider,
    asked: Asked = EVERYTHING,
    *,
    dry_run: bool = False,
    announce: Announce = lambda _: None,
) -> Summary:
    """One pass over the runs that `asked` admits. Where there is no provider, what is due waits and says why."""
    tree = read_tree(workspace)
    selected = tree.selected(workspace, asked)
    late = {each.run.key for each in selected if late_claims(each.run, tree.neighbours.get(each.run.key, ()))}
    queries = _plan(workspace, tree, selected, late)
    announce(queries)
    read = _fetch(queries, provider)
    attributed = attribute(tuple(tree.claims.values()), read.buckets, read.covered)
    reports, changes, errors = _write_all(workspace, tree, selected, attributed, dry_run=dry_run)
    return Summary(
        now=workspace.now,
        policy=workspace.policy,
        discovered=tree.discovered,
        runs=tuple(reports),
        findings=tree.findings,
        unattributed=gathered(attributed.unattributed),
        errors=(*tree.errors, *tree.scopeless(selected), *read.errors, *errors),
        api=read.api,
        dry_run=dry_run,
        changes=tuple(changes),
    )


def _plan(workspace: Workspace, tree: Tree, selected: Iterable[Selected], late: set[RunKey]) -> tuple[Query, ...]:
    """Queries for the runs that are due or claimed late, with the settled ones that fit in, and for all neighbours.

    Every run that may be judged has its keys in the queries: one that was not asked for would look like a zero.
    """
    known = [each for each in selected if each.run.key in tree.claims]
    needed = _with_neighbours(tree, [each.run.key for each in known if each.due or each.run.key in late])
    observed = _with_neighbours(tree, [each.run.key for each in known if each.selection is Selection.OBSERVED])
    scopes = list(dict.fromkeys(claim.scope for claim in [*needed, *observed]))
    return plan([claim.window for claim in needed], [claim.window for claim in observed], scopes, workspace.now)


def _with_neighbours(tree: Tree, keys: Iterable[RunKey]) -> list[Claim]:
    return [claim for key in keys for claim in (tree.claims[key], *tree.neighbours.get(key, ()))]


def _fetch(queries: Sequence[Query], provider: Provider) -> _Read:
    """Every query's answer. One that fails leaves its minutes unread; the others stand."""
    if isinstance(provider, ConfigurationError):
        return _Read(api=ApiUse(), errors=(provider,) if queries else ())
    answers: list[Fetched] = []
    errors: list[ReconcileError] = []
    for query in queries:
        try:
            answers.append(provider.fetch(query))
        except ProviderError as error:
            errors.append(error)
            if error.code in REFUSED:
                break
    return _Read(
        buckets=tuple(bucket for answer in answers for bucket in answer.buckets),
        covered=tuple(answer.query.window for answer in answers),
        api=ApiUse(
            requests=sum(answer.pages + answer.retries for answer in answers),
            pages=sum(answer.pages for answer in answers),
            retries=sum(answer.retries for answer in answers),
        ),
        errors=tuple(errors),
    )


# ------------------------------------------------------------------------------------------------ settle, write


def _write_all(
    workspace: Workspace, tree: Tree, selected: Iterable[Selected], attributed: Attributed, *, dry_run: bool
) -> tuple[list[RunReport], list[FileChange], list[StoreError]]:
    reports: list[RunReport] = []
    changes: list[FileChange] = []
    errors: list[StoreError] = []
    for each in selected:
        report = RunReport(run=each.run, selection=each.selection, due_at=each.due_at)
        lesson = _lesson(workspace, tree, each, attributed)
        try:
            if lesson:
                report, change = _write(workspace, report, lesson, dry_run=dry_run)
                changes += [change] if change else []
            elif each.due and each.run.key in tree.claims:
                report = replace(report, note=UNREAD)
        except StoreError as error:
            errors.append(error)
        reports.append(report)
    return reports, changes, errors


def _lesson(workspace: Workspace, tree: Tree, each: Selected, attributed: Attributed) -> Lesson | None:
    """What there is to tell the run's file, if anything."""
    run = each.run
    claim = tree.claims.get(run.key)
    late = late_claims(run, tree.neighbours.get(run.key, ()))
    if claim is None or not (each.due or late or each.selection is Selection.OBSERVED):
        return None
    attribution = attributed.by_run.get(run.key)
    if attribution is None and not late:
        return None
    return Lesson(
        path=run.path,
        claim=claim,
        attribution=attribution,
        at=workspace.now,
        forced=each.forced,
        unreadable=tree.unreadable[run.key.framework],
    )


def _write(
    workspace: Workspace, report: RunReport, lesson: Lesson, *, dry_run: bool
) -> tuple[RunReport, FileChange | None]:
    """The run after the lesson; what a dry run would have written."""
    applied: list[Applied] = []

    def change(data: bytes) -> bytes | None:
        applied.append(apply(lesson, data, workspace.checker, workspace.policy))
        return applied[-1].after

    store, key = workspace.store, report.run.key
    written = bool(change(store.read(key))) if dry_run else store.update(key, change)
    last = applied[-1]
    after = last.run or report.run
    report = replace(
        report,
        run=after,
        written=written and not dry_run,
        moved=written and standing(after) != standing(report.run),
        note=last.note,
    )
    if not dry_run or last.after is None:
        return report, None
    return report, FileChange(path=report.run.path, before=last.before.decode(), after=last.after.decode())
