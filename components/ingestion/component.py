# pyright: basic
"""The doors of ingestion: what KFP sees. The work is in `resolve.py` and `ingest.py`."""

from typing import List, Optional

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("ingestion"), install_kfp_package=False)
def resolve_sources(sources: dict, options: dict = {}, allowed_hosts: List[str] = []) -> dict:
    """Find the files that the sources name; never cached, so that what follows sees changed contents.

    Args:
        sources: By source name a uri, a list of uris, or a mapping with `uri` and, as they apply, `query`,
            `as_of`, `span`, `window` and `credentials`.
        options: Knobs of ingestion, checked here before anything is read.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.

    Returns:
        Output: For each source its files, `{uri, identity, bytes, partition}`; of thousands, a digest.
    """
    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.ingestion.carry import carry_files
    from components.ingestion.config import IngestionConfig
    from components.ingestion.resolve import resolve_files

    with named_exit():
        config = build_config(IngestionConfig, options, where="ingestion")
        return carry_files(
            resolve_files(sources, allowed_hosts=allowed_hosts, timeout_seconds=config.timeout_seconds)
        )


@dsl.component(base_image=image("ingestion"), install_kfp_package=False)
def ingest(
    sources: dict,
    identities: dict,
    snapshot: dsl.Output[dsl.Artifact],
    examples: dsl.Output[dsl.Dataset],
    query: Optional[str] = None,
    split: dict = {},
    options: dict = {},
    allowed_hosts: List[str] = [],
):
    """Read the sources strictly, run the query and write versioned train, eval and test rows.

    Args:
        sources: By source name a uri, a list of uris, or a mapping.
        identities: What `resolve_sources` found for them.
        query: SQL that DuckDB runs over the source names; unset, the only source is taken as it is.
        split: `{by: hash, key, fractions}` or `{by: time, column, eval_from, test_from}`.
        options: Knobs of ingestion: `null_values`, `delimiter`, `encoding`, `types`, `allow_empty`,
            `memory_mib`, `timeout_seconds`.
        allowed_hosts: Hosts that http(s) may reach although their addresses are not public.

    Returns:
        snapshot: `snapshot.json`: which data this is, and its version.
        examples: `train/`, `eval/` and `test/`, Parquet files of equal columns.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.ingestion.carry import recall_files
    from components.ingestion.config import IngestionConfig
    from components.ingestion.ingest import ingest_sources
    from components.ingestion.sources import read_sources
    from components.ingestion.split import SplitRule

    with named_exit():
        config = build_config(IngestionConfig, options, where="ingestion")
        files = recall_files(
            sources, identities, allowed_hosts=allowed_hosts, timeout_seconds=config.timeout_seconds
        )
        rule = build_config(SplitRule, split, where="split")
        made = ingest_sources(
            read_sources(sources), files, rule, config, query=query, examples=Path(examples.path),
            snapshot=Path(snapshot.path), allowed_hosts=allowed_hosts,
        )  # fmt: skip
    snapshot.metadata.update(version=made.version, sources=len(made.sources), rows=sum(made.rows.values()))
    examples.metadata.update(
        {f"rows_{name}": count for name, count in made.rows.items()}, version=made.version
    )
