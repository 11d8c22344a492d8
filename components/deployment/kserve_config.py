"""How models serve under KServe, checked when built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MODES = ("Standard", "Knative")
ADDRESSES = ("internal", "external")
AUTOSCALERS = ("hpa", "keda")
METRICS = {"Standard": ("cpu", "memory"), "Knative": ("concurrency", "rps")}
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class KServeConfig:
    """How models serve under KServe.

    Attributes:
        namespace: Where the InferenceServices are: a label of RFC 1123.
        mode: `Standard` (Deployments) or `Knative`; formerly `RawDeployment` and `Serverless`. It is
            written into the InferenceService, whatever the cluster's default is.
        address: Which of its addresses are asked, by golden requests and by who reads `endpoint.json`:
            `internal`, which pods of the cluster reach, or `external`, which goes by the gateway.
        grpc_port: Port at which servers answer by gRPC inside of the cluster, where the manifests' option
            `grpc` has them do so (9000), which golden requests ask, too; or None. 1 to 65,535, for
            `Standard` and `internal` alone.
        service_account: Account of the servers; it holds the store's credentials.
        runtime: The ServingRuntime, of the namespace or of the cluster, for models with a proven twin;
            others have the one with `-tensorflow` behind its name.
        min_replicas: Fewest servers. At least 1; 0 is for `Knative`, which starts one when a request comes.
        max_replicas: Most servers. At least `min_replicas` and 1.
        autoscaler: What scales in the mode `Standard`: `hpa` or `keda`.
        scale_metric: What is scaled by: `cpu` or `memory` (`Standard`), `concurrency` or `rps` (`Knative`);
            None leaves it to KServe, and is `cpu` for `keda`.
        scale_target: Of that metric, for each server: percent of what it requests for `cpu` and `memory`,
            requests otherwise. At least 1. None leaves it to KServe, and is 80 for `keda`; `memory` needs
            one, since KServe would scale by `cpu` without a word.
        prometheus: Address of the Prometheus that reads the servers, or None; without it a share below 100
            cannot be judged.
    """

    namespace: str = "millrace-serving"
    mode: str = "Standard"
    address: str = "internal"
    grpc_port: int | None = None
    service_account: str = "millrace-server"
    runtime: str = "millrace"
    min_replicas: int = 1
    max_replicas: int = 3
    autoscaler: str = "hpa"
    scale_metric: str | None = None
    scale_target: int | None = None
    prometheus: str | None = None

    def __post_init__(self) -> None:
        """Reject what cannot be at once, naming the value."""
        self._check_names()
        least = 0 if self.mode == "Knative" else 1
        if self.min_replicas < least:
            raise ValueError(
                f"`min_replicas >= {least}` must hold in {self.mode}, got {self.min_replicas}."
            )
        if self.max_replicas < max(self.min_replicas, 1):
            raise ValueError(f"`max_replicas >= min_replicas` must hold, but got {self.max_replicas=}.")
        self._check_scaling()
        self._check_grpc()
        if self.prometheus is not None and urlsplit(self.prometheus).scheme not in ("http", "https"):
            raise ValueError(f"`prometheus` must be an address with http(s), but got {self.prometheus=}.")

    def _check_grpc(self) -> None:
        if self.grpc_port is None:
            return
        if type(self.grpc_port) is not int or not 1 <= self.grpc_port <= 65_535:
            raise ValueError(f"`1 <= grpc_port <= 65535` must hold, but got {self.grpc_port!r}.")
        if (self.mode, self.address) != ("Standard", "internal"):
            what = f"{self.mode=} and {self.address=}"
            raise ValueError(
                f"`grpc_port` is for `mode: Standard` and `address: internal`, but got {what}."
            )

    def _check_scaling(self) -> None:
        metrics = METRICS[self.mode]
        if self.scale_metric is not None and self.scale_metric not in metrics:
            raise ValueError(f"`scale_metric in {metrics}` must hold, but got {self.scale_metric=}.")
        if self.scale_target is not None and not (
            type(self.scale_target) is int and self.scale_target >= 1
        ):
            raise ValueError(f"`scale_target >= 1` must hold, but got {self.scale_target=}.")
        if self.scale_metric == "memory" and self.scale_target is None:
            raise ValueError(f"`scale_metric: memory` needs a `scale_target`, got {self.scale_target=}.")
        if self.autoscaler == "keda" and self.mode == "Knative":
            raise ValueError(f"`autoscaler` is for the mode Standard, but got {self.autoscaler=}.")

    def _check_names(self) -> None:
        allowed = {"mode": MODES, "address": ADDRESSES, "autoscaler": AUTOSCALERS}
        for name, values in allowed.items():
            if (value := getattr(self, name)) not in values:
                raise ValueError(f"`{name} in {values}` must hold, but got {value!r}.")
        for name in ("namespace", "service_account", "runtime"):
            if not _LABEL.fullmatch(value := getattr(self, name)):
                raise ValueError(f"`{name}` must be a name of Kubernetes, but got {value!r}.")
