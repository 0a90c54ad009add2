"""`reconcile record` and `reconcile step` as a user has them: real processes, real signals, the truth of a ledger."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from click.testing import CliRunner
from support.models import KEY_ID, SECRET, Models
from support.recordings import Left, usage_of

from reconcile import cli
from reconcile.attribution.claims import Asked
from reconcile.passes.apply import run_pass
from reconcile.providers.base import Scope
from reconcile.providers.openai import openai_usage
from reconcile.simulator.server import Simulator
from reconcile.workspace import open_workspace

PROGRAM = [sys.executable, "-m", "reconcile"]
QUICK = """
import sys
from pathlib import Path
from reconcile.recording import record_command
sys.exit(record_command(Path("runs"), sys.argv[1:], framework="chatdev", run_id="a").exit_status)
"""
"""What the command line does, without the second it takes to be loaded."""
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals as POSIX has them")


class Recorded:
    """A command that is being recorded, up to its end."""

    def __init__(self, folder, command, *options, quick=False, **environment):
        self.folder = folder / "runs" / "chatdev" / "a"
        whole = [*PROGRAM, "record", "--framework", "chatdev", "--run-id", "a", *options, "--"]
        self.process = subprocess.Popen(
            [*(python(QUICK) if quick else whole), *command],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment}, start_new_session=True,
            preexec_fn=heeding_signals,  # noqa: PLW1509  no thread of a test holds a lock then
        )  # fmt: skip

    def line(self):
        """The next line that the command prints: it has come that far."""
        return self.process.stdout.readline().strip()

    def end(self):
        """Exit status and what it left."""
        self.out, self.err = self.process.communicate(timeout=60)
        return self.process.returncode, Left(self.folder)


def heeding_signals():
    """As from a shell, whatever started the tests ignores."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM"):
        signal.signal(signal.Signals[name], signal.SIG_DFL)


def python(text):
    return [sys.executable, "-c", text]


@pytest.mark.parametrize("status", [0, 7])
def test_the_exit_status_is_passed_on_and_recorded(tmp_path, status):
    before = time.time()
    code, left = Recorded(tmp_path, python(f"print('hello'); raise SystemExit({status})"), "--model", "m").end()
    assert code == status
    assert left.recording == {"successful": status == 0, "exit_status": status}
    assert (left.value["model"], left.files) == ("m", {"metrics.json"})
    assert before <= left.run.started_at.timestamp() <= left.run.ended_at.timestamp() <= time.time()


def test_output_is_the_commands_own_and_the_report_goes_to_stderr(tmp_path):
    recorded = Recorded(tmp_path, python("import sys; print('out'); print('err', file=sys.stderr)"))
    recorded.end()
    assert recorded.out == "out\n"
    assert recorded.err.splitlines() == ["err", f"recorded {recorded.folder / 'metrics.json'}, exit status 0"]


@POSIX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_a_signal_is_passed_on_and_the_run_recorded(tmp_path, name):
    recorded = Recorded(tmp_path, ["sh", "-c", "echo ready; exec tail -f /dev/null"], quick=name != "SIGTERM")
    assert recorded.line() == "ready"
    recorded.process.send_signal(signal.Signals[name])
    code, left = recorded.end()
    assert code == 128 + signal.Signals[name]
    assert left.recording == {"successful": False, "exit_status": code, "signal": name}


OWN_WAY = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {15})  # a handler might run just before it is waited for
print("ready", flush=True)
signal.sigwait({15})
sys.exit(5)
"""


@POSIX
def test_a_command_that_ends_in_its_own_way_on_a_signal_is_waited_for(tmp_path):
    recorded = Recorded(tmp_path, python(OWN_WAY), quick=True)
    recorded.line()
    recorded.process.terminate()
    code, left = recorded.end()
    assert (code, left.recording) == (5, {"successful": False, "exit_status": 5})


@POSIX
def test_a_command_is_waited_for_where_the_signal_of_its_end_is_blocked(tmp_path):
    blocked = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})\n"
    done = subprocess.run([*python(blocked + QUICK), "true"], cwd=tmp_path, timeout=60, check=False)
    assert (done.returncode, Left(tmp_path / "runs/chatdev/a").recording["successful"]) == (0, True)


@POSIX
def test_a_command_that_is_killed_is_recorded(tmp_path):
    code, left = Recorded(tmp_path, ["sh", "-c", "kill -9 $$"], quick=True).end()
    assert (code, left.recording["signal"]) == (137, "SIGKILL")


COUNTING = """
import signal, sys
expected = {signal.SIGINT, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, expected)
print("ready", flush=True)
count = 0
while signal.sigwait(expected) == signal.SIGINT:
    count += 1
    print("interrupted", flush=True)
sys.exit(count)
"""


@POSIX
def test_a_key_of_the_terminal_reaches_the_command_once(tmp_path, monkeypatch):
    import pty  # noqa: PLC0415  not on every system

    monkeypatch.chdir(tmp_path)
    process, terminal = pty.fork()
    if process == 0:
        command = [*python(QUICK), *python(COUNTING)]
        os.execv(sys.executable, command)  # noqa: S606  as a shell does it
    with os.fdopen(terminal, "r+b", buffering=0) as keys:
        seen = b""
        while b"ready" not in seen:
            seen += keys.read(1000)
        keys.write(b"\x03")
        while b"interrupted" not in seen:
            seen += keys.read(1000)
        os.kill(process, signal.SIGUSR1)  # comes after anything that the recorder may have passed on
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert Left(tmp_path / "runs" / "chatdev" / "a").recording["exit_status"] == 1


@pytest.mark.long
@pytest.mark.parametrize("command", [["no-such-program"], ["."]], ids=["missing", "no program"])
def test_a_command_that_cannot_be_started_leaves_nothing(tmp_path, command):
    recorded = Recorded(tmp_path, command)
    _, said = recorded.process.communicate(timeout=60)
    assert (recorded.process.returncode, recorded.folder.exists()) == (2, False)
    assert f"{command[0]}: cannot be started" in said


@pytest.mark.long
def test_an_existing_run_is_not_overwritten_and_its_command_not_started(tmp_path):
    Recorded(tmp_path, python(""), quick=True).end()
    before = (tmp_path / "runs/chatdev/a/metrics.json").read_bytes()
    again = Recorded(tmp_path, python("print('started')"))
    out, said = again.process.communicate(timeout=60)
    assert (again.process.returncode, out) == (2, "")
    assert "run chatdev/a is recorded already" in said
    assert (tmp_path / "runs/chatdev/a/metrics.json").read_bytes() == before


@pytest.mark.long
def test_a_file_that_the_command_wrote_itself_stays_and_is_told(tmp_path):
    text = "import os; open(os.environ['RECONCILE_RECORD'] + '/metrics.json', 'w').write('theirs')"
    recorded = Recorded(tmp_path, python(text))
    _, said = recorded.process.communicate(timeout=60)
    assert (recorded.process.returncode, (recorded.folder / "metrics.json").read_text()) == (3, "theirs")
    assert "run_exists: " in said
    assert "somebody else" in said


@pytest.mark.long
def test_the_folder_of_runs_is_that_of_the_configuration_and_the_id_a_new_one(tmp_path):
    (tmp_path / "reconcile.yml").write_text("runs: data\n")
    command = [*PROGRAM, "record", "--framework", "chatdev", "--", *python("")]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (folder,) = (tmp_path / "data" / "chatdev").iterdir()
    assert Left(folder).value["run_id"] == folder.name


def test_steps_are_commands_of_the_run(tmp_path):
    step = f"{sys.executable} -m reconcile step"
    code, left = Recorded(
        tmp_path, ["sh", "-c", f"{step} plan -- true; {step} code -- sh -c 'exit 4'"], quick=True
    ).end()
    assert code == 4
    assert [(each["name"], each["success"]) for each in left.value["steps"]] == [("plan", True), ("code", False)]


@pytest.mark.long
def test_a_step_that_cannot_be_started_failed(tmp_path):
    _, left = Recorded(tmp_path, [*PROGRAM, "step", "plan", "--", "no-such-program"], quick=True).end()
    assert [(each["name"], each["success"]) for each in left.value["steps"]] == [("plan", False)]


def test_steps_can_be_lines_that_any_program_appends(tmp_path):
    script = """
    begin() { printf '{"begin": "%s", "at": %s}\\n' "$1" "$(date +%s)" >> "$RECONCILE_RECORD/recording.ndjson"; }
    end() { printf '{"end": "%s", "at": %s}\\n' "$1" "$(date +%s)" >> "$RECONCILE_RECORD/recording.ndjson"; }
    begin plan; end plan; begin code
    """
    _, left = Recorded(tmp_path, ["sh", "-c", script], quick=True).end()
    assert [(each["name"], each["success"]) for each in left.value["steps"]] == [("plan", True), ("code", False)]


@pytest.mark.long
def test_a_step_outside_of_a_run_says_so(tmp_path):
    done = subprocess.run([*PROGRAM, "step", "plan", "--", "true"], capture_output=True, text=True, check=False)
    assert (done.returncode, "RECONCILE_RECORD is not set" in done.stderr) == (2, True)


@pytest.mark.long
def test_a_run_inside_of_a_run_is_refused(tmp_path):
    code, _ = Recorded(tmp_path, [*PROGRAM, "record", "--framework", "baes", "--", "true"], quick=True).end()
    assert code == 2


# --------------------------------------------------------------------------- what the calls really used, verified

EXPERIMENT = """
import os, signal, sys
import openai, reconcile
with reconcile.record(complete=True) as run:
    client = run.watch(openai.OpenAI(max_retries=0, timeout=30))
    for number in range(3):
        messages = [{"role": "user", "content": "SECRET" * number}]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    print("made", os.getpid(), flush=True)
    THEN
"""
EXPERIMENT = EXPERIMENT.replace("SECRET", SECRET)
ONE_MORE = 'client.responses.create(model="gpt-4o-mini", input="x")'
PAUSE = "signal.pause()"


@pytest.fixture
def models():
    with Models() as models:
        yield models


def experiment(tmp_path, models, then):
    recorded = Recorded(tmp_path, python(EXPERIMENT.replace("THEN", then)), quick=True, **models.environment)
    return recorded, int(recorded.line().split()[1])


def verdicts(left, models):
    """What two passes make of the run, 40 and 80 minutes after its end, and the figure in its file."""
    found = []
    with Simulator(models.ledger) as simulator:
        for minutes in (40, 80):
            now = left.run.ended_at + timedelta(minutes=minutes)
            simulator.set_now(now)
            workspace = open_workspace(left.folder.parents[1], scopes={"chatdev": Scope("openai", (KEY_ID,))}, now=now)
            (report,) = run_pass(
                workspace, openai_usage(simulator.admin_key, simulator.base_url, now=now), Asked()
            ).runs
            state = report.run.state
            found.append((f"{state.status}: {', '.join(state.reasons)}", usage_of(state.figure)))
    return found


def test_a_run_that_logs_all_is_verified_at_the_first_read_at_what_its_calls_used_and_keeps_no_prompt(tmp_path, models):
    recorded, _ = experiment(tmp_path, models, ONE_MORE)
    code, left = recorded.end()
    assert (code, left.log.complete, left.recording["call_log"]) == (0, True, "complete")
    assert verdicts(left, models)[0] == ("verified: log_matched", usage_of(models.truth))
    assert models.truth.api_calls == 4
    assert words_of_the_prompt(left) == []


def test_runs_back_to_back_know_the_providers_clock(tmp_path, models):
    models.ahead = -30
    found = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        options = {**models.environment, "RECONCILE_OPENAI_URL": models.base_url}
        recorded = Recorded(folder, python(EXPERIMENT.replace("THEN", ONE_MORE)), quick=True, **options)
        recorded.line()
        found.append(recorded.end()[1].run.clock)
    assert [abs(clock.offset + 30) <= clock.uncertainty <= 2 for clock in found] == [True, True]


def test_two_runs_back_to_back_are_both_proven_though_they_share_minutes(tmp_path, models):
    """Recorded by the command line and a watched client on a machine whose clock is twenty seconds slow."""
    models.ahead = 20
    options = {**os.environ, **models.environment, "RECONCILE_OPENAI_URL": models.base_url}
    for run_id in ("a", "b"):
        command = [*PROGRAM, "record", "--framework", "chatdev", "--run-id", run_id, "--"]
        program = python(EXPERIMENT.replace("THEN", ONE_MORE))
        subprocess.run([*command, *program], cwd=tmp_path, env=options, check=True, capture_output=True, timeout=60)
    lefts = [Left(tmp_path / "runs/chatdev" / run_id) for run_id in ("a", "b")]
    now = lefts[1].run.ended_at + timedelta(minutes=40)
    with Simulator(models.ledger, now=now) as simulator:
        workspace = open_workspace(tmp_path / "runs", scopes={"chatdev": Scope("openai", (KEY_ID,))}, now=now)
        summary = run_pass(workspace, openai_usage(simulator.admin_key, simulator.base_url, now=now), Asked())
    states = [report.run.state for report in summary.runs]
    assert [(state.status, state.proof, state.figure.api_calls) for state in states] == [("verified", "proven", 4)] * 2
    assert states[0].figure + states[1].figure == models.truth


def words_of_the_prompt(left):
    """Those that are in a file of the run: none may be."""
    return [word for word in SECRET.split() if len(word) > 4 and word in left.text]


@POSIX
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
@pytest.mark.parametrize("then", [PAUSE, ONE_MORE], ids=["between calls", "in a call"])
def test_a_run_that_is_killed_is_verified_at_what_its_calls_used(tmp_path, models, signum, then):
    models.script = ["ok"] * 3 + ["silent"]
    recorded, process = experiment(tmp_path, models, then)
    if then == ONE_MORE:
        models.silent.wait()
    os.kill(process, signum)
    code, left = recorded.end()
    assert (code != 0, left.recording["successful"]) == (True, False)
    assert left.log.total.api_calls == 3
    in_order = signum != signal.SIGKILL and then == PAUSE  # then nothing can be missing in the log
    reason = "verified: log_matched" if in_order else "verified: stable"
    assert verdicts(left, models)[1] == (reason, usage_of(models.truth))
    assert (models.truth.api_calls, left.log.complete) == (4 if then == ONE_MORE else 3, in_order)


ENDLESS = """
import itertools, reconcile
with reconcile.record(complete=True) as run:
    for number in itertools.count():
        run.add({"id": str(number), "model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}})
        if number == 20:
            print("going", flush=True)
"""


@POSIX
def test_a_log_that_was_killed_in_the_middle_is_whole_lines_and_never_complete(tmp_path):
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        recorded = Recorded(folder, ["sh", "-c", 'echo $$; exec "$0" -c "$1"', sys.executable, ENDLESS], quick=True)
        process = int(recorded.line())
        recorded.line()
        os.kill(process, signal.SIGKILL)
        _, left = recorded.end()
        assert left.log.total.api_calls > 20
        assert (left.log.complete, left.recorded, left.recording["call_log"]) == (False, {}, "partial")


@pytest.mark.long
@POSIX
def test_a_program_that_records_itself_survives_sigterm(tmp_path, models):
    text = EXPERIMENT.replace("record(complete=True)", "record('chatdev', run_id='a', complete=True)").replace(
        "THEN", PAUSE
    )
    process = subprocess.Popen(
        python(text), cwd=tmp_path, env={**os.environ, **models.environment}, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)
    left = Left(tmp_path / "runs" / "chatdev" / "a")
    assert (process.returncode, left.recording["error"]) == (143, "SystemExit")
    assert verdicts(left, models)[1][1] == usage_of(models.truth)


@pytest.mark.parametrize("command", [["list"], ["status"], ["status", "chatdev", "a"]], ids=" ".join)
def test_a_run_that_has_just_ended_is_not_taken_for_one_of_the_future(tmp_path, monkeypatch, command):
    Recorded(tmp_path, python("pass"), quick=True).end()
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(cli.main, command).output
    assert "due at" in said
    assert "check the clock" not in said
    assert "future" not in said
