"""A command around an experiment, as a function: its window, its status, its signals, and the minute it waits for."""

import os
import signal
import sys
import threading

import pytest
from support.recordings import NOON, FakeClock, Left

from reconcile.errors import StoreError, UsageError
from reconcile.recording.command import record_command, step_command
from reconcile.recording.folder import VARIABLE, begin, claim
from reconcile.recording.signals import exit_on_sigterm, passing_on

POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals as POSIX has them")


def python(text):
    return [sys.executable, "-S", "-c", text]


@pytest.fixture
def recorded(tmp_path):
    def recorded(command, **options):
        options = {"framework": "chatdev", "run_id": "a", "environ": os.environ, **options}
        return record_command(tmp_path, command, **options)

    return recorded


@pytest.mark.parametrize("status", [0, 3])
def test_the_status_of_the_command_is_told(recorded, status):
    ended = recorded(python(f"raise SystemExit({status})"), model="m")
    left = Left(ended.file.parent)
    assert (ended.exit_status, ended.problems, ended.error) == (status, (), None)
    assert (left.value["model"], left.recording["exit_status"]) == ("m", status)


ASKING = """
import os, signal, sys
signal.alarm(60)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getppid(), signal.SIGUSR1)
signal.sigwait({signal.SIGUSR1})
sys.exit(9)
"""


@POSIX
@pytest.mark.parametrize("time", range(5))
def test_a_signal_reaches_the_command_at_whatever_moment_it_comes(recorded, time):
    assert recorded(python(ASKING)).exit_status == 9


@POSIX
def test_a_signal_that_came_before_the_command_was_there_is_passed_on():
    with passing_on() as relay:
        os.kill(os.getpid(), signal.SIGTERM)
        relay.start(python("import signal; signal.alarm(60); signal.pause()"), os.environ)
        assert relay.wait() == -signal.SIGTERM


@POSIX
def test_a_signal_without_a_name_is_told_by_its_number(recorded):
    unnamed = signal.SIGRTMIN + 1
    ended = recorded(python(f"import os; os.kill(os.getpid(), {unnamed})"))
    assert Left(ended.file.parent).recording["signal"] == f"signal {unnamed}"


@POSIX
def test_signals_are_as_before_afterwards(recorded):
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)
    before = [signal.getsignal(name) for name in names]
    recorded(python(""))
    assert [signal.getsignal(name) for name in names] == before


def test_a_command_can_be_recorded_by_any_thread(recorded):
    found = []
    thread = threading.Thread(target=lambda: found.append(recorded(python("raise SystemExit(4)")).exit_status))
    thread.start()
    thread.join()
    assert found == [4]


def test_a_command_that_cannot_be_started_leaves_nothing(recorded, tmp_path):
    with pytest.raises(UsageError, match="no-such-program: cannot be started"):
        recorded(["no-such-program"])
    assert list((tmp_path / "chatdev").iterdir()) == []


def test_a_file_that_the_command_wrote_is_told_with_its_status(recorded):
    ended = recorded(python(f"import os; open(os.environ['{VARIABLE}'] + '/metrics.json', 'w'); os._exit(6)"))
    assert (ended.exit_status, ended.error.code) == (6, "run_exists")


def test_a_run_inside_of_a_run_is_refused(recorded, tmp_path):
    folder = claim(tmp_path, "baes", "b")
    with pytest.raises(UsageError, match="inside baes/b"):
        recorded(python(""), environ={VARIABLE: str(folder.path)})


def test_a_step_is_noted_with_its_success(tmp_path):
    folder, clock = claim(tmp_path, "chatdev", "a"), FakeClock()
    begin(folder, clock)
    environ = {**os.environ, VARIABLE: str(folder.path)}
    assert step_command("plan", python("raise SystemExit(5)"), environ=environ, clock=clock) == 5
    with pytest.raises(UsageError, match="cannot be started"):
        step_command("code", ["no-such-program"], environ=environ, clock=clock)
    assert folder.text("recording.ndjson").count('"success": false') == 2


def test_a_step_outside_of_a_run_is_refused():
    with pytest.raises(UsageError, match="RECONCILE_RECORD is not set"):
        step_command("plan", python(""), environ={})


def test_a_command_waits_for_the_minute_before_and_after(recorded):
    clock = FakeClock(NOON + 30)
    ended = recorded(python(""), wait_minute=True, clock=clock)
    window = Left(ended.file.parent).run.window
    assert (window.start, clock.now()) == (NOON + 60, NOON + 60)


def test_an_interrupt_while_the_start_is_awaited_leaves_nothing(recorded, tmp_path):
    clock = FakeClock(NOON + 30)

    def interrupted(_):
        raise KeyboardInterrupt

    clock.wait = interrupted
    with pytest.raises(KeyboardInterrupt):
        recorded(python(""), wait_minute=True, clock=clock)
    assert list((tmp_path / "chatdev").iterdir()) == []


def test_a_journal_that_cannot_be_written_keeps_the_run_from_beginning(tmp_path):
    folder = claim(tmp_path, "chatdev", "a")
    (folder.path / "recording.ndjson").unlink()
    with pytest.raises(StoreError, match="cannot be written"):
        begin(folder, FakeClock())


@POSIX
def test_sigterm_ends_a_program_in_order_unless_it_has_a_way_of_its_own(monkeypatch):
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        restore = exit_on_sigterm()
        with pytest.raises(SystemExit) as raised:
            os.kill(os.getpid(), signal.SIGTERM)
        restore()
        assert (raised.value.code, signal.getsignal(signal.SIGTERM)) == (143, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        exit_on_sigterm()()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
