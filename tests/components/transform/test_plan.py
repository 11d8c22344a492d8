"""What is planned, before any graph exists."""

import numpy as np
import pyarrow as pa
import pytest

from components.common.errors import BadInputError
from components.transform.config import TransformConfig
from components.transform.plan import make_plan

ROWS = 500
MILES = np.random.default_rng(0).lognormal(6, 1, ROWS)
TABLE = pa.table({
    "miles": MILES,
    "km": MILES * 1.609,
    "feet": MILES * 5280,
    "other": np.random.default_rng(1).lognormal(6, 1, ROWS),
    "late": np.arange(ROWS) % 2,
})  # fmt: skip
KINDS = dict.fromkeys(("miles", "km", "feet", "other"), "float") | {"late": "boolean"}


def plan(features=None, label="late", **knobs):
    return make_plan(
        lambda columns: iter(TABLE.select(columns).to_batches(max_chunksize=100)), KINDS,
        label=label, task=None, features=features or {}, module=None, config=TransformConfig(**knobs),
    )  # fmt: skip


def test_near_duplicates_are_listed_and_kept():
    made = plan()
    assert made.warnings == [
        "`km` correlates with `miles`: 1.0000",
        "`feet` correlates with `miles`: 1.0000",
        "`feet` correlates with `km`: 1.0000",
    ]
    assert list(made.inputs) == ["miles", "km", "feet", "other"]


def test_on_request_the_later_ones_are_dropped_with_the_reason():
    made = plan(drop_correlated=True)
    assert made.dropped == dict.fromkeys(("km", "feet"), "correlates with `miles`: 1.0000")
    assert (list(made.inputs), made.warnings) == (["miles", "other"], [])


def test_a_column_that_is_named_stays():
    made = plan({"km": "number"}, drop_correlated=True)
    assert list(made.inputs) == ["miles", "km", "other"]
    assert made.warnings == ["`km` correlates with `miles`: 1.0000"]


@pytest.mark.parametrize("asked", ["number", {"clip_share": 0}])
def test_the_label_is_never_an_input(asked):
    assert "late" not in plan().inputs
    with pytest.raises(BadInputError, match="the label is never a feature"):
        plan({"late": asked})
