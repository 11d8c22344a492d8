"""SavedModels that could do more than compute are refused by name, whatever hides it; ours are not."""

import random
import shutil
import subprocess
import sys

import pytest

from components.common.errors import BadInputError
from components.common.model_scan import scan_saved_model
from components.common.operations import ALLOWED
from tests.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "model") / "1"


def reads_file(tf, x):
    return tf.strings.length(tf.io.read_file("/etc/hostname")) + x


def writes_file(tf, x):
    tf.io.write_file("/tmp/x", "x")  # noqa: S108 - it is refused and never called
    return x


def prints(tf, x):
    tf.print(x)
    return x


def runs_python(tf, x):
    return tf.numpy_function(lambda value: value, [x], tf.int32)


def reads_in_a_branch(tf, x):
    return tf.cond(x > 0, lambda: reads_file(tf, x), lambda: x)


def reads_in_a_loop(tf, x):
    return tf.while_loop(lambda i: i < 2, lambda i: i + reads_file(tf, i) * 0 + 1, [x])[0]


def reads_in_a_dataset(tf, x):
    files = tf.data.Dataset.from_tensor_slices(["/etc/hostname"]).map(tf.io.read_file)
    return files.reduce(x, lambda total, text: total + tf.strings.length(text))


def saves(tf, x):
    tf.raw_ops.SaveV2(prefix="/tmp/x", tensor_names=["x"], shape_and_slices=[""], tensors=[x])  # noqa: S108 - as above
    return x


def matches_files(tf, x):
    return x + tf.size(tf.io.matching_files("/etc/*"))


def debugs(tf, x):
    return tf.raw_ops.DebugIdentityV3(input=x, debug_urls=["file:///tmp/x"])


HARMFUL = {
    "reads a file": (reads_file, "ReadFile"),
    "writes a file": (writes_file, "WriteFile"),
    "prints": (prints, "PrintV2"),
    "runs Python": (runs_python, "PyFunc|EagerPyFunc"),
    "reads a file in a branch": (reads_in_a_branch, "ReadFile"),
    "reads a file in a loop": (reads_in_a_loop, "ReadFile"),
    "reads a file in a dataset": (reads_in_a_dataset, "MapDataset|ReadFile"),
    "saves a checkpoint": (saves, "SaveV2"),
    "looks for files": (matches_files, "MatchingFiles"),
    "writes debug records": (debugs, "DebugIdentity"),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_operation_that_does_more_than_compute_is_refused_by_name(case, tmp_path):
    import tensorflow as tf

    does, operation = HARMFUL[case]
    module = tf.Module()
    module.serve = tf.function(
        lambda x: {"y": does(tf, x)}, input_signature=[tf.TensorSpec([], tf.int32, "x")]
    )
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.serve})
    with pytest.raises(BadInputError, match=f"operation `({operation})[^`]*` is not allowed"):
        scan_saved_model(tmp_path)


def test_table_that_names_its_file_itself_is_refused(tmp_path):
    import tensorflow as tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "x")])
        def serve(self, x):
            table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
            tf.raw_ops.InitializeTableFromTextFileV2(
                table_handle=table, filename="/etc/hostname", key_index=-2, value_index=-1
            )
            return {"y": x}

    module = Module()
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.serve})
    with pytest.raises(BadInputError, match="table must be filled from an asset"):
        scan_saved_model(tmp_path)


def test_models_of_the_house_pass(tiny):
    scan_saved_model(tiny)


def test_operations_exist_under_their_names():
    """The oracle is TensorFlow's registry: a misspelt name would let nothing through, and say nothing."""
    import tensorflow as tf  # noqa: F401 - it registers the operations
    from tensorflow.python.framework import op_def_registry

    assert [name for name in sorted(ALLOWED) if op_def_registry.get(name) is None] == []
    dangerous = (
        "ReadFile",
        "WriteFile",
        "PyFunc",
        "PrintV2",
        "SaveV2",
        "RestoreV2",
        "ImmutableConst",
        "DecodeJpeg",
    )
    assert not ALLOWED.intersection(dangerous)


def changed(tiny, folder, change):
    target = shutil.copytree(tiny, folder / "1")
    change(target)
    return target


FILES = {
    "a pickle": (lambda folder: (folder / "weights.pkl").write_bytes(b"x"), "weights.pkl"),
    "Keras's own format": (lambda folder: (folder / "model.h5").write_bytes(b"x"), "model.h5"),
    "a graph as text": (lambda folder: (folder / "saved_model.pbtxt").write_text("x"), "saved_model.pbtxt"),
    "a link": (lambda folder: (folder / "assets").joinpath("x").symlink_to("/etc/passwd"), "a link"),
    "no graph": (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "no graph"),
    "no file": (lambda folder: (folder / "saved_model.pb").unlink(), "not a SavedModel"),
}


@pytest.mark.parametrize("case", FILES)
def test_folder_with_anything_else_is_refused(case, tiny, tmp_path):
    change, told = FILES[case]
    with pytest.raises(BadInputError, match=told):
        scan_saved_model(changed(tiny, tmp_path, change))


def edited(tiny, folder, edit):
    """Change the graph by TensorFlow's own classes."""
    from tensorflow.core.protobuf import saved_model_pb2

    def change(target):
        file = target / "saved_model.pb"
        model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
        edit(model.meta_graphs[0])
        file.write_bytes(model.SerializeToString())

    return changed(tiny, folder, change)


def test_asset_outside_the_model_is_refused(tiny, tmp_path):
    for number, name in enumerate(("../../secret", "/etc/passwd", "a/../../b")):
        target = edited(
            tiny, tmp_path / str(number), lambda graph, name=name: graph.asset_file_def.add(filename=name)
        )
        with pytest.raises(BadInputError, match="asset outside"):
            scan_saved_model(target)


def test_function_for_saving_that_something_calls_is_refused(tiny, tmp_path):
    def call(graph):
        saving = next(
            f.signature.name for f in graph.graph_def.library.function if "save" in f.signature.name
        )
        other = next(f for f in graph.graph_def.library.function if f.signature.name != saving)
        other.node_def.add(name="x", op="PartitionedCall").attr["f"].func.name = saving

    def expose(graph):
        saving = next(
            f.signature.name for f in graph.graph_def.library.function if "save" in f.signature.name
        )
        graph.object_graph_def.concrete_functions[saving].SetInParent()

    for number, edit in enumerate((call, expose)):
        with pytest.raises(BadInputError, match="MergeV2Checkpoints"):
            scan_saved_model(edited(tiny, tmp_path / str(number), edit))


def test_operation_hidden_by_a_second_field_is_found(tiny, tmp_path):
    """In a protocol buffer the last of several equal fields counts, and one of another type does not."""
    node = b"\n\x01x\x12\x08ReadFile"
    for number, tail in enumerate((b"", b"\x11NotARead", b"\x10\x01")):
        inner = node + tail
        graph = b"\x0a" + bytes([len(inner)]) + inner
        meta = b"\x12" + bytes([len(graph)]) + graph + b"\x3a\x00"
        target = changed(
            tiny, tmp_path / str(number),
            lambda folder, meta=meta: (folder / "saved_model.pb").write_bytes(
                b"\x12" + bytes([len(meta)]) + meta
            ),
        )  # fmt: skip
        with pytest.raises(BadInputError, match="ReadFile"):
            scan_saved_model(target)


def test_damaged_bytes_end_in_a_named_error_or_pass_and_never_otherwise(tiny, tmp_path):
    good = (tiny / "saved_model.pb").read_bytes()
    chance = random.Random(0)  # noqa: S311 - it damages files
    refused = 0
    target = shutil.copytree(tiny, tmp_path / "1")
    for _ in range(300):
        bad = bytearray(good[: chance.randrange(len(good))] if chance.random() < 0.3 else good)
        for _ in range(chance.randrange(1, 5)):
            if bad:
                bad[chance.randrange(len(bad))] = chance.randrange(256)
        (target / "saved_model.pb").write_bytes(bytes(bad))
        try:
            scan_saved_model(target)
        except BadInputError:
            refused += 1
    assert refused > 100


def test_scan_needs_no_library(tiny):
    code = (
        "import sys; from pathlib import Path; from components.common.model_scan import scan_saved_model\n"
    )
    code += "scan_saved_model(Path(sys.argv[1]))\n"
    code += "print(sorted({'tensorflow', 'keras', 'numpy', 'google'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, tiny], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
