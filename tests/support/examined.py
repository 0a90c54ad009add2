"""Facts of a set-up in which nothing is wrong, to be changed in one point."""

from dataclasses import replace
from datetime import timedelta

from support.runs import END, Tale, after

from reconcile.attribution.claims import EVERYTHING
from reconcile.doctor.checks import Automation, Facts, KeyKind, KeyVariable, Schedule
from reconcile.errors import ConfigurationError, ProviderError
from reconcile.passes.selection import select
from reconcile.providers.base import Contact, ListedKey, Scope
from reconcile.runs.state import Policy

NOW = after("02:00")


def told(*reads, name="a", **members):
    """A run of ten minutes after these reads, each a clock and what was shown."""
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" "))
    run = tale.run
    return replace(run, key=replace(run.key, run_id=name))


def selected(*runs, now=NOW):
    return tuple(select(runs, Policy(), now, EVERYTHING))


VERIFIED = told("00:30 100", "01:30 100")
LISTED = ListedKey(id="key_a", name="worker", redacted="sk-proj-...1111", project_id="proj_lab", project="Lab")
SECRET = KeyVariable(name="OPENAI_API_KEY_CHATDEV", kind=KeyKind.PROJECT, fits=("key_a",))


def facts(**changed):
    good = {
        "now": NOW,
        "python": "3.12.1",
        "version": "0.1.0",
        "configuration": "reconcile.yml",
        "selected": selected(VERIFIED),
        "scopes": {"chatdev": Scope("openai", ("key_a",))},
        "admin": KeyVariable(name="OPENAI_ADMIN_KEY", kind=KeyKind.ADMIN),
        "keys": {"chatdev": SECRET},
        "contact": Contact(asked_at=END, served_at=END),
        "listing": (LISTED,),
        "used": frozenset({"key_a"}),
        "automation": Automation(
            repository="octo/science", branch="main", schedules=(Schedule(path="reconcile.yml", state="active",
                                                                          last=NOW - timedelta(hours=1)),),
        ),
    }  # fmt: skip
    return Facts(**(good | changed))


def mistake(message="wrong", code="bad_configuration"):
    return ConfigurationError(message, code=code, remedy="mend it")


def outage(message="no answer", code="timed_out"):
    return ProviderError(message, code=code, remedy="run again later")
