"""Checks that users write in SQL, run by DuckDB over the examples and nothing else."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from components.common.artifacts import SPLITS, split_files
from components.common.errors import BadInputError
from components.data_validation.config import ValidationConfig
from components.data_validation.illustrate import show_values
from components.data_validation.policy import Check
from components.data_validation.rules import Finding

_TABLES = ("examples", *SPLITS)
_FIX = "write `SELECT count(*) FROM …`: 0 means that the check holds"
_COUNTS = ("count_star", "count", "count_if")


def run_checks(examples: Path, personal: Collection[str], config: ValidationConfig) -> Iterator[Finding]:
    """Yield every check of `config.checks` whose number is not 0.

    A check sees the tables `train`, `eval`, `test` and `examples` (all of them), with the types of the
    Parquet files: dates are ISO text, booleans 0 and 1. It may read nothing else: no file, no network,
    no setting. Of a failed `SELECT count(*) FROM … WHERE …` the first counted row is shown.

    Args:
        examples: Folder with Parquet files per split.
        personal: Columns of which no value may be shown; with any, other numbers than counts, and
            values in DuckDB's messages, are left out.
        config: The checks and their severities.

    Raises:
        BadInputError: A check is no single SELECT of one number, names what is not there, or fails.
    """
    asked = {name: check for name, check in config.checks.items() if not _is_off(check, config)}
    if not asked:
        return
    with contextlib.closing(_open(examples)) as database:
        for name, check in asked.items():
            where = f"parameter `validation.checks`, check `{name}`"
            value = _ask(database, check.sql, where, hide=bool(personal))
            if value != 0:
                yield _failed(database, name, check, value, personal)


def _is_off(check: Check, config: ValidationConfig) -> bool:
    return config.severity(Finding(rule="check_failed", message="", severity=check.severity)) == "off"


def _open(examples: Path) -> duckdb.DuckDBPyConnection:
    files = {split: [str(file.absolute()) for file in split_files(examples, split)] for split in SPLITS}
    files["examples"] = [file for split in SPLITS for file in files[split]]
    database = duckdb.connect(":memory:")
    for table, paths in files.items():
        database.execute(f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet({_list(paths)})')  # noqa: S608 - quoted by `_list`
    for setting in (
        "temp_directory = ''", f"allowed_paths = {_list(files['examples'])}",
        "enable_external_access = false", "python_enable_replacements = false", "lock_configuration = true",
    ):  # fmt: skip
        database.execute(f"SET {setting}")
    return database


def _list(paths: list[str]) -> str:
    quoted = (f"'{path.replace(chr(39), chr(39) * 2)}'" for path in paths)
    return f"[{', '.join(quoted)}]"


def _ask(database: duckdb.DuckDBPyConnection, sql: str, where: str, *, hide: bool) -> float:
    try:
        statements = database.extract_statements(sql)
        if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
            raise BadInputError("not one SELECT", where=where, value=sql, fix=_FIX)
        rows = database.execute(sql).fetchmany(2)
    except duckdb.Error as error:
        told = type(error).__name__ if hide and not isinstance(error, _ABOUT_SQL) else str(error)
        line = told.strip().partition("\n")[0]
        raise BadInputError(f"the check fails: {line}", where=where, value=sql, fix=_FIX) from None
    number = _number(rows)
    if number is None:
        value = sql if hide else f"{sql} → {rows}"
        raise BadInputError("the check does not give one number", where=where, value=value, fix=_FIX)
    return number


def _number(rows: list[Any]) -> float | None:
    cell = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else None
    number = float(cell) if isinstance(cell, (bool, int, float, Decimal)) else math.nan
    return number if math.isfinite(number) else None


_ABOUT_SQL = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
)


def _failed(
    database: duckdb.DuckDBPyConnection, name: str, check: Check, value: float, personal: Collection[str]
) -> Finding:
    node = _parse(database, check.sql)
    counts = _is_count(node)
    shown = value if counts or not personal else None
    words = "it gives another number than 0" if shown is None else f"{value:,g} found"
    return Finding(
        rule="check_failed", value=shown, threshold=0, severity=check.severity,
        message=f"“{name}” does not hold: {words}",
        example=_first_row(database, node, check.sql, personal) if counts else None,
    )  # fmt: skip


def _parse(database: duckdb.DuckDBPyConnection, sql: str) -> Mapping[str, Any]:
    [text] = database.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ("{}",)
    parsed = json.loads(text)
    return {} if parsed.get("error", True) else parsed["statements"][0]["node"]


def _is_count(node: Mapping[str, Any]) -> bool:
    selected = node.get("select_list", [])
    return len(selected) == 1 and selected[0].get("function_name") in _COUNTS and not selected[0]["filter"]


def _first_row(
    database: duckdb.DuckDBPyConnection, node: Mapping[str, Any], sql: str, personal: Collection[str]
) -> str | None:
    """Return the first row that a `SELECT count(*)` counts, columns that it names first; else None."""
    table = node["from_table"]
    plain = table.get("type") == "BASE_TABLE" and table["table_name"] in _TABLES
    renamed = table.get("column_name_alias") or node["cte_map"]["map"]
    grouped = node["group_expressions"] or node["having"] or node["qualify"]
    if node["select_list"][0]["function_name"] != "count_star" or not plain or renamed or grouped:
        return None
    star = _parse(database, "SELECT *")["select_list"]
    query = {"error": False, "statements": [{"node": {**node, "select_list": star}, "named_param_map": []}]}
    rows = database.execute("SELECT * FROM json_execute_serialized_sql(?)", [json.dumps(query)])
    names = [column[0] for column in rows.description or []]
    values = rows.fetchone()
    row = dict(zip(names, values, strict=True)) if values else {}
    named = sorted((key for key in row if key not in personal), key=lambda key: key not in sql)
    shown = {key: row[key] for key in named}
    return f"{table['table_name']}: {show_values(shown)}" if shown else None
