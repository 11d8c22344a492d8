"""What a cluster understands, learnt from the schema that it publishes to everybody: no CRD is read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from components.common.errors import BadInputError
from components.deployment.kserve_api import Kubernetes
from components.deployment.kserve_config import KServeConfig

REPLACE = "use `deploy: {strategy: replace}`, which moves all requests when the new model is ready"
_KSERVE = "apis/serving.kserve.io/v1beta1"
_RUNTIMES = "apis/serving.kserve.io/v1alpha1"
_KNATIVE = "apis/serving.knative.dev/v1"
_GATEWAY = "apis/gateway.networking.k8s.io/v1"
_KEDA = "apis/keda.sh/v1alpha1"
_PLACE = "parameter `deploy.strategy`"


def require_mode(cluster: Kubernetes, config: KServeConfig) -> None:
    """Refuse a cluster without KServe, or without Knative or KEDA where that is asked for.

    Raises:
        BadInputError: So it is.
        UnavailableError: The cluster does not answer.
    """
    groups = _groups(cluster)
    if _KSERVE not in groups:
        fix = "install KServe (docs/kserve.md), or use another `deploy.target`"
        raise BadInputError("this cluster has no KServe", where=cluster.host, fix=fix)
    if config.mode == "Knative" and _KNATIVE not in groups:
        fix = "use `deploy: {kserve: {mode: Standard}}`, or install Knative Serving"
        what = "this cluster has no Knative Serving, which KServe's mode Knative stands on"
        raise BadInputError(what, where="parameter `deploy.kserve.mode`", fix=fix)
    if config.autoscaler == "keda" and _KEDA not in groups:
        fix = "use `deploy: {kserve: {autoscaler: hpa}}`, or install KEDA"
        raise BadInputError(
            "this cluster has no KEDA", where="parameter `deploy.kserve.autoscaler`", fix=fix
        )


def require_canary(cluster: Kubernetes, config: KServeConfig) -> None:
    """Refuse a cluster that would take a canary and not honour it.

    In the mode Standard, KServe up to 0.19 has no `spec.canary` and ignores `canaryTrafficPercent`; 0.20
    has it, starts the canary and routes nothing to it; 0.21 does, by routes of the Gateway API. The schema
    of a canary is the same in both: 0.21 is known by `resourceClaims` of a ServingRuntime, new in it too.

    Raises:
        BadInputError: The canary cannot be honoured; field, mode and version are named.
        UnavailableError: The cluster does not answer.
    """
    groups = _groups(cluster)
    spec = _spec(cluster, _KSERVE, "InferenceService")
    if config.mode == "Knative":
        if "canaryTrafficPercent" not in _properties(spec, "predictor"):
            what = (
                "the field `spec.predictor.canaryTrafficPercent` is not in this KServe's schema (Knative)"
            )
            raise BadInputError(what, where=_PLACE, fix=REPLACE)
        return
    if "canary" not in _properties(spec):
        what = "KServe before 0.20 ignores canaries in the mode Standard: it has no field `spec.canary`"
        raise BadInputError(what, where=_PLACE, fix=REPLACE)
    runtime = _spec(cluster, _RUNTIMES, "ServingRuntime")
    if "resourceClaims" not in _properties(runtime):
        what = (
            "KServe 0.20 takes the field `spec.canary` in the mode Standard and routes no request by its "
            "`trafficPercent`; 0.21 is the first that does"
        )
        raise BadInputError(what, where=_PLACE, fix=REPLACE)
    if _GATEWAY not in groups:
        what = "`spec.canary` in the mode Standard needs the Gateway API, and this cluster has no gateway"
        raise BadInputError(what, where=_PLACE, fix=REPLACE)


def _groups(cluster: Kubernetes) -> Collection[str]:
    """Return the groups whose schemas the cluster publishes."""
    return (cluster.read("/openapi/v3") or {}).get("paths", {})


def _spec(cluster: Kubernetes, group: str, kind: str) -> dict[str, Any]:
    """Return the schema of the spec of a kind; an empty one when it is not published."""
    schemas = (cluster.read(f"/openapi/v3/{group}") or {}).get("components", {}).get("schemas", {})
    named = (schema for name, schema in schemas.items() if name.rpartition(".")[2] == kind)
    return _properties(next(named, {})).get("spec", {})


def _properties(schema: Any, *path: str) -> dict[str, Any]:
    for name in path:
        schema = schema.get("properties", {}).get(name, {})
    return schema.get("properties", {})
