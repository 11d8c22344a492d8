"""The control API on the unix socket: apply, observe, weigh, remove, stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from components.common.errors import BadInputError
from components.common.names import check_model_name
from pipelines.local.serving.endpoints import Endpoints, UnknownError
from pipelines.local.serving.revision import Revision
from pipelines.local.serving.state import SupervisorRecord

Tally = Callable[[Revision], Awaitable[dict[str, Any]]]


class Control:
    """Answers on the control socket, which only its owner can reach."""

    def __init__(
        self, endpoints: Endpoints, tally: Tally, record: SupervisorRecord, end: Callable[[], None]
    ) -> None:
        """Act on `endpoints`.

        Args:
            endpoints: What is served.
            tally: Tells what was counted of a revision.
            record: What `GET /` tells of the supervisor.
            end: Called once to end the supervisor.
        """
        self._endpoints, self._tally, self._record, self._end = endpoints, tally, record, end

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(middlewares=[_named_errors])
        app.router.add_get("/", self.observe)
        app.router.add_put("/endpoints/{name}/revisions/{revision}", self.apply)
        app.router.add_put("/endpoints/{name}/weights", self.weigh)
        app.router.add_get("/endpoints/{name}/tally", self.tally)
        app.router.add_put("/claims/{name}", self.claim)
        app.router.add_delete("/claims/{name}", self.unclaim)
        app.router.add_delete("/endpoints/{name}/revisions/{revision}", self.remove)
        app.router.add_delete("/endpoints/{name}", self.stop_endpoint)
        app.router.add_delete("/", self.stop)
        return app

    async def observe(self, _: web.Request) -> web.Response:
        """Tell the state of everything."""
        record = self._record
        head = {"pid": record.pid, "port": record.port, "url": record.url}
        return web.json_response({**head, "endpoints": self._endpoints.describe(record.url)})

    async def apply(self, request: web.Request) -> web.Response:
        """Have a revision served; answers at once."""
        name, body = check_model_name(request.match_info["name"]), await _read(request)
        revision = check_model_name(request.match_info["revision"])  # it names a log file
        fields = {key: body.get(key) for key in ("model_uri", "model_digest")}
        fields["engine"] = body.get("engine", "auto")
        for key, value in fields.items():
            if not isinstance(value, str):
                raise BadInputError("must be a string", where=key, value=value)
        self._endpoints.apply(name, revision, **fields)  # type: ignore[arg-type] - checked above
        return web.json_response({})

    async def weigh(self, request: web.Request) -> web.Response:
        """Share the requests of an endpoint; the query may name what decides, `sticky`."""
        sticky = request.query.get("sticky")
        self._endpoints.weigh(request.match_info["name"], await _read(request), sticky)
        return web.json_response({})

    async def tally(self, request: web.Request) -> web.Response:
        """Tell what was counted of each revision."""
        revisions = self._endpoints.existing(request.match_info["name"]).revisions
        told = await asyncio.gather(*map(self._tally, revisions.values()))
        return web.json_response({"revisions": dict(zip(revisions, told, strict=True))})

    async def claim(self, request: web.Request) -> web.Response:
        """Keep others from releasing under a name; tells who holds it now."""
        name, body = check_model_name(request.match_info["name"]), await _read(request)
        holder, pid = body.get("holder"), body.get("pid")
        if not isinstance(holder, str) or type(pid) is not int:
            raise BadInputError("must have a holder, a string, and a pid", where="claim", value=body)
        return web.json_response({"holder": self._endpoints.claims.claim(name, holder, pid)})

    async def unclaim(self, request: web.Request) -> web.Response:
        """Give a claim back."""
        holder = (await _read(request)).get("holder")
        self._endpoints.claims.unclaim(request.match_info["name"], str(holder))
        return web.json_response({})

    async def remove(self, request: web.Request) -> web.Response:
        """Drain and end a revision."""
        await self._endpoints.remove(request.match_info["name"], request.match_info["revision"])
        return web.json_response({})

    async def stop_endpoint(self, request: web.Request) -> web.Response:
        """Drain and end a model."""
        await self._endpoints.remove_endpoint(request.match_info["name"])
        return web.json_response({})

    async def stop(self, _: web.Request) -> web.Response:
        """Drain and end everything, the supervisor last."""
        for name in list(self._endpoints.by_name):
            await self._endpoints.remove_endpoint(name)
        self._end()
        return web.json_response({})


@web.middleware
async def _named_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnknownError as error:
        return web.json_response({"error": str(error)}, status=404)
    except BadInputError as error:
        return web.json_response({"error": str(error)}, status=400)


async def _read(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise BadInputError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadInputError("the body must be a JSON object")
    return body
