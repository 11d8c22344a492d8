"""Trials are run in real processes on small tables; a door is called as an executor would."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.common.artifacts import Snapshot, read_model_record, read_signature, write_snapshot
from components.common.errors import BadInputError, ComponentError, UnavailableError
from components.common.saved_models import load_serving
from components.common.seal import model_digest
from components.common.storage import content_digest, file_digest
from components.common.twin.program import read_program
from components.training.component import propose_trials, select_best, train_trials
from components.training.config import TrainingConfig
from components.training.records import read_records
from components.training.run_trial import prepare_accelerator
from components.training.train import train_batch
from components.training.verify import compare_answers, verify_export
from components.training.warm_start import warm_start

QUICK = {"epochs": 3, "units": 16, "embedding_dimension": 4, "learning_rate": 0.01}


def trial(number, **changes):
    return {"number": float(number), "seed": float(number), "hyperparameters": {**QUICK, **changes}}


def train(inputs, out, port, *trials, options=None, **changes):
    model, metrics, curves = port(out), port(out), port(out.with_name(f"{out.name}.html"))
    artifacts = [port(folder) for folder in inputs]
    batch = {"trials": list(trials)}
    train_trials.python_func(batch, *artifacts, model, metrics, curves, options=options or {}, **changes)
    return SimpleNamespace(path=out, metrics=metrics.metadata, curves=out.with_name(f"{out.name}.html"))


def run(one, inputs, out, *, module=None, **knobs):
    config = TrainingConfig(**knobs)
    curves = out.with_name(f"{out.name}.html")
    batch = {"trials": [one]}
    return train_batch(batch, inputs, model=out, curves=curves, module=module, config=config).records


@pytest.fixture(scope="module")
def binary(prepared, port, tmp_path_factory):
    """Two trials of one task, the second one hardly trained."""
    out = tmp_path_factory.mktemp("binary") / "model"
    weak = trial(1, epochs=1, units=1, learning_rate=1e-7)
    return train(prepared("binary"), out, port, weak, trial(0))


def test_a_task_keeps_its_best_model_and_all_records(binary):
    files = {file.name for file in binary.path.iterdir()}
    assert files == {
        "1", "twin", "signature.json", "model.json", "schema.pbtxt", "statistics.pb", "trials.json"
    }  # fmt: skip
    _, records = read_records(binary.path)
    assert [(record.number, record.state) for record in records] == [(0, "complete"), (1, "complete")]
    assert records[0].metrics["auc"] > 0.9 > records[1].metrics["auc"]
    assert read_model_record(binary.path).trial == 0
    assert binary.metrics["auc"] == records[0].metrics["auc"]
    assert {"trial": 0, "failed": 0}.items() <= binary.metrics.items()


def test_the_best_model_has_a_twin(binary):
    steps = read_program(binary.path / "twin").steps
    assert read_model_record(binary.path).twin == {"steps": len(steps)}


def test_records_name_no_time_and_no_path(binary):
    text = (binary.path / "trials.json").read_text() + (binary.path / "model.json").read_text()
    assert "seconds" not in text
    assert str(binary.path.parent) not in text


def test_the_signature_tells_kinds_and_what_may_be_missing(binary):
    inputs = read_signature(binary.path).inputs
    found = {entry["name"]: (entry["datatype"], entry["optional"]) for entry in inputs}
    required = {"n": ("INT64", False), "colour": ("BYTES", False), "day": ("BYTES", False)}
    assert found == {"x (m/s)": ("FP32", True), **required}
    assert inputs[2]["example"] == "red"


SERVE = """
import json, sys
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
rows = {"x (m/s)": [-9.0, 9.0, float("nan")], "n": [1, 2, -(2**63)], "colour": ["red", "blue", "mauve"],
        "day": ["2024-05-01", "\\0", "soon"]}
types = {"x (m/s)": tf.float32, "n": tf.int64}
answers = serve(**{name: tf.constant(values, types.get(name)) for name, values in rows.items()})
assert "tensorflow_transform" not in sys.modules
print(json.dumps(answers["probability"].numpy().tolist()))
"""


def test_the_export_answers_raw_rows_without_any_library_of_ours(binary):
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(binary.path / "1")], capture_output=True, text=True, check=True
    )
    low, high, unknown = json.loads(done.stdout.splitlines()[-1])
    assert low < 0.1 < 0.9 < high  # the table's rule: x / 2 + 2 (colour - 1) > 0
    assert 0.0 < unknown < 1.0


def test_the_same_batch_gives_the_same_bytes(binary, prepared, port, tmp_path):
    again = train(prepared("binary"), tmp_path / "model", port, trial(0))
    for name in ("1", "signature.json", "model.json"):
        assert content_digest(again.path / name) == content_digest(binary.path / name)


@pytest.mark.parametrize(
    ("task", "metric", "bound"), [("multiclass", "log_loss", 0.6), ("regression", "mse", 2000.0)]
)
def test_other_tasks_learn_and_are_exported(prepared, port, tmp_path, task, metric, bound):
    trained = train(prepared(task), tmp_path / "model", port, trial(0))
    assert trained.metrics[metric] < bound  # guessing the mean: ln 3 = 1.1 and 50² · 4.9 = 12,000
    output = {"multiclass": ("probabilities", [-1, 3]), "regression": ("prediction", [-1])}[task]
    (described,) = read_signature(trained.path).outputs
    assert (described["name"], described["shape"]) == output
    assert described.get("classes", []) == read_model_record(trained.path).classes


def test_failures_are_results_and_the_task_ends_well(prepared, port, tmp_path, capfd):
    trained = train(
        prepared("binary"),
        tmp_path / "model",
        port,
        trial(4),
        trial(5),
        options={"trial_timeout_seconds": 0.2},
    )
    task, records = read_records(trained.path)
    assert task == "binary"
    assert {record.error for record in records} == {"took longer than 0.2 seconds and was killed"}
    assert os.listdir(trained.path) == ["trials.json"]
    assert trained.metrics == {"failed": 2}


def test_a_loss_that_is_no_number_and_a_crash_are_told_apart(prepared, tmp_path):
    inputs = prepared("binary")
    broken = inputs._replace(transformed_examples=tmp_path / "nan", transform_graph=tmp_path / "graph")
    for split in ("train", "eval"):
        table = pq.read_table(inputs.transformed_examples / split)
        place = table.column_names.index("x (m/s).number")
        table = table.set_column(
            place, "x (m/s).number", pa.array(np.full(table.num_rows, np.nan, np.float32))
        )
        (tmp_path / "nan" / split).mkdir(parents=True)
        pq.write_table(table, tmp_path / "nan" / split / "part-00000.parquet")
    shutil.copytree(inputs.transform_graph, tmp_path / "graph")
    (record,) = run(trial(0, form="linear"), broken, tmp_path / "a")
    assert record.error.startswith(
        "the loss became NaN or infinite (learning rate 0.00177) — epoch 1, step 1 of"
    )
    shutil.rmtree(tmp_path / "graph" / "transform_fn")
    crash = broken._replace(transformed_examples=inputs.transformed_examples)
    (record,) = run(trial(0), crash, tmp_path / "b")
    assert record.state == "failed"
    assert "transform_fn" in record.error or "SavedModel" in record.error


def test_an_export_that_answers_otherwise_is_an_error(binary, tmp_path):
    check = {"format": "millrace/Check", "format_version": 1}
    check["rows"] = {"x (m/s)": [1.0], "n": [1], "colour": ["red"], "day": ["2024-05-01"]}
    (tmp_path / "check.json").write_text(json.dumps({**check, "answers": [0.123]}))
    with pytest.raises(ComponentError, match="1 of 1 answers differ — row 0"):
        verify_export(binary.path, tmp_path / "check.json", timeout_seconds=300)


def test_a_check_counts_its_rows(binary, tmp_path):
    rows = {"x (m/s)": [1.0, None], "n": [1, None], "colour": ["red", None], "day": ["2024-05-01", None]}
    check = {"format": "millrace/Check", "format_version": 1, "rows": rows, "answers": [0.5]}
    (tmp_path / "check.json").write_text(json.dumps(check))
    with pytest.raises(ComponentError, match="another shape"):
        compare_answers(load_serving(binary.path / "1"), binary.path, tmp_path / "check.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"trial_timeout": 1}}, "did you mean `trial_timeout_seconds`"),
        ({"options": {"threads_per_trial": 0}}, "threads_per_trial >= 1"),
        ({"module_uri": "/nowhere.py"}, "no such Python file"),
        ({"batch": {}}, "holds no trials"),
        ({"batch": {"trials": [{"number": 1}]}}, "a trial has number, seed, hyperparameters"),
        ({"batch": {"trials": [trial(0, unit=3)]}}, "did you mean `units`"),
        (
            {"batch": {"trials": [trial(0, learning_rate=-1.0)]}},
            "`1e-07 <= learning_rate <= 1.0` must hold",
        ),
        ({"batch": {"trials": [trial(0, batch_size=0)]}}, "`8 <= batch_size <= 65536` must hold"),
        (
            {"batch": {"trials": [trial(0, form="tree")]}},
            "`form` must be one of mlp, linear, wide_and_deep",
        ),
        ({"options": {"class_weight": {"maybe": 2.0}}}, "unknown key `maybe`"),
    ],
)
def test_a_mistake_of_the_caller_ends_with_one_line(prepared, port, tmp_path, capsys, changes, message):
    arguments = {"batch": {"trials": [trial(0)]}, **changes}
    names = ("transformed_examples", "transform_graph", "schema", "statistics", "snapshot")
    artifacts = {name: port(path) for name, path in zip(names, prepared("binary"), strict=True)}
    with pytest.raises(SystemExit) as ended:
        train_trials.python_func(
            **artifacts, model=port(tmp_path / "m"), metrics=port(tmp_path / "x"),
            curves=port(tmp_path / "c"), **arguments,
        )  # fmt: skip
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_the_best_of_a_search_is_copied_without_its_records(binary, port, tmp_path):
    best, board = port(tmp_path / "best"), port(tmp_path / "board")
    select_best.python_func([port(binary.path)], best, board, port(tmp_path / "board.html"))
    assert not (tmp_path / "best" / "trials.json").exists()
    assert (tmp_path / "best" / "1" / "saved_model.pb").exists()
    assert best.metadata == {"trial": 0, "auc": binary.metrics["auc"]}


BUILD_MODEL = """
import keras


def build_model(features, task, classes, hyperparameters):
    assert (task, classes) == ("binary", ["no", "yes"])
    names = {"number": "numbers", "index": "indices"}
    inputs = {
        name: keras.Input((sum(feature["encoding"] == one for feature in features),), name=name)
        for one, name in names.items()
    }
    hidden = keras.layers.Dense(hyperparameters["units"], activation="tanh")(inputs["numbers"])
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))
"""


def test_the_users_network_is_trained_and_recorded(prepared, tmp_path):
    module = tmp_path / "module.py"
    module.write_text(BUILD_MODEL)
    (record,) = run(trial(0), prepared("binary"), tmp_path / "model", module=module)
    assert record.error is None
    assert read_model_record(tmp_path / "model").digests["module"] == file_digest(module)


def test_an_accelerator_that_is_not_there_ends_the_task(prepared, tmp_path):
    with pytest.raises(UnavailableError, match="no GPU is seen"):
        run(trial(0), prepared("binary"), tmp_path / "model", accelerator="gpu")


def test_accelerators_that_are_there_are_shared_and_compute_in_whole_float32(monkeypatch):
    """No GPU is at hand in tests: the list of devices is made up."""
    grown, exact = [], []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "set_memory_growth", lambda one, on: grown.append((one, on)))
    monkeypatch.setattr(experimental, "enable_tensor_float_32_execution", exact.append)
    for asked in ("none", "gpu"):
        prepare_accelerator(asked)
    assert grown == [("GPU:0", True), ("GPU:1", True)] * 2
    assert exact == [False, False]


def test_a_trial_that_takes_too_much_memory_is_a_named_failure(prepared, tmp_path):
    (record,) = run(trial(0), prepared("binary"), tmp_path / "model", memory_limit_mib=100)
    assert re.match(r"out of memory: peak \d+ MiB, limit 100 MiB — lower `batch_size`", record.error)


def test_one_class_is_refused_before_any_trial(prepared, tmp_path):
    inputs = prepared("binary")
    shutil.copytree(inputs.transformed_examples, tmp_path / "examples")
    table = pq.read_table(tmp_path / "examples" / "eval")
    kept = table.filter(pa.compute.equal(table["label"], 1.0))
    pq.write_table(kept, next((tmp_path / "examples" / "eval").glob("*.parquet")))
    broken = inputs._replace(transformed_examples=tmp_path / "examples")
    with pytest.raises(
        BadInputError, match="all rows are of one class — label `y`, split `eval` — got 'yes'"
    ):
        run(trial(0), broken, tmp_path / "model")


def test_folds_of_a_split_by_time_are_refused(prepared, tmp_path):
    inputs = prepared("binary")._replace(snapshot=tmp_path / "snapshot")
    by_time = Snapshot(version="0" * 64, sources={}, query=None, split={"by": "time"}, rows={}, columns={})
    write_snapshot(tmp_path / "snapshot", by_time)
    with pytest.raises(BadInputError, match="folds mix earlier and later rows"):
        run(trial(0), inputs, tmp_path / "model", folds=3)


def test_a_warm_start_begins_where_the_earlier_model_ended(binary, prepared, port, tmp_path, capfd):
    start = port(tmp_path / "start")
    propose_trials.python_func(start, port(binary.path), options={"warm_start": True})
    again, other = trial(0, epochs=1), trial(1, epochs=1, units=8)
    trained = train(
        prepared("binary"), tmp_path / "m", port, again, other, options={"warm_start": True}, start=start
    )
    told = capfd.readouterr().out
    assert "warm start: begins with the earlier weights" in told
    assert "warm start: starts cold: its network has another shape" in told
    curves = {record.number: record.curve for record in read_records(trained.path)[1]}
    earlier = read_records(binary.path)[1][0].curve
    assert curves[0][0]["train_loss"] < earlier[0]["train_loss"] * 0.8
    assert read_model_record(trained.path).digests["start"] == model_digest(binary.path)


def test_a_trial_that_goes_on_begins_with_the_weights_of_its_parent(
    binary, prepared, port, tmp_path, capfd
):
    shutil.copytree(binary.path, tmp_path / "start" / "trials" / "0")
    further = {**trial(7), "parent": 0.0}
    trained = train(prepared("binary"), tmp_path / "m", port, further, start=port(tmp_path / "start"))
    assert "warm start: begins with the earlier weights" in capfd.readouterr().out
    (record,) = read_records(trained.path)[1]
    earlier = read_records(binary.path)[1][0].curve
    assert (record.number, record.parent) == (7, 0)
    assert record.curve[0]["train_loss"] < earlier[0]["train_loss"]
    assert read_model_record(trained.path).digests["start"] == model_digest(tmp_path / "start/trials/0")


def test_vocabularies_of_other_data_forbid_a_warm_start(binary, prepared, tmp_path):
    graph = shutil.copytree(prepared("binary").transform_graph, tmp_path / "graph")
    model = SimpleNamespace(weights=[])
    assert warm_start(model, binary.path, graph) == "its network has another shape"
    (vocabulary, *_) = sorted((graph / "transform_fn" / "assets").iterdir())
    vocabulary.write_text("purple\n")
    assert warm_start(model, binary.path, graph) == "its vocabularies are others"


SCRIPT = """
import sys
from pathlib import Path

import test_train

from components.training.train import Inputs
inputs = Inputs(*map(Path, sys.argv[3:]))
knobs = {"checkpoint_dir": sys.argv[2], "checkpoint_seconds": 0}
test_train.run(test_train.trial(0), inputs, Path(sys.argv[1]), **knobs)
"""


def test_a_trial_that_was_terminated_and_killed_ends_as_any_other(binary, prepared, tmp_path, capfd):
    inputs, store = prepared("binary"), tmp_path / "checkpoints"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[3])])
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "model"), str(store), *map(str, inputs)],
        env={**os.environ, "PYTHONPATH": path},
    )
    wait_for_checkpoint(store)
    process.terminate()
    assert process.wait(60) == 143
    (saved,) = store.glob("*/model")
    killer = threading.Thread(target=kill_after_progress, args=(saved, set(saved.iterdir())))
    killer.start()
    (record,) = run(trial(0), inputs, tmp_path / "model", checkpoint_dir=str(store), checkpoint_seconds=0.0)
    killer.join()
    assert record.error is None
    assert capfd.readouterr().out.count("goes on from step") == 2
    assert record.metrics == read_model_record(binary.path).validation
    for name in ("variables.index", "variables.data-00000-of-00001"):
        resumed, whole = (path / "1" / "variables" / name for path in (tmp_path / "model", binary.path))
        assert resumed.read_bytes() == whole.read_bytes()
    assert not list(store.glob("*"))  # checkpoints of trials that ended are removed


def wait_for_checkpoint(store):
    until(lambda: list(store.glob("*/model/*.npz")))


def kill_after_progress(saved, known):
    until(lambda: set(saved.glob("*.npz")) - known)
    for child in psutil.Process().children():
        if "run_trial" in " ".join(child.cmdline()):
            child.kill()


def until(found):
    deadline = time.monotonic() + 120
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.005)
