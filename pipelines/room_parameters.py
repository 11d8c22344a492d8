"""Checks what a run hands to the rooms before anything runs, by the rooms' own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

from components.common.artifacts import Task
from components.common.config import build_config
from components.common.errors import BadInputError
from components.common.names import check_model_name
from components.data_validation.config import ValidationConfig
from components.deployment.config import DeployConfig
from components.evaluation.config import EvaluationConfig, read_slices, read_thresholds
from components.ingestion.config import IngestionConfig
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule
from components.training.config import TrainingConfig
from components.training.objectives import check_metrics
from components.training.search_space import DEFAULT_SPACE, check_search, read_space
from components.transform.config import TransformConfig
from components.transform.override import check_overrides
from pipelines.sql import check_checks, check_query

__all__ = ["DEFAULT_SPACE", "DEFAULT_SPLIT", "check_room_parameters"]

DEFAULT_SPLIT = {name: value for name, value in SplitRule().describe().items() if value is not None}


def check_room_parameters(values: Mapping[str, Any], *, on_cluster: bool = False) -> None:
    """Check the parameters of a pipeline of ours, as far as no data are needed for it.

    Args:
        values: Parameters by name, defaults filled in; what is unset is absent.
        on_cluster: They are for a run whose tasks see nothing of this machine.

    Raises:
        BadInputError: A knob is unknown or impossible; the parameter is named.
    """
    for name, check in {**_CHECKS, **(_ON_CLUSTER if on_cluster else {})}.items():
        if name in values:
            check(values[name])
    if not on_cluster and ("sources" in values or "model_uri" in values):
        _check_deploy_from_here(values.get("deploy", {}))
    search = {name: values[name] for name in ("trials", "sampler", "seed") if name in values}
    if len(search) == 3:
        check_search(**search)
    if "training" in values:
        config = build_config(TrainingConfig, values["training"], where="training")
        check_metrics(config, values.get("task"))
    if "thresholds" in values:
        read_thresholds(values["thresholds"], values.get("task"))


def _check_task(task: str) -> None:
    if task not in get_args(Task):
        fix = f"one of {', '.join(get_args(Task))}, or leave it out"
        raise BadInputError("unknown task", where="parameter `task`", value=task, fix=fix)


def _check_model(where: str, more: str, uri: str) -> None:
    path = uri.removeprefix("file://")
    if "://" not in path and not Path(path).is_dir():
        fix = f"name the folder of a complete model{more}"
        raise BadInputError("no model lies there", where=f"parameter `{where}`", value=uri, fix=fix)


def _check_deploy(options: Mapping[str, Any]) -> None:
    build_config(DeployConfig, options, where="deploy")


def _check_deploy_from_here(options: Mapping[str, Any]) -> None:
    target = build_config(DeployConfig, options, where="deploy").target
    if target in ("kserve", "manifest"):
        what = "a run on this machine leaves its model in a folder, and KServe's pods cannot fetch it there"
        fix = "`millrace submit`, or put the model into a store and `millrace release` it from there"
        raise BadInputError(what, where="parameter `deploy.target`", value=target, fix=fix)


def _check_deploy_on_cluster(options: Mapping[str, Any]) -> None:
    config = build_config(DeployConfig, options, where="deploy")
    if config.target == "local":
        what = "`local` serves on the machine of a run, and on a cluster that is a pod that ends"
        raise BadInputError(what, where="parameter `deploy.target`", fix="-p deploy.target=kserve")


def _check_validation(options: Mapping[str, Any]) -> None:
    build_config(ValidationConfig, options, where="validation")
    check_checks(options)


def _check_options(kind: type[Any], where: str, options: Mapping[str, Any]) -> None:
    build_config(kind, options, where=where)


_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "task": _check_task,
    "sources": read_sources,
    "query": check_query,
    "split": partial(_check_options, SplitRule, "split"),
    "model_name": check_model_name,
    "baseline_uri": partial(_check_model, "baseline_uri", ", or leave it out for the one now serving"),
    "model_uri": partial(_check_model, "model_uri", ""),
    "search_space": read_space,
    "slices": read_slices,
    "features": check_overrides,
    "ingestion": partial(_check_options, IngestionConfig, "ingestion"),
    "validation": _check_validation,
    "transform": partial(_check_options, TransformConfig, "transform"),
    "training": partial(_check_options, TrainingConfig, "training"),
    "evaluation": partial(_check_options, EvaluationConfig, "evaluation"),
    "deploy": _check_deploy,
}
_ON_CLUSTER: Mapping[str, Callable[[Any], object]] = {
    "baseline_uri": str,  # nobody can look from here
    "model_uri": str,
    "deploy": _check_deploy_on_cluster,
}
