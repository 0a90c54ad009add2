"""What all tests share: nothing reaches another machine, and a bench for whole passes."""

import ipaddress
import os
import socket
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from uuid import uuid4

from coverage import Coverage

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

while WORKER and (of_options := Coverage.current()):
    of_options.stop()  # what is imported is counted where the workers are started, which imports all of the package

import pytest
from hypothesis import is_hypothesis_test, settings
from support.bench import Bench
from support.worlds import SCALE, examples
from xdist.scheduler import LoadScopeScheduling

import reconcile
from reconcile.simulator.ledger import Ledger
from reconcile.simulator.server import Simulator

SETTINGS = ("OPENAI_", "OPEN_AI_", "RECONCIL")


settings.register_profile("patient", examples(100))  # without a deadline, which says how busy the machine is
settings.load_profile("patient")

ONE_IN, ALL = 4, 10
"""How many parameters of a sampled test there are for each that is tried, and the scale from which all are."""

TOGETHER = (
    "tests/contract/test_devbench_lag.py",
    "tests/contract/test_devbench_replay.py",
    "tests/e2e/test_act.py",
    "tests/e2e/dashboard/",
    "tests/e2e/test_documents.py",
    "tests/integration/test_auditing.py",
    "tests/integration/test_recording_openai",
    "tests/integration/test_truth.py",
    "tests/unit/test_layers.py",
)
"""How files begin whose tests share what takes long to make, such as a browser: one worker runs all of them."""


class _Scheduling(LoadScopeScheduling):
    """By functions: what remains is counted anew after each test, in a time that grows with the number of scopes."""

    def _split_scope(self, nodeid):
        return next((files for files in TOGETHER if nodeid.startswith(files)), nodeid.partition("[")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return _Scheduling(config, log) if config.getvalue("dist") == "load" else None


def pytest_xdist_auto_num_workers(config):
    """More than there are processors: tests wait for browsers, servers and processes."""
    return (3 * (os.cpu_count() or 1) + 1) // 2


def _tracer(config):
    """The part of pytest-cov that says when lines are counted; none where coverage was not asked for."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def pytest_configure(config):
    """Each worker begins to collect at another file: what pytest makes of a test file, in half of the time that a first
    collection takes, is kept for the others.
    """
    if WORKER and config.args_source is config.ArgsSource.TESTPATHS:
        files = sorted(map(str, Path(__file__).parent.rglob("test_*.py")))
        begin = len(files) * int(WORKER.removeprefix("gw")) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        config.args[:] = files[begin:] + files[:begin]


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    """Imports of the package are traced once, while the workers start. Tracing makes all that runs several times
    slower: it ends with them, and is on while a test that counts is called, not while it is collected or set up.
    """
    yield
    if tracer := _tracer(session.config):
        if not WORKER:
            for module in walk_packages(reconcile.__path__, "reconcile."):
                if not module.name.endswith("__main__"):
                    import_module(module.name)
        tracer.pause()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    tracer = _tracer(item.config)
    if tracer and not item.get_closest_marker("no_cover"):
        tracer.resume()
    try:
        return (yield)
    finally:
        if tracer:
            tracer.pause()  # pytest-cov itself resumes behind what is marked


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch, tmp_path_factory):
    """Connections to other machines fail; the caller's own settings and caches are not seen."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / f"cache-{uuid4()}"))
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)


@pytest.fixture
def simulator():
    with Simulator(Ledger()) as server:
        yield server


@pytest.fixture
def bench(tmp_path, simulator):
    return Bench(tmp_path, simulator)


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc):
    """Of a sampled test some parameters are tried. What were made and then left would be a third of all tests."""
    if SCALE < ALL and next(metafunc.definition.iter_markers("sampled"), None):
        metafunc._calls[:] = metafunc._calls[::ONE_IN]  # noqa: SLF001  there is no other way to take some back


def pytest_collection_modifyitems(config, items):
    """Coverage counts what named examples reach: neither the random ones of a property nor whole processes. Long ones
    are left to the long runs. All workers must have collected the same, in the same order.
    """
    items.sort(key=lambda item: item.path)
    for item in items:
        heavy = item.get_closest_marker("heavy") and not item.get_closest_marker("traced")
        if heavy or "/e2e/" in item.nodeid or is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.no_cover)
    if SCALE < ALL:
        left = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left)
        gone = set(left)
        items[:] = [item for item in items if item not in gone]
