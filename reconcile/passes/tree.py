"""Discover and validate: the folder of runs as values, with the claims of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath

from reconcile.attribution.claims import Asked, claims_of, followed, gone, missing_key_id, neighbours, renames, scopes
from reconcile.errors import ReconcileError, StoreError, UsageError
from reconcile.money.entry import PriceOf
from reconcile.passes.containing import contained, of_the_sound
from reconcile.passes.selection import Selected, select
from reconcile.providers.base import Scope
from reconcile.runs.call_log import MAX_LOG_BYTES, LogChecker, held_to, log_too_large
from reconcile.runs.census import MOST_BESIDE_BYTES, MOST_RUN_BYTES, Census, affordable, census_of, over_the_total
from reconcile.runs.metrics import read_run
from reconcile.runs.run import CallLog, Claim, Finding, Run, RunFile, RunFiles, RunKey, one_spelling
from reconcile.runs.state import Policy
from reconcile.runs.tree_store import FILE_NAME, LOG_NAME
from reconcile.runs.validation import MAX_BYTES, Checker, Document, too_large


def _none(_: Sequence[str]) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What every command works on."""

    store: RunFiles
    checker: Checker
    log_checker: LogChecker
    policy: Policy
    configured: Mapping[str, Scope]
    """Scopes by framework, from reconcile.yml."""
    variables: Mapping[str, str]
    """The environment."""
    now: datetime
    """When the command began."""
    clock: Callable[[], datetime] | None = None
    """What tells how long reading takes. None, as in tests and replays: no time at all."""
    evidence: bool = True
    """Whether what a figure rests on is written beside it."""
    prices: PriceOf | None = None
    """What COST_USD of reconciled runs is computed with; None leaves it alone."""
    ignored: Callable[[Sequence[str]], Collection[str]] = _none
    """Which of these files git ignores."""

    def instant(self) -> datetime:
        return self.clock() if self.clock else self.now


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All runs, the defects of the files that could not become one, and what kept runs from having a scope."""

    discovered: int
    frameworks: frozenset[str]
    """All that have a file, valid or not."""
    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    unreadable: Counter[str]
    """By framework, the files that claim no minutes because they cannot be read."""
    scopes: Mapping[str, Scope]
    """By framework, for those whose scope is known."""
    claims: Mapping[RunKey, Claim]
    errors: tuple[ReconcileError, ...]
    present: frozenset[RunKey]
    """All runs that have a file, valid or not."""
    renamed: Mapping[str, RunKey]
    """By the name that verdicts know, runs whose folder has another now. `runs` know their neighbours by the new one.
    """
    census: Census = Census()  # noqa: RUF009  a frozen value

    @cached_property
    def everyone(self) -> tuple[Claim, ...]:
        """All claims, with those of runs whose files are gone."""
        return (*self.claims.values(), *gone(self.runs, self.claims))

    @cached_property
    def broken(self) -> tuple[Finding, ...]:
        """A defect of each file that could not become a run. One of a call log keeps no run from being one."""
        return tuple({each.path: each for each in sorted(self.findings) if _parts(each)[-1:] != (LOG_NAME,)}.values())

    @cached_property
    def neighbours(self) -> Mapping[RunKey, tuple[Claim, ...]]:
        return neighbours(self.everyone)

    def unreadable_beside(self, claim: Claim) -> int:
        """The files that cannot be read and may claim the same usage: of its framework, or of one with its keys."""
        return sum(
            count
            for framework, count in self.unreadable.items()
            if framework == claim.run.framework
            or framework not in self.scopes
            or self.scopes[framework].meets(claim.scope)
        )

    def reopened(self, workspace: Workspace, asked: Asked) -> Tree:
        """The same tree, where a pass is to judge settled runs anew: with what is known of their clocks today."""
        if not asked.force:
            return self
        runs = [run for run in self.runs if run.key in self.claims and asked.admits(run)]
        return replace(self, claims={**self.claims, **claims_of(runs, self.scopes, workspace.policy, asked, self.runs)})

    def pooled(self, claims: Mapping[RunKey, Claim]) -> Tree:
        """The same tree beside the claims of others. Its own runs are its own."""
        return replace(self, claims={**claims, **self.claims})

    def selected(self, workspace: Workspace, asked: Asked) -> list[Selected]:
        """What a pass does with each run. Raises UsageError where it was limited to what does not exist."""
        if asked.framework is not None and asked.framework not in self.frameworks:
            raise UsageError(
                f"{asked.framework}: no such framework; there are {', '.join(sorted(self.frameworks)) or 'none'}",
                code="unknown_framework",
                remedy="name a folder of the folder of runs that holds <run_id>/metrics.json",
            )
        if asked.run_id is not None and not any(asked.admits(run) for run in self.runs):
            raise UsageError(
                f"{asked.framework}/{asked.run_id}: no such run, or its file is not valid",
                code="unknown_run",
                remedy="`reconcile list --all` names every run, `reconcile validate` every defect",
            )
        return select(self.runs, workspace.policy, workspace.now, asked)

    def scopeless(self, selected: list[Selected]) -> list[ReconcileError]:
        """An error for each framework with runs that are due and no scope to read."""
        missing = Counter(each.run.key.framework for each in selected if each.due and each.run.key not in self.claims)
        return [missing_key_id(framework, count) for framework, count in missing.items()]


def read_tree(workspace: Workspace) -> Tree:
    """Every file of the folder, validated. A bad one is a finding or an error and never stops the others."""
    files, misplaced = workspace.store.discover()
    gathered = _Gathered(findings=list(misplaced))
    gathered.unreadable.update(
        one_spelling(parts[-3]) for parts in map(_parts, misplaced) if parts[-1:] == (FILE_NAME,)
    )
    inside, over = affordable(files, MOST_RUN_BYTES)
    for file in inside:
        _take(workspace, file, gathered)
    gathered.findings += [over_the_total(file.path, file.size, MOST_RUN_BYTES) for file in over]
    gathered.unreadable.update(file.key.framework for file in over)
    runs = _with_logs(workspace, gathered)
    by_framework, ambiguous = scopes({run.key.framework for run in runs}, workspace.configured, workspace.variables)
    claims, culprits = of_the_sound(runs, lambda some: claims_of(some, by_framework, workspace.policy))
    runs = gathered.without(runs, culprits)
    present = frozenset(file.key for file in files)
    renamed = renames(runs, claims, present)
    named = {run.key.framework for run in runs} | set(gathered.unreadable)
    known, _ = scopes(named, workspace.configured, workspace.variables)
    return Tree(
        discovered=len(files) + len(misplaced),
        frameworks=frozenset(file.key.framework for file in files),
        runs=tuple(followed(run, renamed) for run in runs),
        findings=tuple(gathered.findings),
        unreadable=gathered.unreadable,
        scopes=known,
        claims=claims,
        errors=(*gathered.errors, *ambiguous),
        present=present,
        renamed=renamed,
        census=_census(workspace, files, misplaced),
    )


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """What was read of the folder so far."""

    findings: list[Finding]
    runs: list[Run] = field(default_factory=list)
    errors: list[ReconcileError] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)

    def without(self, runs: list[Run], culprits: Sequence[Finding]) -> list[Run]:
        """The runs without those that met a bug, which are findings instead."""
        paths = {finding.path for finding in culprits}
        self.findings += culprits
        self.unreadable.update(run.key.framework for run in runs if run.path in paths)
        return [run for run in runs if run.path not in paths] if paths else runs


def _take(workspace: Workspace, file: RunFile, gathered: _Gathered) -> None:
    """The run of a file, or what keeps it from being one."""
    try:
        found = contained(file.path, lambda: _run_of(workspace, file))
    except StoreError as error:
        gathered.errors.append(error)
        gathered.unreadable[file.key.framework] += 1
        return
    if isinstance(found, Run):
        gathered.runs.append(found)
    else:
        gathered.findings += (found,) if isinstance(found, Finding) else found
        gathered.unreadable[file.key.framework] += 1


def _run_of(workspace: Workspace, file: RunFile) -> Run | tuple[Finding, ...]:
    document = check_file(workspace, file)
    if not isinstance(document, Document):
        return document
    return read_run(file.key, file.path, document.value, document.generation)


def _with_logs(workspace: Workspace, gathered: _Gathered) -> list[Run]:
    """The runs, each with its call log where it has one. One that is not valid is left out: the run goes on, and less
    can be said of it."""
    found = {run.key: log for run in gathered.runs if (log := workspace.store.log(run.key)) is not None}
    gathered.findings += [log for log in found.values() if isinstance(log, Finding)]
    inside, over = affordable([log for log in found.values() if isinstance(log, RunFile)], MOST_BESIDE_BYTES)
    gathered.findings += [over_the_total(log.path, log.size, MOST_BESIDE_BYTES) for log in over]
    files = {log.key: log for log in inside}
    logs = [(run, _log_of(workspace, run, files.get(run.key), gathered)) for run in gathered.runs]
    return [replace(run, log=log) if log else run for run, log in logs]


def take_census(workspace: Workspace) -> Census:
    """All files that are named as a run's is, without a look into them."""
    return _census(workspace, *workspace.store.discover())


def _census(workspace: Workspace, files: Sequence[RunFile], misplaced: Sequence[Finding]) -> Census:
    placed = [file.path for file in files] + [each.path for each in misplaced if _parts(each)[-1:] == (FILE_NAME,)]
    elsewhere = workspace.store.elsewhere()
    return census_of(placed, elsewhere, workspace.ignored([*placed, *elsewhere]))


def _parts(misplaced: Finding) -> tuple[str, ...]:
    return PurePosixPath(misplaced.path).parts


def check_file(workspace: Workspace, file: RunFile) -> Document | tuple[Finding, ...]:
    """One file, validated."""
    if file.size > MAX_BYTES:
        return (too_large(file.path, file.size),)
    return workspace.checker.check(file.path, file.key, workspace.store.read(file.key))


def check_log(workspace: Workspace, file: RunFile, run: Run | None) -> tuple[CallLog | None, tuple[Finding, ...]]:
    """A call log, validated and held to the minutes of its run. One with calls outside is kept."""
    if file.size > MAX_LOG_BYTES:
        return None, (log_too_large(file.path, file.size),)
    log = workspace.log_checker.check(file.path, workspace.store.read_log(file.key))
    if not isinstance(log, CallLog):
        return None, log
    return held_to(file.path, log, run.window, run.clock.offset if run.clock else 0.0) if run else (log, ())


def _log_of(workspace: Workspace, run: Run, file: RunFile | None, gathered: _Gathered) -> CallLog | None:
    if file is None:
        return None
    try:
        checked = contained(file.path, lambda: check_log(workspace, file, run))
    except StoreError as error:
        gathered.errors.append(error)
        return None
    log, defects = (None, (checked,)) if isinstance(checked, Finding) else checked
    gathered.findings += defects
    return log
