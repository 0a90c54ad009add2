"""Which traffic each run may claim: its scope from the configuration, the environment and its own file."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile.attribution.booking import UNKNOWN_BOOKING, booking_slack, clock_of
from reconcile.errors import ConfigurationError
from reconcile.minutes import Clock, Window, hull, joined
from reconcile.providers import DEFAULT, HOMES, provider
from reconcile.providers.base import INCLUDED, Scope
from reconcile.runs.run import Claim, OwnScope, Run, RunKey, one_spelling
from reconcile.runs.state import Neighbour, Policy, Status
from reconcile.words import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a pass was limited to. None admits everything."""

    framework: str | None = None
    run_id: str | None = None
    force: bool = False
    keys: frozenset[RunKey] | None = None

    def __post_init__(self) -> None:
        for name in ("framework", "run_id"):
            given = getattr(self, name)
            object.__setattr__(self, name, given if given is None else one_spelling(given))

    def admits(self, run: Run) -> bool:
        named = self.framework in {None, run.key.framework} and self.run_id in {None, run.key.run_id}
        return named and (self.keys is None or run.key in self.keys)


EVERYTHING = Asked()


def key_variable(framework: str, name: str = DEFAULT) -> str:
    """Where the secret key of a framework may stand; it is compared, and never sent. `chat-dev` is spelled CHAT_DEV:
    upper case, every other character an underscore."""
    return provider(name).key_variable.format(re.sub("[^A-Z0-9]", "_", one_spelling(framework).upper()))


def key_id_variable(framework: str, name: str = DEFAULT) -> str:
    """Where the ids of its keys may stand."""
    return f"{key_variable(framework, name)}_ID"


def scopes(
    frameworks: Iterable[str], configured: Mapping[str, Scope], variables: Mapping[str, str]
) -> tuple[dict[str, Scope], list[ConfigurationError]]:
    """The scope of each framework that has one. A variable wins over the file; several ids are parted by commas.

    Two frameworks that the same variable would name are an error, and neither gets a scope from it; nor does one whose
    variable holds what is no id. It may be the key itself: ids are sent in addresses and shown, so it must go nowhere.
    """
    by_variable: defaultdict[str, list[str]] = defaultdict(list)
    for framework in frameworks:
        by_variable[key_id_variable(framework, _provider_of(framework, configured))].append(framework)
    found = {name: scope for name, scope in configured.items() if scope.api_key_ids or scope.project_ids}
    errors = []
    for variable, names in by_variable.items():
        ids = tuple(part.strip() for part in variables.get(variable, "").split(",") if part.strip())
        asked = _provider_of(names[0], configured)
        if not all(provider(asked).key_id.fullmatch(key) for key in ids):
            errors.append(_no_key_id(variable, asked))
        elif ids and len(names) > 1:
            errors.append(_collision(variable, names))
        elif ids:
            found[names[0]] = replace(configured.get(names[0], Scope(DEFAULT)), api_key_ids=ids)
    return found, errors


def _provider_of(framework: str, configured: Mapping[str, Scope]) -> str:
    """Whose keys it uses; whose variables are spelled as the default's where nobody declares it."""
    named = configured[framework].provider if framework in configured else DEFAULT
    return named if named in HOMES else DEFAULT


def claims_of(
    runs: Sequence[Run],
    by_framework: Mapping[str, Scope],
    policy: Policy,
    asked: Asked = EVERYTHING,
    logged: Sequence[Run] = (),
) -> dict[RunKey, Claim]:
    """The claims of all runs whose scope is known; what a run's own file says of its scope wins.

    A settled run claims what it was judged with, unless it is to be judged anew. `logged` are the runs that what is
    known of the provider's booking is learnt from.
    """
    claims = {}
    slack = {name: booking_slack(some) for name, some in _by_provider(logged or runs, by_framework).items()}
    for run in runs:
        scope = _over(run.own_scope, by_framework.get(run.key.framework))
        if scope.api_key_ids or scope.project_ids:
            anew = asked.force and asked.admits(run)
            state = run.state if _at_rest(run) and not anew else None
            if state is None:
                least = slack[scope.provider] if anew else _first_slack(run, slack[scope.provider])
                clock = clock_of(run, policy, least)
            else:
                clock = Clock(_offset(run), state.reach_seconds)
            claims[run.key] = claim_of(run, replace(scope, batch=state.batch) if state else scope, clock)
    return claims


def _by_provider(runs: Iterable[Run], by_framework: Mapping[str, Scope]) -> dict[str, list[Run]]:
    found: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found[_over(run.own_scope, by_framework.get(run.key.framework)).provider].append(run)
    return found


def _first_slack(run: Run, slack: float) -> float:
    """What was known of the booking as the run was first read: its reads would not be of one reach otherwise."""
    before = run.state.reach_seconds if run.state and run.state.ours and not run.edited else 0.0
    return min(UNKNOWN_BOOKING, before) if before else slack


def claim_of(run: Run, scope: Scope, clock: Clock) -> Claim:
    """The run's claim, with a clock that may be off as stated."""
    by_provider = Clock(0.0, clock.uncertainty)
    reached = joined(by_provider.around(start, end) for start, end in run.spans) if clock.uncertainty else ()
    return Claim(
        run.key,
        scope,
        run.window,
        run.recorded,
        run.log,
        clock=clock,
        sessions=run.sessions,
        reached=tuple(reached),
    )


def _offset(run: Run) -> float:
    return run.clock.offset if run.clock else 0.0


def _at_rest(run: Run) -> bool:
    """Whether its verdict stands: it was settled, and not only given up."""
    return run.settled and run.state is not None and run.state.status is not Status.FAILED


def record_of(claim: Claim) -> str:
    """What a claim's run recorded, as a digest."""
    facts = repr((claim.recorded.parts, claim.log.digest if claim.log else None))
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def renames(runs: Iterable[Run], claims: Mapping[RunKey, Claim], present: Collection[RunKey]) -> dict[str, RunKey]:
    """By the name that verdicts know, the run that has another now: a path that vanished, and one that appeared.

    Both have the same minutes and traffic, and recorded the same or have the same run id. Two files that are there are
    two claims, whatever they say. `present` are the runs that have a file, readable or not.
    """
    found: dict[str, RunKey] = {}
    for run in runs:
        beside = run.state.neighbours if run.state and run.key in claims else ()
        vanished = [each for each in beside if key_named(each.run) not in present]
        if not vanished:
            continue
        known = {each.run for each in beside}
        for old in vanished:
            new = [
                claim.run
                for claim in claims.values()
                if claim.run != run.key and str(claim.run) not in known and _same(old, claim, claims[run.key])
            ]
            if len(new) == 1:
                found[old.run] = new[0]
    return found


def _same(old: Neighbour, claim: Claim, beside: Claim) -> bool:
    if claim.window != old.window or not claim.scope.meets(beside.scope):
        return False
    return old.record in {None, record_of(claim)} or key_named(old.run).run_id == claim.run.run_id


def followed(run: Run, names: Mapping[str, RunKey]) -> Run:
    """The run, with the neighbours that its verdict knows under the names that they have now."""
    state = run.state
    if state is None or not any(each.run in names for each in state.neighbours):
        return run
    beside = tuple(replace(each, run=str(names.get(each.run, each.run))) for each in state.neighbours)
    return replace(run, state=replace(state, neighbours=beside))


def key_named(name: str) -> RunKey:
    """The run that `framework/run_id` names."""
    framework, _, run_id = name.partition("/")
    return RunKey(framework, run_id)


def gone(runs: Iterable[Run], claims: Mapping[RunKey, Claim]) -> tuple[Claim, ...]:
    """Claims that files name beside their own and nobody makes any more: the file of such a run was deleted or broke.

    Its calls were made all the same, as many as anybody may think, and with the keys of the runs that name it.
    """
    found: dict[RunKey, Claim] = {}
    for run in runs:
        for neighbour in run.state.neighbours if run.state and run.key in claims else ():
            key = key_named(neighbour.run)
            if key in claims:
                continue
            window = Window.around(neighbour.window.start, neighbour.window.end)
            named = Claim(key, claims[run.key].scope, window, gone=True, reached=neighbour.reach)
            found[key] = _both(found[key], named) if key in found else named
    return tuple(found.values())


def _both(one: Claim, other: Claim) -> Claim:
    """What two files say of one claim: the minutes and the traffic of both."""
    scope = Scope(
        one.scope.provider,
        _either(one.scope.api_key_ids, other.scope.api_key_ids),
        _either(one.scope.project_ids, other.scope.project_ids),
        _either(one.scope.models, other.scope.models),
        one.scope.batch if one.scope.batch == other.scope.batch else INCLUDED,
    )
    reached = tuple(joined([*one.reach, *other.reach]))
    return replace(one, scope=scope, window=hull([one.window, other.window]), reached=reached)


def _either(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *other])) if one and other else ()


def neighbours(claims: Iterable[Claim]) -> dict[RunKey, tuple[Claim, ...]]:
    """By run, the other claims that reach into minutes which its own reaches."""
    found: defaultdict[RunKey, list[Claim]] = defaultdict(list)
    running: dict[Scope, list[Claim]] = {}
    for claim in sorted(claims, key=lambda each: (each.span, each.window, each.run)):
        for scope in [scope for scope in running if scope is claim.scope or scope.meets(claim.scope)]:
            running[scope] = [other for other in running[scope] if other.span.end > claim.span.start]
            for other in running[scope]:
                if claim.shares_reach(other):
                    found[claim.run].append(other)
                    found[other.run].append(claim)
        running.setdefault(claim.scope, []).append(claim)
    return {run: tuple(others) for run, others in found.items()}


def missing_key_id(framework: str, runs: int) -> ConfigurationError:
    """The error for a framework with runs that are due and no way to tell its traffic."""
    return _without_key_id(
        framework, f"{framework}: {plural(runs, 'run')} due, but the id of the API key they used is not known"
    )


def unknown_key_id(framework: str) -> ConfigurationError:
    """The same where no run of it is due."""
    return _without_key_id(framework, f"{framework}: the id of the API key that its runs used is not known")


def _without_key_id(framework: str, message: str) -> ConfigurationError:
    asked = provider(DEFAULT)
    return ConfigurationError(
        message,
        code="missing_key_id",
        remedy=f"set {key_id_variable(framework)}=key_... or frameworks.{framework}.api_key_ids in reconcile.yml; "
        f"the id stands beside the key on {asked.key_page}",
    )


def _over(own: OwnScope | None, base: Scope | None) -> Scope:
    base = base or Scope(DEFAULT)
    if own is None:
        return base
    return Scope(
        own.provider or base.provider,
        base.api_key_ids if own.api_key_ids is None else own.api_key_ids,
        base.project_ids if own.project_ids is None else own.project_ids,
        base.models if own.models is None else own.models,
        own.batch or base.batch,
    )


def _no_key_id(variable: str, name: str) -> ConfigurationError:
    asked = provider(name)
    return ConfigurationError(
        f"{variable} holds what is no id of an API key, perhaps the key itself (sk-...)",
        code="malformed_key_id",
        remedy=f"set it to the id, such as {asked.key_example}, which stands beside the key on {asked.key_page}; "
        "several ids are parted by commas",
    )


def _collision(variable: str, names: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{variable} names more than one framework: {', '.join(sorted(names))}",
        code="ambiguous_key_id",
        remedy="give these frameworks their key ids under frameworks: in reconcile.yml and unset the variable",
    )
