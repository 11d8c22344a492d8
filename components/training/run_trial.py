"""One trial, in a process of its own: `python -m components.training.run_trial JOB`.

Whatever happens here, a crash or a hang too, is a result to the task that started it.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from components.common.artifacts import Signature, TransformSummary, read_transform
from components.common.documents import read_document, write_document, write_json
from components.common.errors import ComponentError
from components.training.jobs import Check, Job


def run_trial(job: Job) -> dict[str, float]:
    """Train, measure and export; returns the metrics on the eval split."""
    _configure(job.threads)
    from components.training.fit import fit_model
    from components.training.hyperparameters import read_hyperparameters
    from components.training.read_arrays import lay_out, read_arrays

    graph = Path(job.transform_graph)
    summary, point = read_transform(graph), read_hyperparameters(job.hyperparameters, where="trial")
    layout = lay_out(summary)
    train, evaluation = (
        read_arrays(Path(job.transformed_examples), split, layout) for split in ("train", "eval")
    )
    fitted = fit_model(
        train,
        evaluation,
        layout,
        task=summary.task,
        classes=len(summary.classes),
        point=point,
        seed=job.seed,
    )
    _export(job, fitted, summary, point)
    return fitted.metrics


def _configure(threads: int) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()


def _export(job: Job, fitted: Any, summary: TransformSummary, point: Any) -> None:
    from components.training import export
    from components.training.read_optional import read_optional
    from components.training.sample_rows import read_values, sample_rows

    graph, output = Path(job.transform_graph), Path(job.output)
    values = read_values(Path(job.statistics), summary.inputs)
    optional = read_optional(Path(job.schema), summary.inputs)
    signature = export.describe_signature(summary, optional, values)
    export.export_folder(fitted, summary, graph, point, signature, folder=output / "model")
    rows = sample_rows(values, summary.inputs, rows=job.verification_rows, seed=0)
    lenient = Signature(inputs=[{**entry, "optional": True} for entry in signature.inputs], outputs=[])
    answers = export.answer_raw_rows(fitted, summary, graph, rows, lenient)
    write_document(output / "check.json", Check(rows=rows, answers=answers.tolist()))


def _main(file: Path) -> None:
    job = read_document(file, Job)
    try:
        result: dict[str, Any] = {"metrics": run_trial(job), "error": None}
    except ComponentError as error:
        result = {"metrics": {}, "error": str(error)}
    except Exception as error:  # any failure is a counted result; its traceback goes to the task's log
        traceback.print_exc()
        result = {"metrics": {}, "error": " ".join(f"{type(error).__name__}: {error}".split())[:500]}
    write_json(Path(job.output) / "result.json", result)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
