"""The data port: one address for all models, passing each request on to a revision's own server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from components.common.errors import BadInputError
from components.common.names import check_model_name
from pipelines.local.serving.endpoints import Endpoints
from pipelines.local.serving.revision import Revision

REVISION_HEADER = "Millrace-Revision"
MAX_BODY_BYTES = 32 << 20  # as the model server's own limit
_BODY_SECONDS = 30.0
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
     "transfer-encoding", "upgrade", "host", "expect")
)  # fmt: skip
_OWN_HEADERS = _HOP_BY_HOP | {"date", "server"}
_SMALL_BYTES = 1 << 16  # passed on in one piece; the rest streams


class _BodyError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Proxy:
    """Answers on the data port."""

    def __init__(self, endpoints: Endpoints, url: str) -> None:
        """Serve what is in `endpoints` at each moment; `url` is this port's own address."""
        self._endpoints, self._url = endpoints, url
        self._session: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application()
        app.cleanup_ctx.append(self._with_session)
        app.router.add_get("/", self.list_models)
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

    async def unknown(self, _: web.Request) -> web.Response:
        """Refuse any other address."""
        return _error(404, "not found: models answer at /v2/models/NAME/infer and /v1/models/NAME:predict")

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, and the answer back, both as they come."""
        revision = self._pick(request)
        if isinstance(revision, web.Response):
            return revision
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return _error(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        revision.under_way += 1
        try:
            return await self._pass_on(request, revision)
        finally:
            revision.under_way -= 1

    def _pick(self, request: web.Request) -> Revision | web.Response:
        try:
            name = check_model_name(request.match_info["name"])
        except BadInputError:
            return _error(404, "unknown model")
        endpoint = self._endpoints.by_name.get(name)
        if endpoint is None:
            return _error(404, f"unknown model `{name}`")
        wanted = request.headers.get(REVISION_HEADER)
        revision = endpoint.choose() if wanted is None else endpoint.revisions.get(wanted)
        if revision is None and wanted is not None:
            return _error(404, f"model `{name}` has no such revision")
        if revision is None or revision.state != "ready":
            state = "not released yet" if revision is None else revision.state
            return _error(503, f"model `{name}` is {state}")
        return revision

    async def _pass_on(self, request: web.Request, revision: Revision) -> web.StreamResponse:
        assert self._session is not None  # noqa: S101 - the application is running
        headers = [(key, value) for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP]
        answer: web.StreamResponse | None = None
        try:
            small = _is_small(request.content_length) or not request.can_read_body
            body = await _read_small(request) if small else _stream(request)
            async with self._session.request(
                request.method, f"{revision.url}{request.raw_path}", headers=headers, data=body,
                allow_redirects=False,
            ) as response:  # fmt: skip
                if _is_small(response.content_length):
                    return _begin(web.Response(body=await response.read()), response, revision)
                answer = _begin(web.StreamResponse(), response, revision)
                await answer.prepare(request)
                async for piece in response.content.iter_any():
                    await answer.write(piece)
                await answer.write_eof()
                return answer
        except (_BodyError, aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            if answer is not None and answer.prepared:
                raise  # half an answer is out: all that is left is to cut the connection
            return _explain(error, revision)

    async def _with_session(self, _: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, auto_decompress=False)
        async with self._session:
            yield


def _is_small(size: int | None) -> bool:
    return size is not None and size <= _SMALL_BYTES


async def _read_small(request: web.Request) -> bytes | None:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read() or None
    except TimeoutError as error:
        raise _BodyError(408, "the body did not arrive in time") from error


async def _stream(request: web.Request) -> AsyncIterator[bytes]:
    size = 0
    while True:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                piece = await request.content.readany()
        except TimeoutError as error:
            raise _BodyError(408, "the body did not arrive in time") from error
        if not piece:
            return
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise _BodyError(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        yield piece


def _is_serving(revision: dict[str, Any]) -> bool:
    return bool(revision["weight"]) and revision["state"] == "ready"


def _explain(error: BaseException, revision: Revision) -> web.Response:
    if isinstance(found := error.__cause__ or error, _BodyError):  # aiohttp wraps what its reader raised
        return _error(found.status, str(found))
    model = f"model `{revision.endpoint}`"
    if isinstance(error, TimeoutError):
        return _error(504, f"{model} did not answer in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _error(503, f"{model} is down and being started anew")
    return _error(502, f"{model} did not answer")


def _begin(
    answer: web.StreamResponse, response: aiohttp.ClientResponse, revision: Revision
) -> web.StreamResponse:
    answer.set_status(response.status, response.reason)
    for key, value in response.headers.items():
        if key.lower() not in _OWN_HEADERS:
            answer.headers[key] = value
    answer.headers[REVISION_HEADER] = revision.name
    return answer


def _error(status: int, reason: str) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return web.json_response({"error": reason}, status=status, headers=headers)
