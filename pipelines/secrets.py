"""Secrets for tasks: by name in the package, by value only where a task runs."""

from __future__ import annotations

from typing import Any

from components.common.secrets import DEPLOYER_FOLDER, secret_variable
from pipelines.build import Build

READ_SOURCES = ("resolve_sources", "ingest")
DEPLOY = ("deploy_model", "promote", "roll_back")
USE_STORE = (*READ_SOURCES, "train_trials")  # whose checkpoints may lie in an object store


def give_secrets(task: Any, door: str, build: Build) -> None:
    """Let a task have the secrets that its door needs, and no others.

    Those of sources arrive under the names that `secret:NAME/KEY` looks for; those of the object store
    under the names that clients of S3 look for; the deployer's as the folder `DEPLOYER_FOLDER`.

    Args:
        task: A task of a pipeline.
        door: What it executes.
        build: Names of the secrets.
    """
    from kfp import kubernetes

    if door in READ_SOURCES:
        for name, keys in build.secrets.items():
            variables = {key: secret_variable(name, key) for key in keys}
            kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env=variables)
    if door in USE_STORE and build.store_secret:
        variables = {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}
        kubernetes.use_secret_as_env(task, build.store_secret, variables, optional=True)
    if door in DEPLOY and build.deployer_secret:
        kubernetes.use_secret_as_volume(task, build.deployer_secret, DEPLOYER_FOLDER, optional=True)
