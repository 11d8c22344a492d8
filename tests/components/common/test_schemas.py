"""Schemas as every room reads them, written here by hand in protobuf's text format."""

import pytest

from components.common.errors import BadInputError
from components.common.schemas import personal_columns, read_features


def test_features_keep_their_order_and_tell_which_are_personal(tmp_path):
    text = 'feature { name: "b" annotation { tag: "personal" } }\n'
    text += 'feature { name: "a" annotation { tag: "x" } }'
    (tmp_path / "schema.pbtxt").write_text(text)
    features = read_features(tmp_path)
    assert [feature.name for feature in features] == ["b", "a"]
    assert personal_columns(features) == {"b"}


@pytest.mark.parametrize(("text", "message"), [(None, "schema is missing"), ("feature {", "not a schema")])
def test_schema_that_is_none_is_named(text, message, tmp_path):
    if text is not None:
        (tmp_path / "schema.pbtxt").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_features(tmp_path)
