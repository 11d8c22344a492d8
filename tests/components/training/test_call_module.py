"""What a user's `build_model` may return, and how its mistakes are told."""

import pytest

from components.common.artifacts import TransformSummary
from components.common.errors import BadInputError
from components.training.call_module import build_user_model
from components.training.read_module import defines_build_model

FEATURES = [
    {"name": "a", "column": "a", "encoding": "number", "size": 1},
    {"name": "b", "column": "b", "encoding": "index", "size": 5},
]
SUMMARY = TransformSummary(
    task="multiclass", label="y", classes=["x", "y", "z"], inputs={}, features=FEATURES, dropped={}
)
GOOD = """
import keras
def build_model(features, task, classes, hyperparameters):
    inputs = {
        "numbers": keras.Input((1,), name="numbers"),
        "indices": keras.Input((1,), name="indices", dtype="int32"),
    }
    vectors = keras.layers.Flatten()(keras.layers.Embedding(features[1]["size"], 2)(inputs["indices"]))
    hidden = keras.layers.Concatenate()([inputs["numbers"], vectors])
    return keras.Model(inputs, keras.layers.Dense(len(classes))(hidden))
"""


def build(tmp_path, source):
    (tmp_path / "module.py").write_text(source)
    return build_user_model(tmp_path / "module.py", SUMMARY, {"units": 8})


def test_a_network_of_the_contract_is_taken(tmp_path):
    assert build(tmp_path, GOOD).output.shape == (None, 3)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build_model(*given):\n    x = 1\n    return x / 0\n", "ZeroDivisionError.*module.py:3"),
        ("1 / 0\ndef build_model(*given): ...\n", "fails while it is loaded.*module.py:1"),
        ("def build_model(a, b): ...\n", "`build_model` fails: TypeError"),
        ("def build_model(*given): return 7\n", "returns no keras.Model.*got 'int'"),
        (
            GOOD.replace('"indices": ', '"places": ').replace('["indices"]', '["places"]'),
            "takes other inputs",
        ),
        (GOOD.replace("len(classes)", "2"), r"gives another output than \(None, 3\)"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, source, message):
    with pytest.raises(BadInputError, match=message):
        build(tmp_path, source)


@pytest.mark.parametrize(
    ("source", "defined"),
    [
        ("def build_model(x): ...", True),
        ("build_model = print", True),
        ("from there import build_model", True),
        ("def preprocessing_fn(inputs):\n    build_model = inputs\n    return build_model\n", False),
    ],
)
def test_build_model_is_found_without_running_the_module(tmp_path, source, defined):
    (tmp_path / "module.py").write_text(source + "\n")
    assert defines_build_model(tmp_path / "module.py") == defined


def test_a_module_that_is_no_python_is_named_with_its_line(tmp_path):
    (tmp_path / "module.py").write_text("x = 1\ndef (\n")
    with pytest.raises(BadInputError, match=r"module is not Python.*module.py:2"):
        defines_build_model(tmp_path / "module.py")
