# pyright: basic, reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false
"""A batch that arrives, held against the data of the model now serving; nothing is trained."""

from typing import Optional

from kfp import dsl

from components.common.component import halt
from components.data_validation.component import data_validation
from components.deployment.component import resolve_baseline
from pipelines.build import Build
from pipelines.dress import dressed
from pipelines.sources import take_data


def define(build: Build):
    """Return the pipeline with its build options filled in."""

    # fmt: off
    @dsl.pipeline(name="screening")
    @dressed(build)
    def pipeline(
        sources: dict, label: str, query: Optional[str] = None, split: dict = {}, model_name: str = "model",
        baseline_uri: Optional[str] = None, deploy: dict = {}, ingestion: dict = {}, validation: dict = {},
    ):
        """Holds a batch against the data of the serving model."""
        examples, snapshot = take_data(
            build, sources=sources, query=query, split=split, options=ingestion)
        serving = resolve_baseline(
            snapshot=snapshot, model_name=model_name, baseline_uri=baseline_uri, label=label, trials=1,
            sampler="random", seed=0, validation=validation, options=deploy)
        validated = data_validation(
            examples=examples, snapshot=snapshot, baseline=serving.outputs["baseline"], label=label,
            options=validation)
        gate = halt(unless=validated.outputs["Output"], reasons=validated.outputs["anomalies"])
        gate.set_display_name("data-gate")
    # fmt: on

    return pipeline
