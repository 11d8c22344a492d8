"""Calls of the API of Kubeflow Pipelines, through the client of its SDK."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from components.common.errors import BadInputError, ComponentError, UnavailableError
from pipelines.remote.answers import RejectedError, no_answer, not_the_api, refusal
from pipelines.remote.host import Host

TIMEOUT_SECONDS = (5, 30)  # to connect, and to be answered
WAITS_SECONDS = (0.5, 2.0)  # before each further attempt of what may be asked twice
_LONGEST_WAIT_SECONDS = 30.0  # what is waited when a server says how long
_PAGE = 100


class Kubeflow:
    """An installation of Kubeflow Pipelines; its messages are those of `kfp_server_api`.

    Attributes:
        host: Where it is.
        client: `kfp.Client`; its own methods know no timeout and print, so the generated ones are called.
        transport: What all of them send by.
    """

    def __init__(self, host: Host) -> None:
        """Connect.

        Raises:
            BadInputError: It wants to know who asks, or has several users and no namespace was named.
            UnavailableError: It does not answer.
        """
        self.host = host
        host.token()  # a wrong file is told before anything is sent
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it tells of each attempt
        self.transport: Any = None
        try:
            self.client: Any = self.ask("connect", partial(_connect, host), checked=False)
            self.transport = self.client.runs.run_service_get_run.__self__.api_client
            health = self.ask("connect", self.client.healthzs.healthz_service_get_healthz)
        except RejectedError as error:
            raise not_the_api(host, "connect") from error
        if health.multi_user and not (host.namespace or self.client.get_user_namespace()):
            fix = "name yours by --namespace"
            raise BadInputError("this Kubeflow has a namespace for each user", where=host.url, fix=fix)

    @property
    def namespace(self) -> str | None:
        """The namespace that is asked for, or None where there is one user."""
        return self.host.namespace or self.client.get_user_namespace() or None

    def ask(
        self, doing: str, method: Callable[..., Any], *values: Any, twice: bool = True,
        checked: bool = True, **named: Any,
    ) -> Any:  # fmt: skip
        """Call a method of the API.

        Args:
            doing: What is asked for, in words, for the error.
            method: Of a generated API.
            values: Its arguments.
            twice: It may be asked again when nobody knows whether it was heard.
            checked: It answers with JSON.
            named: Its named arguments; those that are None are left out.

        Raises:
            BadInputError: It was refused, or what answered is not the API.
            UnavailableError: Nobody answered, or the server failed.
        """
        given = {name: value for name, value in named.items() if value is not None}
        for wait in (*WAITS_SECONDS, None):
            try:
                answer = self._once(doing, method, values, given)
            except _AgainError as again:
                if wait is None or not (twice or again.unheard):
                    raise again.error from again.__cause__
                time.sleep(wait if again.wait is None else min(again.wait, _LONGEST_WAIT_SECONDS))
                continue
            if checked:
                self._check_answer(doing)
            return answer
        raise AssertionError

    def _once(self, doing: str, method: Callable[..., Any], values: Any, named: dict[str, Any]) -> Any:
        import kfp_server_api
        import urllib3

        try:
            return method(*values, _request_timeout=TIMEOUT_SECONDS, **named)
        except kfp_server_api.ApiException as error:
            told = refusal(error, self.host, doing)
            if isinstance(told, UnavailableError):
                raise _AgainError(told, wait=_retry_after(error), unheard=error.status == 429) from error
            raise told from error
        except urllib3.exceptions.HTTPError as error:
            raise _AgainError(no_answer(error, self.host, doing)) from error
        except AttributeError as error:  # the client stumbles over a failure of TLS, which has no body
            if not isinstance(error.__context__, kfp_server_api.ApiException):
                raise
            raise no_answer(error.__context__, self.host, doing) from error
        except ValueError as error:  # the models of the SDK refuse a value
            if not self._is_json():
                raise not_the_api(self.host, doing) from error
            what = f"{doing}: the answer is not one of KFP 2.17: {error}"
            raise BadInputError(what, where=self.host.url) from error

    def _check_answer(self, doing: str) -> None:
        """Refuse a page, and an answer from elsewhere: a request sent on has lost its token and method."""
        if not self._is_json():
            raise not_the_api(self.host, doing)
        origin = self.transport.last_response.urllib3_response.geturl() or ""
        if "://" in origin and not origin.startswith(f"{self.host.url}/"):
            parts = urlsplit(origin)
            what, fix = f"{doing}: it is somewhere else now", f"--host {parts.scheme}://{parts.netloc}…"
            raise BadInputError(what, where=self.host.url, fix=fix)

    def _is_json(self) -> bool:
        last = self.transport.last_response if self.transport is not None else None
        return last is not None and "json" in (last.getheader("content-type") or "")

    def text(self, path: str) -> str:
        """Return what is at a path that the SDK does not know; a page of the dashboard is nothing.

        Raises:
            BadInputError: It was refused, or nothing is there.
            UnavailableError: Nobody answered, or the server failed.
        """

        def get(_request_timeout: Any) -> str:
            answer = self.transport.call_api(
                path,
                "GET",
                auth_settings=["Bearer"],
                _preload_content=False,
                _request_timeout=_request_timeout,
            )
            if "html" in (answer.headers.get("content-type") or ""):
                raise BadInputError("nothing is there", where=f"{self.host.url}{path.partition('?')[0]}")
            return answer.data.decode("utf-8", errors="replace")

        return self.ask("read a log", get, twice=False, checked=False)

    def pages(self, doing: str, method: Callable[..., Any], entries: str, **named: Any) -> Iterator[Any]:
        """Yield the entries of a list, page by page as they are taken."""
        token: str | None = None
        while True:
            page = self.ask(doing, method, page_token=token, page_size=_PAGE, **named)
            yield from getattr(page, entries) or ()
            token = page.next_page_token
            if not token:
                return


class _AgainError(Exception):
    """Something that may work when it is tried again.

    Attributes:
        error: What it is when it does not.
        wait: Seconds that the server asks for, or None.
        unheard: The server says that it did nothing.
    """

    def __init__(self, error: ComponentError, *, wait: float | None = None, unheard: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.wait, self.unheard = error, wait, unheard


def _retry_after(error: Any) -> float | None:
    said = (error.headers or {}).get("Retry-After", "")
    return float(said) if said.isdecimal() else None


def _connect(host: Host, **_: Any) -> Any:
    from kfp import Client
    from kfp.client.token_credentials_base import TokenCredentialsBase

    class FileToken(TokenCredentialsBase):
        def refresh_api_key_hook(self, config: Any) -> None:
            config.api_key["authorization"] = host.token()

    class OneAttempt(Client):
        def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
            """Ask once: the SDK would ask for half a minute, and log each failure with its traceback."""
            return self._healthz_api.healthz_service_get_healthz(_request_timeout=TIMEOUT_SECONDS)

        def set_user_namespace(self, namespace: str) -> None:
            """Keep a pod's namespace for this command; the SDK would write it into the user's settings."""
            self._context_setting["namespace"] = namespace

        def _load_context_setting_or_default(self) -> None:
            try:
                super()._load_context_setting_or_default()
            except (OSError, ValueError) as error:
                where = self._LOCAL_KFP_CONTEXT
                raise BadInputError("settings of KFP's SDK cannot be read", where=where) from error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client: Any = OneAttempt(
            host=host.url, namespace=host.namespace or "kubeflow",
            credentials=FileToken() if host.token_file else None,
            ssl_ca_cert=os.environ.get("SSL_CERT_FILE"),
        )  # fmt: skip
    return client
