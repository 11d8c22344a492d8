"""What A/B tests show, held against published numbers."""

import random

import pytest

from components.common.errors import BadInputError, RefusedError
from pipelines.local.serving.experiment import _welch, judge_outcomes
from pipelines.local.serving.outcomes import read_outcomes


def users(prefix, *outcomes):
    return {f"{prefix}{number}": [float(outcome)] for number, outcome in enumerate(outcomes)}


def test_shares_have_newcombes_interval():
    """Newcombe 1998, table II, contrast (a): 56 of 70 against 48 of 80, method 10: 0.0524 to 0.3339."""
    new, old = users("a", *[1] * 56, *[0] * 14), users("b", *[1] * 48, *[0] * 32)
    found = judge_outcomes(new, old, share=47)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.difference == pytest.approx(0.2)
    assert found.verdict == "better"
    assert judge_outcomes(new, old, share=47, lower_is_better=True).verdict == "worse"


def test_means_have_welchs_interval():
    """Student's sleep data (1908); R's `t.test(extra ~ group, data = sleep)`: -3.3654832 to 0.2054832."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    assert _welch(first, second, 0.95) == pytest.approx((-3.3654832, 0.2054832), abs=2e-4)


def test_users_count_once_however_many_outcomes_they_have():
    """One busy user among quiet ones moves the mean no more than another."""
    new = {**users("a", *[0] * 39), "busy": [1.0] * 1000}
    found = judge_outcomes(new, users("b", *[0] * 40), share=50)
    assert found.means == (1 / 40, 0.0)
    assert found.verdict == "no difference shown"


def test_interval_covers_the_truth_as_often_as_it_says():
    """400 trials of two equal groups: within three standard deviations of 95 %."""
    drawn, covered = random.Random(3), 0  # noqa: S311 - values of a test
    for _ in range(400):
        new, old = ([drawn.expovariate(1) for _ in range(60)] for _ in "ab")
        low, high = judge_outcomes(users("a", *new), users("b", *old), share=50).interval
        covered += low <= 0 <= high
    assert abs(covered / 400 - 0.95) < 3 * (0.95 * 0.05 / 400) ** 0.5


def test_sizes_that_are_no_such_split_are_refused():
    """Chi-square of 600 and 400 at even shares is 40: no chance at all."""
    with pytest.raises(
        RefusedError, match="600 users of the new revision and 400 of the old one are no split"
    ):
        judge_outcomes(users("a", *[1] * 600), users("b", *[1] * 400), share=50)
    assert judge_outcomes(users("a", *[1] * 600), users("b", *[1] * 400), share=60).users == (600, 400)


def test_few_users_are_refused():
    with pytest.raises(BadInputError, match=r"new revision answered too few users.*got 29"):
        judge_outcomes(users("a", *[1] * 29), users("b", *[1] * 40), share=50)


def test_outcomes_are_read_by_user_and_revision(tmp_path):
    file = tmp_path / "outcomes.csv"
    file.write_text("who,bought\nann,1\nbob,0\nann,0.5\n")
    found = read_outcomes(file, {"ann": "new", "bob": "old"}.__getitem__, key="who", outcome="bought")
    assert found == {"new": {"ann": [1.0, 0.5]}, "old": {"bob": [0.0]}}


def test_recorded_revision_wins_over_the_assignment(tmp_path):
    file = tmp_path / "outcomes.csv"
    file.write_text("key,outcome,revision\nann,1,r1\n")
    assert read_outcomes(file, lambda user: "r2", key="key", outcome="outcome") == {"r1": {"ann": [1.0]}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key,outcome\nann,\n", "line 2"),
        ("key,outcome\nann,nan\n", "must be a number"),
        ("key,outcome\nann,yes\n", "not of kind float"),
        ("user,outcome\nann,1\n", "no column `key`.*it has user, outcome"),
        ("key,outcome\n", "no rows"),
    ],
)
def test_tables_that_say_no_outcome_are_refused(tmp_path, text, told):
    file = tmp_path / "outcomes.csv"
    file.write_text(text)
    with pytest.raises(BadInputError, match=told):
        read_outcomes(file, lambda user: "r", key="key", outcome="outcome")
