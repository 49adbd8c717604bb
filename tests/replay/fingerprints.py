"""The fingerprint of a workflow module: the commands each of its functions may issue, in the order they are written."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINE = Path(__file__).parent / "fingerprints.json"
COMMANDS = {
    # of the SDK
    "start_activity_method",
    "start_local_activity_method",
    "execute_activity_method",
    "execute_local_activity_method",
    "start_activity",
    "start_local_activity",
    "execute_activity",
    "execute_local_activity",
    "execute_child_workflow",
    "start_child_workflow",
    "wait_condition",
    "sleep",
    "upsert_search_attributes",
    "upsert_memo",
    "continue_as_new",
    "patched",
    "deprecate_patch",
    "cancel",
    "uuid4",
    "random",
    # of `workflows.passage`, which issues them for the steps
    "act",
    "judge",
    "wait_until",
    "hold",
    "close",
    "_report",
    "_record",
    "_recorded",
    "_outcome",
    "_sleep",
}


def fingerprints() -> dict[str, list[str]]:
    """`module:function` → the commands in it, in order, for every function that issues any."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and (commands := commands_of(function)):
                found[f"{path.relative_to(ROOT)}:{function.name}"] = commands
    return found


def commands_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The commands a function calls, by their place in the source."""
    calls = [
        node.func
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in COMMANDS
    ]
    return [call.attr for call in sorted(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))]
