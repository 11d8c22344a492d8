"""A user's mapping becomes a config, or an error that names the key and the value."""

from dataclasses import dataclass

import pytest

from components.common.config import build_config, whole
from components.common.errors import BadInputError


@dataclass(frozen=True, kw_only=True)
class OvenConfig:
    heat: float = 0.5
    loaves: int = 1
    lid: bool = False

    def __post_init__(self):
        if not 0 <= self.heat <= 1:
            raise ValueError(f"`0 <= heat <= 1` must hold, but got {self.heat=}.")


def test_integral_doubles_are_whole_numbers_because_kfp_carries_doubles():
    assert build_config(OvenConfig, {"loaves": 3.0}, where="oven").loaves == 3
    assert whole({"a": [1.0, 2.5], "b": {"c": 4.0}}) == {"a": [1, 2.5], "b": {"c": 4}}
    assert isinstance(whole(1.0), int)


def test_a_mistyped_key_is_answered_with_the_nearest_one():
    with pytest.raises(
        BadInputError, match=r"unknown key `loafs` — parameter `oven` — did you mean `loaves`\?"
    ):
        build_config(OvenConfig, {"loafs": 2}, where="oven")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loaves": 2.5}, "`loaves` must be of type int — parameter `oven` — got 2.5"),
        ({"loaves": True}, "`loaves` must be of type int — parameter `oven` — got True"),
        ({"lid": 1}, "`lid` must be of type bool — parameter `oven` — got 1"),
        ({"heat": "hot"}, "`heat` must be of type float — parameter `oven` — got 'hot'"),
        ({"heat": 2}, "`0 <= heat <= 1` must hold, but got heat=2.0 — parameter `oven`"),
    ],
)
def test_a_wrong_value_is_named(options, message):
    with pytest.raises(BadInputError) as caught:
        build_config(OvenConfig, options, where="oven")
    assert message in str(caught.value)


@pytest.mark.parametrize("options", [{"loafs": 2}, {"loaves": 2.5}, {"heat": 2}])
def test_what_is_no_parameter_is_not_called_one(options):
    with pytest.raises(BadInputError) as caught:
        build_config(OvenConfig, options, where="o.yaml", noun="oven file")
    _, place, *_ = str(caught.value).split(" — ")
    assert place == "oven file `o.yaml`"
