"""What other versions and libraries send and hand out, each in a process of its own: `support.clients` has the tries.

The packages are installed from the package index into folders of their own, once, in the user's cache.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconcile-clients"
"""Read before a test is given a cache of its own."""

PATIENCE = 600
"""Seconds that an installation, or all that is tried of a library, may take."""

SOCKETS = "websockets>=13"

VERSIONS = {
    "openai 3": ("openai", ["openai==3.57.0", SOCKETS]),
    "openai 2": ("openai", ["openai==2.54.0", SOCKETS]),
    "openai 1": ("openai", ["openai==1.109.1", SOCKETS]),
    "anthropic 2": ("anthropic", ["anthropic==2.14.0"]),
    "anthropic 1": ("anthropic", ["anthropic==1.17.0"]),
    "anthropic 0": ("anthropic", ["anthropic==0.60.0"]),
    "litellm": ("litellm", ["litellm==1.110.2"]),
    "langchain": ("langchain", ["langchain-openai==1.7.4", "langchain-anthropic==1.7.10"]),
    "agents": ("agents", ["openai-agents==0.24.0"]),
}


def installed(requirements):
    """The folder that has these packages and what they need; skips the test where they cannot be had."""
    folder = CLIENTS / "+".join(each.replace(">=", "-from-").replace("==", "-") for each in requirements)
    if not folder.is_dir():
        making = CLIENTS / f".{uuid4()}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", making]
        done = subprocess.run([*pip, *requirements], capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode:
            shutil.rmtree(making, ignore_errors=True)
            pytest.skip(f"the package index does not give {', '.join(requirements)}: {done.stderr.strip()[-200:]}")
        making.rename(folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", VERSIONS)
def test_a_client_hides_nothing(name):
    library, requirements = VERSIONS[name]
    path = os.pathsep.join(map(str, (installed(requirements), ROOT / "tests", ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "support.clients", library],
        env={**os.environ, "PYTHONPATH": path, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {tried: wrong for tried, wrong in found.items() if wrong} == {}
    assert found
