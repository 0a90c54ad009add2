"""Checks of the runs themselves and of the keys they use.

runs   those that cannot be told apart, those that were forgotten, and when any was read
keys   secrets that are told apart, ids that exist, and that they are each other's
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from reconcile.attribution.claims import key_id_variable
from reconcile.doctor.checks import Check, Facts, Health, KeyKind, error, listed, ok, warning
from reconcile.doctor.environment_checks import REFUSED
from reconcile.errors import ReconcileError
from reconcile.minutes import MINUTE, spelled
from reconcile.passes.selection import Selection
from reconcile.runs.run import Run
from reconcile.runs.state import Status
from reconcile.words import plural

OVERDUE = timedelta(hours=3)
"""Since a run could have been read: a schedule of one hour would have come round twice."""


def short_runs(facts: Facts) -> Check:
    short = [
        run.key
        for run in _unsettled(facts)
        if (run.ended_at - run.started_at).total_seconds() < MINUTE and run.known.api_calls != 0
    ]
    if short:
        return warning(
            "short_runs",
            f"{plural(len(short), 'run')} shorter than a minute: {listed(short)}; usage is told apart by the minute, "
            "so what else the key did in that minute counts to it",
            "record runs with `reconcile record --wait-minute`, or gather several short ones in one run",
        )
    return ok("short_runs", "no waiting run is shorter than a minute")


def shared_minutes(facts: Facts) -> Check:
    sharing = [run for run in _unverified(facts) if facts.neighbours.get(run.key)]
    if sharing:
        first = sharing[0]
        other = facts.neighbours[first.key][0].run
        return warning(
            "shared_minutes",
            f"{plural(len(sharing), 'run')} of one key in the same minutes as another, {first.key} and {other} for one",
            "give runs that overlap keys of their own, or let them record their calls; `reconcile explain` says what "
            "keeps a run apart",
        )
    return ok("shared_minutes", "no waiting run shares minutes with another of its key")


def past_cutoff(facts: Facts) -> Check:
    late = [each.run for each in facts.selected if each.selection in {Selection.PAST_CUTOFF, Selection.LAST_READ}]
    late += [each.run for each in facts.selected if each.run.state and each.run.state.closed_by_cutoff]
    if late:
        oldest = min(run.ended_at for run in late)
        days = (facts.now - oldest).days + 2
        return warning(
            "past_cutoff",
            f"{plural(len(late), 'run')} past the cutoff and never settled: {listed(run.key for run in late)}",
            f"reconcile run --max-age {days}d",
        )
    return ok("past_cutoff", "no run was given up")


def last_pass(facts: Facts) -> Check:
    """Runs that are due wait for the next pass: how long, tells whether there is one."""
    reads = [read.at for each in facts.selected if each.run.state for read in each.run.state.observations]
    newest = max(reads, default=None)
    said = f"the newest read is of {spelled(newest)}" if newest else "no run was ever read"
    due = [each.run for each in facts.selected if each.selection is Selection.DUE]
    overdue = [run for run in due if facts.now - _readable_since(run, facts) > OVERDUE]
    if overdue:
        return warning(
            "last_pass",
            f"{said}, and {plural(len(overdue), 'run')} could have been read for three hours or more: "
            f"{listed(run.key for run in overdue)}",
            "run `reconcile run` every hour: by cron, or by the Action on a schedule",
        )
    return ok("last_pass", said if newest or due else f"{said}, and none is due")


def _readable_since(run: Run, facts: Facts) -> datetime:
    read = max((each.at for each in run.state.observations), default=None) if run.state else None
    return read or run.ended_at + facts.policy.min_age


def _unsettled(facts: Facts) -> list[Run]:
    return [each.run for each in facts.selected if not each.run.settled]


def _unverified(facts: Facts) -> list[Run]:
    """Without a verdict that somebody can rely on: another tool's does not say who else used the minutes."""
    return [
        each.run
        for each in facts.selected
        if not (each.run.settled and each.run.state and each.run.state.status is Status.VERIFIED)
    ]


LATELY = timedelta(hours=24)
USUAL_LAG = timedelta(hours=1)
"""Usage of a younger run may not be reported yet."""

KEYS = "`reconcile keys` lists the ids there are"


def keys_apart(facts: Facts) -> Check:
    name = "keys_apart"
    admins = [key.name for key in facts.keys.values() if key.kind is KeyKind.ADMIN]
    if admins:
        return warning(
            name,
            f"{listed(admins)}: an admin key, which makes no calls and sees the whole organization",
            "set it to the project key that the runs use",
        )
    own = {key.name for key in facts.keys.values()}
    same = {framework: key for framework, key in facts.keys.items() if own.intersection(key.alike)}
    if same:
        ids = {facts.scopes[framework].api_key_ids for framework in same if framework in facts.scopes}
        return Check(
            name=name,
            status=Health.ERROR if len(ids) > 1 else Health.WARNING,
            message=f"{listed(key.name for key in same.values())} hold the same key"
            + (", though their frameworks have different key ids" if len(ids) > 1 else ""),
            remedy="create a key for each framework, set each variable to its own and name their ids: runs of one key "
            "in the same minutes are told apart by their calls alone",
        )
    if not facts.keys:
        return ok(name, "no framework's key is set here, and none is needed to read usage")
    return ok(name, f"{plural(len(facts.keys), 'key')} of frameworks set, no two alike")


def key_ids(facts: Facts) -> Check:
    """Every framework with runs that wait has ids, or projects, to read by."""
    name = "key_ids"
    if facts.id_errors:
        first = facts.id_errors[0]
        return error(name, first.message, first.remedy)
    if facts.misconfigured:
        return ok(name, f"not looked at: {facts.configuration} cannot be used")
    waiting = dict.fromkeys(each.run.key.framework for each in facts.selected if _waits_without_ids(each.run, facts))
    if waiting:
        framework = next(iter(waiting))
        variable = key_id_variable(framework)
        return error(
            name,
            f"it is not known which API keys these frameworks use: {listed(waiting)}",
            f"set {variable}=key_... or frameworks.{framework}.api_key_ids in {facts.configuration}; {KEYS}, and with "
            "--write it puts them there",
        )
    return ok(name, f"{plural(len(facts.scopes), 'framework')} with known keys or projects")


def duplicate_ids(facts: Facts) -> Check:
    users: defaultdict[str, list[str]] = defaultdict(list)
    for framework, scope in facts.scopes.items():
        for key in scope.api_key_ids:
            users[key].append(framework)
    shared = {key: names for key, names in users.items() if len(names) > 1}
    if shared:
        return warning(
            "duplicate_ids",
            "one key for several frameworks: " + listed(f"{key} ({', '.join(who)})" for key, who in shared.items()),
            "create a key for each framework: runs of one key that share minutes are told apart by their calls alone",
        )
    return ok("duplicate_ids", "no key id belongs to two frameworks")


def ids_exist(facts: Facts) -> Check:
    """A deleted key is in no list, and its usage stays: usage that was read with its id proves it as well."""
    name = "ids_exist"
    if not isinstance(facts.listing, tuple):
        return ok(name, _why_unlisted(facts.listing))
    proven = {key.id for key in facts.listing} | (facts.used if isinstance(facts.used, frozenset) else set())
    read = {each.run.key.framework for each in facts.selected if each.run.state and not each.run.state.figure.is_zero}
    unknown = [
        (framework, key)
        for framework, scope in facts.scopes.items()
        if framework not in read
        for key in scope.api_key_ids
        if key not in proven
    ]
    if unknown:
        return error(
            name,
            f"no such key in this organization: {listed(f'{key} ({framework})' for framework, key in unknown)}",
            f"{KEYS}; a key that was deleted before it made any call in the last 24 hours is not among them",
        )
    listed_ids = {key.id for key in facts.listing}
    gone = [key for scope in facts.scopes.values() for key in scope.api_key_ids if key not in listed_ids]
    if gone:
        return ok(name, f"{listed(gone)}: not listed any more, but its usage was read; the others are listed")
    return ok(name, f"all configured ids are among {plural(len(listed_ids), 'listed key')}")


def key_names(facts: Facts) -> Check:
    """The secret that a framework has here, and the id that is configured for it, are one key."""
    name = "key_names"
    if not isinstance(facts.listing, tuple):
        return ok(name, _why_unlisted(facts.listing))
    names = {key.id: f"{key.name} ({key.id}, {key.project})" for key in facts.listing}
    pairs = [(facts.keys[framework], framework, scope.api_key_ids) for framework, scope in facts.scopes.items()
             if framework in facts.keys and scope.api_key_ids]  # fmt: skip
    for key, framework, ids in pairs:
        if key.fits and not key.alike and not set(key.fits).intersection(ids):
            return error(
                name,
                f"the key in {key.name} is {listed(names[each] for each in key.fits)}, but {framework} is configured "
                f"with {listed(ids)}",
                f"set {key_id_variable(framework)}, or frameworks.{framework}.api_key_ids, to the id of the key that "
                "the runs used; both, where the key was replaced",
            )
    unfit = [key.name for key, _, _ in pairs if not key.fits]
    if unfit:
        return warning(
            name,
            f"no listed key looks like what is in {listed(unfit)}: it was deleted, or is another organization's",
            f"set it to a key of this organization; {KEYS}",
        )
    known = [f"{framework}: {names[key]}" for framework, scope in facts.scopes.items() for key in scope.api_key_ids
             if key in names]  # fmt: skip
    return ok(name, listed(known) or "no configured id has a name")


def usage_seen(facts: Facts) -> Check:
    name = "usage_seen"
    if facts.used is None:
        return ok(name, "not looked at: the provider could not be asked")
    if isinstance(facts.used, ReconcileError):
        return error(name, facts.used.message, facts.used.remedy)
    silent: dict[str, Run] = {}
    for run in (each.run for each in facts.selected):
        scope = facts.scopes.get(run.key.framework)
        lately = facts.now - LATELY < run.started_at and run.ended_at < facts.now - USUAL_LAG
        expected = run.known.api_calls != 0 and run.own_scope is None
        if scope and scope.api_key_ids and lately and expected and not facts.used.intersection(scope.api_key_ids):
            silent.setdefault(run.key.framework, run)
    if silent:
        known = {key for scope in facts.scopes.values() for key in scope.api_key_ids}
        others = sorted(facts.used - known)
        seen = f"; usage of other keys was: {listed(others)}" if others else ""
        runs = listed(run.key for run in silent.values())
        keys = listed(key for framework in silent for key in facts.scopes[framework].api_key_ids)
        return warning(
            name,
            f"no usage of {keys} in the last 24 hours, though there were runs such as {runs}{seen}",
            f"check that the runs used these keys and made calls; {KEYS}",
        )
    return ok(name, f"usage of {plural(len(facts.used), 'key')} in the last 24 hours")


def _waits_without_ids(run: Run, facts: Facts) -> bool:
    own = run.own_scope is not None and bool(run.own_scope.api_key_ids or run.own_scope.project_ids)
    return not run.settled and not own and run.key.framework not in facts.scopes


def _why_unlisted(listing: ReconcileError | None) -> str:
    if listing is None:
        return "not looked at: the provider could not be asked"
    if listing.code in REFUSED:
        return "not looked at: listing keys takes the scope api.management.read, which the admin key need not have"
    return f"not looked at: {listing.message}"
