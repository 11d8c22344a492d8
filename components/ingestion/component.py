# pyright: basic
"""The doors of ingestion: what KFP sees. The work is in `resolve.py` and `ingest.py`."""

from typing import Optional

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("ingestion"), install_kfp_package=False)
def resolve_sources(sources: dict, options: dict = {}) -> dict:
    """Find the files that the sources name; never cached, so that what follows sees changed contents.

    Args:
        sources: A uri or a list of uris by source name: local paths, `file://` or globs to CSV or Parquet.
        options: Knobs of ingestion, checked here before anything is read.

    Returns:
        Output: For each source the list of its files, as `{uri, bytes, modified}`.
    """
    from dataclasses import asdict

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.ingestion.config import IngestionConfig
    from components.ingestion.resolve import resolve_files

    with named_exit():
        build_config(IngestionConfig, options, where="ingestion")
        found = resolve_files(sources)
    return {name: [asdict(file) for file in files] for name, files in found.items()}


@dsl.component(base_image=image("ingestion"), install_kfp_package=False)
def ingest(
    sources: dict,
    identities: dict,
    snapshot: dsl.Output[dsl.Artifact],
    examples: dsl.Output[dsl.Dataset],
    query: Optional[str] = None,
    split: dict = {},
    options: dict = {},
):
    """Read the sources strictly, run the query and write versioned train, eval and test rows.

    Args:
        sources: A uri or a list of uris by source name.
        identities: What `resolve_sources` found for them.
        query: SQL that DuckDB runs over the source names; unset, the only source is taken as it is.
        split: `{by: hash, key, fractions}` or `{by: time, column, eval_from, test_from}`.
        options: Knobs of ingestion: `null_values`, `delimiter`, `types`, `allow_empty`.

    Returns:
        snapshot: `snapshot.json`: which data this is, and its version.
        examples: `train/`, `eval/` and `test/`, Parquet files of equal columns.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.ingestion.config import IngestionConfig
    from components.ingestion.ingest import ingest_files
    from components.ingestion.resolve import recall_files
    from components.ingestion.split import SplitRule

    with named_exit():
        made = ingest_files(
            recall_files(sources, identities), build_config(SplitRule, split, where="split"),
            build_config(IngestionConfig, options, where="ingestion"), query=query,
            examples=Path(examples.path), snapshot=Path(snapshot.path),
        )  # fmt: skip
    snapshot.metadata.update(version=made.version, sources=len(made.sources), rows=sum(made.rows.values()))
    examples.metadata.update(
        {f"rows_{name}": count for name, count in made.rows.items()}, version=made.version
    )
