"""One pass: what is due is read, attributed, settled and written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconcile.attribution.attribute import Attributed, Attribution, attribute
from reconcile.attribution.claims import EVERYTHING, Asked
from reconcile.attribution.components import meeting
from reconcile.errors import ReconcileError, StoreError
from reconcile.passes.containing import attempted, contained
from reconcile.passes.fetch import Announce, Read, Sources, by_provider, claimed_late, read_usage
from reconcile.passes.selection import Selected, Selection, ends_in_future
from reconcile.passes.summary import FileChange, RunReport, Summary, gathered, standing
from reconcile.passes.tree import Tree, Workspace, read_tree
from reconcile.runs.run import Claim, Finding, Rewritten, RunKey
from reconcile.usage import Bucket
from reconcile.verdict.lesson import Applied, Lesson, apply

UNREAD = "its minutes could not be read in this pass; nothing was changed"


def run_pass(
    workspace: Workspace,
    provider: Sources,
    asked: Asked = EVERYTHING,
    *,
    dry_run: bool = False,
    announce: Announce = lambda _: None,
) -> Summary:
    """One pass over the runs that `asked` admits. `provider` answers for usage, or there is one for each, by its name.

    Where there is none, what is due waits and says why.
    """
    tree = read_tree(workspace)
    read = read_usage(workspace, tree, provider, asked, announce)
    return conclude(workspace, tree, read, asked, dry_run=dry_run)


def conclude(workspace: Workspace, tree: Tree, read: Read, asked: Asked, *, dry_run: bool = False) -> Summary:
    """Attribute, settle and write what was read.

    May be done again with the same read over a tree that has changed: everything is judged anew.
    """
    tree = tree.reopened(workspace, asked)
    selected = tree.selected(workspace, asked)
    attributed, failed = _attributed(tree.everyone, read)
    judged = {
        key: share
        for key, share in attributed.by_run.items()
        if read.of(share.claim.scope.provider).judges(share.claim)
    }
    done = [_concluded(workspace, tree, each, read, judged.get(each.run.key), dry_run=dry_run) for each in selected]
    return Summary(
        now=workspace.now,
        policy=workspace.policy,
        discovered=tree.discovered,
        runs=tuple(each.report for each in done),
        findings=(*tree.findings, *(each.finding for each in done if each.finding)),
        unattributed=gathered(attributed.unattributed),
        errors=(
            *tree.errors,
            *tree.scopeless(selected),
            *read.errors,
            *failed,
            *(each.error for each in done if each.error),
        ),
        api=read.api,
        dry_run=dry_run,
        changes=tuple(each.change for each in done if each.change),
        census=tree.census,
    )


def _attributed(claims: tuple[Claim, ...], read: Read) -> tuple[Attributed, list[ReconcileError]]:
    """What was read, shared out among the claims on each provider's usage."""
    by_run: dict[RunKey, Attribution] = {}
    unclaimed: list[Bucket] = []
    errors: list[ReconcileError] = []
    for provider, some in by_provider(claims).items():
        found, failed = _shared_out(some, read.of(provider))
        by_run |= found.by_run
        unclaimed += found.unattributed
        errors += failed
    return Attributed(by_run, tuple(unclaimed)), errors


def _shared_out(claims: list[Claim], read: Read) -> tuple[Attributed, list[ReconcileError]]:
    """The same of one provider. Where that meets a bug, the traffic that cannot be told apart from what met it goes
    without, and all other traffic is shared out as before: keys that admit no bucket in common share nothing."""
    whole = attempted("sharing out what was read", lambda: attribute(claims, read.buckets, read.covered))
    if not isinstance(whole, ReconcileError):
        return whole, []
    by_run: dict[RunKey, Attribution] = {}
    unclaimed: list[Bucket] = []
    errors: list[ReconcileError] = []
    for scopes in meeting(sorted({claim.scope for claim in claims}, key=str)):
        some = [claim for claim in claims if claim.scope in scopes]
        what = f"sharing out what was read for {some[0].run} and {len(some) - 1} others"
        found = attempted(what, lambda some=some: attribute(some, read.buckets, read.covered))  # type: ignore[misc]
        if isinstance(found, ReconcileError):
            errors.append(found)
        else:
            by_run |= found.by_run
            unclaimed += found.unattributed
    return Attributed(by_run, tuple(unclaimed)), errors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What became of one run."""

    report: RunReport
    change: FileChange | None = None
    error: StoreError | None = None
    finding: Finding | None = None


def _concluded(
    workspace: Workspace, tree: Tree, each: Selected, read: Read, attribution: Attribution | None, *, dry_run: bool
) -> _Done:
    """The run judged and written. What keeps that from being done is told of this run, and stops no other."""
    report = RunReport(run=each.run, selection=each.selection, due_at=each.due_at)

    def conclude_it() -> _Done | None:
        return _written(workspace, report, _lesson(workspace, tree, each, read, attribution), dry_run=dry_run)

    try:
        done = contained(each.run.path, conclude_it)
    except StoreError as error:
        return _Done(report=report, error=error)
    if isinstance(done, Finding):
        return _Done(report=report, finding=done)
    unread = each.due and each.run.key in tree.claims
    return done or _Done(report=replace(report, note=UNREAD) if unread else report)


def _lesson(
    workspace: Workspace, tree: Tree, each: Selected, read: Read, attribution: Attribution | None
) -> Lesson | None:
    """What there is to tell the run's file, if anything."""
    run = each.run
    claim = tree.claims.get(run.key)
    early = ends_in_future(each) and read.punctual and not read.errors
    judged = each.due or each.selection is Selection.OBSERVED or claimed_late(tree, each)
    if claim is None or not (early or (judged and attribution)):
        return None
    own = read.of(claim.scope.provider)
    return Lesson(
        path=run.path,
        claim=claim,
        own_scope=run.own_scope,
        attribution=None if early else attribution,
        begun=own.begun,
        at=own.at,
        forced=each.forced,
        unreadable=tree.unreadable_beside(claim),
        evidence=workspace.evidence,
        prices=workspace.prices,
        renamed=tree.renamed,
    )


def _written(workspace: Workspace, report: RunReport, lesson: Lesson | None, *, dry_run: bool) -> _Done | None:
    """The run after the lesson, and what a dry run would have written; None where there is nothing to tell it."""
    if lesson is None:
        return None
    applied: list[Applied] = []

    def change(data: bytes) -> Rewritten | None:
        done = apply(lesson, data, workspace.checker, workspace.policy)
        applied.append(done)
        return None if done.after is None else Rewritten(done.after, done.evidence)

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
        return _Done(report=report)
    differing = FileChange(path=report.run.path, before=last.before.decode(), after=last.after.decode())
    return _Done(report=report, change=differing)
