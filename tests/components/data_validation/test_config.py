import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.data_validation.config import ValidationConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_drift": 1.5}, r"`0 <= max_drift <= 1` must hold, but got max_drift=1.5"),
        ({"max_skew": float("nan")}, r"`0 <= max_skew <= 1` must hold"),
        ({"min_rows": 0}, r"`min_rows >= 1` must hold, but got min_rows=0"),
        ({"max_rows_ratio": 0.5}, r"`max_rows_ratio >= 1` must hold"),
        ({"max_drif": 0.1}, r"unknown key `max_drif` — validation — did you mean `max_drift`\?"),
        ({"may_drift": "day"}, r"`may_drift` must be a list of column names"),
        ({"severities": {"drfit": "off"}}, r"unknown rule 'drfit'"),
        ({"severities": {"drift": "fatal"}}, r"must be one of error, warning, off, but got 'fatal'"),
        ({"severities": ["drift"]}, r"`severities` must map rules to severities"),
    ],
)
def test_impossible_options_are_refused_with_value_and_bound(options, message):
    with pytest.raises(BadInputError, match=message):
        build_config(ValidationConfig, options, where="validation")


def test_numbers_may_come_as_doubles():
    assert build_config(ValidationConfig, {"min_rows": 20.0}, where="validation").min_rows == 20


def test_a_severity_that_is_set_replaces_the_rules_own():
    config = ValidationConfig(severities={"drift": "warning"})
    assert (config.severity("drift"), config.severity("column_new")) == ("warning", "error")
