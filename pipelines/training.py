# pyright: basic, reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false
"""From raw tables to a model that answers; read it top to bottom, the order is the flow of the data."""

from typing import Optional

from kfp import dsl

from components.common.component import halt
from components.data_validation.component import data_validation
from components.deployment.component import deploy_model, resolve_baseline
from components.evaluation.component import evaluate
from components.transform.component import transform as transform_examples
from pipelines.build import Build
from pipelines.dress import dressed
from pipelines.search import search
from pipelines.sources import take_data


def define(build: Build):
    """Return the training pipeline with its build options filled in."""

    # fmt: off
    @dsl.pipeline(name="training")
    @dressed(build)
    def pipeline(
        sources: dict, label: str, query: Optional[str] = None, task: Optional[str] = None,
        features: dict = {}, split: dict = {}, model_name: str = "model", search_space: dict = {},
        trials: int = 4, sampler: str = "random", seed: int = 0, thresholds: dict = {}, slices: list = [],
        module_uri: Optional[str] = None, baseline_uri: Optional[str] = None, deploy: dict = {},
        ingestion: dict = {}, validation: dict = {}, transform: dict = {}, training: dict = {},
        evaluation: dict = {},
    ):
        """Trains, judges and deploys a model for a table."""
        examples, snapshot = take_data(
            build, sources=sources, query=query, split=split, options=ingestion)

        serving = resolve_baseline(
            snapshot=snapshot, model_name=model_name, baseline_uri=baseline_uri, label=label, task=task,
            features=features, search_space=search_space, trials=trials, sampler=sampler, seed=seed,
            thresholds=thresholds, slices=slices, module_uri=module_uri, validation=validation,
            transform=transform, training=training, evaluation=evaluation, options=deploy,
        )
        baseline, recipe = serving.outputs["baseline"], serving.outputs["Output"]

        validated = data_validation(
            examples=examples, snapshot=snapshot, baseline=baseline, label=label, options=validation)
        schema, statistics = validated.outputs["schema"], validated.outputs["statistics"]
        data_gate = halt(unless=validated.outputs["Output"], reasons=validated.outputs["anomalies"])
        data_gate.set_display_name("data-gate")

        transformed = transform_examples(
            examples=examples, schema=schema, label=label, task=task, features=features,
            module_uri=module_uri, options=transform,
        ).after(data_gate)

        best = search(
            build, baseline=baseline, options=training,
            asked={"search_space": search_space, "trials": trials, "sampler": sampler, "seed": seed},
            made_from={
                "transformed_examples": transformed.outputs["transformed_examples"],
                "transform_graph": transformed.outputs["transform_graph"], "schema": schema,
                "statistics": statistics, "snapshot": snapshot, "module_uri": module_uri})

        judged = evaluate(
            best_model=best.outputs["best_model"], examples=examples, baseline=baseline, recipe=recipe,
            thresholds=thresholds, slices=slices, options=evaluation)
        model_gate = halt(unless=judged.outputs["Output"], reasons=judged.outputs["evaluation"])
        model_gate.set_display_name("model-gate")

        deploy_model(
            evaluated_model=judged.outputs["evaluated_model"], model_name=model_name,
            golden_requests=judged.outputs["golden_requests"],
            run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, options=deploy,
        ).after(model_gate)
    # fmt: on

    return pipeline
