"""Checks of this machine: the program, its settings, and the files it works on."""

from __future__ import annotations

from reconcile.core.doctor.check import Check, error, listed, ok, warning
from reconcile.core.doctor.facts import Facts
from reconcile.core.wire import plural

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
