"""Checks of what is around the runs: this machine, the repository on GitHub, and the way to the provider.

machine      the program, its settings, and the files it works on
repository   whether passes are started there, and whether what they write may land
provider     the admin key, whether it is answered and taken, and the clocks of both ends
"""

from __future__ import annotations

from datetime import timedelta

from reconcile.doctor.checks import Automation, Check, Facts, KeyKind, error, listed, ok, warning
from reconcile.git.remote import PUSH_REMEDY
from reconcile.minutes import spelled
from reconcile.providers import DEFAULT
from reconcile.providers import provider as provider_named
from reconcile.words import plural

OLDEST = (3, 11)


def python(facts: Facts) -> Check:
    release = tuple(int(part) for part in facts.python.split(".")[:2])
    if release < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return error(
            "python",
            f"Python {facts.python} is older than {wanted}",
            f"install Python {wanted} or newer, make a new virtual environment with it and install reconcile there",
        )
    return ok("python", f"Python {facts.python}, reconcile {facts.version}")


def extras(facts: Facts) -> Check:
    if facts.lacking:
        names = ",".join(facts.lacking)
        return error(
            "extras",
            f"{facts.configuration} needs what is not installed: {names}",
            f"in the clone of this program, and in its virtual environment, run: pip install '.[{names}]'",
        )
    return ok("extras", "everything that the settings need is installed")


def configuration(facts: Facts) -> Check:
    found = facts.misconfigured
    if found:
        return error("configuration", found.message, found.remedy)
    if not facts.configured:
        return ok("configuration", f"there is no {facts.configuration}: settings come from the environment alone")
    return ok("configuration", f"{facts.configuration} is valid")


def files(facts: Facts) -> Check:
    if facts.unreadable:
        first, *others = facts.unreadable
        more = f" (and {plural(len(others), 'more')})" if others else ""
        return error("files", f"{first.message}{more}", first.remedy)
    if facts.findings:
        paths = dict.fromkeys(finding.path for finding in facts.findings)
        first_finding = min(facts.findings)
        return error(
            "files",
            f"{plural(len(paths), 'file')} not valid: {listed(paths)}; the first defect: {first_finding.message}",
            "`reconcile validate` names every defect with its line; until then these runs are not read",
        )
    if facts.census.line:
        return warning(
            "files",
            facts.census.line,
            "move each to <framework>/<run_id>/metrics.json below the folder of runs, and take it out of .gitignore: "
            "`git check-ignore -v FILE` names the line; what is no run's file takes another name",
        )
    return ok("files", f"{plural(len(facts.selected), 'run')} in {facts.runs}, all of them valid")


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


REFUSED = frozenset({"invalid_api_key", "missing_scope", "wrong_organization", "access_denied"})
"""Codes of answers that are about the key. Any other problem is about the way there."""

ASKED = provider_named(DEFAULT)

CREATE = (
    f"create an admin key (sk-admin-...) with the scope {ASKED.right} under "
    f"{ASKED.admin_key_page} and set {ASKED.admin_key_variable} to it"
)
WRONG = timedelta(minutes=5)
"""Where a pass refuses to go on."""
NOTABLE = timedelta(seconds=30)
"""Where calls of a run begin to fall outside of its minutes."""

SET = "set the clock and the time zone of this machine; runs recorded until then have wrong minutes"
SIMULATED = "the simulator is where --now left it: give it --now again, or start it anew"

SAID = {
    "invalid_api_key": "the provider does not know the admin key: it is mistyped, deleted or of another service",
    "missing_scope": f"the admin key is known, but it may not read usage: it lacks the scope {ASKED.right}",
    "wrong_organization": "the admin key is of another organization, or of none",
    "access_denied": "the provider refuses the admin key",
}


def admin_key(facts: Facts) -> Check:
    """What can be seen of it without sending it anywhere."""
    key, name = facts.admin, "admin_key"
    if key is None:
        return error(name, f"no admin key: {ASKED.admin_key_variable} is not set", CREATE)
    also = f", the same as in {listed(key.alike)}" if key.alike else ""
    if key.kind is KeyKind.PROJECT:
        what = "a project's or a service account's key (sk-proj-..., sk-svcacct-...), which cannot read usage"
        return error(name, f"{key.name} holds {what}{also}", CREATE)
    if key.kind is KeyKind.MALFORMED:
        return error(
            name,
            f"{key.name} holds a space, a line break or another character that no key has",
            "copy the key again, without quotes, spaces or line breaks around it",
        )
    if key.alike:
        return error(
            name,
            f"{key.name} holds the same key as {listed(key.alike)}",
            f"{CREATE}; runs need project keys of their own, which cannot see what others use",
        )
    return ok(name, f"{key.name} is set")


def clock(facts: Facts) -> Check:
    contact = facts.contact
    if facts.replayed:
        return ok("clock", "not compared: the instant was given")
    if contact is None or contact.served_at is None:
        return ok("clock", "not compared: the provider told no time")
    skew = contact.asked_at - contact.served_at
    seconds = int(abs(skew).total_seconds())
    said = f"this machine's clock is {seconds:,} s {'ahead of' if skew > timedelta(0) else 'behind'} the provider's"
    remedy = SIMULATED if contact.local else SET
    if abs(skew) > WRONG:
        return error("clock", said, remedy)
    if abs(skew) > NOTABLE:
        return warning("clock", said, remedy)
    return ok("clock", f"it agrees with the provider's to {max(seconds, 1)} s")


def provider(facts: Facts) -> Check:
    if facts.contact is None:
        return ok("provider", "not asked: there is no key to ask with")
    problem = facts.contact.problem
    if problem and problem.code not in REFUSED:
        return error("provider", problem.message, problem.remedy)
    return ok("provider", "it answers")


def admin_key_accepted(facts: Facts) -> Check:
    """Wrong key, missing scope and wrong organization are told apart."""
    name = "admin_key_accepted"
    problem = facts.contact.problem if facts.contact else None
    if facts.contact is None or (problem and problem.code not in REFUSED):
        return ok(name, "not known: the provider could not be asked")
    if problem:
        return error(name, f"{SAID[problem.code]} ({problem.message})", problem.remedy)
    return ok(name, "the provider takes the admin key, and lets it read usage")
