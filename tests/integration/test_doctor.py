"""`doctor` and `keys` as they are called, on set-ups with one fault each: it is named first, and no secret is shown."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import jsonschema
import pytest
from click.testing import CliRunner
from support.bench import Bench, Ledger, Simulator, at, called
from support.github import TOKEN
from support.github.state import Workflow

from reconcile import cli, schemas
from reconcile.simulator import faults
from reconcile.simulator.organization import ApiKey, Organization, Project
from reconcile.simulator.replies import error

NOW = "15:00"
ADMIN = "sk-admin-simulated"
CHATDEV, GHSPEC, TWIN = "sk-proj-chatdevAAAA1111", "sk-proj-ghspecBBBB2222", "sk-proj-chatdevCCCC1111"
SECRETS = (ADMIN, CHATDEV, GHSPEC, TWIN, TOKEN)
CONFIGURATION = """\
# Ours.
frameworks:
  chatdev: {api_key_ids: [key_chatdev]}  # the first
  ghspec:
    api_key_ids: [key_ghspec]
"""


class Setting:
    """A good set-up: two frameworks with a key each, runs that were verified, and one that is young."""

    def __init__(self, bench, monkeypatch):
        self.bench, self.simulator, self.monkeypatch = bench, bench.simulator, monkeypatch
        self.now = at(NOW)
        monkeypatch.chdir(bench.folder)
        self.configure(CONFIGURATION)
        self.set(
            RECONCILE_OPENAI_URL=self.simulator.base_url, OPENAI_ADMIN_KEY=ADMIN, OPENAI_API_KEY_CHATDEV=CHATDEV,
            OPENAI_API_KEY_GHSPEC=GHSPEC,
        )  # fmt: skip
        self.list_keys()
        bench.add("chatdev/young", "14:40:00", "14:50", [("14:41", 100, 10)])
        self.simulator.set_now(self.now)

    def configure(self, text):
        (self.bench.folder / "reconcile.yml").write_bytes(text.encode())

    def configuration(self):
        return (self.bench.folder / "reconcile.yml").read_bytes().decode()

    def set(self, **variables):
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def list_keys(self, *more, chatdev="key_chatdev", manageable=True):
        keys = [
            ApiKey(id=chatdev, name="worker", secret=CHATDEV, project_id="proj_lab", last_used_at=1_767_600_000),
            ApiKey(id="key_ghspec", name="worker", secret=GHSPEC, project_id="proj_lab", owner_access="inactive"),
            *more,
        ]
        projects = [Project(id="proj_lab", name="Lab"), Project(id="proj_old", name="Old", archived_at=1)]
        self.simulator.organization = Organization(projects=projects, keys=keys, manageable=manageable)

    def call(self, *arguments, replayed=True):
        given = [*arguments, *(["--now", self.now.isoformat()] if replayed else [])]
        result = CliRunner().invoke(cli.main, given)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        shown = [secret for secret in SECRETS if secret in result.output]
        assert shown == []
        return result

    def checks(self):
        result = self.call("doctor", "--json")
        document = json.loads(result.stdout)
        jsonschema.Draft202012Validator(schemas.load("doctor")).validate(document)
        return result.exit_code, document["checks"]

    def first(self, **settings):
        """The exit code, and the status, name and words of the check that is printed first."""
        result = self.call("doctor", **settings)
        line, *more = result.stdout.splitlines()
        said = [line, *takewhile(lambda each: each.startswith(" "), more)]
        status, name, *words = " ".join(said).split()
        return result.exit_code, status, name, " ".join(words)

    def mapping(self, *arguments):
        result = self.call("keys", "--json", *arguments)
        document = json.loads(result.stdout)
        jsonschema.Draft202012Validator(schemas.load("keys")).validate(document)
        return result.exit_code, document


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """Two runs after two passes, and the calls they made."""
    with Simulator(Ledger()) as simulator:
        bench = Bench(tmp_path_factory.mktemp("verified"), simulator)
        bench.add("chatdev/a", "10:00:10", "10:05", [("10:01", 100, 10)])
        bench.add("ghspec/b", "10:00:10", "10:05", [("10:02", 100, 10)])
        for clock in ("11:00", "12:00"):
            bench.run(clock)
        return bench


@pytest.fixture
def setting(bench, verified, monkeypatch):
    shutil.copytree(verified.runs, bench.runs, dirs_exist_ok=True)
    bench.simulator.ledger.add(verified.simulator.ledger)
    return Setting(bench, monkeypatch)


@pytest.fixture
def hub(setting, double):
    """The set-up on GitHub, with passes by schedule."""
    setting.set(GITHUB_TOKEN=TOKEN, GITHUB_REPOSITORY="octo/science", GITHUB_API_URL=double.url)
    double.state.workflows += [
        Workflow(".github/workflows/ci.yml"),
        Workflow(".github/workflows/reconcile.yml", scheduled="2026-01-05T14:17:00Z"),
    ]
    return double


def test_nothing_alarming_is_said_of_a_good_set_up(setting, hub):
    code, checks = setting.checks()
    assert code == 0
    assert [check for check in checks if check["status"] != "ok"] == []
    said = {check["name"]: check["message"] for check in checks}
    assert "chatdev: worker (key_chatdev, Lab), ghspec: worker (key_ghspec, Lab)" in said["key_names"]
    assert said["schedule"] == "it last started a pass at 2026-01-05T14:17:00Z"
    assert said["last_pass"] == "the newest read is of 2026-01-05T12:00:00Z"


def in_real_time(setting, ahead):
    """Clocks are compared where no instant is given."""
    setting.simulator.set_now(datetime.now(UTC) + timedelta(seconds=ahead))
    return False


def answered(setting, reply):
    setting.simulator.script(faults.instead(reply))


def no_admin_key(setting):
    setting.monkeypatch.delenv("OPENAI_ADMIN_KEY")


def broken_file(setting):
    setting.bench.write("chatdev/broken", "{")


def unfit_secret(setting):
    setting.set(OPENAI_API_KEY_CHATDEV="sk-proj-another-organization")


def without_ids(setting):
    setting.configure("frameworks:\n  ghspec: {api_key_ids: [key_ghspec]}\n")


def twins(setting):
    setting.configure(CONFIGURATION.replace("key_ghspec", "key_chatdev"))
    setting.monkeypatch.delenv("OPENAI_API_KEY_GHSPEC")


def mistyped_id(setting):
    """Nothing was ever read with it: the framework is new."""
    setting.bench.add("newdev/a", "14:40", "14:50")
    setting.configure(CONFIGURATION + "  newdev: {api_key_ids: [key_typo]}\n")


def another_keys_id(setting):
    setting.list_keys(ApiKey(id="key_chatdev", name="other", secret=GHSPEC, project_id="proj_lab"), chatdev="key_real")


def silent_key(setting):
    setting.bench.add("chatdev/c", "13:00", "13:10")
    setting.simulator.ledger = Ledger([called("13:05", key="key_of_nobody")])


def long_past(setting):
    setting.bench.add("chatdev/late", "-3 10:00", "-3 10:10")


def never_read(setting):
    setting.bench.add("chatdev/due", "10:40", "10:50", [("10:41", 1, 1)])


FAULTS = {
    "configuration-no-yaml": (lambda s: s.configure("frameworks: ["), 1, "configuration", "reconcile.yml: is no YAML"),
    "configuration-unknown-setting": (lambda s: s.configure("frame: {}\n"), 1, "configuration", "frame"),
    "configuration-with-a-number-for-a-name": (
        lambda s: s.configure("frameworks: {4711: {api_key_ids: [key_a]}, chatdev: {api_key_ids: [key_b]}}"),
        1, "configuration", "a name in frameworks is 4711, not text; write a name in double quotes",
    ),
    "setting-in-the-environment": (
        lambda s: s.set(RECONCILIATION_MIN_STABLE_VERIFICATIONS="two"), 1, "configuration", "'two' is no count",
    ),
    "environment-file-of-another-coding": (
        lambda s: (s.bench.folder / ".env").write_bytes(b"OPENAI_ADMIN_KEY=sk-\xff"), 1, "configuration", "not UTF-8",
    ),
    "secret-in-broken-yaml": (lambda s: s.configure(f"{CHATDEV}: [x: y: z"), 1, "configuration", "is no YAML"),
    "secret-in-the-configuration": (
        lambda s: s.configure(f"frameworks: {{chatdev: {{api_key_ids: [{CHATDEV}]}}}}"), 1, "configuration", "sk-...",
    ),
    "no-folder-of-runs": (lambda s: s.configure(f"runs: nowhere\n{CONFIGURATION}"), 1, "files", "nowhere"),
    "broken-file": (broken_file, 1, "files", "1 file not valid: runs/chatdev/broken/metrics.json"),
    "no-admin-key": (no_admin_key, 1, "admin_key", "OPENAI_ADMIN_KEY is not set"),
    "project-key-as-admin-key": (
        lambda s: s.set(OPENAI_ADMIN_KEY=CHATDEV), 1, "admin_key", "the same as in OPENAI_API_KEY_CHATDEV",
    ),
    "admin-key-as-project-key": (
        lambda s: s.set(OPENAI_API_KEY_CHATDEV=ADMIN), 1, "admin_key", "the same key as OPENAI_API_KEY_CHATDEV",
    ),
    "admin-key-with-a-space": (lambda s: s.set(OPENAI_ADMIN_KEY=f"{ADMIN} "), 1, "admin_key", "a space"),
    "provider-out-of-reach": (
        lambda s: s.set(RECONCILE_OPENAI_URL="http://127.0.0.1:9/v1"), 3, "provider", "no whole answer",
    ),
    "clear-text-address": (
        lambda s: s.set(RECONCILE_OPENAI_URL="http://example.org/v1"), 1, "provider", "clear text",
    ),
    "wrong-admin-key": (
        lambda s: s.set(OPENAI_ADMIN_KEY="sk-admin-mistyped"), 1, "admin_key_accepted", "does not know the admin key",
    ),
    "missing-scope": (
        lambda s: answered(s, faults.missing_scope()(None, None)), 1, "admin_key_accepted", "lacks the scope",
    ),
    "wrong-organization": (
        lambda s: answered(s, error(401, "You must be a member of an organization to use the API.", code=None)),
        1, "admin_key_accepted", "of another organization",
    ),
    "clock-behind": (lambda s: in_real_time(s, 3600), 1, "clock", "s behind the provider's"),
    "clock-a-little-ahead": (lambda s: in_real_time(s, -60), 0, "clock", "s ahead of the provider's"),
    "secret-in-the-place-of-an-id": (
        lambda s: s.set(OPENAI_API_KEY_CHATDEV_ID=CHATDEV), 1, "key_ids", "OPENAI_API_KEY_CHATDEV_ID holds what",
    ),
    "no-key-id": (without_ids, 1, "key_ids", "which API keys these frameworks use: chatdev"),
    "id-of-another-key": (another_keys_id, 1, "key_names", "is worker (key_real, Lab), but chatdev is configured with"),
    "id-of-no-key": (mistyped_id, 1, "ids_exist", "no such key in this organization: key_typo (newdev)"),
    "secret-of-no-listed-key": (unfit_secret, 0, "key_names", "looks like what is in OPENAI_API_KEY_CHATDEV"),
    "one-secret-for-two": (lambda s: s.set(OPENAI_API_KEY_GHSPEC=CHATDEV), 1, "keys_apart", "hold the same key"),
    "one-id-for-two": (twins, 0, "duplicate_ids", "key_chatdev (chatdev, ghspec)"),
    "silent-key": (silent_key, 0, "usage_seen", "no usage of key_chatdev, key_ghspec in the last 24 hours"),
    "run-of-seconds": (lambda s: s.bench.add("ghspec/s", "14:40:10", "14:40:30"), 0, "short_runs", "ghspec/s"),
    "shared-minutes": (
        lambda s: s.bench.add("chatdev/s", "14:45", "14:55"), 0, "shared_minutes", "2 runs of one key in the same",
    ),
    "past-the-cutoff": (long_past, 0, "past_cutoff", "chatdev/late"),
    "no-passes": (never_read, 0, "last_pass", "chatdev/due"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_named_first(setting, name):
    plant, code, check, said = FAULTS[name]
    replayed = plant(setting) is not False
    got, status, first, words = setting.first(replayed=replayed)
    assert (first, got, status) == (check, code, "error" if code else "warning")
    assert said in words


def test_a_simulator_that_was_moved_asks_for_no_other_clock(setting):
    in_real_time(setting, 3600)
    *_, words = setting.first(replayed=False)
    assert ("where --now left it" in words, "time zone" in words) == (True, False)


GITHUB_FAULTS = {
    "schedule-switched-off": (
        lambda hub: setattr(hub.state.workflows[1], "state", "disabled_inactivity"), "schedule", "does not start",
    ),
    "schedule-that-died": (
        lambda hub: setattr(hub.state.workflows[1], "scheduled", "2026-01-01T14:17:00Z"), "schedule",
        "last started .github/workflows/reconcile.yml at 2026-01-01",
    ),
    "protected-branch": (
        lambda hub: hub.state.rules.update(main=[{"type": "pull_request"}]), "branch_rules", "refuse plain pushes",
    ),
    "token-of-nobody": (lambda hub: hub.tokens.clear(), "schedule", "Bad credentials"),
}  # fmt: skip


@pytest.mark.parametrize("name", GITHUB_FAULTS)
def test_the_fault_on_github_is_named_first(setting, hub, name):
    plant, check, said = GITHUB_FAULTS[name]
    plant(hub)
    code, status, first, words = setting.first()
    assert (first, code, status) == (check, 0, "warning")
    assert said in words


def test_a_key_without_the_second_scope_is_no_fault(setting):
    setting.list_keys(manageable=False)
    code, checks = setting.checks()
    assert (code, checks[0]["status"]) == (0, "ok")
    assert "api.management.read" in next(each["message"] for each in checks if each["name"] == "ids_exist")


def test_a_deleted_key_that_still_has_usage_is_no_fault(setting):
    setting.simulator.organization = Organization(projects=[], keys=[])
    setting.monkeypatch.delenv("OPENAI_API_KEY_CHATDEV")
    setting.monkeypatch.delenv("OPENAI_API_KEY_GHSPEC")
    assert setting.checks()[1][0]["status"] == "ok"


def test_doctor_writes_nothing(setting):
    before = setting.bench.bytes(), setting.configuration()
    setting.checks()
    assert (setting.bench.bytes(), setting.configuration()) == before


# ---------------------------------------------------------------------------------------------------------- keys


def test_keys_lists_every_key_with_the_framework_it_is_configured_for(setting):
    lines = setting.call("keys").stdout.splitlines()
    assert lines[0].split() == ["project", "name", "key", "id", "last", "used", "framework"]
    assert lines[1].split() == ["Lab", "worker", "sk-proj-...1111", "key_chatdev", "2026-01-05", "chatdev"]
    assert lines[2].split() == ["Lab", "worker", "sk-proj-...2222", "key_ghspec", "never", "ghspec"]


def test_keys_shows_no_secret_that_somebody_gave_as_a_name(setting):
    setting.list_keys(ApiKey(id="key_leak", name=f"mine is {CHATDEV}", secret="sk-proj-z9999", project_id="proj_lab"))
    assert "key_leak" in setting.call("keys").stdout  # which is searched for every secret
    assert "key_leak" in setting.call("keys", "--json").stdout


def test_keys_writes_the_ids_that_are_certain_and_no_other_byte(setting):
    setting.configure("# Ours.\r\nframeworks:\r\n  ghspec: {models: [gpt-4o]}  # why\r\n")
    os.chmod("reconcile.yml", 0o640)  # noqa: PTH101
    code, document = setting.mapping("--write")
    assert (code, [each["written"] for each in document["frameworks"]]) == (0, [True, True])
    assert setting.configuration() == (
        "# Ours.\r\nframeworks:\r\n  chatdev: {api_key_ids: [key_chatdev]}\r\n"
        "  ghspec: {api_key_ids: [key_ghspec], models: [gpt-4o]}  # why\r\n"
    )
    assert os.stat("reconcile.yml").st_mode & 0o777 == 0o640  # noqa: PTH116
    assert setting.checks()[1][0]["status"] == "ok"


def test_keys_writes_nothing_twice(setting):
    code, document = setting.mapping("--write")
    assert (code, {each["outcome"] for each in document["frameworks"]}) == (0, {"known"})
    assert setting.configuration() == CONFIGURATION


def test_keys_refuses_where_two_keys_look_like_the_secret(setting):
    setting.list_keys(ApiKey(id="key_twin", name="worker", secret=TWIN, project_id="proj_old"))
    setting.configure("runs: runs\n")
    code, document = setting.mapping("--write")
    outcomes = {each["framework"]: each["outcome"] for each in document["frameworks"]}
    assert (code, outcomes) == (1, {"chatdev": "refused", "ghspec": "found"})
    assert setting.configuration() == "runs: runs\nframeworks:\n  ghspec: {api_key_ids: [key_ghspec]}\n"


def test_keys_leaves_a_file_alone_that_it_cannot_add_to(setting):
    text = "frameworks:\n  ghspec: &same {models: [gpt-4o]}\n  chatdev: *same\n"
    setting.configure(text)
    said = setting.call("keys", "--write")
    assert (said.exit_code, "unchanged_configuration" in said.stderr) == (1, True)
    assert setting.configuration() == text


@pytest.mark.parametrize(
    ("admin", "code"), [(None, "missing_admin_key"), (CHATDEV, "project_key"), ("sk-admin-other", "invalid_api_key")]
)
def test_keys_says_why_it_cannot_list(setting, admin, code):
    if admin:
        setting.set(OPENAI_ADMIN_KEY=admin)
    else:
        no_admin_key(setting)
    assert code in setting.call("keys").stderr
