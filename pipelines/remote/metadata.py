"""ML Metadata as Kubeflow serves it (`metadata-grpc-service`), read as the store of a root is."""

from __future__ import annotations

import logging
from typing import Any

from components.common.artifacts import SourceFile
from components.common.errors import BadInputError, ComponentError, UnavailableError
from pipelines.local.lineage_reader import LineageReader
from pipelines.local.store import protos
from pipelines.remote.host import read_address
from pipelines.remote.planned import declared_uris

TIMEOUT_SECONDS = 30.0
_LARGEST_ANSWER = 256 * 1024 * 1024  # bytes; gRPC's own limit is 4 MiB, and `--down` reads a store whole
_NOT_ALLOWED = ("UnauthenticatedError", "PermissionDeniedError")


class Service:
    """Calls on a store over gRPC."""

    def __init__(self, address: str) -> None:
        """Name a service; nothing is sent.

        Args:
            address: `HOST[:PORT]`.

        Raises:
            BadInputError: It is no address.
        """
        from ml_metadata.metadata_store import metadata_store

        host, port = read_address(address)
        logging.getLogger("absl").setLevel(logging.CRITICAL)  # it reports each retry as an error
        config: Any = protos().MetadataStoreClientConfig(
            host=host, port=port, client_timeout_sec=TIMEOUT_SECONDS
        )
        config.channel_arguments.max_receive_message_length = _LARGEST_ANSWER
        self.address = f"{host}:{port}"
        self._store: Any = metadata_store.MetadataStore(config)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of `ml_metadata`'s `MetadataStore`.

        Raises:
            UnavailableError: It does not answer, or fails.
            BadInputError: It does not let us.
        """
        from ml_metadata import errors

        try:
            return getattr(self._store, method)(*arguments)
        except errors.StatusError as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> ComponentError:
        kind, said = type(error).__name__, " ".join(str(error).split())[:300]
        where = f"ML Metadata at {self.address}"
        if kind in _NOT_ALLOWED:
            fix = "reach it by `kubectl port-forward svc/metadata-grpc-service 8080`"
            return BadInputError(f"not allowed: {said}", where=where, fix=fix)
        fix = "is `kubectl port-forward svc/metadata-grpc-service 8080` still up?"
        return UnavailableError(f"does not answer: {said}", where=where, fix=fix)


class ServiceReader(LineageReader):
    """Reads a store whose artifacts lie in an object store; only what the store itself says is told."""

    hint = "`millrace runs --host URL` lists the runs"

    def __init__(self, address: str) -> None:
        """Name the service; nothing is sent."""
        service = Service(address)
        super().__init__(service, f"ML Metadata at {service.address}")

    def sources(self, record: Any) -> list[tuple[str, SourceFile]]:
        """Return the files that the task which made a snapshot was told to read; no sha256 is known.

        Where they were too many to be told one by one, it is what they were declared as, such as a glob.
        """
        if record.custom_properties["display_name"].string_value != "snapshot":
            return []
        producer = self.producer(record.id)
        given = _inputs(producer) if producer is not None else {}
        return [
            (name, SourceFile(uri=str(file["uri"]), bytes=int(file.get("bytes") or 0), sha256=""))
            for name, carried in sorted(given.get("identities", {}).items())
            for file in (carried if isinstance(carried, list) else _declared(given, name))
        ]

    def endpoint_url(self, record: Any) -> str | None:
        """Return the address that an endpoint says a model answers at; empty when it says none."""
        if record.custom_properties["display_name"].string_value != "endpoint":
            return None
        return record.custom_properties["url"].string_value

    def stands_in(self, record: Any) -> bool:
        """Tell whether an artifact only says that there is no baseline."""
        properties = record.custom_properties
        return "found" in properties and not (
            properties["found"].int_value or properties["found"].double_value
        )


def _declared(given: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [{"uri": uri} for source, uri in declared_uris(given.get("sources")) if source == name]


def _inputs(execution: Any) -> dict[str, Any]:
    """Return the parameters of an execution."""
    from google.protobuf import json_format

    return json_format.MessageToDict(execution.custom_properties["inputs"].struct_value)
