"""Secrets for tasks: by name in the package, by value only where a task runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.common.secrets import secret_variable


def give_secrets(task: Any, secrets: Mapping[str, Sequence[str]]) -> Any:
    """Let a task have keys of secrets as variables, under the names that `secret:NAME/KEY` looks for.

    Args:
        task: A task of a pipeline.
        secrets: Keys by name of the secret, as the build option `secrets` has them.

    Returns:
        The task.
    """
    from kfp import kubernetes

    for name, keys in secrets.items():
        variables = {key: secret_variable(name, key) for key in keys}
        kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env=variables)
    return task
