import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.ingestion.config import IngestionConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null_values": "NA"}, "`null_values` must be a list of strings"),
        ({"null_values": [1]}, "got null_values=[1]"),
        ({"delimiter": ";;"}, "`delimiter` must be one character"),
        ({"delimiter": '"'}, "`delimiter` must be one character"),
        ({"delimiter": ""}, "`delimiter` must be one character"),
        ({"types": {"zip": "text"}}, "`types` must map columns to one of integer, float, string"),
        ({"types": ["zip"]}, "`types` must map columns"),
        ({"allow_empty": "yes"}, "`allow_empty` must be of type bool — parameter `ingestion`"),
        ({"null_value": [""]}, "did you mean `null_values`?"),
    ],
)
def test_impossible_knob_is_refused_with_its_value(options, message):
    with pytest.raises(BadInputError) as caught:
        build_config(IngestionConfig, options, where="ingestion")
    assert message in str(caught.value)


def test_order_of_null_values_is_no_difference_in_reading():
    one, two = IngestionConfig(null_values=["", "?"]), IngestionConfig(null_values=["?", ""])
    assert one.reading() == two.reading()
