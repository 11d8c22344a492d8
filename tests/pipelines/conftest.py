"""A run's record and artifacts, written by hand as the runner and the rooms write them."""

import pytest

from components.common.artifacts import (
    Endpoint,
    Snapshot,
    Verdict,
    write_endpoint,
    write_snapshot,
    write_verdict,
)


def task(name: str, state: str = "SUCCEEDED", **more) -> dict:
    plain = {
        "seconds": 1.5,
        "cpu_seconds": 1.0,
        "peak_memory_bytes": 2_000_000,
        "cache_hit": False,
        "attempts": 1,
        "verdict": None,
        "message": None,
    }
    return {"name": name, "state": state, **plain, **more}


@pytest.fixture
def record(tmp_path):
    """A run that the data gate refused."""
    folder = tmp_path / "runs" / "training" / "r1"
    write_snapshot(
        folder / "s",
        Snapshot(
            version="ab" * 32,
            sources={},
            query=None,
            split={},
            rows={"train": 800, "eval": 200},
            columns={"x": "float"},
        ),
    )
    write_verdict(
        folder / "a", Verdict(passed=False, outcome="anomalous", reasons=["column `x` is <all> empty"])
    )
    (folder / "page").write_text("<!doctype html><title>checked</title><p>what was found")
    (folder / "logs").mkdir()
    (folder / "logs" / "halt.log").write_text("error: anomalous\n")
    return {
        "run_id": "r1",
        "pipeline": "training",
        "state": "REFUSED",
        "seconds": 3.2,
        "directory": str(folder),
        "outputs": {
            "ingest": {"snapshot": {"uri": str(folder / "s")}},
            "data-validation": {
                "anomalies": {"uri": str(folder / "a")},
                "report": {"uri": str(folder / "page")},
                "Output": False,
            },
        },
        "endpoint": None,
        "error": "halt: anomalous: column `x` is <all> empty",
        "parameters": {"label": "y" * 300},
        "package_digest": "cd" * 32,
        "tasks": [
            task("ingest", cache_hit=True, seconds=0.0),
            task("data-validation", verdict=False),
            task("halt", "FAILED", message="anomalous: column `x` is <all> empty"),
            task("transform", "SKIPPED", seconds=0.0, cpu_seconds=None, peak_memory_bytes=None),
        ],
    }


@pytest.fixture
def endpoint(tmp_path):
    write_endpoint(
        tmp_path / "e",
        Endpoint(
            name="m",
            target="none",
            url=None,
            revision=None,
            model_digest="ef" * 32,
            model_uri="/m",
            traffic={},
            golden_requests=0,
        ),
    )
    return {"uri": str(tmp_path / "e")}
