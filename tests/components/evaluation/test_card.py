"""The model card: all its parts, for every task, and text that stays text."""

from __future__ import annotations

import pytest

from components.evaluation.config import EvaluationConfig

PARTS = ["Model", "Intended use", "Data", "Metrics", "By slice", "Compared with others", "Limits"]


def read_card(world):
    world.run()
    return (world.out / "evaluated_model" / "model_card.md").read_text()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_has_a_card_with_all_parts(make_world, task):
    world = make_world(task)
    world.slices = ["carrier"]
    card = read_card(world)
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == PARTS
    assert "carrier = AA" in card
    assert "5" * 64 in card  # the data's version
    assert "the best constant" in card


def test_what_the_user_says_of_use_and_limits_stands_in_it_as_text(make_world):
    world = make_world()
    use = "Rank <b>flights</b>\n| for the desk"
    world.config = EvaluationConfig(intended_use=use, limits="Not for crew planning.", groups=["carrier"])
    card = read_card(world)
    assert "Rank &lt;b&gt;flights&lt;/b&gt; \\| for the desk" in card
    assert "* Not for crew planning." in card
    assert "## Between groups" in card


def test_the_reasons_of_a_refusal_are_among_the_limits(make_world):
    world = make_world()
    world.thresholds = {"auc": {"min": 0.99}}
    card = read_card(world)
    assert card.splitlines()[2].startswith("**Not blessed**")
    assert "but wanted at least 0.99" in card.split("## Limits")[1]
