# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
"""The peer of a whole run: TFX over the same rows, from CSV to a pushed model.

`python pipeline.py CSV_FOLDER OUT STEPS EVAL_STEPS [--tell]`, in the environment of `lock.txt`. With
`--tell` it runs nothing, and writes of an earlier run what its own artifacts hold: `OUT/result.json`.
"""

import json
import sys
from pathlib import Path

SPLITS = ("train", "eval", "test")
SLICED = ("carrier", "origin")


def main(csv: Path, out: Path, steps: int, eval_steps: int) -> None:
    """Run the pipeline of TFX's own tutorial with these features, without its cache."""
    from tfx import v1 as tfx

    store = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(out / "metadata.sqlite"))
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="flights", pipeline_root=str(out / "root"), enable_cache=False,
        components=_components(csv, out, steps, eval_steps), metadata_connection_config=store,
    )  # fmt: skip
    tfx.orchestration.LocalDagRunner().run(pipeline)


def _components(csv: Path, out: Path, steps: int, eval_steps: int) -> list:
    from tfx import v1 as tfx

    parts, proto = tfx.components, tfx.proto
    files = [proto.Input.Split(name=name, pattern=f"{name}/*.csv") for name in SPLITS]
    examples = parts.CsvExampleGen(input_base=str(csv), input_config=proto.Input(splits=files))
    rows = examples.outputs["examples"]
    statistics = parts.StatisticsGen(examples=rows)
    schema = parts.SchemaGen(statistics=statistics.outputs["statistics"])
    validator = parts.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    transform = parts.Transform(
        examples=rows, schema=schema.outputs["schema"], preprocessing_fn="features.preprocessing_fn",
        splits_config=proto.SplitsConfig(analyze=["train"], transform=["train", "eval"]),
    )  # fmt: skip
    trainer = parts.Trainer(
        run_fn="features.run_fn", examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"], schema=schema.outputs["schema"],
        train_args=proto.TrainArgs(num_steps=steps), eval_args=proto.EvalArgs(num_steps=eval_steps),
    )  # fmt: skip
    evaluator = parts.Evaluator(
        examples=rows, model=trainer.outputs["model"], eval_config=_judging(), example_splits=["test"]
    )
    place = proto.PushDestination.Filesystem(base_directory=str(out / "serving"))
    pusher = parts.Pusher(
        model=trainer.outputs["model"], model_blessing=evaluator.outputs["blessing"],
        push_destination=proto.PushDestination(filesystem=place),
    )  # fmt: skip
    return [examples, statistics, schema, validator, transform, trainer, evaluator, pusher]


def _judging():  # noqa: ANN202 - a message of TFMA
    import tensorflow_model_analysis as tfma

    least = tfma.MetricThreshold(value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.5}))
    of_all_rows = tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=least)
    metrics = [
        tfma.MetricConfig(class_name="ExampleCount"),
        tfma.MetricConfig(class_name="BinaryAccuracy"),
        tfma.MetricConfig(class_name="AUC", per_slice_thresholds=[of_all_rows]),
    ]
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(label_key="late", signature_name="serving_default")],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[name]) for name in SLICED),
        ],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )


def tell(out: Path) -> None:
    """Read rows and label mean from the statistics, AUC and slices from the evaluation, both TFX's own."""
    import tensorflow_data_validation as tfdv
    import tensorflow_model_analysis as tfma

    rows, late = {}, 0.0
    for name in SPLITS:
        file = next((out / "root/StatisticsGen/statistics").glob(f"*/Split-{name}/FeatureStats.pb"))
        found = tfdv.load_stats_binary(str(file)).datasets[0]
        label = next(each for each in found.features if each.path.step == ["late"])
        rows[name], late = int(found.num_examples), late + label.num_stats.mean * found.num_examples
    folder = next((out / "root/Evaluator/evaluation").iterdir())
    by_slice = tfma.load_eval_result(str(folder)).get_metrics_for_all_slices()
    result = {
        "rows": rows, "label_mean": late / sum(rows.values()), "auc": by_slice[()]["auc"]["doubleValue"],
        "slices": len(by_slice), "judged_rows": by_slice[()]["example_count"]["doubleValue"],
        "pushed": any((out / "serving").glob("*/saved_model.pb")),
    }  # fmt: skip
    (out / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[-1] == "--tell":
        tell(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
