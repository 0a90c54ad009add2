"""Checks of the repository on GitHub: whether passes are started there, and whether what they write may land."""

from __future__ import annotations

from datetime import timedelta

from reconcile.core.doctor.check import Check, listed, ok, warning
from reconcile.core.doctor.facts import Automation, Facts
from reconcile.core.instants import spelled
from reconcile.core.request import PUSH_REMEDY

SILENT = timedelta(days=2)
"""A schedule is dropped now and then under load; not for so long."""

HIDDEN = frozenset({"missing_permission", "forbidden", "not_found"})
"""A token that may not look is no fault of the set-up."""

UNKNOWN = "not looked at: GITHUB_TOKEN and GITHUB_REPOSITORY are not both set"


def schedule(facts: Facts) -> Check:
    found = _known("schedule", facts)
    if isinstance(found, Check):
        return found
    if not found.schedules:
        return ok("schedule", f"{found.repository} has no workflow file with `reconcile` in its name")
    off = [each for each in found.schedules if each.state != "active"]
    if off:
        return warning(
            "schedule",
            f"GitHub does not start {listed(f'{each.path} ({each.state})' for each in off)}",
            "enable it on the page of the workflow; schedules stop after 60 days without a commit to the repository",
        )
    silent = [each for each in found.schedules if each.last and facts.now - each.last > SILENT]
    stopped = listed(f"{each.path} at {spelled(each.last)}" for each in silent if each.last)
    if silent:
        return warning(
            "schedule",
            f"the schedule last started {stopped}",
            "check its `schedule:` on the default branch, and that Actions are allowed in the repository",
        )
    last = max((each.last for each in found.schedules if each.last), default=None)
    return ok("schedule", f"it last started a pass at {spelled(last)}" if last else "it has not started a pass yet")


def branch_rules(facts: Facts) -> Check:
    found = _known("branch_rules", facts)
    if isinstance(found, Check):
        return found
    refusing = sorted({"pull_request", "update"} & found.rules)
    if refusing:
        return warning(
            "branch_rules", f"rules of {found.branch} refuse plain pushes: {', '.join(refusing)}", PUSH_REMEDY
        )
    if "required_signatures" in found.rules:
        return warning("branch_rules", f"the rules of {found.branch} want signed commits", "set `sign: api`")
    return ok("branch_rules", f"no rule of {found.branch} refuses what the Action pushes")


def _known(name: str, facts: Facts) -> Automation | Check:
    found = facts.automation
    if found is None:
        return ok(name, UNKNOWN)
    if isinstance(found, Automation):
        return found
    if found.code in HIDDEN:
        return ok(name, f"not looked at: {found.message}")
    return warning(name, found.message, found.remedy)
