"""Pass after pass: what is told, what ends it and what does not. Time is a number that waiting moves on."""

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.bench import at

from reconcile import cli
from reconcile.cli.passes import StopSignals, keep_watch
from reconcile.errors import ConfigurationError
from reconcile.simulator import faults

HOUR = timedelta(hours=1)
SAMPLES = Path(__file__).resolve().parents[2] / "runs"


class Timer:
    """A clock from `start` on. It is stopped after so many waits, if any; `jumps` are added to the first waits."""

    def __init__(self, start="13:17", *, waits=None, jumps=()):
        self.time = at(start).timestamp()
        self.waited = []
        self._most, self._jumps = waits, [*jumps]

    @property
    def stopped(self):
        return len(self.waited) == self._most

    def now(self):
        return self.time

    def wait(self, seconds):
        self.waited.append(seconds)
        self.time += self._jumps.pop(0) if self._jumps else seconds


def watched(bench, timer, **options):
    """The exit code and the lines of a watch over the bench; after 20 waits it is stopped."""
    lines = []
    clock = lambda: datetime.fromtimestamp(timer.time, UTC).strftime("%H:%M:%S")  # noqa: E731
    code = keep_watch(lambda: bench.run(clock()), timer, lines.append, **{"every": HOUR, **options})
    return code, lines


def test_a_run_is_watched_until_it_is_verified(bench):
    bench.add("chatdev/a", "12:00:10", "12:55", [("12:01", 12_345, 678)])
    code, lines = watched(bench, Timer(), until_settled=True)
    assert (code, bench.verdict("chatdev/a")) == (0, "verified: stable")
    assert lines == [
        "2026-01-05T13:17:00Z 1 run: 1 unread; 0 files written, 0 requests made; next run due at 13:25Z.",
        "2026-01-05T14:17:00Z 1 run: 1 pending; 1 file written, 2 requests made.",
        "2026-01-05T15:17:00Z 1 run: 1 verified (1 assumed); 1 file written, 2 requests made.",
    ]


def test_a_provider_that_fails_is_told_and_asked_again(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)])
    bench.simulator.script(*[faults.server_error()] * 3)
    code, lines = watched(bench, Timer(), until_settled=True)
    assert (code, bench.verdict("chatdev/a")) == (0, "verified: stable")
    assert [" error: provider_unavailable: " in line for line in lines] == [True, False, False]


def test_files_that_no_pass_reads_are_told_in_the_line_of_each(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)])
    (bench.runs / "chatdev/task/rep1").mkdir(parents=True)
    (bench.runs / "chatdev/task/rep1/metrics.json").write_bytes(bench.file("chatdev/a").read_bytes())
    _, lines = watched(bench, Timer(waits=2))
    told = " 2 files named metrics.json: 1 run, 1 at another depth."
    assert [line.endswith(told) for line in lines] == [True, True]


def test_runs_that_end_badly_are_told_by_the_exit_code(bench):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:04", 100)])
    bench.add("chatdev/b", "12:04:10", "12:09", [("12:04:30", 100)])
    code, lines = watched(bench, Timer(), until_settled=True)
    assert (code, "2 warning" in lines[-1]) == (1, True)


def test_it_goes_on_for_as_long_as_nobody_stops_it(bench):
    code, lines = watched(bench, Timer(waits=5))
    assert (code, len(lines)) == (0, 5)


def failing():
    raise ConfigurationError("reconcile.yml: is no YAML", code="bad_configuration", remedy="mend it")


def test_a_pass_that_cannot_begin_ends_nothing():
    lines = []
    assert keep_watch(failing, Timer(waits=2), lines.append, every=HOUR) == 0
    assert lines == [
        "2026-01-05T13:17:00Z no pass was made. error: bad_configuration: reconcile.yml: is no YAML",
        "2026-01-05T14:17:00Z no pass was made. error: bad_configuration: reconcile.yml: is no YAML",
    ]


def test_who_waits_for_all_to_be_settled_is_not_told_so_by_a_signal():
    assert keep_watch(failing, Timer(waits=2), print, every=HOUR, until_settled=True) == 1


@pytest.mark.parametrize(
    ("jumps", "waited"),
    [
        pytest.param([60.0, 60.0], [3600, 3540, 3480], id="it wakes early and waits for the rest"),
        pytest.param([8 * 3600.0], [3600, 3600], id="the machine slept: a pass at once, and an hour from then"),
        pytest.param([-86400.0], [3600, 3600], id="the clock was put back: no longer than an hour"),
    ],
)
def test_the_wait_is_until_an_instant(jumps, waited):
    timer = Timer(jumps=jumps, waits=len(waited))
    keep_watch(failing, timer, lambda _: None, every=HOUR)
    assert timer.waited == waited


# ------------------------------------------------------------------------------------------------------ signals


SIGNALS = pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
POSIX = pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process there")


@POSIX
@SIGNALS
def test_a_signal_in_a_pass_lets_it_finish_and_then_ends_the_watch(bench, signum):
    bench.add("chatdev/a", "12:00:10", "12:05", [("12:01", 100)])

    def interrupted():
        os.kill(os.getpid(), signum)
        return bench.run("13:17")

    lines = []
    with StopSignals() as timer:
        assert keep_watch(interrupted, timer, lines.append, every=HOUR) == 0
    assert (len(lines), bench.verdict("chatdev/a")) == (1, "pending: first_read")


@POSIX
def test_a_signal_ends_a_wait_that_has_begun():
    with StopSignals() as timer:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            for _ in range(2):  # the alarm wakes it, and so does what the alarm sends
                timer.wait(60)
        finally:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        assert timer.stopped


@POSIX
def test_a_second_signal_does_not_wait():
    with StopSignals():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@POSIX
def test_signals_are_as_before_afterwards_and_those_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignals():
            handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        assert handlers[0] == signal.SIG_IGN
        assert handlers[1] != signal.SIG_DFL
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == (signal.SIG_IGN, signal.SIG_DFL)
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGINT, before)


# -------------------------------------------------------------------------------------------------- the command


def said(folder, *arguments):
    return CliRunner().invoke(cli.main, ["watch", "--runs", str(folder), *arguments])


@pytest.mark.parametrize(("names", "code"), [(["chatdev/4f6a2c18"], 0), (["chatdev/4f6a2c18", "baes/35c8a1d2"], 1)])
def test_a_folder_in_which_all_is_settled_is_looked_at_once(tmp_path, names, code):
    for name in names:
        shutil.copytree(SAMPLES / name, tmp_path / name)
    result = said(tmp_path, "--until-settled")
    assert (result.exit_code, result.stderr) == (code, "")
    assert result.stdout.count("\n") == 1


@POSIX
def test_settings_are_read_anew_for_each_pass_and_a_signal_ends_the_command_well(tmp_path, monkeypatch):
    """The configuration is mended while the first wait goes on, and the signal comes in the second."""
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "reconcile.yml"
    settings.write_text("runs: [")

    def woken(timer, seconds):
        timer.stopped = not settings.read_text().endswith("[")
        settings.write_text("runs: .")
        timer.later = getattr(timer, "later", 0) + seconds

    monkeypatch.setattr(StopSignals, "wait", woken)
    monkeypatch.setattr(StopSignals, "now", lambda timer: at("13:17").timestamp() + getattr(timer, "later", 0))
    result = CliRunner().invoke(cli.main, ["watch", "--every", "2h"])
    assert (result.exit_code, result.stderr) == (0, "stopped\n")
    first, second = result.stdout.splitlines()
    assert "no pass was made. error: bad_configuration: reconcile.yml: is no YAML" in first
    assert second.startswith("2026-01-05T15:17:00Z 0 runs: none;")


@pytest.mark.parametrize("every", ["59s", "0", "0.5m"])
def test_an_interval_that_cannot_be_is_refused(tmp_path, every):
    result = said(tmp_path, "--every", every)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "bad_duration")


def test_a_clock_that_stands_still_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RECONCILE_NOW", "2026-01-05T13:17:00Z")
    result = said(tmp_path)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "instant_given")
