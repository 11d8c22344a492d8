"""What is worse and what is not, on counts made by hand."""

import random

import pytest

from components.deployment.config import DeployConfig
from components.deployment.judge import judge
from components.deployment.tally import Histogram, Tally

LIMITS = DeployConfig()
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.1)
QUICK, SHARES = (0, 90, 8, 1, 1, 0), (0.25, 0.5, 0.75)


def tally(errors=0, seconds=QUICK, predictions=(25, 25, 25, 25), times=10):
    """Counts of 1,000 requests, unless `times` says otherwise."""
    return Tally(
        requests=100 * times, errors=errors,
        seconds=Histogram(bounds=BOUNDS, counts=tuple(times * each for each in seconds)),
        predictions={"p": Histogram(bounds=SHARES, counts=tuple(times * each for each in predictions))},
    )  # fmt: skip


def reasons(new, old=None, **limits):
    return judge(new, old or tally(times=100), DeployConfig(**limits), level=0.01)


def test_equal_revisions_are_no_worse():
    assert reasons(tally()) == []


def test_a_better_one_is_no_worse():
    better = tally(errors=0, seconds=(90, 10, 0, 0, 0, 0))
    assert reasons(better, tally(errors=500, times=100)) == []


def test_errors_beyond_limit_and_chance_are_named_with_both_rates():
    (reason,) = reasons(tally(errors=40))
    assert "4.00% of 1000 requests fail, 0.00% of the old one's; 1.00% more may" in reason


def test_errors_within_the_limit_pass_however_certain_they_are():
    """0.9 % against none, of 100,000 requests: no chance at all, and nothing to end a release for."""
    assert reasons(tally(errors=900, times=1000), tally(times=1000)) == []
    assert reasons(tally(errors=900, times=1000), tally(times=1000), max_error_rate_increase=0.0)


def test_few_errors_of_few_requests_may_be_chance():
    """1 of 20 is 5 %, and a bound of 1 % alone would end the release."""
    new = Tally(requests=20, errors=1)
    assert judge(new, Tally(requests=400, errors=2), LIMITS, level=0.01) == []


def test_slow_answers_are_named_by_quantile():
    found = reasons(tally(seconds=(0, 0, 0, 90, 10, 0)))
    assert len(found) == 2  # one in a hundred of the old one take 10 ms and more, too
    assert "more than 5 ms" in found[0]
    assert "50% quantile is 1.56 ms" in found[0]  # by hand: 1 ms + 50/90 of 1 ms


def test_a_slow_tail_alone_is_found():
    (reason,) = reasons(tally(seconds=(0, 88, 6, 0, 6, 0)), max_latency_ratio=2.0)[:1]
    assert "6.0% of requests take more than 10 ms" in reason


def test_slower_answers_within_the_ratio_pass():
    assert reasons(tally(seconds=(0, 0, 0, 90, 10, 0)), max_latency_ratio=100.0) == []


def test_other_predictions_are_named_with_their_distance():
    (reason,) = reasons(tally(predictions=(70, 10, 10, 10)))
    assert "predictions `p` are 0.45 apart from the old one's; 0.20 may be" in reason
    assert reasons(tally(predictions=(70, 10, 10, 10)), max_prediction_shift=0.5) == []


def test_rows_of_few_requests_are_few_observations():
    """A thousand rows in five requests: one user's table says little about all users."""
    new = tally(predictions=(70, 10, 10, 10))
    few = Tally(requests=5, predictions=new.predictions)
    assert judge(few, tally(times=100), LIMITS, level=0.01) == []


def test_nothing_counted_is_nothing_worse():
    assert judge(Tally(), tally(), LIMITS, level=0.01) == []
    assert judge(tally(), Tally(), LIMITS, level=0.01) == []


@pytest.mark.parametrize("level", [0.01, 0.2])
def test_level_holds_where_limits_leave_all_to_chance(level):
    """Old and new alike, 300 trials with every limit at nothing: within three deviations."""
    drawn = random.Random(7)  # noqa: S311 - values of a test
    limits = DeployConfig(max_error_rate_increase=0.0, max_latency_ratio=1.0, max_prediction_shift=0.0)
    named = sum(
        bool(judge(_drawn(drawn, 200), _drawn(drawn, 800), limits, level=level)) for _ in range(300)
    )
    assert named / 300 <= level + 3 * (level * (1 - level) / 300) ** 0.5


def _drawn(drawn, requests):
    def spread(chances):
        counts = [0] * len(chances)
        for place in drawn.choices(range(len(chances)), chances, k=requests):
            counts[place] += 1
        return tuple(counts)

    return Tally(
        requests=requests, errors=spread((95, 5))[1],
        seconds=Histogram(bounds=BOUNDS, counts=spread(QUICK)),
        predictions={"p": Histogram(bounds=SHARES, counts=spread((40, 30, 20, 10)))},
    )  # fmt: skip
