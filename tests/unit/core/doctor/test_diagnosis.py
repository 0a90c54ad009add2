"""Every check over facts that are right in all points but one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.examined import LISTED, NOW, SECRET, VERIFIED, facts, mistake, outage, selected, told
from support.runs import END, theirs

from reconcile.doctor.checks import Automation, KeyKind, KeyVariable, Schedule
from reconcile.doctor.examination import diagnose, diagnosis_json
from reconcile.errors import GitHubError
from reconcile.providers.base import Contact, Scope
from reconcile.runs.census import Census
from reconcile.runs.run import Claim, Finding, OwnScope, RunKey

OTHER = Scope("openai", ("key_b",))
TWIN = KeyVariable(name="OPENAI_API_KEY_BAES", kind=KeyKind.PROJECT, alike=(SECRET.name,), fits=("key_a",))
GONE = GitHubError("no answer", code="github_unavailable", remedy="run again later")
HIDDEN = GitHubError("not accessible", code="missing_permission", remedy="grant it")


def found(changed):
    """The checks that are not ok, as `error admin_key`."""
    return [f"{check.status} {check.name}" for check in diagnose(facts(**changed)).checks if check.status != "ok"]


def said(name, **changed):
    (check,) = [check for check in diagnose(facts(**changed)).checks if check.name == name]
    return f"{check.message} | {check.remedy}" if check.remedy else check.message


def seconds(apart, **members):
    return {"contact": Contact(asked_at=END + timedelta(seconds=apart), served_at=END, **members)}


def refused(code):
    return {"contact": Contact(asked_at=END, problem=outage(code=code)), "listing": None, "used": None}


def key(**changed):
    return {"keys": {"chatdev": replace(SECRET, **changed)}}


def admin(**changed):
    return {"admin": KeyVariable(name="OPEN_AI_KEY_ADM", **({"kind": KeyKind.ADMIN} | changed))}


def on_github(**changed):
    return {"automation": Automation(repository="octo/science", branch="main", **changed)}


def scheduled(**changed):
    return on_github(schedules=(Schedule(path="reconcile.yml", **({"state": "active"} | changed)),))


def claim(name):
    return Claim(RunKey("chatdev", name), OTHER, VERIFIED.window)


PENDING = told("00:30 100", name="pending")
SHORT = replace(told(name="short"), started_at=END - timedelta(seconds=20))
CALLED = selected(told("00:30 100", "01:30 100", recorded_usage={"api_calls": 1}))
BESIDE = {PENDING.key: (claim("b"),), VERIFIED.key: (claim("b"),)}
OWN = replace(told(name="own"), own_scope=OwnScope(project_ids=("proj_x",)))

CASES = {
    "all is well": ({}, []),
    "an old Python": ({"python": "3.10.2"}, ["error python"]),
    "an extra is missing": ({"lacking": ("pricing",)}, ["error extras"]),
    "a wrong setting": ({"misconfigured": mistake()}, ["error configuration"]),
    "no configuration": ({"configured": False}, []),
    "a folder that cannot be read": ({"unreadable": (mistake(), mistake())}, ["error files"]),
    "one file that cannot be read": ({"unreadable": (mistake(),)}, ["error files"]),
    "a file that is not valid": ({"findings": (Finding("a", 1, 1, "", "is no JSON"),)}, ["error files"]),
    "no admin key": ({"admin": None, "contact": None, "listing": None, "used": None}, ["error admin_key"]),
    "a project key": (admin(kind=KeyKind.PROJECT), ["error admin_key"]),
    "a malformed key": (admin(kind=KeyKind.MALFORMED), ["error admin_key"]),
    "one key for two purposes": (admin(alike=(SECRET.name,)), ["error admin_key"]),
    "a clock far ahead": (seconds(301), ["error clock"]),
    "a clock far behind": (seconds(-301), ["error clock"]),
    "a clock a little ahead": (seconds(31), ["warning clock"]),
    "a clock within reason": (seconds(-30), []),
    "a provider without a clock": ({"contact": Contact(asked_at=END)}, []),
    "a given instant": (seconds(9999) | {"replayed": True}, []),
    "no answer": (refused("timed_out"), ["error provider"]),
    "a wrong key": (refused("invalid_api_key"), ["error admin_key_accepted"]),
    "a missing scope": (refused("missing_scope"), ["error admin_key_accepted"]),
    "a wrong organization": (refused("wrong_organization"), ["error admin_key_accepted"]),
    "denied": (refused("access_denied"), ["error admin_key_accepted"]),
    "an id that is none": ({"id_errors": (mistake(),)}, ["error key_ids"]),
    "no ids": ({"scopes": {}, "selected": selected(PENDING)}, ["error key_ids"]),
    "no ids, and nothing waits": ({"scopes": {}}, []),
    "no ids but the run's own": ({"scopes": {}, "selected": selected(OWN)}, []),
    "no ids because of the configuration": (
        {"scopes": {}, "selected": selected(PENDING), "misconfigured": mistake()}, ["error configuration"],
    ),
    "an admin key for calls": (key(kind=KeyKind.ADMIN), ["warning keys_apart"]),
    "one key for two frameworks": (
        {"keys": {"chatdev": replace(SECRET, alike=(TWIN.name,)), "baes": TWIN}}, ["warning keys_apart"],
    ),
    "one key with two ids": (
        {"keys": {"chatdev": replace(SECRET, alike=(TWIN.name,)), "baes": TWIN},
         "scopes": {"chatdev": Scope("openai", ("key_a",)), "baes": OTHER}, "used": frozenset({"key_a", "key_b"})},
        ["error keys_apart"],
    ),
    "no key at hand": ({"keys": {}}, []),
    "one id for two frameworks": (
        {"scopes": {name: Scope("openai", ("key_a",)) for name in ("chatdev", "baes")}}, ["warning duplicate_ids"],
    ),
    "an id that was never read": (
        {"scopes": {"baes": OTHER}, "keys": {}}, ["error ids_exist"],
    ),
    "an id that is not listed and has usage": ({"scopes": {"baes": OTHER}, "used": frozenset({"key_b"})}, []),
    "an id that is not listed and was read": (
        {"scopes": {"chatdev": OTHER}, "keys": {}, "used": frozenset()}, ["warning usage_seen"],
    ),
    "no list": ({"listing": outage(code="missing_scope")}, []),
    "a list that failed": ({"listing": outage()}, []),
    "another key's secret": (key(fits=("key_z",)) | {"listing": (LISTED, replace(LISTED, id="key_z"))},
                             ["error key_names"]),
    "a secret of no listed key": (key(fits=()), ["warning key_names"]),
    "a secret of two listed keys": (key(fits=("key_a", "key_z")), []),
    "a silent key": (
        {"used": frozenset({"key_b"}), "selected": CALLED, "neighbours": {}}, ["warning usage_seen"],
    ),
    "a silent key, and nothing else": ({"used": frozenset()}, ["warning usage_seen"]),
    "usage that cannot be read": ({"used": outage()}, ["error usage_seen"]),
    "no schedule": (on_github(), []),
    "a schedule that is off": (scheduled(state="disabled_inactivity"), ["warning schedule"]),
    "a schedule that died": (scheduled(last=NOW - timedelta(days=3)), ["warning schedule"]),
    "a schedule that is new": (scheduled(), []),
    "a rule": (on_github(rules=frozenset({"update", "pull_request"})), ["warning branch_rules"]),
    "signatures": (on_github(rules=frozenset({"required_signatures"})), ["warning branch_rules"]),
    "no GitHub": ({"automation": None}, []),
    "a GitHub that is down": ({"automation": GONE}, ["warning schedule", "warning branch_rules"]),
    "a GitHub that hides": ({"automation": HIDDEN}, []),
    "a run of seconds": ({"selected": selected(SHORT, now=END)}, ["warning short_runs"]),
    "shared minutes": ({"selected": selected(PENDING), "neighbours": BESIDE}, ["warning shared_minutes"]),
    "shared minutes, verified": ({"neighbours": BESIDE}, []),
    "another tool's verdict": ({"selected": selected(told(**theirs(("00:30", 100), status="verified")))}, []),
    "forgotten": (
        {"selected": selected(told(name="old"), now=NOW + timedelta(days=1)), "now": NOW + timedelta(days=1)},
        ["warning past_cutoff"],
    ),
    "given up": ({"selected": selected(told("00:30 100", "24:10 60"))}, ["warning past_cutoff"]),
    "no pass came": (
        {"selected": selected(told(name="new"), now=NOW + timedelta(hours=2)), "now": NOW + timedelta(hours=2)},
        ["warning last_pass"],
    ),
    "no further pass came": (
        {"selected": selected(PENDING, now=NOW + timedelta(hours=2)), "now": NOW + timedelta(hours=2)},
        ["warning last_pass"],
    ),
    "nothing to read": ({"selected": ()}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named_and_nothing_else(case):
    changed, expected = CASES[case]
    assert found(changed) == expected


@pytest.mark.parametrize(("local", "remedy"), [(False, "time zone"), (True, "give it --now again")])
def test_a_simulator_is_moved_and_not_this_machines_clock(local, remedy):
    assert remedy in said("clock", **seconds(301, local=local))


def test_errors_come_first_and_a_cause_before_what_follows():
    changed = {"python": "3.10.0", "automation": GONE, **refused("timed_out"), "id_errors": (mistake(),)}
    assert found(changed) == [
        "error python", "error provider", "error key_ids", "warning schedule", "warning branch_rules",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, 0),
        ({"automation": GONE}, 0),
        ({"listing": outage()}, 0),
        ({"lacking": ("pricing",)}, 1),
        (refused("missing_scope"), 1),
        (refused("timed_out") | {"lacking": ("pricing",)}, 3),
        ({"used": outage()}, 3),
        ({"contact": Contact(asked_at=END, problem=mistake(code="insecure_base_url"))}, 1),
    ],
    ids=["good", "warnings", "no-list", "errors", "refused", "unreachable", "unread", "address"],
)
def test_the_exit_code_says_how_bad_it_is(changed, code):
    assert diagnose(facts(**changed)).exit_code == code


def test_files_that_no_command_reads_are_a_warning_and_a_defect_goes_before():
    passed_over = {"census": Census(runs=2, elsewhere=("runs/metrics.json",))}
    assert found(passed_over) == ["warning files"]
    assert "1 at another depth" in said("files", **passed_over)
    assert found({**passed_over, "findings": (Finding("runs/a", 1, 1, "", "is broken"),)}) == ["error files"]


def test_a_line_names_three_and_counts_the_others():
    many = [Finding(f"runs/{name}", 1, 1, "", "is no JSON") for name in "abcde"]
    assert "5 files not valid: runs/a, runs/b, runs/c and 2 more" in said("files", findings=tuple(many))


def test_the_remedy_of_a_forgotten_run_reaches_it():
    late = NOW + timedelta(days=9)
    assert said("past_cutoff", selected=selected(told(), now=late), now=late).endswith("reconcile run --max-age 11d")


def test_a_deleted_key_whose_usage_was_read_is_said_to_be_gone():
    assert said("ids_exist", scopes={"chatdev": OTHER}, keys={}).startswith("key_b: not listed any more")
    assert said("key_names", scopes={"chatdev": OTHER}, keys={}) == "no configured id has a name"


def test_the_document_has_every_check():
    document = diagnosis_json(diagnose(facts(lacking=("pricing",))))
    assert document["checks"][0] == {
        "name": "extras",
        "status": "error",
        "message": "reconcile.yml needs what is not installed: pricing",
        "remedy": "in the clone of this program, and in its virtual environment, run: pip install '.[pricing]'",
    }
    assert len(document["checks"]) == 20
