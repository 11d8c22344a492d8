"""Compiles small pipelines with KFP's own compiler and executes them for real."""

from pathlib import Path

import pytest
from kfp import compiler

from pipelines.local.runner import run_package


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def package(tmp_path):
    def compile_pipeline(pipeline) -> Path:
        path = tmp_path / f"{pipeline.pipeline_spec.pipeline_info.name}.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        return path

    return compile_pipeline


@pytest.fixture
def run(package, root):
    def run_pipeline(pipeline, *, events=None, use_cache=True, environment=None, **parameters):
        take = (lambda event: None) if events is None else events.append
        return run_package(
            package(pipeline), parameters, root=root, use_cache=use_cache, environment=environment,
            on_event=take,
        )  # fmt: skip

    return run_pipeline
