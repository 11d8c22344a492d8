# pyright: basic
"""The door of the transform: what KFP sees. The work is in `transform.py`."""

from typing import Optional

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def transform(
    examples: dsl.Input[dsl.Dataset],
    schema: dsl.Input[dsl.Artifact],
    transform_graph: dsl.Output[dsl.Artifact],
    transformed_examples: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    label: str,
    task: Optional[str] = None,
    features: dict = {},
    module_uri: Optional[str] = None,
    options: dict = {},
):
    """Derive features and make the one graph that trains and serves.

    Args:
        examples: Folder with a sub-folder of Parquet files per split.
        schema: Folder with `schema.pbtxt`: the columns and their kinds.
        label: Column to predict.
        task: `binary`, `multiclass` or `regression`; unset, it is inferred from the label.
        features: Overrides by column: `drop`, `number`, `category`, `hash`, `calendar`, or a mapping
            of `encoding`, `size` and `clip_share`.
        module_uri: Python file that may define `preprocessing_fn(inputs)`.
        options: Knobs of this room, see its README.

    Returns:
        transform_graph: The graph in TFT's own layout, with `transform.json`.
        transformed_examples: The splits `train` and `eval` as fixed-width columns, with `label`.
        report: What was derived from what, and what was left out and why.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.common.modules import find_module
    from components.transform.config import TransformConfig

    with named_exit():
        config = build_config(TransformConfig, options, where="transform")
        from components.transform.transform import transform_examples

        summary = transform_examples(
            Path(examples.path), Path(schema.path), transform_graph=Path(transform_graph.path),
            transformed_examples=Path(transformed_examples.path), report=Path(report.path), label=label,
            task=task or None, features=features, config=config,
            module=find_module(module_uri) if module_uri else None,
        )  # fmt: skip
        transform_graph.metadata.update(
            task=summary.task, features=len(summary.features), dropped=len(summary.dropped)
        )
