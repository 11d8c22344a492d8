"""The InferenceService of a model: what is applied, and how the release is written into it.

All that a release must remember stands in annotations of the predictor, which change with the model and at
no other time: KServe copies them to the pods, and a change would start new ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from components.common.errors import BadInputError
from components.deployment.kserve_config import KServeConfig
from components.deployment.target import Release, Wanted

API_VERSION = "serving.kserve.io/v1beta1"
MODE = "serving.kserve.io/deploymentMode"
STOP = "serving.kserve.io/stop"
SHARE = "canaryTrafficPercent"  # in percent, of a predictor of the mode Knative
REVISION = "millrace/revision"  # a label, so that metrics can be told apart by it
MODEL_DIGEST, DATA_VERSION, RUN_ID, STATE = (
    f"millrace/{name}" for name in ("model-digest", "data-version", "run-id", "state")
)
_SCHEMES = ("s3", "gs", "pvc", "https", "http", "hf", "oci")  # that KServe's storage initializer reads
_MODES = {"RawDeployment": "Standard", "Serverless": "Knative"}  # their former names
_REMEMBERED = 5  # releases
_UNKNOWN = "unknown"
_KEDA_PERCENT = 80  # of the CPU that servers request: KServe's own default for the HPA

Document = dict[str, Any]


def storage_uri(model_uri: str) -> str:
    """Return the address by which KServe fetches a model: `minio://`, which is KFP's, becomes `s3://`.

    Where that store is, and its keys, stand in the secret of the servers' account (manifests/README.md).

    Args:
        model_uri: Where the model lies.

    Raises:
        BadInputError: KServe cannot fetch it from there.
    """
    parts = urlsplit(model_uri)
    if parts.scheme == "minio":
        return f"s3{model_uri.removeprefix('minio')}"
    if parts.scheme not in _SCHEMES:
        fix = f"put the model into a store that KServe reads: {', '.join(f'{one}://' for one in _SCHEMES)}"
        raise BadInputError("KServe's pods cannot fetch the model from there", value=model_uri, fix=fix)
    return model_uri


def predictor(wanted: Wanted, config: KServeConfig, **state: Any) -> Document:
    """Return the predictor of a model.

    Args:
        wanted: The model.
        config: How it serves.
        state: What is remembered beside it.
    """
    kept = {"model_uri": wanted.model_uri, "engine": wanted.engine, **state}
    return {
        "labels": {REVISION: wanted.revision},
        "annotations": {
            MODEL_DIGEST: wanted.model_digest,
            DATA_VERSION: wanted.data_version or _UNKNOWN,
            RUN_ID: wanted.run_id or "by-hand",
            STATE: json.dumps(kept, sort_keys=True, separators=(",", ":")),
        },
        "serviceAccountName": config.service_account,
        "automountServiceAccountToken": False,
        "minReplicas": config.min_replicas,
        "maxReplicas": config.max_replicas,
        **_scaling(config),
        "model": {
            "modelFormat": {"name": "millrace", "version": "1"},
            # the one with TensorFlow serves every model, one that nobody has looked into included
            "runtime": config.runtime if wanted.engine == "twin" else f"{config.runtime}-tensorflow",
            "protocolVersion": "v2",
            "storageUri": storage_uri(wanted.model_uri),
        },
    }


def _scaling(config: KServeConfig) -> Document:
    """Return what servers are scaled by; for KEDA KServe takes a list alone, and has no default."""
    if config.autoscaler == "keda":
        target = {"type": "Utilization", "averageUtilization": config.scale_target or _KEDA_PERCENT}
        resource = {"name": config.scale_metric or "cpu", "target": target}
        return {"autoScaling": {"metrics": [{"type": "Resource", "resource": resource}]}}
    told = {"scaleMetric": config.scale_metric, "scaleTarget": config.scale_target}
    return {key: value for key, value in told.items() if value is not None}


def service(
    name: str, config: KServeConfig, spec: Mapping[str, Any], *, is_stopped: bool = False
) -> Document:
    """Return the InferenceService of a model.

    Args:
        name: Its name.
        config: How it serves.
        spec: Predictor and canaries.
        is_stopped: KServe is to end all of its servers; who may not delete can do this.
    """
    annotations = {MODE: config.mode}
    if config.mode == "Standard":
        annotations["serving.kserve.io/autoscalerClass"] = config.autoscaler
    else:
        annotations["serving.kserve.io/enable-tag-routing"] = (
            "true"  # the address of the new revision alone
        )
    if is_stopped:
        annotations[STOP] = "true"
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": config.namespace,
            "labels": {"app.kubernetes.io/managed-by": "millrace"},
            "annotations": annotations,
        },
        "spec": dict(spec),
    }


def mode_of(document: Mapping[str, Any], default: str) -> str:
    """Return in which mode an InferenceService runs, by its present name.

    Args:
        document: It.
        default: What the mode is where it says nothing of it.
    """
    about = document.get("metadata", {}).get("annotations", {})
    told: str = document.get("status", {}).get("deploymentMode") or about.get(MODE, default)
    return _MODES.get(told, told)


def is_stopped(document: Mapping[str, Any]) -> bool:
    """Say whether KServe is to end all servers."""
    return document.get("metadata", {}).get("annotations", {}).get(STOP, "").lower() == "true"


def owned(live: Mapping[str, Any], manager: str) -> Document:
    """Return the part of an object that a manager has applied; others change the rest."""
    for entry in live["metadata"].get("managedFields", []):
        if entry["manager"] == manager and entry["operation"] == "Apply" and "subresource" not in entry:
            return _pick(live, entry["fieldsV1"])
    return {}


def _pick(value: Any, fields: Mapping[str, Any]) -> Any:
    """Return the part of a value that `fieldsV1` names; lists are whole, as those of our documents are."""
    inner = {key.removeprefix("f:"): told for key, told in fields.items() if key.startswith("f:")}
    if not inner or not isinstance(value, dict):
        return value
    return {key: _pick(value[key], told) for key, told in inner.items() if key in value}


def state_of(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a predictor remembers; nothing when it is not one of ours."""
    return json.loads(one.get("annotations", {}).get(STATE, "{}"))


def release_of(one: Mapping[str, Any]) -> Release:
    """Return which release a predictor is."""
    state, annotations = state_of(one), one["annotations"]
    version = annotations.get(DATA_VERSION, _UNKNOWN)
    return Release(
        revision=one["labels"][REVISION], model_uri=state["model_uri"],
        model_digest=annotations[MODEL_DIGEST], engine=state.get("engine", "auto"),
        data_version=None if version == _UNKNOWN else version,
    )  # fmt: skip


def mark_of(one: Mapping[str, Any]) -> str:
    """Return what tells a predictor from the same model that took another's place at another time."""
    applied, revision = state_of(one).get("since", {}).get("applied"), release_of(one).revision
    return f"{revision}@{applied}" if applied else revision


def history(one: Mapping[str, Any] | None) -> list[Document]:
    """Return the releases up to a predictor, it included, as they are written into the next."""
    if one is None:
        return []
    return [*state_of(one).get("released", []), asdict(release_of(one))][-_REMEMBERED:]


def releases(written: Sequence[Mapping[str, Any]]) -> tuple[Release, ...]:
    """Return releases as they were written."""
    return tuple(Release(**one) for one in written)
