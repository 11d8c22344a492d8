"""Golden requests sent to an endpoint, whose answers must be those that were recorded."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from components.common.artifacts import Row, Signature
from components.common.errors import RefusedError, UnavailableError
from components.common.golden import find_difference, golden_columns

REVISION_HEADER = "Millrace-Revision"  # picks a revision whatever its share


def prove_answers(
    url: str, golden: Sequence[Row], signature: Signature, *, revision: str | None = None
) -> None:
    """Ask an endpoint the golden requests, all in one request as users send them.

    Args:
        url: The infer address (Open Inference Protocol v2).
        golden: Golden requests, at least one.
        signature: Inputs and outputs of the model.
        revision: The revision to ask, or None for whichever the shares choose.

    Raises:
        RefusedError: An answer differs by more than 1e-5, relative, or the request was refused.
        UnavailableError: There was no answer.
    """
    columns = golden_columns(golden, [entry["name"] for entry in signature.inputs])
    inputs = [
        {
            "name": entry["name"], "datatype": entry["datatype"], "shape": [len(golden)],
            "data": columns[entry["name"]],
        }
        for entry in signature.inputs
    ]  # fmt: skip
    outputs = _ask(url, {"inputs": inputs}, revision)
    answers = {output["name"]: _rows(output) for output in outputs}
    if difference := find_difference(golden, answers):
        raise RefusedError(f"the endpoint answers otherwise than the judged model: {difference}", where=url)


def _ask(url: str, body: object, revision: str | None) -> list[dict[str, Any]]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    headers = {"Content-Type": "application/json", **({REVISION_HEADER: revision} if revision else {})}
    try:
        connection.request("POST", address.path, json.dumps(body), headers)
        response = connection.getresponse()
        status, answer = response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError("the endpoint does not answer", where=url) from error
    finally:
        connection.close()
    if status >= 500:
        raise UnavailableError(f"the endpoint answers {status}: {answer.get('error')}", where=url)
    if status != 200:
        raise RefusedError(f"the endpoint refuses a golden request: {answer.get('error')}", where=url)
    return answer["outputs"]


def _rows(output: dict[str, Any]) -> list[Any]:
    data, shape = output["data"], output["shape"]
    if len(shape) == 1:
        return data
    width = shape[1]
    return [data[start : start + width] for start in range(0, len(data), width)]
