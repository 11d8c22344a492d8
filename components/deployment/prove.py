"""Golden requests sent to an endpoint, whose answers must be those that were recorded."""

from __future__ import annotations

from collections.abc import Sequence

from components.common.errors import RefusedError
from components.common.golden import Row, find_difference, golden_columns
from components.deployment.ask import Asked, protocols


def prove_answers(asked: Asked, golden: Sequence[Row]) -> list[str]:
    """Ask an endpoint the golden requests, all in one request as users send them, by each protocol.

    Args:
        asked: Whom.
        golden: Golden requests, at least one.

    Returns:
        The protocols that were asked by.

    Raises:
        RefusedError: An answer differs by more than 1e-5, relative, or the request was refused.
        UnavailableError: There was no answer.
    """
    columns = golden_columns(golden, [entry["name"] for entry in asked.signature.inputs])
    for protocol, ask in protocols(asked).items():
        if difference := find_difference(golden, ask(asked, columns)):
            what = f"the endpoint answers otherwise than the judged model, by {protocol}: {difference}"
            raise RefusedError(what, where=asked.url)
    return list(protocols(asked))
