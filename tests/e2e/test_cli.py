"""The command line as a user has it: what it prints, where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from support.bench import BLOCK, at

from reconcile import cli, schemas
from reconcile.simulator import faults
from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator


@pytest.fixture
def shop(bench, monkeypatch):
    """A working folder with two runs of one key, one run of another, and the environment set up."""
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("RECONCILE_OPENAI_URL", bench.simulator.base_url)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", bench.simulator.admin_key)
    monkeypatch.setenv("OPENAI_API_KEY_CHATDEV_ID", "key_chatdev")
    monkeypatch.setenv("OPENAI_API_KEY_BAES_ID", "key_baes")
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 12_345, 678)])
    bench.add("chatdev/b", "12:30:10", "12:34", [("12:31", 100)])
    bench.add("baes/c", "13:00", "13:04", [])
    return bench


class Said:
    def __init__(self, result):
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        self.flat = " ".join(self.out.split())
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception


def reconcile(*arguments, now=None):
    given = [*arguments, *(["--now", at(now).isoformat()] if now else [])]
    return Said(CliRunner().invoke(cli.main, given))


def passes(shop, *clocks):
    for clock in clocks:
        shop.simulator.set_now(at(clock))
        said = reconcile("run", now=clock)
    return said


def test_run_prints_a_line_a_run_and_the_totals(shop):
    said = passes(shop, "13:17")
    assert (said.code, said.err) == (0, "")
    assert "chatdev/a  pending     12,345         678       0      1" in said.out
    assert "3 runs: 2 pending, 1 unread; 2 files written, 2 requests made; next run due at 13:34Z." in said.out


def test_run_says_what_a_verified_figure_rests_on(shop):
    said = passes(shop, "13:17", "14:17")
    assert "Data stable across 60 minute interval" in said.out
    assert "rests on an assumption" in said.out
    assert "nobody else used the key in these minutes" in said.flat


def test_run_json_is_one_document_that_the_schema_describes(shop):
    shop.simulator.set_now(at("13:17"))
    said = reconcile("run", "--json", now="13:17")
    document = json.loads(said.out)
    jsonschema.Draft202012Validator(schemas.load("summary")).validate(document)
    assert (document["counts"]["pending"], document["api"]["requests"]) == (2, 2)


def test_run_limited_to_one_run(shop):
    shop.simulator.set_now(at("13:17"))
    said = reconcile("run", "chatdev", "b", now="13:17")
    assert ("chatdev/b" in said.out, "chatdev/a" in said.out) == (True, False)


def test_dry_run_prints_the_changed_lines_and_writes_nothing(shop):
    before = shop.bytes()
    shop.simulator.set_now(at("13:17"))
    said = reconcile("run", "chatdev", "a", "--dry-run", now="13:17")
    assert shop.bytes() == before
    assert '-    "TOK_IN": 0,' in said.out
    assert '+    "TOK_IN": 12345,' in said.out
    assert "nothing written (dry run)" in said.out


def test_an_instant_with_a_provider_elsewhere_is_a_rehearsal(shop, monkeypatch):
    monkeypatch.setenv("RECONCILE_OPENAI_URL", "https://provider.invalid/v1")
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    said = reconcile("run", now="13:17")
    assert "nothing is written" in said.err
    assert "dry run" in said.out


def test_the_gateway_of_experiments_is_not_asked_and_one_line_says_so(shop, monkeypatch):
    with Simulator(Ledger(), admin_key="sk-admin-of-another") as gateway:
        monkeypatch.setenv("OPENAI_BASE_URL", gateway.base_url)
        said = reconcile("run", now="13:35")
        assert not gateway.requests
    assert shop.value("chatdev/a")["aggregate_metrics"]["TOK_IN"] == 12_345
    assert said.err.count("OPENAI_BASE_URL is ignored") == 1


EVERYWHERE = {
    "run": ["run", "--dry-run"],
    "doctor": ["doctor"],
    "keys": ["keys"],
    "compare": ["compare", "--runs", "runs", "--start", "2026-01-05", "--end", "2026-01-05"],
    "costs": ["costs", "--start", "2026-01-05", "--end", "2026-01-05"],
    "audit": ["audit", "--refetch"],
}


@pytest.mark.parametrize("command", EVERYWHERE)
def test_no_command_sends_the_admin_key_to_a_gateway_of_the_env_file(shop, monkeypatch, command):
    """The key lies beside the address in the file, as experiments keep both."""
    passes(shop, "13:17", "14:17")
    asked = len(shop.simulator.requests)
    with Simulator(Ledger(), admin_key="sk-admin-of-the-file") as gateway:
        monkeypatch.delenv("OPENAI_ADMIN_KEY")
        (shop.folder / ".env").write_text(
            f"OPENAI_API_KEY=sk-virtual\nOPENAI_BASE_URL={gateway.base_url}\nOPENAI_ADMIN_KEY={shop.simulator.admin_key}\n"
        )
        said = reconcile(*EVERYWHERE[command], now="+1 12:00")
        assert gateway.requests == []
    assert len(shop.simulator.requests) > asked
    assert said.err.count("OPENAI_BASE_URL is ignored") == 1


def test_no_admin_key_says_what_to_set_and_where_to_get_it(shop, monkeypatch):
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    said = reconcile("run", now="13:17")
    assert said.code == 1
    assert "OPENAI_ADMIN_KEY is not set" in said.out
    assert "platform.openai.com/settings/organization/admin-keys" in said.out


def test_a_malformed_admin_key_is_never_shown(shop, monkeypatch):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-\nsecret")
    said = reconcile("run", now="13:17")
    assert said.code == 1
    assert "malformed_key" in said.out
    assert "secret" not in said.out + said.err


def test_a_wrong_admin_key_exits_3_and_says_where_to_get_a_right_one(shop, monkeypatch):
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-wrong")
    before = shop.bytes()
    said = passes(shop, "13:17")
    assert (said.code, shop.bytes()) == (3, before)
    assert "settings/organization/admin-keys" in said.flat
    assert "sk-admin-wrong" not in said.out


def test_a_missing_key_id_names_its_variable(shop, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY_CHATDEV_ID")
    said = passes(shop, "13:17")
    assert said.code == 1
    assert "OPENAI_API_KEY_CHATDEV_ID" in said.out


def test_a_folder_that_is_not_there_says_which_option_names_another(shop):
    said = reconcile("run", "--runs", "nowhere", now="13:17")
    assert (said.code, said.out) == (1, "")
    assert "nowhere" in said.err
    assert "--runs" in said.err


def test_an_error_with_json_is_one_document_too(shop):
    said = reconcile("list", "--runs", "nowhere", "--json")
    assert (said.code, json.loads(said.out)["errors"][0]["code"]) == (1, "unreadable_runs")


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--max-age", "48"),
        ("run", "chatdev", "none"),
        ("list", "nosuch"),
        ("validate", "nosuch"),
        ("explain", "chatdev"),
        ("nonsense",),
        ("run", "--min-age", "soon"),
    ],
    ids=[
        "a cutoff without a unit",
        "no such run",
        "no such framework",
        "no such path",
        "an argument missing",
        "no such command",
        "no duration",
    ],
)
def test_usage_errors_exit_2(shop, arguments):
    assert reconcile(*arguments).code == 2


def test_validating_a_path_without_runs_is_a_usage_error(shop, tmp_path_factory):
    said = reconcile("validate", str(tmp_path_factory.mktemp("elsewhere")))
    assert (said.code, "no run's file below" in said.err) == (2, True)


def test_a_failing_provider_exits_3(shop):
    shop.simulator.script(faults.not_found)
    assert passes(shop, "13:17").code == 3


def test_list_names_what_waits_why_and_until_when(shop):
    said = reconcile("list", now="13:17")
    assert said.code == 0
    assert "3 runs awaiting reconciliation" in said.out
    assert "ended 13 min ago: due at 13:34Z" in said.out
    assert "ended 1 h 12 min ago: due now" in said.out
    assert "runs/chatdev/a/metrics.json" in said.out


def test_list_of_a_framework(shop):
    said = reconcile("list", "baes", now="13:17")
    assert ("baes/c" in said.out, "chatdev" in said.out) == (True, False)


def test_list_says_when_nothing_waits(shop):
    passes(shop, "13:17", "14:17")
    assert "No runs await reconciliation." in reconcile("list", "chatdev", now="15:17").out


def test_list_all_has_settled_runs_with_their_reason(shop):
    passes(shop, "13:17", "14:17")
    said = reconcile("list", "--all", now="15:17")
    assert "chatdev/a  assumed (verified)" in said.out
    assert "Data stable across 60 minute interval" in said.out


def test_list_json_is_described_by_the_summary_schema(shop):
    document = json.loads(reconcile("list", "--all", "--json", now="13:17").out)
    jsonschema.Draft202012Validator(schemas.load("summary")).validate(document)
    assert len(document["runs"]) == 3


def test_require_verified_is_a_gate(shop):
    shut = reconcile("list", "chatdev", "--require-verified", now="13:17")
    passes(shop, "13:17", "14:17")
    opened = reconcile("list", "chatdev", "--require-verified", now="15:17")
    assert (shut.code, opened.code) == (1, 0)
    assert "0 of 2 runs verified" in shut.out
    assert "2 of 2 runs verified" in opened.out


def test_a_gate_can_want_a_grade(shop):
    passes(shop, "13:17", "14:17")
    shut, opened = (
        reconcile("list", f"--require-verified={least}", "chatdev", now="15:17") for least in ("proven", "assumed")
    )
    assert (shut.code, opened.code) == (1, 0)
    assert "0 of 2 runs proven: analysis must wait.\n2 runs verified, but only" in shut.out


def test_a_word_after_the_gate_is_a_framework(shop):
    passes(shop, "13:17", "14:17")
    assert reconcile("list", "--require-verified", "chatdev", now="15:17").code == 0
    assert reconcile("list", "--require-verified=true", now="15:17").code == 2


def test_require_verified_stays_shut_beside_a_broken_file(shop):
    passes(shop, "13:17", "14:17")
    shop.write("chatdev/bad", "{")
    assert reconcile("list", "chatdev", "--require-verified", now="15:17").code == 1


def test_validate_prints_path_line_column_pointer_and_message(shop):
    shop.write("chatdev/bad", '{\n  "run_id": "bad",\n  "steps": 5\n}')
    said = reconcile("validate")
    assert said.code == 1
    assert "runs/chatdev/bad/metrics.json:3:12: /steps: " in said.out
    assert said.out.rstrip().endswith("in 1 file.")


def test_validate_of_good_files(shop):
    said = reconcile("validate")
    assert (said.code, said.out) == (0, "3 files: no finding.\n")


@pytest.mark.parametrize(
    ("path", "files"),
    [("runs/chatdev", 2), ("runs/chatdev/a/metrics.json", 1), ("runs/chatdev/a", 1), (".", 3)],
)
def test_validate_below_a_path(shop, path, files):
    assert json.loads(reconcile("validate", path, "--json").out)["counts"]["files"] == files


def test_explain_tells_the_whole_story(shop):
    shop.add("chatdev/d", "12:04:20", "12:08", [("12:04:40", 900), ("12:07", 50)])
    passes(shop, "13:17", "14:17")
    said = reconcile("explain", "chatdev", "a", now="15:17")
    assert said.code == 0
    for part in (
        "warning (shared_minutes)",
        "2026-01-05 12:00Z to 12:05Z, 5 whole minutes",
        "chatdev/d shares 3 minutes, 12:03Z to 12:05Z",
        "2026-01-05T13:17:00Z  pending",
        "2 of 2 reads that agree",
        "A start of chatdev/d at 12:07Z or later would have kept their minutes apart",
        "curl ",
        "$OPENAI_ADMIN_KEY",
    ):
        assert part in said.out


def test_explain_of_a_run_that_was_never_read(shop):
    said = reconcile("explain", "baes", "c", now="13:10")
    assert "none: nothing was read yet" in said.out
    assert "due at 13:34Z" in said.out


def test_explain_of_a_run_without_a_scope_says_what_is_missing(shop, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY_BAES_ID")
    assert "OPENAI_API_KEY_BAES_ID" in reconcile("explain", "baes", "c", now="13:10").out


def test_explain_json(shop):
    passes(shop, "13:17", "14:17")
    document = json.loads(reconcile("explain", "chatdev", "a", "--json", now="15:17").out)
    assert (document["run"]["status"], document["counted_reads"], len(document["observations"])) == ("verified", 2, 2)


def test_seeds_min_age_in_bare_minutes_is_understood(shop):
    shop.simulator.set_now(at("13:20"))
    said = reconcile("run", "baes", "--min-age", "15", now="13:20")
    assert "data_not_available" in said.out


def test_force_reads_a_settled_run_again(shop):
    passes(shop, "13:17", "14:17")
    shop.simulator.set_now(at("15:17"))
    reconcile("run", "chatdev", "a", "--force", now="15:17")
    attempts = shop.value("chatdev/a")[BLOCK]["attempts"]
    assert [attempt.get("forced", False) for attempt in attempts] == [False, False, True]


def test_a_pass_of_many_days_is_announced(shop):
    for day in range(12):
        shop.add(f"chatdev/day{day}", f"{day} 09:00", f"{day} 09:05", [])
    shop.simulator.set_now(at("12 13:17"))
    said = reconcile("run", "--max-age", "30d", now="12 13:17")
    assert "this pass makes 12 requests or more" in said.err


def test_verbose_tells_on_stderr_what_is_asked(shop):
    shop.simulator.set_now(at("13:17"))
    said = reconcile("run", "-v", now="13:17")
    assert "asking openai for" in said.err


def test_text_of_others_cannot_steer_a_terminal(shop):
    shop.write("chatdev/bad", json.dumps({"run_id": "\x1b[2J\u202e<script>", "steps": []}))
    said = reconcile("validate")
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out


def test_colour_only_where_a_terminal_reads(shop):
    assert "\x1b" not in passes(shop, "13:17").out


def test_help_of_every_command_says_what_it_does():
    for name in ("run", "list", "validate", "explain", "simulate"):
        said = reconcile(name, "--help")
        assert (said.code, "--json" in said.out) == (0, True)


@pytest.mark.parametrize("command", [["reconcile"], [sys.executable, "-m", "reconcile"]], ids=["script", "module"])
def test_both_ways_to_start_it(command):
    program = [
        str(Path(sys.executable).with_name(command[0])) if command[0] == "reconcile" else command[0],
        *command[1:],
    ]
    said = subprocess.run([*program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("reconcile, version ")


class TestSimulate:
    @pytest.fixture
    def served(self, shop):
        """`reconcile simulate` in a process of its own, and the lines it tells to export."""
        arguments = ["simulate", "--port", "0", "--feed", "at-once", "--now", at("13:17").isoformat()]
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "reconcile", *arguments], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        lines = list(
            iter(
                process.stdout.readline,
                "Nobody has to wait for a run to be old enough. Passes an hour and two hours from now:\n",
            )
        )
        lines += [process.stdout.readline() for _ in range(3)]
        yield lines
        process.terminate()
        process.wait()
        process.stdout.close()

    def test_lets_a_user_try_a_pass_over_their_own_runs(self, served, monkeypatch):
        exports = [pair for line in served if line.startswith("export ") for pair in line.split()[1:]]
        for name, _, value in (pair.partition("=") for pair in exports):
            monkeypatch.setenv(name, value)
        said = reconcile("run", "--json", now="13:17")
        counts = json.loads(said.out)["counts"]
        assert (served[0].split(",")[0], counts["pending"]) == ("runs: 3", 2)
        assert [line.split()[-1] for line in served[-2:]] == ["2026-01-05T14:17:00Z", "2026-01-05T15:17:00Z"]

    def test_follows_the_clock_of_a_pass_and_finds_runs_that_came_later(self, shop, served, monkeypatch):
        for line in served:
            if line.startswith("export "):
                monkeypatch.setenv(*line.split()[1].split("="))
        shop.add("chatdev/later", "14:00:10", "14:05")
        for clock in ("15:17", "16:17"):
            said = reconcile("run", "chatdev", "later", now=clock)
            assert (said.code, said.err) == (0, "")
        assert shop.verdict("chatdev/later") == "verified: stable"


def test_lag_says_what_the_kept_reads_tell(shop):
    passes(shop, "13:17", "14:17")
    said = reconcile("lag", "chatdev", now="14:20")
    assert (said.code, said.err) == (0, "")
    assert "2 runs of 1 day, 4 kept reads. 2 figures final" in said.out
    assert "Too few to tell the delay" in said.out


def test_lag_json_is_described_by_its_schema(shop):
    passes(shop, "13:17", "14:17")
    document = json.loads(reconcile("lag", "--json", now="14:20").out)
    jsonschema.Draft202012Validator(schemas.load("lag")).validate(document)
    assert document["curves"][0]["final"] == 2


def test_backtest_json_is_described_by_its_schema(shop):
    passes(shop, "13:17", "14:17")
    document = json.loads(reconcile("backtest", "--min-stable", "1", "--json", now="14:20").out)
    jsonschema.Draft202012Validator(schemas.load("backtest")).validate(document)
    (trial,) = document["trials"]
    assert (trial["verified_by_both"], trial["median_change_minutes"]) == (2, -60)
    assert document["tried_policy"] == document["present_policy"] | {"min_stable_verifications": 1}


def test_backtest_refuses_what_the_kept_reads_cannot_answer(shop):
    passes(shop, "13:17", "14:17")
    said = reconcile("backtest", "--verification-interval", "10m", now="14:20")
    assert (said.code, said.out) == (2, "")
    assert "verification-interval 10 min: equal reads of 2 of 2 runs were made or kept only 30 min" in said.err


def test_lag_and_backtest_tell_of_invalid_files(shop):
    passes(shop, "13:17")
    (shop.folder / "runs" / "chatdev" / "b" / "metrics.json").write_text("{")
    for command in ("lag", "backtest"):
        said = reconcile(command, now="14:20")
        assert (said.code, "1 invalid file" in said.out) == (0, True)
