"""The data port: one address for all models, passing each request on to a revision's own server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from components.common.errors import BadInputError
from components.common.headers import REVISION
from components.common.names import check_model_name
from pipelines.local.serving.counts import Counts, merge_metrics
from pipelines.local.serving.endpoints import Endpoint, Endpoints
from pipelines.local.serving.revision import Revision
from pipelines.local.serving.sticky import read_key
from pipelines.local.serving.tally import histogram, read_predictions

MAX_BODY_BYTES = 32 << 20  # as the model server's own limit
_BODY_SECONDS = 30.0
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
     "transfer-encoding", "upgrade", "host", "expect", "content-length")
)  # fmt: skip
_OWN_HEADERS = _HOP_BY_HOP | {"date", "server"}


class Proxy:
    """Answers on the data port.

    Each request finds its revision anew, on kept connections too. One that meets a server which is being
    started anew waits for it; what a server had in hand when it died is answered with 502, and counted.
    """

    hold_seconds = 30.0

    def __init__(self, endpoints: Endpoints, url: str) -> None:
        """Serve what is in `endpoints` at each moment; `url` is this port's own address."""
        self._endpoints, self._url = endpoints, url
        self._counts = Counts()
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.cleanup_ctx.append(self._with_session)
        app.router.add_get("/", self.list_models)
        app.router.add_get("/metrics", self.metrics)
        for path in ("/v2/health/live", "/v2/health/ready"):
            app.router.add_get(path, self.health)
        for path in ("/v1/models", "/v2/models"):
            app.router.add_get(path, self.list_names)
        app.router.add_route("*", r"/{protocol:v[12]}/models/{name:[^/:]+}{rest:([/:].*)?}", self.forward)
        app.router.add_route("*", "/{anything:.*}", self.unknown)
        return app

    async def list_models(self, _: web.Request) -> web.Response:
        """Tell what is served."""
        models = [
            {"name": one["name"], "url": one["url"], "ready": any(map(_is_serving, one["revisions"]))}
            for one in self._endpoints.describe(self._url)
        ]
        return web.json_response({"models": models})

    async def list_names(self, _: web.Request) -> web.Response:
        """Tell the names, as both protocols do."""
        return web.json_response({"models": sorted(self._endpoints.by_name)})

    async def health(self, request: web.Request) -> web.Response:
        """Answer for the supervisor itself."""
        return web.json_response({request.path.rsplit("/", 1)[1]: True})

    async def metrics(self, _: web.Request) -> web.Response:
        """Gather the metrics of all servers that are ready, and those of this port."""
        revisions = [
            each for endpoint in self._endpoints.by_name.values() for each in endpoint.revisions.values()
        ]
        ready = [each.url for each in revisions if each.state == "ready" and each.url is not None]
        told = await asyncio.gather(*(self._metrics_of(url) for url in ready))
        text = merge_metrics([self._counts.exposition(revisions), *told])
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    async def tally(self, revision: Revision) -> dict[str, Any]:
        """Return what this port counted of a revision, and what its server answered."""
        counted = self._counts.shared(revision)
        url = revision.url if revision.state == "ready" else None
        predictions = read_predictions(await self._metrics_of(url)) if url else {}
        return {
            "requests": counted.requests, "errors": counted.errors, "predictions": predictions,
            "seconds": histogram(counted.seconds),
        }  # fmt: skip

    async def unknown(self, _: web.Request) -> web.Response:
        """Refuse any other address."""
        return _error(404, "not found: models answer at /v2/models/NAME/infer and /v1/models/NAME:predict")

    async def forward(self, request: web.Request) -> web.Response:
        """Pass a request on, and the answer back."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            return _error(408, "the body did not arrive in time")
        except web.HTTPRequestEntityTooLarge:
            return _error(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        started = asyncio.get_running_loop().time()
        while True:
            revision = self._pick(request, body)
            if isinstance(revision, web.Response):
                return revision
            revision.under_way += 1
            try:
                answer = await self._pass_on(request, body, revision)
            finally:
                revision.under_way -= 1
            if answer is not None:
                self._count(request, revision, answer.status, started)
                return answer
            if asyncio.get_running_loop().time() > started + self.hold_seconds:
                return _error(503, f"model `{revision.endpoint}` is being started anew")

    def _pick(self, request: web.Request, body: bytes) -> Revision | web.Response:
        try:
            name = check_model_name(request.match_info["name"])
        except BadInputError:
            return _error(404, "unknown model")
        endpoint = self._endpoints.by_name.get(name)
        if endpoint is None:
            return _error(404, f"unknown model `{name}`")
        wanted = request.headers.get(REVISION)
        try:
            key = _read_key(request, endpoint, body) if wanted is None else None
        except BadInputError as error:
            return _error(400, str(error))
        revision = endpoint.choose(name, key) if wanted is None else endpoint.revisions.get(wanted)
        if revision is None and wanted is not None:
            return _error(404, f"model `{name}` has no such revision")
        if revision is None or revision.state == "failed":
            return _error(503, f"model `{name}` is {'not released yet' if revision is None else 'failed'}")
        return revision

    def _count(self, request: web.Request, revision: Revision, status: int, started: float) -> None:
        self._counts.count_answer(revision, status)
        if request.method == "POST" and REVISION not in request.headers:
            seconds = asyncio.get_running_loop().time() - started
            self._counts.count_shared(revision, status, seconds)

    async def _pass_on(self, request: web.Request, body: bytes, revision: Revision) -> web.Response | None:
        """Return the answer; None after a while when the server took nothing, and may be asked again."""
        assert self._session is not None  # noqa: S101 - the application is running
        if revision.state != "ready":
            await revision.settled(1.0)
            return None
        headers = [(key, value) for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP]
        try:
            async with self._session.request(
                request.method, f"{revision.url}{request.raw_path}", headers=headers, data=body or None,
                allow_redirects=False,
            ) as response:  # fmt: skip
                return _answer(response, await response.read(), revision)
        except aiohttp.ClientConnectorError:  # it died, and nobody noticed yet
            await asyncio.sleep(0.02)
            return None
        except TimeoutError:
            return _error(504, f"model `{revision.endpoint}` did not answer in time")
        except (aiohttp.ClientError, ConnectionError):
            self._counts.count_lost(revision)
            return _error(502, f"model `{revision.endpoint}` died while it had the request")

    async def _metrics_of(self, url: str) -> str:
        assert self._session is not None  # noqa: S101 - the application is running
        try:
            async with self._session.get(f"{url}/metrics") as response:
                return await response.text()
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return ""  # it died just now, and took its counts along

    async def _with_session(self, _: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, auto_decompress=False)
        async with self._session:
            yield


def _is_serving(revision: dict[str, Any]) -> bool:
    return bool(revision["weight"]) and revision["state"] == "ready"


def _read_key(request: web.Request, endpoint: Endpoint, body: bytes) -> str | None:
    """Return what decides who answers, where requests for predictions are shared; else None."""
    asks = request.method == "POST" and request.match_info["rest"] in (":predict", "/infer")
    if endpoint.sticky is None or len(endpoint.weights) < 2 or not asks:
        return None
    return read_key(endpoint.sticky, request.headers, body)


def _answer(response: aiohttp.ClientResponse, body: bytes, revision: Revision) -> web.Response:
    answer = web.Response(status=response.status, reason=response.reason, body=body)
    for key, value in response.headers.items():
        if key.lower() not in _OWN_HEADERS:
            answer.headers[key] = value
    answer.headers[REVISION] = revision.name
    return answer


def _error(status: int, reason: str) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return web.json_response({"error": reason}, status=status, headers=headers)
