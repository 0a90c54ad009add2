"""The layers of the package: who may import whom, read from the imports themselves."""

import ast
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover

PACKAGE = Path(__file__).resolve().parents[2] / "reconcile"

ALLOWED = {
    "__init__": {"workflow", "recording", "core", "errors"},
    "__main__": {"cli"},
    "cli": {"__init__", "config", "workflow", "simulator", "recording", "errors"},
    "config": {
        *("core.comparing", "core.defects", "core.model", "core.explanation", "core.request", "core.selection"),
        *("errors", "schema_files"),
    },
    "workflow": {"__init__", "core", "adapters", "reports", "errors", "schema_files"},
    "reports": {"core", "errors"},
    "adapters": {
        "core.comparing",
        "core.model",
        "errors",
        "adapters.http",
        "adapters.period_cache",
        "adapters.whole_file",
    },
    "core": {"core", "errors"},
    "simulator": {"core.model", "errors", "simulator"},
    "recording": {"errors"},
    "schema_files": {"errors"},
    "errors": set(),
}
"""`schema_files` is a leaf like `errors`: it only finds the schemas. A layer's own modules are always allowed to it
where it is a package whose parts belong together."""

TOGETHER = {"cli", "config", "workflow", "reports", "simulator", "recording", "core"}
IMPURE = {"os", "io", "pathlib", "socket", "subprocess", "time", "logging", "requests", "random", "secrets", "shutil"}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def dotted(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def own_package(path):
    """An adapter that is a package: its parts belong together."""
    return {f"adapters.{path.parts[1]}"} if path.parts[0] == "adapters" and len(path.parts) > 2 else set()


@cache
def nodes(path):
    return list(ast.walk(ast.parse((PACKAGE / path).read_text("utf-8"))))


def imported(path):
    """The modules a file imports, those of this package without its name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "reconcile":
            for alias in node.names:
                inside = (PACKAGE / alias.name).exists() or (PACKAGE / f"{alias.name}.py").exists()
                yield f"reconcile.{alias.name}" if inside else "reconcile.__init__"
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def refused(path):
    """What a module imports that its layer may not."""
    layer = dotted(path).split(".")[0]
    allowed = ALLOWED[layer] | ({layer} if layer in TOGETHER else set()) | own_package(path)
    own = {name.removeprefix("reconcile.") for name in imported(path) if name.startswith("reconcile")}
    return {name for name in own if not any(name == part or name.startswith(f"{part}.") for part in allowed)}


def called(path):
    """The names that a module calls as functions."""
    called = (node.func for node in nodes(path) if isinstance(node, ast.Call))
    return {node.id for node in called if isinstance(node, ast.Name)}


def where(find, modules):
    """The modules where something is found, and what."""
    return {str(path): found for path in modules if (found := find(path))}


def test_there_are_modules_of_every_layer():
    assert {dotted(path).split(".")[0] for path in MODULES} == set(ALLOWED)


def test_a_module_imports_only_what_its_layer_may():
    assert where(refused, MODULES) == {}


def test_core_and_reports_do_nothing_but_compute():
    modules = [path for path in MODULES if path.parts[0] in {"core", "reports"}]
    assert where(lambda path: {name.split(".")[0] for name in imported(path)} & IMPURE, modules) == {}


def test_only_the_command_line_prints_or_exits():
    modules = [path for path in MODULES if path.parts[0] != "cli"]
    assert where(lambda path: called(path) & {"print", "exit", "quit"}, modules) == {}
