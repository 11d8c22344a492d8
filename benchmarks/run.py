"""Runs the measures, keeps their records and prints one table: `python -m benchmarks.run [NAME …]`."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.record import Record
from components.common.config import require_known
from components.common.documents import write_json
from components.common.errors import ComponentError

HERE = Path(__file__).parent
COLUMNS = ("name", "ours", "peer", "ratio", "target", "met", "unit")


def measures() -> list[str]:
    """List the names of the measures, sorted."""
    return sorted(file.stem for file in (HERE / "measures").glob("[!_]*.py"))


def chosen(names: Sequence[str]) -> list[str]:
    """Return the measures of these names, or whose names begin with them; all for none.

    Raises:
        BadInputError: A name is of no measure.
    """
    known = measures()
    families = {name: [one for one in known if one.startswith(f"{name}_")] for name in names}
    require_known([name for name in names if not families[name]], known, where="measures")
    return [one for name in names for one in ([name] if name in known else families[name])] or known


def run_measure(name: str) -> Record:
    """Take one measure, add the machine to its conditions, and keep the record.

    Raises:
        ComponentError: What it measures is not there, or did not work.
    """
    record: Record = importlib.import_module(f"benchmarks.measures.{name}").measure()
    record = replace(record, conditions={**record.conditions, **machine()})
    write_json(HERE / "records" / f"{name}.json", asdict(record))
    return record


def machine() -> dict[str, str | int | float]:
    """Describe this machine as far as numbers depend on it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
    }


def table(records: Sequence[Record]) -> str:
    """Return the records as a Markdown table."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(record) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def _row(record: Record) -> tuple[str, ...]:
    numbers = (record.ours, record.peer, record.ratio)
    shown = ("–" if number is None else f"{number:.4g}" for number in numbers)
    unit = str(record.conditions.get("unit", ""))
    met = {True: "yes", False: "*missed*", None: "*peer not run here*"}[record.met]
    return (record.name, *shown, record.target, met, unit)


def main(names: Sequence[str]) -> int:
    """Run the named measures, or all; 0 when they ran, whether or not they reach their targets."""
    try:
        records = [run_measure(name) for name in chosen(names)]
    except ComponentError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    print(table(records))
    for record in records:
        if reason := record.conditions.get("peer_not_run"):
            print(f"{record.name}: the peer did not run here: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
