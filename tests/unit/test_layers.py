"""The floor plan of the package, read from the source itself: which subject may see which, and where its edges are."""

import ast
from collections import Counter
from functools import cache
from itertools import chain
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "reconcile"

ORDER = (
    *(
        "errors",
        "words",
        "schemas",
        "files",
        "minutes",
        "usage",
        "money",
        "providers",
        "runs",
        "attribution",
        "verdict",
    ),
    *("verdict", "git", "github", "passes", "workspace", "insight", "ledger", "doctor", "report", "action", "config"),
    *("recording", "simulator", "cli"),
)
"""A subject imports those before it. What a run records itself with, and the simulator, see fewer."""

APART = {"recording": {"errors", "usage"}, "simulator": {"errors", "minutes", "runs", "usage"}}

NOBODY_SEES = {
    "cli": {"__main__"},
    "action": {"cli", "config", "doctor"},
    "simulator": {"cli"},
    "recording": {"__init__", "cli"},
}

EDGES = {
    "action": {"act", "branches", "check", "comment", "end", "job", "products", "proposal", "runtime", "target"},
    "config": {"config_file", "log_formats", "settings"},
    "doctor": {"examination", "key_file", "project_files"},
    "insight": {"audit_files", "survey"},
    "ledger": {"readers", "trackers", "usage_logs"},
    "money": {"list_prices"},
    "passes": {"apply", "containing", "fetch", "tree"},
    "providers": {"cache", "openai", "transport"},
    "report": {"exports"},
    "runs": {"run_store", "tree_store"},
}
"""The modules and folders of a subject that may touch disk, network, clock or environment. All others take values and
give values. `git`, `github`, `files`, `schemas`, `workspace`, `recording`, `simulator` and `cli` are edges whole."""

WHOLE = {"__init__", "__main__", "cli", "files", "git", "github", "recording", "schemas", "simulator", "workspace"}

IMPURE = {
    *("os", "io", "pathlib", "socket", "subprocess", "time", "logging", "requests", "random", "secrets", "shutil"),
    *("tempfile", "threading", "duckdb"),
}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


@cache
def tree(path):
    return ast.parse((PACKAGE / path).read_text("utf-8"))


@cache
def nodes(path):
    return list(ast.walk(tree(path)))


def subject(path):
    return path.parts[0].removesuffix(".py")


def imported(path):
    """The modules a file imports, those of this package without its name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "reconcile":
            yield from (f"reconcile.{alias.name}" for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def seen(path):
    """The other subjects that a module imports from."""
    own = {name.split(".")[1] for name in imported(path) if name.startswith("reconcile.")}
    return own - {subject(path)}


def allowed(name):
    if name == "__main__":
        return {"cli"}
    before = set(ORDER) if name == "__init__" else set(ORDER[: ORDER.index(name)])
    hidden = {other for other, viewers in NOBODY_SEES.items() if name not in viewers}
    return APART.get(name, before - hidden)


def is_edge(path):
    name = subject(path)
    return name in WHOLE or (len(path.parts) > 1 and path.parts[1].removesuffix(".py") in EDGES.get(name, set()))


def called(path):
    """The names that a module calls as functions."""
    called = (node.func for node in nodes(path) if isinstance(node, ast.Call))
    return {node.id for node in called if isinstance(node, ast.Name)}


def where(find, modules):
    """The modules where something is found, and what."""
    return {str(path): found for path in modules if (found := find(path))}


def repeated(names):
    return {name: count for name, count in Counter(names).items() if count > 1}


def test_every_subject_has_its_place_in_the_order():
    assert {subject(path) for path in MODULES} == {*ORDER, "__init__", "__main__"}


def test_a_subject_sees_only_those_before_it():
    assert where(lambda path: seen(path) - allowed(subject(path)), MODULES) == {}


def test_only_the_edges_touch_the_machine():
    inside = [path for path in MODULES if not is_edge(path)]
    assert where(lambda path: {name.split(".")[0] for name in imported(path)} & IMPURE, inside) == {}


def test_every_edge_is_there():
    there = {(path.parts[0], path.parts[1].removesuffix(".py")) for path in MODULES if len(path.parts) > 1}
    assert {(name, edge) for name, edges in EDGES.items() for edge in edges} <= there


def test_only_the_command_line_prints_or_exits():
    modules = [path for path in MODULES if path.parts[0] != "cli"]
    assert where(lambda path: called(path) & {"print", "exit", "quit"}, modules) == {}


def test_a_class_has_a_name_of_its_own():
    defined = chain.from_iterable(tree(path).body for path in MODULES)
    assert repeated(node.name for node in defined if isinstance(node, ast.ClassDef)) == {}


def test_no_function_is_longer_than_the_eye():
    def long(path):
        functions = [node for node in nodes(path) if isinstance(node, ast.FunctionDef)]
        return {node.name: size for node in functions if (size := node.end_lineno - node.lineno + 1) > LONGEST}

    assert where(long, MODULES) == {}


LONGEST = 50


def test_no_module_imports_itself_by_way_of_others():
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
    left = {name: set(needed(path, names)) - {name} for name, path in names.items()}
    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}
    assert left == {}


def needed(path, names):
    """What is imported as a module is: not what only types name, nor what waits inside a function."""
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reconcile."):
            base = node.module.removeprefix("reconcile.")
            inside = {f"{base}.{alias.name}" for alias in node.names} & set(names)
            yield from inside or {base}
