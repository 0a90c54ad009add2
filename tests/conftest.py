"""What all tests share: nothing reaches another machine, and a bench for whole passes."""

import ipaddress
import os
import socket
from uuid import uuid4

import pytest
from hypothesis import settings
from support.bench import Bench
from support.worlds import examples

from reconcile.simulator.calls import Ledger
from reconcile.simulator.server import Simulator

SETTINGS = ("OPENAI_", "OPEN_AI_", "RECONCIL")

settings.register_profile("patient", examples(100))  # without a deadline, which says how busy the machine is
settings.load_profile("patient")


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
