"""Rules of this house that no linter knows: shape, purity, transactions, names."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("journeys", "workflows", "activities", "crm", "messaging", "intake", "api", "cli", "kit")
MAX_LINES = 400
MAX_FUNCTION_LINES = 50
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
IMPURE_MODULES = {"random", "secrets", "time", "socket", "subprocess", "threading", "urllib", "requests"}
FORBIDDEN_NAMES = {"utils", "helpers", "core", "manager", "misc", "common"}


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def every_module() -> list[Path]:
    return [*modules(*PACKAGES), ROOT / "worker.py"]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_module_is_longer_than_400_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in every_module()
        if (n := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in every_module()
        for function in functions(ast.parse(path.read_text()))
        if (function.end_lineno or 0) - function.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in every_module()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_package_markers_are_empty() -> None:
    assert not [str(path) for path in modules(*PACKAGES) if path.name == "__init__.py" and path.read_text().strip()]


def test_nothing_is_named_so_vaguely_that_it_could_hold_anything() -> None:
    assert not [str(path) for path in every_module() if set(path.stem.split("_")) & FORBIDDEN_NAMES]


def test_nobody_commits_but_the_edge() -> None:
    """Edges use `sessions.begin()`, which commits by itself."""
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in every_module()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert not guilty


@pytest.mark.parametrize("path", list(modules("journeys", "workflows")), ids=lambda path: str(path.relative_to(ROOT)))
def test_journeys_and_workflows_read_no_clock_and_draw_no_lots(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCKS, f"line {node.lineno} reads a clock"
            assert node.attr not in {"uuid1", "uuid4"} or node.value.id == "workflow", f"line {node.lineno} is random"
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & IMPURE_MODULES, f"line {node.lineno}"
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").split(".")[0] not in IMPURE_MODULES, f"line {node.lineno}"


def activity_calls() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in modules("workflows")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr.startswith(("execute_activity", "execute_local_activity", "start_activity"))
    ]


def test_every_activity_call_names_its_time_out() -> None:
    calls = activity_calls()
    assert calls
    for place, call in calls:
        names = {keyword.arg: keyword.value for keyword in call.keywords}
        limit = names.get("start_to_close_timeout")
        assert isinstance(limit, ast.Name | ast.Attribute), f"{place}: start_to_close_timeout must be a named constant"


@pytest.mark.parametrize("package", PACKAGES)
def test_root_packages_are_ours_and_not_another_distribution(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().is_relative_to(ROOT)


def test_every_root_package_is_under_the_import_contracts() -> None:
    known = {*PACKAGES, "migrations", "tests", "bench", "docs"}
    found = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert found <= known
