"""The variables that every task of an environment gets."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pipelines.local.environments import SOURCE_ROOT, Environment

_NOT_INHERITED = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONSTARTUP")


def task_variables(
    environment: Environment, run: Mapping[str, str], own: Mapping[str, str], temporary: str
) -> dict[str, str]:
    """Return all variables of a task.

    Args:
        environment: Where it is executed.
        run: Variables of the run.
        own: Variables that the package sets for it; those of the run come before them.
        temporary: Its folder for temporary files.
    """
    inherited = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    return {
        **inherited,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        **own,
        **run,
        "PATH": f"{environment.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment.folder),
        "PYTHONPATH": str(SOURCE_ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
        "TMPDIR": temporary,
    }
