"""The documents against the program: what they show is what happens, and what there is, they name."""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile, zip_longest
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
import sample_world
import yaml
from click.testing import CliRunner
from support import application, money
from support.models import Models
from support.recordings import Left, usage_of

import reconcile
from reconcile import cli, config, errors, schemas
from reconcile.action.comment import MOST_CHARACTERS
from reconcile.action.request import CommentPolicy, FailOn, Mode, Sign
from reconcile.attribution.attribute import attribute
from reconcile.attribution.claims import Asked
from reconcile.doctor.project_files import workflow_template
from reconcile.git import runner as git_failures
from reconcile.github import failures
from reconcile.ledger.charge_back import NoteCode as Note
from reconcile.ledger.reasons.codes import BreakCode
from reconcile.ledger.terms import split_gap
from reconcile.minutes import Clock, Window
from reconcile.money.exact import spelled_out
from reconcile.money.list_prices import list_prices
from reconcile.passes.selection import Selection, select
from reconcile.passes.summary import narrowed
from reconcile.providers.base import Scope
from reconcile.providers.transport import PASSING
from reconcile.report.markdown import Links, summary_markdown
from reconcile.runs.call_log import LogChecker
from reconcile.runs.run import Claim, Generation, Run, RunKey
from reconcile.runs.state import Completeness, Policy, Proof, Reason, Status
from reconcile.runs.validation import Checker, Document
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.server import Simulator
from reconcile.usage import Bucket, Recorded, Usage

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "reconcile"
NAMES = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "tests/README.md", "runs/README.md"),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")),
)
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in NAMES}
README = TEXTS["README.md"]
CONTRIBUTING = TEXTS["CONTRIBUTING.md"]
BLOCK = re.compile(r"(?:<!-- now: (\S+) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)

ACTION_PAGE = TEXTS["docs/action.md"]
REFERENCE = TEXTS["docs/reference.md"]
SETTINGS = TEXTS["docs/settings.md"]
SETUP = TEXTS["docs/setup.md"]
TUTORIAL = TEXTS["docs/tutorial.md"]
VERDICTS = TEXTS["docs/verdicts.md"]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

ROOMS = "|".join(sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))

every_document = pytest.mark.parametrize("name", NAMES)


def blocks(text, language):
    """Fenced blocks of a language: the instant they are told at, if any, and their text."""
    return [(now, body) for now, tongue, body in BLOCK.findall(text) if tongue == language]


def configurations(text):
    return [body for _, body in blocks(text, "yaml") if re.search("^(frameworks|logs):", body, re.MULTILINE)]


CONFIGURATIONS = configurations(TUTORIAL)
"""The first is the one of the session."""

ALL_CONFIGURATIONS = [body for name in NAMES for body in configurations(TEXTS[name])]


def section(text, heading):
    """What stands below a heading, up to the next of its level or a higher one."""
    level = heading.split()[0]
    _, _, below = text.partition(f"\n{heading}\n")
    assert below, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def tables(text):
    """Each table as rows of cells, its heading first; code spans without their backticks."""
    for lines in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.splitlines()]
        yield [rows[0], *rows[2:]]


def first_column(text):
    return {name for table in tables(text) for row in table[1:] for name in re.findall(r"`([^`]+)`", row[0])}


@cache
def sources():
    """The syntax trees of the package."""
    return [ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]


@cache
def constants():
    nodes = (node for tree in sources() for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


# ----------------------------------------------------------------------------------------------- command lines


def shown_commands(text):
    """Every command line of the program: in console blocks, and in code spans."""
    for _, body in blocks(text, "console"):
        yield from (line[2:] for line in body.splitlines() if line.startswith("$ "))
    yield from (span for span in re.findall(r"`([^`\n]+)`", text) if span.startswith("reconcile "))


@every_document
def test_every_command_line_can_be_carried_out(name):
    for line in shown_commands(TEXTS[name]):
        program, *arguments = takewhile(lambda word: word not in {"&&", ">>", ">"}, shlex.split(line))
        if program == "reconcile":
            assert understood(arguments), line
        elif program == "make":
            assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text("utf-8"), line
        elif "pytest" in arguments:
            assert all((ROOT / word).exists() for word in arguments if word.startswith("tests/")), line
        elif program == "gh":
            assert dispatched(arguments), line
        else:
            assert program in {"pip", "export"}, line


def dispatched(arguments):
    """Whether this workflow can be dispatched with these inputs."""
    *command, workflow = [word for word in arguments[:3] if not word.startswith("-")]
    inputs = {word.partition("=")[0] for word in arguments[3:] if word != "-f"}
    file = yaml.safe_load((ROOT / ".github" / "workflows" / workflow).read_text("utf-8"))
    return command == ["workflow", "run"] and inputs <= set(file[True]["workflow_dispatch"]["inputs"])


def understood(arguments):
    """Whether the program takes these arguments; a span that names just a command needs not have all of them."""
    context = click.Context(cli.main, **cli.main.context_settings)
    if arguments[0].startswith("-"):
        return arguments in (["--help"], ["--version"])
    _, command, rest = cli.main.resolve_command(context, arguments)
    if rest not in ([], ["--help"]):
        command.make_context(command.name, rest, parent=context)
    return True


def test_every_schedule_shown_starts_a_command_that_there_is():
    page = TEXTS["docs/scheduling.md"]
    lines = [line for tongue in ("crontab", "ini") for _, body in blocks(page, tongue) for line in body.splitlines()]
    started = [line.partition("/bin/reconcile ")[2].partition(" >>")[0] for line in lines if "/bin/reconcile" in line]
    assert len(started) == 3
    assert all(understood(shlex.split(command)) for command in started)


@pytest.mark.parametrize("command", ["", *cli.HOMES])
def test_the_real_help_is_shown(command):
    arguments = [*command.split(), "--help"]
    said = CliRunner().invoke(cli.main, arguments, prog_name="reconcile", terminal_width=98)
    assert f"```console\n$ reconcile {' '.join(arguments)}\n{said.output}```" in TEXTS["docs/commands.md"]


# ------------------------------------------------------------------------------------- the sessions of the documents


BEFORE, AFTER = (json.loads(body) for _, body in blocks(TUTORIAL, "json")[:2])


def calls_of(value):
    """Calls that a run with this file may have made: as many and with the tokens that it recorded."""
    start, end = (datetime.fromisoformat(value[name]).timestamp() for name in ("start_timestamp", "end_timestamp"))
    recorded = value["recorded_usage"]
    count = recorded["api_calls"]
    for number in range(count):
        shares = [
            recorded[kind] // count + (number < recorded[kind] % count)
            for kind in ("tokens_in", "tokens_out", "cached_tokens")
        ]
        yield BilledCall(
            at=start + (end - start) * number / count, tokens_in=shares[0], tokens_out=shares[1],
            cached_tokens=shares[2], api_key_id="key_abc123", model="gpt-4o-mini-2024-07-18",
        )  # fmt: skip


def furnish(folder, ledger):
    """What a session starts from: a run, and a month of calls that an application logged, but for one key's."""
    file = folder / "runs" / "chatdev" / BEFORE["run_id"] / "metrics.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(BEFORE))
    (folder / "reconcile.yml").write_text(CONFIGURATIONS[0])
    month = application.traffic(batch=0, foreign=0.15)
    ledger.add([*calls_of(BEFORE), *month])
    (folder / "logs").mkdir()
    lines = [application.response_to(call) for call in month if call.api_key_id != application.FOREIGN]
    (folder / "logs" / "march.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


SESSIONS = {"docs": ("docs/tutorial.md", "docs/bill.md"), "README": ("README.md",)}
"""Pages whose console blocks are told one after another, from the same start."""


@contextmanager
def acted(folder, names):
    """The console blocks of these pages that say when they are told, carried out: as shown, and as it was."""
    with Simulator(Ledger()) as simulator, pytest.MonkeyPatch.context() as patch:
        furnish(folder, simulator.ledger)
        patch.chdir(folder)
        environ = {"RECONCILE_OPENAI_URL": simulator.base_url, "OPENAI_ADMIN_KEY": simulator.admin_key}
        environ["XDG_CACHE_HOME"] = str(folder / "cache")
        for name, value in environ.items():
            patch.setenv(name, value)
        told = []
        for now, shown in (block for name in names for block in blocks(TEXTS[name], "console")):
            if now:
                simulator.set_now(datetime.fromisoformat(now))
                patch.setenv("RECONCILE_NOW", now)
                commands = [line for line in shown.splitlines() if line.startswith("$ ")]
                outputs = [CliRunner().invoke(cli.main, shlex.split(line)[2:]).output for line in commands]
                real = "".join(f"{line}\n{output}" for line, output in zip(commands, outputs, strict=True))
                told.append((shown, real.replace(simulator.base_url, config.DEFAULT_BASE_URL)))
        patch.undo()
        simulator.set_now(None)
        yield SimpleNamespace(folder=folder, told=told, environ=environ)


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory):
    with acted(tmp_path_factory.mktemp("session"), SESSIONS["docs"]) as done:
        yield done


@pytest.fixture
def session(carried_out, tmp_path, monkeypatch):
    """What the session left, for each test a copy, and what it told."""
    shutil.copytree(carried_out.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name, value in carried_out.environ.items():
        monkeypatch.setenv(name, value)
    return carried_out.told


def test_the_session_of_the_tutorial_and_the_bill_happens_as_it_is_shown(session):
    assert {shown.split()[2] for shown, _ in session} == {"validate", "list", "run", "explain", "compare", "costs"}
    for shown, real in session:
        assert like(real.splitlines(), shown.splitlines()) == shown.splitlines()


def like(lines, shown):
    """The lines, each as short as it is shown: with `...` in the place of its end, where that is left out."""
    return [cut(line, wanted) for line, wanted in zip_longest(lines, shown, fillvalue="")]


def cut(line, wanted):
    return line[: len(wanted) - 3] + "..." if wanted.endswith("...") else line


def test_the_session_of_readme_happens_as_far_as_it_is_shown(tmp_path):
    with acted(tmp_path, SESSIONS["README"]) as done:
        assert {line.split()[2] for shown, _ in done.told for line in shown.splitlines() if line.startswith("$ ")} == {
            "run", "explain", "compare",
        }  # fmt: skip
        for shown, real in done.told:
            assert re.fullmatch(abridged(shown), real), f"shown:\n{shown}\nreal:\n{real}"


def abridged(shown):
    """A pattern of what is shown: a line `...` stands for any lines, and `...` at the end of one for the rest of it."""
    lines = []
    for line in shown.splitlines():
        rest = ".*\n" if line.endswith("...") else "\n"
        lines.append("(?:.*\n)+?" if line == "..." else re.escape(line.removesuffix("...")) + rest)
    return re.compile("".join(lines))


@pytest.mark.parametrize(
    ("real", "fits"),
    [("a\nb\nc\n", True), ("a\nc\n", False), ("a\nb\n", False), ("a\nb\nc\nd\n", False)],
    ids=["lines left out", "none to leave out", "the end missing", "more at the end"],
)
def test_an_abridged_session_leaves_out_what_it_says_and_no_more(real, fits):
    assert bool(re.fullmatch(abridged("a\n...\nc\n"), real)) is fits


def test_the_tutorial_shows_the_file_as_it_becomes(session, tmp_path):
    written = json.loads((tmp_path / "runs/chatdev/9f3c1e07/metrics.json").read_text())
    assert set(written["usage_api_reconciliation"].pop("evidence")) == {"sha256", "seal"}
    assert written == AFTER


@pytest.mark.parametrize("number", range(len(blocks(TEXTS["docs/programs.md"], "python"))))
def test_the_programs_shown_run(session, number):
    _, program = blocks(TEXTS["docs/programs.md"], "python")[number]
    exec(compile(program, f"docs/programs.md, block {number}", "exec"), {})  # noqa: S102  our own page


@pytest.mark.parametrize("number", range(len(blocks(TEXTS["docs/recording.md"], "python"))))
def test_the_recordings_shown_leave_what_their_calls_used(tmp_path, monkeypatch, number):
    _, program = blocks(TEXTS["docs/recording.md"], "python")[number]
    monkeypatch.chdir(tmp_path)
    with Models() as models:
        for name, value in models.environment.items():
            monkeypatch.setenv(name, value)
        exec(compile(program, f"docs/recording.md, block {number}", "exec"), {})  # noqa: S102  our own page
        (folder,) = (tmp_path / "runs" / "chatdev").iterdir()
        assert Left(folder).recorded == usage_of(models.truth)


# ------------------------------------------------------------------------------------------------------ the demo


@pytest.fixture(scope="module")
def demo():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPEN", "RECONCIL"))}
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "demo.py"], capture_output=True, text=True, env=environment, check=False
    )


def test_the_demo_succeeds_without_a_word_on_stderr(demo):
    assert (demo.returncode, demo.stderr) == (0, "")


def test_the_demo_has_three_passes_one_finding_the_change_and_the_truth(demo):
    assert demo.stdout.count("\n$ reconcile run ") == 3
    assert len({line for line in demo.stdout.splitlines() if "0badf11e/metrics.json:" in line}) == 1
    assert "\n$ git diff " in demo.stdout
    assert '\n-    "TOK_IN": 0,' in demo.stdout
    assert re.search("[0-9] runs verified, and each of them at exactly what .* used", demo.stdout.split("\n\n")[-2])


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_the_lines_shown_of_the_demo_come_in_their_order(demo, name):
    (shown,) = [body for _, body in blocks(TEXTS[name], "console") if body.startswith("$ make demo")]
    wanted = [line for line in shown.splitlines()[1:] if line not in {"...", ""}]
    assert wanted
    lines = iter(demo.stdout.splitlines())
    for each in wanted:
        assert any(cut(line, each) == each for line in lines), each


# ------------------------------------------------------------------------------------------------ files and values


CHECKER = Checker(schemas.load("metrics-v1"), schemas.load("metrics-v2"))


@every_document
def test_every_json_example_is_json_and_every_metrics_file_is_valid(name):
    for _, body in blocks(TEXTS[name], "json"):
        value = json.loads(body)
        if "run_id" in value:
            assert isinstance(CHECKER.check(name, RunKey("chatdev", value["run_id"]), body.encode()), Document)


def test_the_call_log_shown_is_one():
    (shown,) = [body for _, body in blocks(TEXTS["docs/metrics-format.md"], "text") if "started_at" in body]
    log = LogChecker(schemas.load("calls")).check("calls.ndjson", shown.encode())
    assert (log.complete, log.total.api_calls, log.aborted) == (True, 1, 1)


@pytest.mark.parametrize("number", range(len(ALL_CONFIGURATIONS)))
def test_every_configuration_shown_is_one(tmp_path, number):
    file = tmp_path / "reconcile.yml"
    file.write_text(ALL_CONFIGURATIONS[number])
    settings = config.load(config.Flags(config=str(file)), {}, read_dotenv=False)
    shown = yaml.safe_load(file.read_text())
    assert set(settings.scopes) == set(shown.get("frameworks", ()))
    assert bool(settings.logs) == bool(shown.get("logs"))


def test_the_page_on_settings_names_every_setting_of_the_configuration():
    schema = schemas.load("reconcile")
    names = {*schema["properties"], *schema["properties"]["policy"]["properties"]}
    names |= set(schema["$defs"]["framework"]["properties"])
    (whole,) = configurations(SETTINGS)
    assert {name for name in names if f"{name}:" not in whole} == set()


def test_the_page_on_evidence_names_every_member_of_it():
    schema = schemas.load("evidence")
    members = {*schema["properties"], *schema["$defs"]["claim"]["properties"]} - {"schema_version"}
    assert {name for name in members if f"`{name}`" not in TEXTS["docs/evidence.md"]} == set()


@pytest.mark.parametrize("name", ["metrics-v1", "metrics-v2", "calls"])
def test_the_page_on_the_format_names_every_member(name):
    schema = schemas.load(name)
    objects = [schema, *schema["$defs"].values()]
    members = {name for each in objects for name in each.get("properties", {})}
    page = TEXTS["docs/metrics-format.md"]
    assert {name for name in members if f"`{name}`" not in page and f'"{name}"' not in page} == set()


def test_samples_are_listed_with_their_status():
    (table,) = tables(TEXTS["runs/README.md"])
    listed = {row[0].strip("`"): row[1].strip("`") for row in table[1:]}
    found = {}
    for file in (ROOT / "runs").glob("*/*/metrics.json"):
        value = json.loads(file.read_text("utf-8"))
        found[f"{file.parts[-3]}/{file.parts[-2]}"] = value.get("usage_api_reconciliation", {}).get(
            "verification_status", "not read yet"
        )
        assert "simulator" in value["sample"]
    assert listed == found


# ------------------------------------------------------------------------------------------------------ the Action


def plain(text):
    """A cell without code spans, and links as they are read."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")


def shown_rows(heading):
    (table,) = tables(section(REFERENCE, heading))
    return [[plain(cell) for cell in row] for row in table[1:]]


def test_the_reference_has_every_input_with_its_default_and_its_meaning():
    wanted = []
    for name, spec in ACTION["inputs"].items():
        meaning, _, told = spec["description"].partition(" Default ")
        default = re.sub(r"\$\{\{ (.*) \}\}", r"\1", spec["default"]) if "default" in spec else told.removesuffix(".")
        wanted.append([name, default, meaning])
    assert shown_rows("## Inputs") == wanted


def test_the_reference_has_every_output_with_its_meaning():
    names = {"(schemas/summary.schema.json)": "(schema)"}  # a link there
    wanted = [[name, spec["description"]] for name, spec in ACTION["outputs"].items()]
    assert shown_rows("## Outputs") == [[name, _replaced(text, names)] for name, text in wanted]


def _replaced(text, names):
    for old, new in names.items():
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("name", "kind"), [("mode", Mode), ("sign", Sign), ("comment", CommentPolicy), ("fail-on", FailOn)]
)
def test_every_allowed_value_of_an_input_is_named(name, kind):
    spec = ACTION["inputs"][name]
    assert {
        value for value in kind if not re.search(rf"\b{value}\b", f"{spec['description']} {spec['default']}")
    } == set()


def test_what_fails_a_job_is_told_for_every_value_of_fail_on():
    assert [row[0] for row in shown_rows("## When the job fails")] == [value.value for value in FailOn]


def test_the_permissions_told_are_those_of_the_workflows_and_no_other():
    given = set()
    for name in ("reconcile", "check"):
        for job in yaml.safe_load((ROOT / ".github/workflows" / f"{name}.yml").read_text("utf-8"))["jobs"].values():
            given |= {f"{scope}: {level}" for scope, level in job["permissions"].items()}
    assert first_column(section(REFERENCE, "## Permissions")) == given | {"issues: write"}


PLACEHOLDER = "OWNER/llm-usage-reconcile@0000000000000000000000000000000000000000 # v"


@pytest.mark.parametrize("name", ["reconcile", "check"])
def test_the_workflow_to_paste_is_the_one_this_repository_uses(name):
    ours = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    wanted = re.sub(r"uses: \./.*", f"uses: {PLACEHOLDER}{reconcile.__version__}", ours)
    assert wanted in [body for _, body in blocks(SETUP, "yaml")]


def test_init_writes_the_workflow_to_paste():
    hourly = next(body for _, body in blocks(SETUP, "yaml") if "schedule:" in body)
    assert workflow_template().decode() == hourly


def as_workflow(body):
    """A workflow as it would be in a repository: whole, or the hourly one with these steps or this trigger."""
    hourly = next(body for _, body in blocks(SETUP, "yaml") if "schedule:" in body)
    if "jobs:" in body:
        return body
    if body.startswith("on:"):
        return re.sub(r"^on:\n.*?(?=^\S)", f"{body}\n", hourly, count=1, flags=re.DOTALL | re.MULTILINE)
    steps = "".join(f"      {line}\n" if line else "\n" for line in body.splitlines())
    return re.sub(r"^    env:\n.*\Z", f"    steps:\n{steps}", hourly, count=1, flags=re.DOTALL | re.MULTILINE)


WORKFLOWS = [
    pytest.param(as_workflow(body), id=f"{name}-{number}")
    for name in NAMES
    for number, (_, body) in enumerate(blocks(TEXTS[name], "yaml"))
    if body not in ALL_CONFIGURATIONS
]
CHECKS = {
    "schema": ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    "zizmor": ("zizmor", "--offline", "--persona", "pedantic", "--no-progress", "--quiet"),
}


@pytest.mark.parametrize("check", CHECKS)
def test_every_workflow_shown_passes(tmp_path, check):
    """All in one process; what fails is named by its document and its number there."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for shown in WORKFLOWS:
        (folder / f"{shown.id.replace('/', '-')}.yml").write_text(*shown.values, encoding="utf-8")
    program, *options = CHECKS[check]
    command = [Path(sys.executable).with_name(program), *options, *sorted(folder.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize("text", WORKFLOWS)
def test_every_workflow_shown_gives_the_action_what_it_has(text):
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    given = [step.get("with", {}) for step in steps if step.get("uses", "").startswith("OWNER/")]
    assert len(given) == 1
    assert set(given[0]) - set(ACTION["inputs"]) == set()


def test_what_a_person_starts_the_shipped_workflow_with_reaches_the_action_under_the_same_name():
    file = yaml.safe_load((ROOT / ".github" / "workflows" / "reconcile.yml").read_text("utf-8"))
    given = next(step["with"] for step in file["jobs"]["reconcile"]["steps"] if step.get("uses") == "./")
    asked = file[True]["workflow_dispatch"]["inputs"]
    assert {name: given.get(name) for name in asked} == {name: f"${{{{ inputs.{name} }}}}" for name in asked}


def test_one_commit_is_pinned_of_every_action_that_is_named():
    files = [*(ROOT / ".github" / "workflows").glob("*.yml"), *(ROOT / name for name in NAMES)]
    pins = {pin for file in files for pin in re.findall(r"uses: (\w[\w/-]+)@(\S+) # (\S+)", file.read_text("utf-8"))}
    assert len({name for name, _, _ in pins}) == len(pins), pins
    assert {sha for _, sha, _ in pins if not re.fullmatch("[0-9a-f]{40}", sha)} == set()


SHOWN_RUNS = ("chatdev/9b07d5e3", "chatdev/d7741b9a", "baes/a8e4470c", "baes/e01b7c95")


def sample_comment(folder):
    """The comment on a pull request that brought in these samples, after two passes; without marker, links and foot."""
    shutil.copytree(ROOT / "runs", folder / "runs")
    settings = config.load(config.Flags(config=str(ROOT / "reconcile.yml")), {}, read_dotenv=False)
    with Simulator(Ledger(sample_world.all_calls())) as simulator:
        for hour in (15, 16):
            now = sample_world.DAY + timedelta(hours=hour, minutes=47, seconds=3)
            simulator.set_now(now)
            workspace = reconcile.open_workspace(folder / "runs", scopes=settings.scopes, now=now)
            usage = reconcile.openai_usage(simulator.admin_key, simulator.base_url, now=now)
            summary = reconcile.run_pass(workspace, usage)
    shown = narrowed(summary, [RunKey(*name.split("/")) for name in SHOWN_RUNS])
    return summary_markdown(shown, Links(), MOST_CHARACTERS).partition("\n<sub>")[0]


def quoted(text):
    return "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


def test_the_comment_shown_is_the_one_the_samples_get(tmp_path):
    assert f"\n\n{quoted(sample_comment(tmp_path))}\n" in SETUP


@pytest.mark.parametrize("row", next(tables(section(ACTION_PAGE, "## Cost")))[1:], ids=lambda row: row[0])
def test_the_cost_and_the_chances_of_a_schedule_are_as_told(row):
    cron, jobs, chances, span = row
    minute, hours, *rest = cron.strip("`").split()
    every = int(hours.removeprefix("*/")) if hours != "*" else 1
    assert (minute.isdecimal(), rest, 24 % every) == (True, ["*", "*", "*"], 0)
    counts, first = [], []
    for late in range(60 * every):  # minutes from the end of a run to the first pass after it
        ages = [late + 60 * every * number for number in range(25)]
        due = [age for age in ages if selection_at(age) is Selection.DUE]
        counts.append(len(due))
        first.append(due[1])
    assert jobs == str(365 * 24 // every // 12)
    assert chances == f"{min(counts)} or more"
    assert span == f"{min(first)} to {max(first) + 1} min"


def selection_at(age):
    """What a pass does with a run that ended so many minutes ago."""
    ended = datetime.fromtimestamp(NOON, UTC)
    run = Run(
        key=RunKey("chatdev", "a"), path="", generation=Generation.V2, window=Window(NOON - 60, NOON),
        started_at=ended, ended_at=ended,
    )  # fmt: skip
    (selected,) = select([run], Policy(), ended + timedelta(minutes=age), Asked())
    return selected.selection


def test_every_error_code_of_a_job_is_explained_with_its_remedy():
    (table,) = tables(section(ACTION_PAGE, "## Errors"))
    told = {code for row in table[1:] for code in re.findall("`([^`]+)`", row[0])}
    files = [PACKAGE / "runs" / "tree_store.py", PACKAGE / "config" / "inputs.py"]
    files += [file for part in ("action", "git", "github") for file in (PACKAGE / part).rglob("*.py")]
    calls = [
        node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    given = {keyword.value for call in calls for keyword in call.keywords if keyword.arg == "code"}
    given |= {call.args[1] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_refuse"}
    raised = {value.value for value in given if isinstance(value, ast.Constant)}
    raised |= {code for _, code, _ in (*git_failures.UNREAD, *git_failures.UNPUSHED)}
    raised |= {code for _, _, code, _ in failures.REFUSALS} | {code for _, code, _ in failures.GRAPHQL}
    raised |= {failures.RATE[0], failures.UNAVAILABLE[0], "moved", "unexpected_status"}
    raised |= {code for _, code, _, _ in PASSING}
    assert raised == told
    assert all(row[2] for row in table[1:])


# ------------------------------------------------------------------------------------------------------- the words


def test_the_page_on_settings_names_every_environment_variable_and_no_other():
    named = first_column(section(f"\n{SETTINGS}", "# Settings"))
    real = {text for text in constants() if re.fullmatch("(OPENAI|OPEN_AI|RECONCIL|NO_COLO)[A-Z_]*[A-Z]", text)}
    real = {text for text in real if not text.startswith("RECONCILE_INPUT")}  # how the Action's inputs travel
    assert named == {*real, "OPENAI_API_KEY_<FRAMEWORK>_ID"}


SIMULATED = {None, "invalid_type", "rate_limit_exceeded"}
"""Codes that only the simulated API answers with."""


def test_the_page_on_commands_names_every_exit_code_and_no_other():
    (table,) = tables(section(TEXTS["docs/commands.md"], "## Exit codes"))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {int(row[0]) for row in table[1:]} == {0, *(kind.exit_code for kind in kinds)}


@pytest.mark.parametrize(
    ("heading", "words"),
    [("## Status", Status), ("## Reasons", Reason), ("## What a verdict rests on", [*Proof, *Completeness])],
    ids=["statuses", "reasons", "grades"],
)
def test_the_page_on_verdicts_explains_every_word_of_one(heading, words):
    assert first_column(section(VERDICTS, heading)) == {word.value for word in words}


def test_the_page_on_the_bill_explains_every_reason_of_a_difference():
    (table,) = tables(section(TEXTS["docs/bill.md"], "## Reasons of a difference"))
    assert [row[0].strip("`") for row in table[1:]] == [code.value for code in BreakCode]
    assert all(row[1] and row[2] for row in table[1:])


def test_the_guide_explains_every_note_of_a_charge_back():
    (table,) = tables(section(TEXTS["docs/comparing.md"], "### Notes"))
    assert [row[0].strip("`") for row in table[1:]] == [code.value for code in Note]


def test_every_reason_that_a_rule_gives_is_in_the_tables_of_the_rules():
    verdicts = section(TEXTS["docs/verdict-rules.md"], "## Verdicts")
    assert {reason.value for reason in Reason if reason.value not in verdicts} == set()


def test_every_class_of_errors_is_named_with_its_exit_code():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    (classes, *_) = tables(section(TEXTS["docs/programs.md"], "## Errors"))
    told = {row[0].strip("`"): int(row[2]) for row in classes[1:]}
    assert told == {kind.__name__: kind.exit_code for kind in kinds if kind is not errors.ReconcileError}


def test_every_error_code_is_explained():
    page = first_column(section(TEXTS["docs/programs.md"], "## Errors"))
    calls = [node for tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "code"]
    given += [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("_refuse", "Untrusted")
    ]
    choices = [
        part for value in given for part in ((value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,))
    ]
    raised = {part.value for part in choices if isinstance(part, ast.Constant)} - SIMULATED
    assert raised - page == set()
    assert {code for code in page if code == code.lower()} - constants() == set()


def test_the_page_on_programs_names_the_whole_interface():
    page = TEXTS["docs/programs.md"]
    assert {name for name in reconcile.__all__ if not re.search(rf"`{name}\b", page)} == set()


def test_the_subjects_are_in_the_order_that_the_test_of_layers_holds():
    spec = importlib.util.spec_from_file_location("layers", ROOT / "tests" / "unit" / "test_layers.py")
    layers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(layers)
    (table,) = tables(section(CONTRIBUTING, "## Subjects"))
    subjects = [(row[0].strip("`"), *(set(re.findall("`([^`]+)`", cell)) for cell in row[2:])) for row in table[1:]]
    assert [name for name, _, _ in subjects] == list(dict.fromkeys(layers.ORDER))
    assert {name: seen for name, seen, _ in subjects if seen} == layers.APART
    assert {name: viewers for name, _, viewers in subjects if viewers} == layers.NOBODY_SEES


def test_the_map_of_the_code_answers_every_question_with_a_module():
    (table,) = tables(section(CONTRIBUTING, "## Where is X decided?"))
    assert len(table[1:]) >= 20
    assert all(question.endswith("?") and ".py`" in module for question, module in table[1:])


def test_every_module_that_contributing_names_exists():
    named = re.findall(r"`([\w/]+(?:\.py|/))`", CONTRIBUTING)
    assert [path for path in named if not ((ROOT / path).exists() or (PACKAGE / path).exists())] == []


def test_contributing_is_read_in_ten_minutes():
    assert len(CONTRIBUTING.split()) < 2000


def test_the_changelog_has_a_section_for_this_version():
    assert f"\n## [{reconcile.__version__}] - " in TEXTS["CHANGELOG.md"]


ORIGINS = ROOT.parent / "shared" / "seeds"


@pytest.mark.skipif(not ORIGINS.is_dir(), reason="the origin projects' documents are not at hand")
def test_every_option_and_variable_of_the_origin_projects_is_mapped():
    told = "\n".join(path.read_text("utf-8") for path in ORIGINS.glob("*.md"))
    options = set(re.findall(r"(?:reconcile_usage|run_experiment)\.\w+.*? (--[a-z-]+)", told))
    variables = set(
        re.findall(r"^(?:export )?([A-Z]+(?:_[A-Z]+)+)=|\$\{?([A-Z]+(?:_[A-Z]+)+)", told, flags=re.MULTILINE)
    )
    names = options | {name for pair in variables for name in pair if name}
    assert {name for name in names if name not in TEXTS["docs/from-the-seeds.md"]} == set()


# ------------------------------------------------------------------------------------------- examples of attribution


NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
SCOPE = Scope("openai", ("key_a",))


def minute(index, cell):
    requests, tokens = map(int, cell.split("x"))
    return Bucket(NOON + 60 * index, Usage(tokens, tokens, tokens, requests), "key_a", "gpt-4o-mini")


def call_log(recorded):
    """The log in "partial log `0:100 4:150`", as far as there is one: minutes and tokens."""
    found = re.search(r"(partial )?log `([^`]*)`", recorded)
    if not found:
        return None
    lines = [{"complete": not found[1]}]
    for each in found[2].split():
        at, tokens = map(int, each.split(":"))
        counts = dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens"), tokens)
        times = {"started_at": NOON + 60 * at + 20, "ended_at": NOON + 60 * at + 30}
        lines.append({**times, "model": "gpt-4o-mini", **counts})
    return LogChecker(schemas.load("calls")).check("calls.ndjson", "\n".join(map(json.dumps, lines)).encode())


def claim(name, start, end, recorded, uncertainty=0):
    """`5 calls, 430 tokens`, and maybe a log."""
    calls, tokens = (re.search(rf"(\d+) {noun}", recorded) for noun in ("calls", "tokens"))
    known = int(tokens[1]) if tokens else None
    window = Window(NOON + 60 * start, NOON + 60 * end)
    said = Recorded(known, known, known, int(calls[1]) if calls else None)
    clock = Clock(uncertainty=uncertainty)
    reached = (clock.around(window.start, window.end),) if uncertainty else ()
    return Claim(RunKey("chatdev", name), SCOPE, window, said, call_log(recorded), clock=clock, reached=reached)


def used(claims, cells, name, foreign=0):
    """What a run used, in the words of the page."""
    extra = [minute(20, f"{foreign}x7")] if foreign else []
    shown = attribute(claims, [*(minute(*cell) for cell in enumerate(cells)), *extra], [Window(0, 2 * NOON)])
    bounds = shown.by_run[RunKey("chatdev", name)].bounds
    if bounds is None:
        return "no bounds"
    return f"{bounds.low.tokens_in}" + ("" if bounds.exact else f" to {bounds.high.tokens_in}")


def test_the_example_of_money_is_right():
    nano = "gpt-4.1-nano-2025-04-14"
    logged = [
        money.used("gpt-4o-mini", (970_000, 194_000, 0, 97_000), 970, cost="0.2328"),
        money.used("gpt-4.1-nano", (1_001, 0, 0, 0), cost="0.0001"),
    ]
    reported = [money.used(tokens=(1_000_000, 200_000, 0, 100_000), requests=1000), money.used(nano, (1_001, 0, 0, 0))]
    costs = [*money.bill(reported, list_prices()), money.billed("0.02", "web search")]
    split = split_gap(logged, money.official(reported, costs), list_prices())
    page = TEXTS["docs/money.md"]
    assert f"The gap is {split.local} - {split.official} = {spelled_out(split.gap.total)} USD" in page
    shown = dict(re.findall(r"^\| (quantity|price|unpriced|rounding) \| .* \| (-?[0-9.]+) \|$", page, re.MULTILINE))
    assert shown == {term: spelled_out(getattr(split.gap, term)) for term in shown}
    assert len(shown) == 4


def test_the_examples_of_attribution_are_right():
    examples = section(TEXTS["docs/attribution.md"], "## Worked examples")
    (_, two_cells), two, (_, one_cell), one, two_logs, one_log, (_, reached_cells), reached = tables(examples)
    for a, b, a_used, b_used, _ in [*two[1:], *two_logs[1:]]:
        claims = [claim("a", 0, 5, a), claim("b", 4, 9, b)]
        assert (used(claims, two_cells, "a"), used(claims, two_cells, "b")) == (a_used, b_used), f"A {a}, B {b}"
    for recorded, foreign, expected, _ in [*one[1:], *one_log[1:]]:
        assert used([claim("a", 0, 3, recorded)], one_cell, "a", int(foreign)) == expected, recorded
    for recorded, expected, _ in reached[1:]:
        assert used([claim("a", 1, 3, recorded, uncertainty=60)], reached_cells, "a") == expected, recorded


# ------------------------------------------------------------------------------------- the first three minutes


def test_readme_is_read_in_three_minutes():
    assert 1000 <= len(README.split()) <= 1300


def test_the_workflow_of_readme_is_short_and_the_only_one():
    (workflow,) = [body for _, body in blocks(README, "yaml")]
    assert len(workflow.splitlines()) <= 20
    assert {"schedule", "workflow_dispatch"} == set(yaml.safe_load(workflow)[True])
    assert f"uses: {PLACEHOLDER}{reconcile.__version__}\n" in workflow


def test_the_workflow_of_readme_has_the_rights_and_the_environment_of_the_whole_one():
    short, whole = (
        next(yaml.safe_load(body) for _, body in blocks(text, "yaml") if "schedule:" in body)
        for text in (README, SETUP)
    )
    assert short[True]["schedule"] == whole[True]["schedule"]
    (job,), (model,) = short["jobs"].values(), whole["jobs"].values()
    assert {name: job[name] for name in ("permissions", "environment", "runs-on")} == {
        name: model[name] for name in ("permissions", "environment", "runs-on")
    }


def test_readme_says_in_a_configuration_of_one_line_what_a_framework_needs(tmp_path):
    (line,) = re.findall(r"`(frameworks: [^`]+)`", README)
    file = tmp_path / "reconcile.yml"
    file.write_text(line)
    assert set(config.load(config.Flags(config=str(file)), {}, read_dotenv=False).scopes) == {"chatdev"}


def test_readme_names_every_provider_that_there_is():
    assert schemas.load("reconcile")["$defs"]["provider"]["enum"] == ["openai"]
    assert "**Providers:** OpenAI, and no other yet." in README


def test_readme_says_what_every_grade_means_and_what_it_does_not_cover():
    (table,) = tables(section(README, "## What the words mean"))
    assert [row[0].strip("*") for row in table[1:]] == [*(proof.value for proof in Proof), "to look at"]
    assert all(meaning and missing for _, meaning, missing in table[1:])


def test_the_five_problems_of_readme_are_told_in_full_on_their_page():
    (table,) = tables(section(README, "## Five problems"))
    told = first_column(f"\n{TEXTS['docs/troubleshooting.md']}")
    assert len(table[1:]) == 5
    assert {name for row in table[1:] for name in re.findall("`([^`]+)`", row[0])} - told == set()
    assert all(row[1] for row in table[1:])


def test_every_page_of_docs_is_on_the_map_of_readme():
    mapped = re.findall(r"\]\((docs/[\w-]+\.md)\)", section(README, "## Documentation"))
    pages = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
    assert sorted(set(mapped)) == pages
    assert len(mapped) == len(pages)


# ----------------------------------------------------------------------------------------- links, paths and language


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_link_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text("utf-8")), target


@every_document
def test_every_path_of_this_repository_that_is_named_exists(name):
    named = re.findall(rf"`((?:tests|docs|scripts|schemas|reconcile)/[\w./-]*|(?:{ROOMS})/[\w/]+\.py)`", TEXTS[name])
    named = [path for path in named if path != ACTION["inputs"]["pr-branch"]["default"]]
    ours = [path for path in named if "reconciler" not in path and name != "docs/from-the-seeds.md"]
    assert [path for path in ours if not ((ROOT / path).exists() or (PACKAGE / path).exists())] == []


@every_document
def test_documents_speak_of_the_project_alone_and_in_plain_letters(name):
    text = TEXTS[name]
    assert re.findall(r"/work\b|/tmp/|/home/|(?<!&)#\d+\b|\bshared/|DESIGN\.md|STYLE\.md|\bTODO\b", text) == []
    assert {letter for letter in text if ord(letter) > 255} == set()
