"""How KServe is asked to deploy: what it does depends on a mode that the cluster's default decides."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import at
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Manifest

_MODE = "serving.kserve.io/deploymentMode"
_STANDARD = ("Standard", "RawDeployment")  # the new name and the old one
_MODES = (*_STANDARD, "Knative", "Serverless", "ModelMesh")


def deployment_mode(manifest: Manifest) -> Iterator[Breach]:
    """Find InferenceServices that do not say their mode, or ask for what it silently leaves out."""
    if manifest.kind != "InferenceService":
        return
    mode = at(manifest.content, "metadata", "annotations", _MODE)
    if mode not in _MODES:
        yield Breach(
            field=f"metadata.annotations.{_MODE}", value=mode,
            message="the cluster's default decides the mode", fix="say `Standard` or `Knative`",
        )  # fmt: skip
    percent = at(manifest.content, "spec", "predictor", "canaryTrafficPercent")
    if mode in _STANDARD and percent is not None:
        yield Breach(
            field="spec.predictor.canaryTrafficPercent", value=str(percent),
            message=f"is silently ignored in mode `{mode}`: all traffic goes to the new model",
            fix="use `spec.canary` (KServe 0.21), or the mode `Knative`",
        )  # fmt: skip
