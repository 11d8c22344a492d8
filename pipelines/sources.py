# pyright: basic, reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false
"""How pipelines begin: what the sources hold now, and the rows that are made of it."""

from typing import Any

from components.ingestion.component import ingest, resolve_sources
from pipelines.build import Build


def take_data(build: Build, *, sources: Any, query: Any, split: Any, options: Any) -> tuple[Any, Any]:
    """Add the tasks that bring the data to the pipeline that is being defined.

    Args:
        build: Hosts that are allowed although they are private.
        sources: By name, where the rows come from.
        query: SQL over the sources, or none.
        split: Which rows train, choose and judge.
        options: Knobs of the room.

    Returns:
        The examples and their snapshot.
    """
    hosts = list(build.allowed_hosts)
    found = resolve_sources(sources=sources, options=options, allowed_hosts=hosts)
    data = ingest(
        sources=sources, identities=found.output, query=query, split=split, options=options,
        allowed_hosts=hosts)  # fmt: skip
    return data.outputs["examples"], data.outputs["snapshot"]
