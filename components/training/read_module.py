"""Reading the user's module without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from components.common.errors import BadInputError


def require_no_build_model(module: Path) -> None:
    """Refuse a module that defines `build_model`, which is not supported yet.

    Raises:
        BadInputError: It does, is missing, or is not Python.
    """
    try:
        tree = ast.parse(module.read_text(encoding="utf-8"))
    except OSError as error:
        where = "parameter `module_uri`"
        raise BadInputError("module cannot be read", where=where, value=str(module)) from error
    except (SyntaxError, ValueError) as error:
        raise BadInputError(f"module is not Python: {error}", where=module.name) from error
    if any(name == "build_model" for node in tree.body for name in _names(node)):
        fix = "remove it; the search builds its own network, see `search_space`"
        raise BadInputError("`build_model` is not supported", where=module.name, fix=fix)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
