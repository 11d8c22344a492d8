"""The Kubernetes API: JSON in, JSON out, asked again while it is busy, refusals in words that help."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError, ComponentError, RefusedError, UnavailableError
from components.common.secrets import DEPLOYER_FOLDER

MANAGER = "millrace"  # of fields, in server-side apply
WAITS_SECONDS = (0.5, 1.0, 2.0, 4.0)  # before each further attempt
PATIENCE_SECONDS = (8.0, 8.0, 8.0)  # before more of them, of a server that has answered before: it restarts
_TIMEOUT_SECONDS = (5, 30)  # to connect, and to be answered
_LONGEST_WAIT_SECONDS = 30.0  # what is waited when a server says how long
_AGAIN = (408, 429, 500, 502, 503, 504)
_LONGEST = 600  # characters of what a server says

Document = dict[str, Any]


class StaleError(UnavailableError):
    """The object changed since it was read."""


class Kubernetes:
    """One API server, asked in one account's name."""

    def __init__(self, client: Any) -> None:
        """Ask by a `kubernetes.client.ApiClient`."""
        self._client = client
        self._has_answered = False
        self.host: str = client.configuration.host

    @classmethod
    def connect(cls) -> Kubernetes:
        """Ask as the deployer where its token is mounted, else as the pod's account or the kubeconfig.

        Raises:
            UnavailableError: There is none of them.
        """
        from kubernetes import client, config
        from kubernetes.config.incluster_config import InClusterConfigLoader

        configuration: Any = client.Configuration()
        token, authority = f"{DEPLOYER_FOLDER}/token", f"{DEPLOYER_FOLDER}/ca.crt"
        try:
            if Path(token).exists():
                InClusterConfigLoader(token, authority).load_and_set(configuration)
            elif os.environ.get("KUBERNETES_SERVICE_HOST"):
                config.load_incluster_config(configuration)
            else:
                config.load_kube_config(client_configuration=configuration)
        except config.ConfigException as error:
            fix = "run it in the cluster, or name a kubeconfig by the environment variable KUBECONFIG"
            raise UnavailableError(f"no cluster to deploy to: {error}", fix=fix) from error
        configuration.retries = False  # here is decided what is asked again
        return cls(client.ApiClient(configuration))

    def read(self, path: str, **query: str) -> Document | None:
        """Return what is at a path, or None when nothing is.

        Raises:
            BadInputError: It may not be read.
            UnavailableError: Nobody answers.
        """
        try:
            return self._ask("GET", path, query)
        except _MissingError:
            return None

    def apply(self, path: str, document: Mapping[str, Any], *, dry_run: bool = False) -> Document:
        """Apply a document server-side, strictly, as the manager `millrace`; other managers' fields stay.

        Raises:
            BadInputError: It is not understood, or not allowed.
            RefusedError: Another manager holds a field with another value.
            StaleError: It names a `resourceVersion` that is not the present one.
            UnavailableError: Nobody answers.
        """
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        return self._ask("PATCH", path, {**query, "dryRun": "All"} if dry_run else query, document)

    def create(self, path: str, document: Mapping[str, Any]) -> Document:
        """Create an object; see `apply`. `StaleError`: somebody has created it meanwhile."""
        return self._ask("POST", path, {"fieldManager": MANAGER}, document)

    def replace(self, path: str, document: Mapping[str, Any]) -> Document:
        """Replace an object; see `apply`."""
        return self._ask("PUT", path, {"fieldManager": MANAGER}, document)

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: Any = None) -> Document:
        for wait in (*WAITS_SECONDS, *(PATIENCE_SECONDS if self._has_answered else ()), None):
            try:
                answer = self._ask_once(method, path, query, body)
                self._has_answered = True
                return answer
            except _AgainError as again:
                if wait is None:
                    raise again.error from again
                time.sleep(max(wait, again.wait))
        raise AssertionError

    def _ask_once(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Document:
        import urllib3
        from kubernetes.client import ApiException

        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {"Content-Type": kind, "Accept": "application/json"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        try:
            answer = self._client.rest_client.request(
                method, f"{self.host}{path}", query_params=list(query.items()), headers=headers, body=body,
                _request_timeout=_TIMEOUT_SECONDS,
            )  # fmt: skip
            return json.loads(answer.data)
        except ApiException as error:
            told = refusal(error, f"{method} {path}")
            if isinstance(told, UnavailableError) and not isinstance(told, StaleError):
                raise _AgainError(told, error.headers) from error
            raise told from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:  # also half an answer
            what = f"the Kubernetes API does not answer: {type(error).__name__}"
            raise _AgainError(UnavailableError(what, where=self.host, fix="try again later")) from error


class _MissingError(BadInputError):
    """Nothing is there."""


class _AgainError(Exception):
    """Something that may work when it is asked again."""

    def __init__(self, error: ComponentError, headers: Any = None) -> None:
        super().__init__(str(error))
        self.error = error
        said = (headers or {}).get("Retry-After", "")
        self.wait = min(float(said), _LONGEST_WAIT_SECONDS) if said.isdecimal() else 0.0


def refusal(error: Any, where: str) -> ComponentError:
    """Return what an answer with a status of 400 or more means.

    Args:
        error: `kubernetes.client.ApiException`.
        where: What was asked.
    """
    status, said = int(error.status or 0), _status(error.body)
    words = _cut(said.get("message") or str(error.reason or "no answer"))
    if status == 0 or status in _AGAIN:
        return UnavailableError(f"the Kubernetes API answers {status or 'nothing'}: {words}", where=where)
    if status == 409:
        return _conflict(said, words, where)
    if status == 401:
        fix = "the token has expired, or is of another cluster"
        return BadInputError("the Kubernetes API does not know who is asking", where=where, fix=fix)
    if status == 403 and re.search(r'User ".*" cannot ', words):
        fix = "manifests/base/identity/deployer.yaml has the rights that a deployer needs"
        return BadInputError(f"not allowed: {words}", where=where, fix=fix)
    if status == 404:
        return _MissingError(words, where=where, fix="is KServe installed there, and the namespace right?")
    return BadInputError(f"the cluster refuses it: {words}", where=where)


def _conflict(said: Document, words: str, where: str) -> ComponentError:
    causes = said.get("details", {}).get("causes", [])
    fields = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
    if not fields:
        return StaleError(f"it was changed meanwhile: {words}", where=where, fix="try again")
    held = "; ".join(f"{cause['field']} ({cause['message']})" for cause in fields)
    fix = "give these fields up there, or set them there as they are to be"
    return RefusedError(f"somebody else holds fields of it: {_cut(held)}", where=where, fix=fix)


def _status(body: Any) -> Document:
    """Return the Status object of an answer; an empty one when it holds none."""
    try:
        content = json.loads(body)
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
