"""Where models under KServe are asked: within the cluster, or by its gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


class Addresses:
    """Addresses of one InferenceService, as infer addresses of the Open Inference Protocol v2."""

    def __init__(self, name: str, *, is_external: bool, grpc_port: int | None = None) -> None:
        """Tell those of a model: by the gateway, or inside of the cluster, there by gRPC at a port, too."""
        self._name, self._is_external, self._grpc_port = name, is_external, grpc_port

    def all(self, status: Mapping[str, Any]) -> str | None:
        """Return where everybody asks, or None while KServe has not said it."""
        address = status.get("url") if self._is_external else status.get("address", {}).get("url")
        return self._infer(address)

    def of(self, status: Mapping[str, Any], predictor: str | None) -> str | None:
        """Return where the Service of a predictor is asked; by the gateway it has no address of its own."""
        named = f"{self._name}-{predictor}-predictor" if predictor else f"{self._name}-predictor"
        return None if self._is_external else self._inside(status, named)

    def tagged(self, status: Mapping[str, Any], tag: str) -> str | None:
        """Return where a revision of Knative is asked by its tag."""
        if not self._is_external:
            return self._inside(status, f"{tag}-{self._name}-predictor")
        told = status.get("components", {}).get("predictor", {}).get("traffic", [])
        return self._infer(next((each.get("url") for each in told if each.get("tag") == tag), None))

    def grpc(self, url: str | None) -> str | None:
        """Return where the Service of a revision is asked by gRPC: host and port, or None."""
        if url is None or self._grpc_port is None:
            return None
        return f"{urlsplit(url).hostname}:{self._grpc_port}"

    def _inside(self, status: Mapping[str, Any], service: str) -> str | None:
        """Return the address of a Service beside the one that KServe names."""
        address = status.get("address", {}).get("url")
        if address is None:
            return None
        host = urlsplit(address).netloc.partition(".")[2]
        return self._infer(f"http://{service}.{host}")

    def _infer(self, address: str | None) -> str | None:
        return None if address is None else f"{address.rstrip('/')}/v2/models/{self._name}/infer"
