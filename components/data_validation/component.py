# pyright: basic
"""The door of data validation: what KFP sees. The work is in `validate.py`."""

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("validation"), install_kfp_package=False)
def data_validation(
    examples: dsl.Input[dsl.Dataset],
    snapshot: dsl.Input[dsl.Artifact],
    baseline: dsl.Input[dsl.Model],
    label: str,
    statistics: dsl.Output[dsl.Artifact],
    schema: dsl.Output[dsl.Artifact],
    anomalies: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    options: dict = {},
) -> bool:
    """Check one batch of examples before anything is trained on it.

    Args:
        examples: Parquet files per split, from `ingest`.
        snapshot: Which data this is and the kinds of its columns, from `ingest`.
        baseline: The model that now serves, or the note that there is none, from `resolve_baseline`.
        label: Column to be learnt.
        options: Fields of `ValidationConfig`; unset ones keep their defaults.

    Returns:
        statistics: What was seen, one dataset per split.
        schema: Expected columns, for everything that follows.
        anomalies: Verdict, findings and TFDV's own words; all are there when the batch is clean, too.
        report: The findings and a picture of every column.
        Output: True when no finding is an error.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.data_validation.config import ValidationConfig
    from components.data_validation.validate import validate_examples

    with named_exit():
        config = build_config(ValidationConfig, options, where="validation")
        found = validate_examples(
            Path(examples.path), Path(snapshot.path), Path(baseline.path), label=label,
            statistics=Path(statistics.path), schema=Path(schema.path),
            anomalies=Path(anomalies.path), report=Path(report.path), config=config,
        )  # fmt: skip
        statistics.metadata.update({f"rows_{k}": v.num_rows for k, v in found.batch.tables.items()})
        anomalies.metadata.update(errors=found.count("error"), warnings=found.count("warning"))
        return found.verdict.passed
