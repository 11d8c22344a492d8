from __future__ import annotations

import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.evaluation.config import EvaluationConfig


@pytest.mark.parametrize(
    ("field", "least"),
    [("golden_rows", 4), ("min_slice_rows", 1), ("max_slice_values", 1), ("batch_size", 1)],
)
def test_the_least_value_is_taken_and_one_less_is_named(field, least):
    assert getattr(EvaluationConfig(**{field: least}), field) == least
    with pytest.raises(BadInputError, match=rf"`{field} >= {least}` must hold, .*={least - 1} — "):
        build_config(EvaluationConfig, {field: float(least - 1)}, where="evaluation")
