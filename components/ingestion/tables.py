"""Each source as a view of typed columns."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import duckdb

from components.common.config import require_known
from components.common.errors import BadInputError
from components.ingestion.config import IngestionConfig
from components.ingestion.database import identifier, literal
from components.ingestion.diagnose import explain_failure, explain_stray
from components.ingestion.infer import Stray, infer_kinds, infer_values, typed
from components.ingestion.lines import select_lines
from components.ingestion.scan import ScannedFile


def create_view(
    connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[ScannedFile], config: IngestionConfig
) -> None:
    """Make a source readable under its name.

    Args:
        connection: The database.
        name: Name of the source.
        files: Its files, all of one format, of the same columns in any order.
        config: How to read text.

    Raises:
        BadInputError: The files differ in columns or types, or one of them cannot be parsed strictly.
    """
    _check_alike(name, files)
    if files[0].format == "parquet":
        selection = _select_parquet(files, config)
    elif files[0].format == "lines":
        selection = select_lines(connection, files, config.types)
    else:
        selection = _select_csv(connection, files, config)
    connection.execute(f"CREATE VIEW {identifier(name)} AS {selection}")


def check_types(
    connection: duckdb.DuckDBPyConnection,
    sources: Mapping[str, Sequence[ScannedFile]],
    types: Mapping[str, str],
) -> None:
    """Refuse declared kinds that no column takes: only those of text, and of folders' names, have none.

    Raises:
        BadInputError: A name is in no source.
    """
    known: set[str] = set()
    for name, files in sources.items():
        known.update(files[0].columns if files[0].format == "csv" else files[0].partition)
        if files[0].format == "lines":
            rows = connection.execute(f"DESCRIBE {identifier(name)}").fetchall()
            known.update(str(row[0]) for row in rows)
    require_known(types, sorted(known), where="ingestion.types")


def _check_alike(name: str, files: Sequence[ScannedFile]) -> None:
    first = files[0]
    for file in files[1:]:
        odd = sorted({*first.columns, *first.partition} ^ {*file.columns, *file.partition})
        if odd:
            what = f"its columns differ from those of {first.source.uri}: {', '.join(odd)}"
            raise BadInputError(
                what, where=file.source.uri, fix=f"make it a source beside `{name}`, or correct it"
            )
        wanted = dict(zip(first.columns, first.types, strict=False))
        for column, kind in zip(file.columns, file.types, strict=False):
            if kind != wanted[column]:
                what = f"column `{column}` is {kind}, but {wanted[column]} in {first.source.uri}"
                raise BadInputError(what, where=file.source.uri, fix="write the files with equal types")


def _select_parquet(files: Sequence[ScannedFile], config: IngestionConfig) -> str:
    listed = ", ".join(literal(str(file.path)) for file in files)
    keys = list(files[0].partition)
    if not keys:
        return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
    kinds = {
        key: config.types.get(key) or infer_values({file.partition[key] for file in files}) for key in keys
    }
    relation = f"read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"
    parts = ", ".join(typed(key, kind) for key, kind in kinds.items())
    return f"SELECT * REPLACE ({parts}) FROM {relation}"


def _select_csv(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ScannedFile], config: IngestionConfig
) -> str:
    groups: defaultdict[tuple[tuple[str, ...], str], list[ScannedFile]] = defaultdict(list)
    for file in files:
        groups[file.columns, file.delimiter or ","].append(file)
    parts = [_read(group, columns, delimiter, config) for (columns, delimiter), group in groups.items()]
    relation = f"({' UNION ALL BY NAME '.join(parts)})"
    columns = files[0].columns
    declared = {column: kind for column, kind in config.types.items() if column in columns}
    try:
        kinds = infer_kinds(connection, relation, columns, declared)
    except duckdb.Error as error:
        raise explain_failure(files, error) from error
    if isinstance(kinds, Stray):
        raise explain_stray(files, kinds)
    return f"SELECT {', '.join(typed(column, kinds[column]) for column in columns)} FROM {relation}"


def _read(
    files: Sequence[ScannedFile], columns: Sequence[str], delimiter: str, config: IngestionConfig
) -> str:
    listed = ", ".join(literal(str(file.path)) for file in files)
    struct = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    nulls = ", ".join(literal(value) for value in config.null_values)
    options = [
        f"[{listed}]",
        "auto_detect = false",
        "header = true",
        f"delim = {literal(delimiter)}",
        "quote = '\"'",
        "escape = '\"'",
        f"columns = {{{struct}}}",
        "strict_mode = true",
        "null_padding = false",
        "ignore_errors = false",
    ] + ([f"nullstr = [{nulls}]"] if nulls else [])
    return f"SELECT * FROM read_csv({', '.join(options)})"
