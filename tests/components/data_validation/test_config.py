import pytest
import yaml

from components.common.config import build_config
from components.common.errors import BadInputError
from components.data_validation.config import ValidationConfig
from components.data_validation.rules import Finding


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_drift": 1.5}, r"`0 <= max_drift <= 1` must hold, but got max_drift=1.5"),
        ({"max_skew": float("nan")}, r"`0 <= max_skew <= 1` must hold"),
        ({"min_rows": 0}, r"`min_rows >= 1` must hold, but got min_rows=0"),
        ({"max_rows_ratio": 0.5}, r"`max_rows_ratio >= 1` must hold"),
        ({"max_drif": 0.1}, r"unknown key `max_drif` — parameter `validation` — did you mean `max"),
        ({"columns": ["day"]}, r"`columns` must be a mapping by name"),
        ({"columns": {"day": {"mni": 1}}}, r"`mni` — parameter `validation.columns.day` — did you mean `"),
        ({"columns": {"day": {"min": 3, "max": 1}}}, r"`min <= max` must hold, but got min=3, max=1"),
        ({"columns": {"day": {"min": "2013-01-01", "max": 3}}}, r"`min <= max` must hold"),
        ({"columns": {"day": {"min": True}}}, r"`min` must be a number, YYYY-MM-DD or YYYY-MM-DDTHH:MM"),
        ({"columns": {"day": {"min": "yesterday"}}}, r"`min` must be .* but got 'yesterday'"),
        ({"columns": {"day": {"max": "31.12.2012"}}}, r"`max` must be .* but got '31.12.2012'"),
        ({"columns": {"day": {"max": "2013-1-5"}}}, r"`max` must be .* but got '2013-1-5'"),
        ({"columns": {"day": {"max": "2013-02-30"}}}, r"`max` must be .* but got '2013-02-30'"),
        ({"columns": {"at": {"max": "2013-01-05 10:00"}}}, r"`max` must be .* got '2013-01-05 10:00'"),
        ({"columns": {"at": {"max": "2013-01-05T10:00:00Z"}}}, r"`max` must be"),
        ({"columns": {"day": {"domain": []}}}, r"`domain` must be a list of texts or numbers"),
        ({"columns": {"day": {"personal": "yes"}}}, r"`personal` must be true or false"),
        ({"columns": {"day": {"max_drift": 2}}}, r"`0 <= max_drift <= 1` must hold"),
        (
            {"columns": {"day": {"severities": {"drfit": "off"}}}},
            r"unknown rule 'drfit'; did you mean `drift`",
        ),
        ({"checks": {"c": {"severity": "off"}}}, r"`checks.c` must be a query or {sql, severity}"),
        ({"checks": {"c": " "}}, r"`sql` must be a SELECT of one number"),
        ({"checks": {"c": {"sql": "select 0", "severity": "bad"}}}, r"must be one of error, warning, off"),
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
    assert severity(config, "drift") == "warning"
    assert severity(config, "column_new") == "error"


def test_a_columns_own_severity_goes_before_the_tables():
    columns = {"day": {"severities": {"drift": "error"}}}
    config = build_config(
        ValidationConfig, {"severities": {"drift": "off"}, "columns": columns}, where="validation"
    )
    assert severity(config, "drift", "day") == "error"
    assert severity(config, "drift", "hour") == "off"


def test_off_as_yaml_reads_it_is_off():
    options = yaml.safe_load("{severities: {drift: off}, columns: {day: {severities: {skew: off}}}}")
    config = build_config(ValidationConfig, options, where="validation")
    assert (severity(config, "drift"), severity(config, "skew", "day")) == ("off", "off")


def severity(config, rule, feature=None):
    return config.severity(Finding(rule=rule, feature=feature, message=""))


def test_bounds_may_come_as_doubles():
    options = {"columns": {"distance": {"min": 0.0, "max": 6000.0, "domain": [1.0, 2.5]}}}
    policy = build_config(ValidationConfig, options, where="validation").column("distance")
    assert (repr(policy.min), repr(policy.max), policy.domain) == ("0", "6000", [1, 2.5])
