"""One pass: what is due is read, attributed, settled and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconcile.core.attribution import Attribution, attribute
from reconcile.core.lesson import Applied, Lesson, apply
from reconcile.core.model import Rewritten, RunKey
from reconcile.core.selection import EVERYTHING, Asked, Selected, Selection, ends_in_future
from reconcile.core.summary import FileChange, RunReport, Summary, gathered, standing
from reconcile.errors import StoreError
from reconcile.workflow.reading import Announce, Provider, Read, claimed_late, read_usage
from reconcile.workflow.tree import Tree, Workspace, read_tree

UNREAD = "its minutes could not be read in this pass; nothing was changed"


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
    read = read_usage(workspace, tree, provider, asked, announce)
    return conclude(workspace, tree, read, asked, dry_run=dry_run)


def conclude(workspace: Workspace, tree: Tree, read: Read, asked: Asked, *, dry_run: bool = False) -> Summary:
    """Attribute, settle and write what was read.

    May be done again with the same read over a tree that has changed: everything is judged anew.
    """
    tree = tree.reopened(workspace, asked)
    selected = tree.selected(workspace, asked)
    attributed = attribute(tree.everyone, read.buckets, read.covered)
    judged = {key: share for key, share in attributed.by_run.items() if read.judges(share.claim)}
    lessons = {each.run.key: _lesson(workspace, tree, each, read, judged.get(each.run.key)) for each in selected}
    reports, changes, errors = _write_all(workspace, tree, selected, lessons, dry_run=dry_run)
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
        census=tree.census,
    )


def _write_all(
    workspace: Workspace,
    tree: Tree,
    selected: Iterable[Selected],
    lessons: Mapping[RunKey, Lesson | None],
    *,
    dry_run: bool,
) -> tuple[list[RunReport], list[FileChange], list[StoreError]]:
    reports: list[RunReport] = []
    changes: list[FileChange] = []
    errors: list[StoreError] = []
    for each in selected:
        report = RunReport(run=each.run, selection=each.selection, due_at=each.due_at)
        lesson = lessons[each.run.key]
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
    return Lesson(
        path=run.path,
        claim=claim,
        own_scope=run.own_scope,
        attribution=None if early else attribution,
        begun=read.begun,
        at=read.at,
        forced=each.forced,
        unreadable=tree.unreadable_beside(claim),
        evidence=workspace.evidence,
        prices=workspace.prices,
        renamed=tree.renamed,
    )


def _write(
    workspace: Workspace, report: RunReport, lesson: Lesson, *, dry_run: bool
) -> tuple[RunReport, FileChange | None]:
    """The run after the lesson; what a dry run would have written."""
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
        return report, None
    return report, FileChange(path=report.run.path, before=last.before.decode(), after=last.after.decode())
