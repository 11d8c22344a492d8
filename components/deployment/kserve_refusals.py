"""What a release to KServe is refused for, before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.common.errors import BadInputError
from components.deployment.config import DeployConfig
from components.deployment.kserve_api import Kubernetes
from components.deployment.kserve_config import KServeConfig
from components.deployment.kserve_document import (
    STOP,
    is_stopped,
    mode_of,
    predictor,
    release_of,
    storage_uri,
)
from components.deployment.kserve_schema import REPLACE, require_canary, require_mode
from components.deployment.target import Wanted

_LONGEST = 63  # characters of the name of a Service


def require_possible(cluster: Kubernetes, config: DeployConfig, wanted: Wanted) -> None:
    """Refuse what KServe, or this version of it, would not honour.

    Raises:
        BadInputError: The knob is named, what forbids it, and what would work.
        UnavailableError: The cluster does not answer.
    """
    kserve = config.kserve_config()
    storage_uri(wanted.model_uri)
    require_weights(config)
    require_mode(cluster, kserve)
    if config.strategy != "canary":
        return
    require_canary(cluster, kserve)
    if kserve.autoscaler == "keda":
        what = "KServe gives a canary a ScaledObject without triggers, which KEDA refuses"
        fix = f"{REPLACE}, or scale by `autoscaler: hpa`"
        raise BadInputError(what, where="parameter `deploy.kserve.autoscaler`", fix=fix)
    if kserve.mode == "Standard" and kserve.address == "external":
        what = (
            "a canary of the mode Standard has no address of its own at the gateway, so it cannot be proved"
        )
        fix = f"{REPLACE}, or release within the cluster with `address: internal`"
        raise BadInputError(what, where="parameter `deploy.kserve.address`", fix=fix)
    if config.shares != (100,) and kserve.prometheus is None and config.on_inconclusive == "restore":
        what = "nothing counts requests, so that no share below 100 could be judged and all would be undone"
        fix = "name a Prometheus, or leave `on_inconclusive: hold` and promote by hand"
        raise BadInputError(what, where="parameter `deploy.kserve.prometheus`", fix=fix)
    longest = f"{wanted.name}-r{wanted.revision}-predictor"
    if kserve.mode == "Standard" and len(longest) > _LONGEST:
        what = f"a canary of it would be named {longest}, which is longer than {_LONGEST} characters"
        raise BadInputError(what, where="parameter `model_name`", value=wanted.name, fix=REPLACE)


def require_weights(config: DeployConfig) -> None:
    """Refuse what keeps a user with one revision: KServe shares requests by weights alone.

    Raises:
        BadInputError: So it is; the knob is named.
    """
    if config.strategy == "ab" or config.sticky is not None:
        where = f"parameter `deploy.{'strategy' if config.strategy == 'ab' else 'sticky'}`"
        what = "KServe shares requests by weights alone, and cannot keep a user with one revision"
        raise BadInputError(what, where=where, fix="use `strategy: canary`, or `local`")


def require_ours(live: Mapping[str, Any], ours: Mapping[str, Any], *, config: KServeConfig) -> None:
    """Refuse an InferenceService that something else made or stopped, or that runs in another mode.

    Args:
        live: It.
        ours: The part of it that Millrace has applied.
        config: How a model is to serve.

    Raises:
        BadInputError: So it is.
    """
    about, where = live["metadata"], f"InferenceService {live['metadata']['name']}"
    if not ours:
        has_model = "model" in live["spec"]["predictor"]
        told = "is not Millrace's" if has_model else "has a custom container, no `predictor.model`"
        command = f"kubectl -n {config.namespace} delete inferenceservice {about['name']}"
        fix = f"release under another name, or delete it: {command}"
        raise BadInputError(f"it {told}, so nothing can be released beside it", where=where, fix=fix)
    if is_stopped(live) and not is_stopped(ours):
        command = f"kubectl -n {config.namespace} annotate inferenceservice {about['name']} {STOP}-"
        what = "somebody has stopped it, and a release would start it again"
        raise BadInputError(what, where=where, fix=f"start it first, if it may serve: {command}")
    mode = mode_of(live, config.mode)
    if mode != config.mode:
        by_hand = f"by hand `-p kserve.mode={mode}`"
        fix = f"use `deploy: {{kserve: {{mode: {mode}}}}}` ({by_hand}), or release under another name"
        what = f"it runs in the mode {mode}, and KServe keeps that for as long as it exists"
        raise BadInputError(what, where=where, value=config.mode, fix=fix)


def require_kept(one: Mapping[str, Any], wanted: Wanted, config: KServeConfig) -> None:
    """Refuse to serve a model that is there by other knobs than it was released with: its pods would roll.

    Raises:
        BadInputError: So it is; the knob is named.
    """
    present, new = release_of(one), predictor(wanted, config)
    if present.revision != wanted.revision:
        return
    is_engine = (present.engine == "twin") != (wanted.engine == "twin")
    runtime, account = one["model"]["runtime"], one["serviceAccountName"]
    told = [
        ("engine" if is_engine else "kserve.runtime", runtime, new["model"]["runtime"]),
        ("kserve.service_account", account, new["serviceAccountName"]),
    ]
    if config.mode == "Knative":
        scaled = {"min_replicas": "minReplicas", "max_replicas": "maxReplicas"}
        scaled |= {"scale_metric": "scaleMetric", "scale_target": "scaleTarget"}
        told += [(f"kserve.{knob}", one.get(key), new.get(key)) for knob, key in scaled.items()]
    for knob, before, now in told:
        if before != now:
            what = f"revision {present.revision} serves with {before} already, and keeps that"
            fix = "leave the knob as it was, or release another model with it"
            raise BadInputError(what, where=f"parameter `deploy.{knob}`", value=now, fix=fix)
