"""Commands that learn from what files have kept: lag and backtest. They ask the provider nothing and write nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconcile.core.lag import Lag, lag_of
from reconcile.core.model import Finding, Policy, Run
from reconcile.core.selection import EVERYTHING, Asked, Selection
from reconcile.core.trial import Backtest, backtest_of
from reconcile.errors import StoreError
from reconcile.workflow.containing import of_the_sound
from reconcile.workflow.tree import Tree, Workspace, read_tree


def lag(workspace: Workspace, asked: Asked = EVERYTHING) -> Lag:
    """How long after a run's window its figure is complete."""
    return lag_tree(workspace, read_tree(workspace), asked)


def lag_tree(workspace: Workspace, tree: Tree, asked: Asked) -> Lag:
    """The same of a folder that was read already."""
    runs = _asked(workspace, tree, asked)
    found, met = of_the_sound(runs, lambda some: lag_of(some, workspace.policy, workspace.now))
    return replace(found, invalid=_invalid(tree, met), errors=_unread(tree))


def backtest(workspace: Workspace, tried: Policy) -> Backtest:
    """What `tried` would have made of the kept reads, beside the workspace's policy.

    Raises UsageError where they cannot answer it.
    """
    tree = read_tree(workspace)
    found, met = of_the_sound(tree.runs, lambda some: backtest_of(some, workspace.policy, tried, workspace.now))
    return replace(found, invalid=_invalid(tree, met), errors=_unread(tree))


def _asked(workspace: Workspace, tree: Tree, asked: Asked) -> list[Run]:
    selected = tree.selected(workspace, asked)
    return [each.run for each in selected if each.selection is not Selection.NOT_ASKED]


def _invalid(tree: Tree, met: Iterable[Finding]) -> int:
    return len({finding.path for finding in (*tree.findings, *met)})


def _unread(tree: Tree) -> tuple[StoreError, ...]:
    """What could not be read. A scope that is missing matters to a pass only."""
    return tuple(error for error in tree.errors if isinstance(error, StoreError))
