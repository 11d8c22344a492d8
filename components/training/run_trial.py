"""One trial, in a process of its own: `python -m components.training.run_trial JOB`.

Whatever happens here, a crash or a hang too, is a result to the task that started it.
"""

from __future__ import annotations

import math
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.common.artifacts import Signature, TransformSummary, read_transform
from components.common.documents import read_document, write_document, write_json
from components.common.errors import BadInputError, ComponentError, UnavailableError
from components.common.task_log import log_line
from components.training.interrupt import end_when_terminated
from components.training.jobs import Check, Job, Result


def run_trial(job: Job) -> Result:
    """Train, measure and export; returns the metrics on the eval split and the learning curve."""
    _configure(job)
    from components.training.fit import Problem, fit_model
    from components.training.hyperparameters import read_hyperparameters
    from components.training.learn import Hopeless
    from components.training.read_arrays import lay_out, read_arrays

    summary = read_transform(Path(job.transform_graph))
    layout = lay_out(summary)
    train, evaluation = (
        read_arrays(Path(job.transformed_examples), split, layout) for split in ("train", "eval")
    )
    problem = Problem(
        layout, summary.task, summary.classes, read_hyperparameters(job.hyperparameters, where="trial"),
        job.seed, class_weight=job.class_weight, build=_builder(job, summary),
        prepare=_starter(job),
    )  # fmt: skip
    metrics = _fold(job, problem, train, evaluation) if job.folds else {}
    try:
        fitted = fit_model(problem, train, evaluation, saving=_saving(job, "model"), limits=job.limits)
    except Hopeless as stopped:
        return Result(metrics={}, curve=stopped.curve, error=str(stopped), stopped=True)
    costs = _export(job, fitted, summary)
    return Result(metrics={**(metrics or fitted.metrics), **costs}, curve=fitted.curve, error=None)


def _configure(job: Job) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    tf.config.experimental.enable_op_determinism()
    prepare_accelerator(job.accelerator)


def prepare_accelerator(accelerator: str) -> None:
    """Make ready the GPUs that are there, or refuse to go on without one that was asked for.

    Memory is taken as it is needed, so that trials can share a GPU, and products are computed in whole
    float32 (not TF32), so that a trained network answers on a processor as it did there.

    Args:
        accelerator: `gpu`, or `none`; TensorFlow uses a GPU that is there in either case.

    Raises:
        UnavailableError: It is not there.
    """
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    for one in found:
        tf.config.experimental.set_memory_growth(one, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if accelerator == "gpu" and not found:
        fix = "run where a GPU is (and in an image that has its libraries), or ask for `none`"
        where = "parameter `training.accelerator`"
        raise UnavailableError("no GPU is seen", where=where, value=accelerator, fix=fix)


def _builder(job: Job, summary: TransformSummary) -> Any:
    if job.module is None:
        return None
    from components.training.call_module import build_user_model

    module = Path(job.module)
    return lambda: build_user_model(module, summary, job.hyperparameters)


def _starter(job: Job) -> Any:
    if job.start is None:
        return None
    from components.training.warm_start import warm_start

    def prepare(model: Any) -> None:
        reason = warm_start(model, Path(job.start or ""), Path(job.transform_graph))
        told = "begins with the earlier weights" if reason is None else f"starts cold: {reason}"
        log_line(f"warm start: {told}")

    return prepare


def _saving(job: Job, name: str) -> Any:
    from components.training.checkpoint import Checkpoints
    from components.training.learn import Saving

    return Saving(Checkpoints(f"{job.checkpoints}/{name}"), job.checkpoint_seconds)


def _fold(job: Job, problem: Any, train: Any, evaluation: Any) -> dict[str, float]:
    from components.training.cross_validate import cross_validate, join
    from components.training.fit import fit_model

    def fit(rows: Any, held_out: Any, fold: int) -> dict[str, float]:
        return fit_model(problem, rows, held_out, saving=_saving(job, f"fold-{fold}")).metrics

    return cross_validate(fit, join(train, evaluation), folds=int(job.folds or 0))


def _export(job: Job, fitted: Any, summary: TransformSummary) -> dict[str, float]:
    from components.training import export
    from components.training.read_optional import read_optional
    from components.training.sample_rows import read_values, sample_rows

    graph, output = Path(job.transform_graph), Path(job.output)
    values = read_values(Path(job.statistics), summary.inputs)
    optional = read_optional(Path(job.schema), summary.inputs)
    signature = export.describe_signature(summary, optional, values)
    export.export_folder(fitted, summary, graph, signature, folder=output / "model")
    rows = sample_rows(values, summary.inputs, rows=job.verification_rows, seed=0)
    lenient = Signature(inputs=[{**entry, "optional": True} for entry in signature.inputs], outputs=[])
    answers = export.answer_raw_rows(fitted, summary, graph, rows, lenient)
    write_document(output / "check.json", Check(rows=rows, answers=answers.tolist()))
    if not job.costs:
        return {}
    from components.training.measure_costs import measure_costs

    return measure_costs(job.costs, fitted.model, output / "model", rows, lenient)


def _main(file: Path) -> None:
    end_when_terminated()
    job = read_document(file, Job)
    try:
        result = run_trial(job)
    except ComponentError as error:
        result = _failed(str(error), unavailable=isinstance(error, UnavailableError))
    except Exception as error:  # of Keras, TensorFlow or the user's model: any kind is the trial's result
        traceback.print_exc()
        result = _failed(_told(error))
    if bad := [name for name, value in result.metrics.items() if not math.isfinite(value)]:
        result = _failed(f"metric `{bad[0]}` is {result.metrics[bad[0]]}, no number")
    write_json(Path(job.output) / "result.json", asdict(result))


def _failed(error: str, *, unavailable: bool = False) -> Result:
    return Result(metrics={}, curve=[], error=error, unavailable=unavailable)


def _told(error: Exception) -> str:
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return str(BadInputError("out of memory", fix="lower `batch_size`, or give the task more memory"))
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
