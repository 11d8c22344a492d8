"""Reading the user's module without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from components.common.errors import BadInputError

BUILD_MODEL = "build_model"


def defines_build_model(module: Path) -> bool:
    """Return whether a module defines `build_model` at its top.

    Raises:
        BadInputError: It is missing, or is not Python.
    """
    try:
        tree = ast.parse(module.read_text(encoding="utf-8"))
    except OSError as error:
        where = "parameter `module_uri`"
        raise BadInputError("module cannot be read", where=where, value=str(module)) from error
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise BadInputError(f"module is not Python: {error}", where=f"{module.name}{line}") from error
    return any(name == BUILD_MODEL for node in tree.body for name in _names(node))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
