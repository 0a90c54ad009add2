"""Settings: what wins over what, and what a wrong one says."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconcile.config.config_file import document_of, text_of
from reconcile.config.settings import ADMIN_KEY_VARIABLES, Flags, duration, load, usable_key
from reconcile.errors import ConfigurationError, UsageError
from reconcile.money.charges import Labels
from reconcile.money.entry import Dimensions
from reconcile.providers.base import Scope
from reconcile.runs.state import Policy


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(environ=None, *, read_dotenv=True, **flags):
    return load(Flags(**flags), environ or {}, read_dotenv=read_dotenv)


def test_without_any_setting_the_defaults_hold(here):
    found = settings()
    assert (found.runs, found.policy, found.base_url, found.admin_key, found.now, found.scopes) == (
        Path("runs"),
        Policy(),
        "https://api.openai.com/v1",
        None,
        None,
        {},
    )


def test_the_file_sets_runs_policy_and_scopes(here):
    (here / "reconcile.yml").write_text(
        "runs: data\n"
        "policy: {min_age: 45m, max_age: 2d, verification_interval: 60, min_stable_verifications: 3}\n"
        "frameworks:\n"
        "  chatdev: {provider: openai, api_key_ids: [key_a, key_b], project_ids: [proj_1], models: [gpt-4o]}\n"
    )
    found = settings()
    assert found.runs == Path("data")
    assert found.policy == Policy(
        min_age=timedelta(minutes=45),
        max_age=timedelta(days=2),
        verification_interval=timedelta(hours=1),
        min_stable_verifications=3,
    )
    assert found.scopes == {"chatdev": Scope("openai", ("key_a", "key_b"), ("proj_1",), ("gpt-4o",))}


def test_pricing_is_off_and_nothing_labelled_unless_the_file_says_so(here):
    assert (settings().pricing, settings().labels.names) == (False, ())
    (here / "reconcile.yml").write_text(
        "pricing: on\n"
        "labels:\n"
        "  frameworks: {chatdev: {team: research}}\n"
        "  api_key_ids: {key_a: {team: product, cost_center: '4711'}}\n"
        "  project_ids: {proj_1: {environment: lab}}\n"
    )
    found = settings()
    assert (found.pricing, found.labels.names) == (True, ("cost_center", "environment", "team"))
    assert found.labels.of(Dimensions(framework="chatdev", project_id="proj_1"), "team") == "research"
    assert found.labels.of(Dimensions(api_key_id="key_a"), "cost_center") == "4711"


def test_labels_may_be_left_empty(here):
    (here / "reconcile.yml").write_text("labels:\n")
    assert settings().labels == Labels()


def test_a_key_in_the_place_of_its_id_is_not_shown(here):
    (here / "reconcile.yml").write_text("labels: {api_key_ids: {sk-proj-secret: {team: a}}}\n")
    with pytest.raises(ConfigurationError, match="never the key itself") as raised:
        settings()
    assert "secret" not in str(raised.value)


def test_the_folder_of_runs_is_found_beside_the_file_that_names_it(here):
    (here / "sub").mkdir()
    (here / "sub" / "other.yml").write_text("runs: data\n")
    assert settings(config="sub/other.yml").runs == Path("sub/data")


def test_the_environment_wins_over_the_file_and_flags_over_both(here):
    (here / "reconcile.yml").write_text("policy: {min_age: 1h, verification_interval: 1h}\nruns: data\n")
    found = settings({"RECONCILIATION_VERIFICATION_INTERVAL_MIN": "5"}, runs="elsewhere", min_age="15")
    assert (found.runs, found.policy.min_age, found.policy.verification_interval) == (
        Path("elsewhere"),
        timedelta(minutes=15),
        timedelta(minutes=5),
    )


def test_a_dotenv_file_fills_in_what_the_environment_lacks(here):
    (here / ".env").write_text('OPENAI_ADMIN_KEY="sk-admin-file"\nRECONCILE_OPENAI_URL=https://file.example/v1\n')
    found = settings({"RECONCILE_OPENAI_URL": "https://environment.example/v1/"})
    assert (found.admin_key.reveal(), found.base_url) == ("sk-admin-file", "https://environment.example/v1")


OTHER = "https://elsewhere.example/v1"
PLANTED = "providers: {openai: {url: https://planted.example/v1}}\n"


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        pytest.param(
            {"openai_url": "https://flag.example/v1/", "config": "mine.yml"},
            {"RECONCILE_OPENAI_URL": OTHER},
            "https://flag.example/v1",
            id="the flag before all",
        ),
        pytest.param({"config": "mine.yml"}, {"RECONCILE_OPENAI_URL": OTHER}, OTHER, id="the variable before the file"),
        pytest.param({"config": "mine.yml"}, {}, "https://planted.example/v1", id="the file that was named"),
        pytest.param({}, {}, "https://api.openai.com/v1", id="never the file that only lies there"),
        pytest.param({"config": "mine.yml"}, {"RECONCILE_OPENAI_URL": ""}, "https://planted.example/v1", id="empty"),
    ],
)
def test_the_admin_key_goes_where_flag_variable_or_a_named_file_says(here, flags, environ, expected):
    for name in ("reconcile.yml", "mine.yml"):
        (here / name).write_text(PLANTED)
    assert settings(environ, **flags).base_url == expected


def test_an_address_in_a_file_that_nobody_named_is_told_of(here):
    (here / "reconcile.yml").write_text(PLANTED)
    (notice,) = settings().notices
    assert "providers.openai.url is ignored" in notice
    assert "--config reconcile.yml" in notice
    assert settings({"RECONCILE_OPENAI_URL": OTHER}).notices == settings(config="reconcile.yml").notices == ()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OPENAI_BASE_URL": "https://user:word@gateway.example/v1"}, True),
        ({"OPENAI_BASE_URL": "https://api.openai.com/v1/"}, False),
        ({"OPENAI_BASE_URL": ""}, False),
        ({"OPENAI_BASE_URL": OTHER, "RECONCILE_OPENAI_URL": OTHER}, False),
    ],
    ids=["another address", "the same one", "empty", "the one that is set for usage too"],
)
def test_the_gateway_of_experiments_never_gets_the_key_and_is_told_of_where_it_differs(here, environ, told):
    found = settings(environ)
    assert found.base_url == environ.get("RECONCILE_OPENAI_URL", "https://api.openai.com/v1")
    assert ["OPENAI_BASE_URL is ignored" in notice for notice in found.notices] == [True] * told
    assert "word" not in "".join(found.notices)


def test_a_dotenv_file_names_the_address_for_its_own_key_only(here):
    (here / ".env").write_text(f"RECONCILE_OPENAI_URL={OTHER}\n")
    found = settings({"OPENAI_ADMIN_KEY": "sk-admin-environment"})
    assert found.base_url == "https://api.openai.com/v1"
    assert [notice.partition(" is ignored")[0] for notice in found.notices] == [".env: RECONCILE_OPENAI_URL"]
    (here / ".env").write_text(f"RECONCILE_OPENAI_URL={OTHER}\nOPENAI_ADMIN_KEY=sk-admin-file\n")
    assert settings().base_url == OTHER


@pytest.mark.parametrize("url", ["1", "gateway", "ftp://gateway.example", "''"])
def test_an_address_in_the_file_must_be_one(here, url):
    (here / "reconcile.yml").write_text(f"providers: {{openai: {{url: {url}}}}}")
    with pytest.raises(ConfigurationError, match="url"):
        settings()


def test_a_dotenv_file_that_is_no_text_is_an_error_that_names_it_and_quotes_nothing(here):
    (here / ".env").write_bytes(b"OPENAI_ADMIN_KEY=sk-admin-secret\xff\n")
    with pytest.raises(ConfigurationError, match=r"\.env: is not UTF-8") as raised:
        settings()
    assert "secret" not in str(raised.value)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads every file")
def test_a_dotenv_file_that_may_not_be_read_is_an_error_that_names_it(here):
    (here / ".env").touch(mode=0)
    with pytest.raises(ConfigurationError, match=r"\.env: cannot be read"):
        settings()


def test_a_dotenv_file_is_not_read_where_it_must_not_be(here):
    (here / ".env").write_text("OPENAI_ADMIN_KEY=sk-admin-file\n")
    assert settings(read_dotenv=False).admin_key is None


def test_the_first_admin_key_variable_that_is_set_is_used(here):
    variables = {name: f"sk-{name}" for name in ADMIN_KEY_VARIABLES[1:]} | {ADMIN_KEY_VARIABLES[0]: ""}
    assert settings(variables).admin_key.reveal() == f"sk-{ADMIN_KEY_VARIABLES[1]}"


def test_a_project_key_is_never_taken_for_an_admin_key(here):
    assert settings({"OPENAI_API_KEY": "sk-proj-1"}).admin_key is None


def test_no_secret_shows_in_a_repr(here):
    found = settings({"OPENAI_ADMIN_KEY": "sk-admin-secret"})
    assert "sk-admin-secret" not in repr(found) + repr(found.admin_key)


def test_the_error_for_a_missing_key_names_variable_and_scope(here):
    with pytest.raises(ConfigurationError, match="OPENAI_ADMIN_KEY") as caught:
        usable_key(settings())
    assert "api.usage.read" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        pytest.param("runs: [", ConfigurationError, "no YAML: .* in line 1, column 8", id="no YAML"),
        pytest.param("runs: \x07", ConfigurationError, "no YAML: it holds a character", id="no character of YAML"),
        pytest.param("run: data", ConfigurationError, "run", id="an unknown setting"),
        pytest.param("policy: {max_age: 48}", ConfigurationError, "max_age", id="a cutoff without a unit"),
        pytest.param("policy: {min_stable_verifications: 0}", ConfigurationError, "min_stable", id="no read at all"),
        pytest.param("frameworks: {a: {provider: other}}", ConfigurationError, "provider", id="an unknown provider"),
        pytest.param("pricing: 1", ConfigurationError, "pricing", id="no switch"),
        pytest.param("labels: {teams: {}}", ConfigurationError, "teams", id="an unknown owner of labels"),
        pytest.param("labels: {frameworks: {a: {Team: b}}}", ConfigurationError, "small letters", id="no label"),
        pytest.param("labels: {frameworks: {a: {model: b}}}", ConfigurationError, "small letters", id="a taken label"),
        pytest.param("labels: {frameworks: {a: {team: 1}}}", ConfigurationError, "team", id="a label that is no text"),
        pytest.param("labels: {frameworks: {1: {team: a}}}", ConfigurationError, "frameworks", id="no name"),
        pytest.param("labels: {frameworks: {a: b}}", ConfigurationError, "a mapping", id="a label without a name"),
        pytest.param("- 1", ConfigurationError, "reconcile.yml", id="no mapping"),
        pytest.param(
            "[" * 700,
            ConfigurationError,
            "nested too deep",
            id="deeper than a parser goes",
        ),
    ],
)
def test_a_wrong_file_is_an_error_that_says_where(here, text, error, words):
    (here / "reconcile.yml").write_text(text)
    with pytest.raises(error, match=words) as raised:
        settings()
    assert raised.value.remedy


@pytest.mark.parametrize("name", ["4711", "off", "3.10", "null", "~", "2026-03-01", "0x10", "1_000", ".inf", "12:30"])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("runs: data\nframeworks:\n  {}: {{api_key_ids: [key_a]}}\n", "line 3: a name in frameworks"),
        ("labels: {{project_ids: {{proj_1: {{{}: a}}}}}}", "line 1: a name in proj_1"),
        ("logs: [{{files: a, {}: b}}]", "line 1: a name in logs"),
        ("{}: b", "line 1: a name in the document"),
    ],
    ids=["a framework", "a label", "in a list", "a setting"],
)
def test_a_name_that_yaml_takes_for_something_else_is_told_as_it_is_written(here, text, place, name):
    (here / "reconcile.yml").write_text(text.format(name))
    with pytest.raises(ConfigurationError) as raised:
        settings()
    assert raised.value.message == f"reconcile.yml: {place} is {name}, not text; write a name in double quotes"


def test_a_key_in_the_place_of_a_name_is_not_shown_beside_another_defect(here):
    (here / "reconcile.yml").write_text("labels: {api_key_ids: {sk-proj-secret: {4711: a}}}")
    with pytest.raises(ConfigurationError, match=r"a name in sk-\.\.\. is 4711"):
        settings()


def test_a_name_in_double_quotes_may_be_anything_that_a_folder_may_be_called(here):
    (here / "reconcile.yml").write_text('frameworks: {"4711": {api_key_ids: [key_a]}, "on": {api_key_ids: [key_b]}}')
    assert set(settings().scopes) == {"4711", "on"}


def test_members_may_be_merged(here):
    (here / "reconcile.yml").write_text("frameworks: {a: &a {api_key_ids: [key_a]}, b: {<<: *a, models: [gpt-4o]}}")
    assert settings().scopes["b"] == Scope("openai", ("key_a",), (), ("gpt-4o",))


@pytest.mark.parametrize("value", ["2026-02-30", "2026-01-05T24:00:00Z", "9" * 5000], ids=["day", "time", "number"])
def test_a_value_that_yaml_cannot_make_anything_of_is_an_error_of_the_file(here, value):
    (here / "reconcile.yml").write_text(f"labels: {{frameworks: {{chatdev: {{team: {value}}}}}}}")
    with pytest.raises(ConfigurationError, match=r"reconcile\.yml: is no YAML: it holds a date"):
        settings()


@pytest.mark.parametrize(
    "make", [lambda file: None, lambda file: file.mkdir(), lambda file: file.write_bytes(b"\xff")],
    ids=["missing", "a folder", "no UTF-8"],
)  # fmt: skip
def test_a_named_file_that_cannot_be_read_is_an_error(here, make):
    make(here / "named.yml")
    with pytest.raises(ConfigurationError, match=r"named\.yml"):
        settings(config="named.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30m", 30), ("24h", 1440), ("2d", 2880), ("45", 45), (45, 45), ("1.5h", 90), (" 30 m ", 30)],
)
def test_durations(text, expected):
    assert duration(text, "min-age") == timedelta(minutes=expected)


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5w", "٣0m", "999999999999d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UsageError, match="min-age"):
        duration(text, "min-age")


def test_a_cutoff_needs_its_unit_because_others_meant_hours(here):
    with pytest.raises(UsageError, match="48") as raised:
        settings(max_age="48")
    assert raised.value.remedy == "write 48h or 48m"


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5", "100"])
def test_a_wrong_count_of_reads_is_refused(here, text):
    with pytest.raises(UsageError, match="min_stable"):
        settings({"RECONCILIATION_MIN_STABLE_VERIFICATIONS": text})


def test_an_instant_comes_from_the_flag_before_the_environment(here):
    found = settings({"RECONCILE_NOW": "2026-01-05T10:00:00Z"}, now="2026-01-05T12:00:00+01:00")
    assert found.now == datetime(2026, 1, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-01-05T10:00:00", "0001-01-01T00:00:00+14:00"],
    ids=["no instant", "no offset", "before the calendar"],
)
def test_what_is_no_instant_is_refused(here, text):
    with pytest.raises(UsageError, match="now"):
        settings(now=text)


@pytest.mark.parametrize(
    ("base_url", "now", "rehearsal"),
    [
        ("https://api.openai.com/v1", "2026-01-05T10:00:00Z", True),
        ("http://127.0.0.1:8765/v1", "2026-01-05T10:00:00Z", False),
        ("http://[::1]:1/v1", "2026-01-05T10:00:00Z", False),
        ("http://127.0.0.1.evil.example/v1", "2026-01-05T10:00:00Z", True),
        ("https://api.openai.com/v1", None, False),
    ],
    ids=["a real provider then", "a simulator then", "one by IPv6", "a name like loopback", "a real provider now"],
)
def test_a_given_instant_writes_nothing_beside_a_real_provider(here, base_url, now, rehearsal):
    assert settings({"RECONCILE_OPENAI_URL": base_url}, now=now).rehearsal is rehearsal


@pytest.mark.parametrize("key", ["sk-proj-abc", "sk-svcacct-abc"])
def test_a_project_key_in_the_admin_keys_place_is_refused_before_it_is_sent(here, key):
    with pytest.raises(ConfigurationError, match="cannot read usage") as caught:
        usable_key(settings({"OPENAI_ADMIN_KEY": key}))
    assert key not in str(caught.value) + caught.value.remedy


def test_an_admin_key_is_none_of_a_project(here):
    assert (settings({"OPENAI_ADMIN_KEY": "sk-admin-1"}).project_key, settings().project_key) == (False, False)


ODD_FILES = {
    "a name twice": ("runs: a\nruns: b\n", "line 2: runs stands twice in the document"),
    "a name twice inside": ("frameworks:\n  a: {}\n  a: {}\n", "line 3: a stands twice in frameworks"),
    "aliases of aliases": (
        "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else 'x'] * 10)}]\n" for i in range(8)),
        "more than 100000 values",
    ),
    "an alias of itself": ("runs: &a [*a]\n", "more than 100000 values"),
    "a zero byte in a path": ('runs: "a\\0b"\n', "runs is"),
    "a day that never was": ("labels: {frameworks: {a: {team: 2026-02-30}}}\n", "cannot be"),
}


@pytest.mark.parametrize(("text", "words"), ODD_FILES.values(), ids=ODD_FILES)
def test_odd_settings_are_one_clear_error(tmp_path, text, words):
    (tmp_path / "reconcile.yml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        document_of(tmp_path / "reconcile.yml", text)
    assert words in caught.value.message


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_no_file_is_no_configuration(tmp_path, make):
    make(tmp_path / "reconcile.yml")
    with pytest.raises(ConfigurationError, match="is no plain file"):
        text_of(tmp_path / "reconcile.yml", required=False)


def test_a_clock_that_may_be_off_by_an_age_is_refused(here):
    (here / "reconcile.yml").write_text("policy: {clock_uncertainty: 99999d}")
    with pytest.raises(UsageError, match="more than two days"):
        settings()
