"""The settings of a command: flags over environment over reconcile.yml. Nothing below the command line reads them.

Read when asked for, never at import. A secret shows its value only where it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconcile.config.config_file import URL_VARIABLE, Address, document_of, gateway_notice, text_of, with_dotenv
from reconcile.config.log_formats import LogSource, log_files, log_sources
from reconcile.errors import ConfigurationError, UsageError
from reconcile.ledger.formats import LogFormat
from reconcile.money.charges import Labels
from reconcile.providers import DEFAULT, provider
from reconcile.providers.base import EXCLUDED, LOOPBACK, Scope
from reconcile.runs.run import one_spelling
from reconcile.runs.state import Policy

CONFIG_FILE = "reconcile.yml"
ASKED = provider(DEFAULT)
ADMIN_KEY_VARIABLES = ASKED.admin_key_variables
"""The first that is set is used. A project key is never tried in their place: it cannot read usage."""

DURATION = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)\s*(s|m|h|d)?")
"""As the schema of reconcile.yml has it: no span of it leaves the calendar."""

NO_LABELS = Labels()

UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be seen: only `reveal` shows it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line said; None where it said nothing."""

    runs: str | None = None
    config: str | None = None
    min_age: str | None = None
    max_age: str | None = None
    verification_interval: str | None = None
    min_stable: str | None = None
    now: str | None = None
    openai_url: str | None = None
    pricing: bool = False
    """Whether it is switched on whatever the file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a command needs to know."""

    runs: Path
    policy: Policy
    scopes: Mapping[str, Scope]
    """By framework, from reconcile.yml."""
    variables: Mapping[str, str]
    """The environment, with what a .env file adds to it; kept out of the repr."""
    address: Address
    """Where usage is asked for."""
    admin_key: Secret | None
    now: datetime | None
    """A given instant, for tests, replays and back-tests; None is the clock."""
    evidence: bool = True
    """Whether what a figure rests on is written beside it."""
    logs: tuple[LogSource, ...] = ()
    """The logs that a comparison reads; their patterns start in the folder of reconcile.yml."""
    pricing: bool = False
    """Whether COST_USD of reconciled runs is filled at list prices."""
    labels: Labels = NO_LABELS
    """Who pays for usage, for charge-back."""

    @property
    def base_url(self) -> str:
        """Where usage is asked for, and where the admin key goes."""
        return self.address.url

    @property
    def notices(self) -> tuple[str, ...]:
        """What is set and does not count, for whoever may think that it does."""
        gateway = gateway_notice(self.variables, self.base_url)
        return (*self.address.notices, *([gateway] if gateway else []))

    def vouched(self) -> Settings:
        """The same where the file is known to be nobody's but the maintainers': its address counts too."""
        return replace(self, address=self.address.vouched())

    def __repr__(self) -> str:
        return f"Settings(runs={str(self.runs)!r}, policy={self.policy!r}, base_url={self.base_url!r})"

    @property
    def project_key(self) -> bool:
        """Whether the admin key is a key for calls, which cannot read usage."""
        return self.admin_key is not None and self.admin_key.reveal().startswith(("sk-proj-", "sk-svcacct-"))

    def log_files(self, given: Sequence[str]) -> list[tuple[list[tuple[str | None, str]], LogFormat]]:
        """Patterns of logs with their environments, by format: those given, else those under `logs:`. None at all where
        neither names any: something else has to stand in. Raises ConfigurationError."""
        named = given or any(source.files for source in self.logs)
        return log_files(self.logs, given, None, None) if named else []

    @property
    def admin_variable(self) -> str:
        """The variable that holds the admin key, or should."""
        return next((name for name in ADMIN_KEY_VARIABLES if self.variables.get(name)), ADMIN_KEY_VARIABLES[0])

    @property
    def rehearsal(self) -> bool:
        """Whether a pass may write nothing: an instant that is not now says nothing about a real provider's feed."""
        return self.now is not None and not self.local

    @property
    def local(self) -> bool:
        """Whether what answers for the provider is on this machine, as a simulator is."""
        return urlsplit(self.base_url).hostname in LOOPBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOrigin:
    """Where a job's settings come from: its inputs and environment, and a file that has to be fetched first."""

    flags: Flags
    variables: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        """The configuration file in the repository."""
        return Path(self.flags.config or CONFIG_FILE).as_posix()

    def settings(self, text: str) -> Settings:
        """What this text of the file makes of them. Raises ConfigurationError or UsageError."""
        return configured(self.flags, self.variables, text, Path(self.path))


def load(flags: Flags, environ: Mapping[str, str], *, read_dotenv: bool) -> Settings:
    """The settings of one command. Raises ConfigurationError or UsageError; each names the setting and its place."""
    file = Path(flags.config) if flags.config else Path(CONFIG_FILE)
    text = text_of(file, required=flags.config is not None)
    variables = with_dotenv(file.parent / ".env", environ) if read_dotenv else dict(environ)
    variables, notices = _with_own_address(variables, environ, file.parent / ".env")
    found = configured(flags, variables, text, file)
    found = found.vouched() if flags.config else found
    return replace(found, address=replace(found.address, notices=(*notices, *found.address.notices)))


def without_file(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """What is left of settings that cannot be read, to look for what else is wrong: folder, instant and keys.

    Raises UsageError where the instant itself is none.
    """
    file = Path(flags.config or CONFIG_FILE)
    try:
        variables = with_dotenv(file.parent / ".env", environ)
    except ConfigurationError:
        variables = dict(environ)
    variables, _ = _with_own_address(variables, environ, file.parent / ".env")
    left = {name: value for name, value in variables.items() if not name.startswith("RECONCILIATION_")}
    return configured(Flags(runs=flags.runs, now=flags.now, openai_url=flags.openai_url), left, "", file)


def _with_own_address(
    variables: dict[str, str], environ: Mapping[str, str], file: Path
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables without an address that only the .env file names, unless the key is of that file too: whoever
    can write the file would else be sent a key that they do not have."""
    key = next((name for name in ADMIN_KEY_VARIABLES if variables.get(name)), None)
    if environ.get(URL_VARIABLE) or not variables.get(URL_VARIABLE) or key is None or not environ.get(key):
        return variables, ()
    left = {name: value for name, value in variables.items() if name != URL_VARIABLE}
    notice = f"{file}: {URL_VARIABLE} is ignored, because the admin key is not of this file; set both in one place"
    return left, (notice,)


def configured(flags: Flags, variables: Mapping[str, str], text: str, file: Path) -> Settings:
    """The settings where the configuration is at hand as `text`, which is that of `file`."""
    document = document_of(file, text)
    now = flags.now or variables.get("RECONCILE_NOW")
    return Settings(
        runs=Path(flags.runs) if flags.runs else file.parent / str(document.get("runs") or "runs"),
        policy=_policy(flags, variables, document.get("policy") or {}),
        scopes={one_spelling(name): _scope(scope) for name, scope in (document.get("frameworks") or {}).items()},
        variables=variables,
        address=Address.of(flags.openai_url or variables.get(URL_VARIABLE), _filed_url(document), file),
        admin_key=next((Secret(variables[name]) for name in ADMIN_KEY_VARIABLES if variables.get(name)), None),
        now=_instant(now) if now else None,
        evidence=document.get("evidence", True),
        logs=tuple(source.beside(file.parent) for source in log_sources(document.get("logs"))),
        pricing=flags.pricing or document.get("pricing", False),
        labels=_labels(document.get("labels") or {}),
    )


def _filed_url(document: Mapping[str, Any]) -> str | None:
    providers: Mapping[str, Any] = document.get("providers") or {}
    return (providers.get(DEFAULT) or {}).get("url")


def usable_key(settings: Settings) -> Secret:
    """The key that usage is read with. Raises ConfigurationError where there is none, and for one that can make calls
    but never read usage: no use in sending it anywhere."""
    if settings.admin_key is None:
        raise ConfigurationError(
            f"no admin key: {ADMIN_KEY_VARIABLES[0]} is not set",
            code="missing_admin_key",
            remedy=f"create an admin key with the scope {ASKED.right} under {ASKED.admin_key_page} and set "
            f"{ADMIN_KEY_VARIABLES[0]} to it (in GitHub Actions as a secret); a project key cannot read usage",
        )
    if settings.project_key:
        raise ConfigurationError(
            "the admin key is a project's or a service account's (sk-proj-..., sk-svcacct-...), "
            "which cannot read usage",
            code="project_key",
            remedy=f"create an admin key (sk-admin-...) with the scope {ASKED.right} under {ASKED.admin_key_page} "
            f"and set {ADMIN_KEY_VARIABLES[0]} to it",
        )
    return settings.admin_key


def duration(text: str | float, setting: str, *, unit_needed: bool = False) -> timedelta:
    """`30m`, `24h`, `2d`; a bare number is minutes, unless a unit is needed because others have meant hours by it."""
    match = DURATION.fullmatch(str(text).strip())
    if match is None:
        raise UsageError(
            f"{setting}: {text!r} is no duration",
            code="bad_duration",
            remedy="write minutes, hours or days: 30m, 24h, 2d",
        )
    number, unit = match.groups()
    if unit is None and unit_needed:
        raise UsageError(
            f"{setting}: {number} has no unit", code="bad_duration", remedy=f"write {number}h or {number}m"
        )
    return float(number) * UNITS[unit or "m"]


def _policy(flags: Flags, variables: Mapping[str, str], document: Mapping[str, Any]) -> Policy:
    default = Policy()
    interval = flags.verification_interval or variables.get("RECONCILIATION_VERIFICATION_INTERVAL_MIN")
    interval = interval or document.get("verification_interval")
    stable = flags.min_stable or variables.get("RECONCILIATION_MIN_STABLE_VERIFICATIONS")
    stable = stable or document.get("min_stable_verifications")
    min_age, max_age = flags.min_age or document.get("min_age"), flags.max_age or document.get("max_age")
    return Policy(
        min_age=default.min_age if min_age is None else duration(min_age, "min-age"),
        max_age=default.max_age if max_age is None else duration(max_age, "max-age", unit_needed=True),
        verification_interval=default.verification_interval
        if interval is None
        else duration(interval, "verification_interval"),
        min_stable_verifications=default.min_stable_verifications if stable is None else _count(stable),
        clock_uncertainty=None
        if document.get("clock_uncertainty") is None
        else _uncertainty(document["clock_uncertainty"]),
    )


def _uncertainty(value: str) -> timedelta:
    """No more than a run's own file may say of its clock: each day of it widens what every pass reads."""
    found = duration(value, "clock_uncertainty", unit_needed=True)
    if found > MOST_UNCERTAINTY:
        raise UsageError(
            f"clock_uncertainty: {value} is more than two days",
            code="bad_duration",
            remedy="set the clocks of the machines that run the experiments, and write 5s or 2m",
        )
    return found


MOST_UNCERTAINTY = timedelta(days=2)


def _count(value: str | int) -> int:
    if not re.fullmatch("[1-9][0-9]?", str(value)):
        raise UsageError(
            f"min_stable_verifications: {value!r} is no count of reads",
            code="bad_count",
            remedy="write a whole number from 1 to 99; 2 means two equal reads",
        )
    return int(value)


def _scope(scope: Mapping[str, Any]) -> Scope:
    return Scope(
        scope.get("provider", DEFAULT),
        tuple(scope.get("api_key_ids", ())),
        tuple(scope.get("project_ids", ())),
        tuple(scope.get("models", ())),
        scope.get("batch", EXCLUDED),
    )


def _labels(labels: Mapping[str, Any]) -> Labels:
    return Labels(
        frameworks={one_spelling(name): each for name, each in labels.get("frameworks", {}).items()},
        api_key_ids=labels.get("api_key_ids", {}),
        project_ids=labels.get("project_ids", {}),
    )


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        offset = moment.utcoffset()
        shifted = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # no such day, or one that UTC's calendar lacks
        raise _no_instant(text) from error
    if offset is None:
        raise _no_instant(text)
    return shifted


def _no_instant(text: str) -> UsageError:
    return UsageError(
        f"now: {text!r} is no instant", code="bad_instant", remedy="write it with its UTC offset: 2026-01-05T14:17:00Z"
    )
