"""What tests share: a GitHub and branches for it; and a provider of models, its client, and a run that watches it."""

import shutil
from contextlib import ExitStack
from importlib import import_module

import pytest
from support.git import Forge, make_forge
from support.github import GitHubDouble
from support.github.bench import A
from support.job import Repository, make_runs
from support.models import Models
from support.recordings import Left

from reconcile.providers import cache
from reconcile.recording.record import record


@pytest.fixture(autouse=True)
def quick_names(monkeypatch):
    """A folder of the cache is named by a hash that is slow on purpose; `test_period_cache` holds how slow."""
    monkeypatch.setattr(cache, "ROUNDS", 1)


@pytest.fixture
def double():
    with GitHubDouble() as double:
        yield double
    assert double.violations == []


@pytest.fixture(scope="session")
def first_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    make_runs(folder)
    return folder


@pytest.fixture
def repository(first_runs, tmp_path, simulator, double):
    """A repository of runs on a forge, which jobs of the Action check out."""
    shutil.copytree(first_runs, tmp_path, dirs_exist_ok=True)
    return Repository(tmp_path, simulator, double)


@pytest.fixture(scope="session")
def first_branches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("github")
    make_forge(folder, {A: b'{"a": 0}\n', "README.md": b"ours\n"})
    return folder


@pytest.fixture
def branches(first_branches, tmp_path, double):
    """A bare repository for the double, and a person who writes to it."""
    shutil.copytree(first_branches, tmp_path, dirs_exist_ok=True)
    branches = Forge(tmp_path)
    double.state.bare = branches.bare
    return branches


@pytest.fixture(scope="module")
def openai():
    """The package, of which only the worker that runs these tests waits for the import."""
    return import_module("openai")


@pytest.fixture
def models():
    with Models() as models:
        yield models


@pytest.fixture
def client(models, openai):
    with openai.OpenAI(api_key="sk-made-up", base_url=models.base_url, timeout=5, max_retries=0) as client:
        yield client


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def run(tmp_path, client, stack):
    run = stack.enter_context(record("chatdev", run_id="a", runs=tmp_path, complete=True))
    run.watch(client)
    return run


@pytest.fixture
def left(run, stack):
    """What the run leaves, called when it is to end."""

    def end():
        stack.close()
        return Left(run.folder)

    return end
