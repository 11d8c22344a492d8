"""Shares on KServe's own controller, judged by what Prometheus tells, from 5 % to all or back."""

import pytest

from components.common.errors import RefusedError
from components.deployment.release import HeldError
from tests.cluster.nodes import SERVICES
from tests.cluster.prometheus import Answers
from tests.cluster.releases import MODES, A, B, live, release, routes, steps

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("routing")]

OLD, NEW = A[:12], B[:12]
STEPS = {"steps": [5, 25, 50, 100], "interval_seconds": 0.1, "min_requests": 200}
SHARES = {
    "Standard": [
        {OLD: 100}, {OLD: 100, NEW: 0}, {OLD: 95, NEW: 5}, {OLD: 75, NEW: 25}, {OLD: 50, NEW: 50},
        {OLD: 0, NEW: 100}, {NEW: 100},
    ],
    "Knative": [{OLD: 100}, {NEW: 0}, {NEW: 5}, {NEW: 25}, {NEW: 50}, {NEW: 100}],
}  # fmt: skip


@pytest.fixture
def serving(target_of, counts):
    """Have a model serve; returns a function to release the next one by steps."""

    def serve(mode):
        knobs = {"kserve": {"mode": mode, "prometheus": counts.address}}
        release(target_of(**knobs), A)
        return lambda **more: release(target_of(**knobs, **STEPS, **more), B)

    return serve


@pytest.mark.parametrize("mode", MODES)
def test_a_model_that_is_no_worse_is_promoted_by_all_steps(serving, played, capsys, mode):
    by_steps = serving(mode)
    before = live(played)
    since = played.ask("GET", SERVICES)["metadata"]["resourceVersion"]
    assert by_steps().weights == {NEW: 100}
    assert steps(played, before) == SHARES[mode]
    said = capsys.readouterr().out
    for share in (5, 25, 50):
        assert f"revision {NEW} is no worse than {OLD} at {share} %" in said
    if mode == "Knative":
        assert routes(played, since) == [
            {OLD: 100}, {OLD: 95, NEW: 5}, {OLD: 75, NEW: 25}, {OLD: 50, NEW: 50}, {NEW: 100}
        ]  # fmt: skip


WORSE = {
    "errors": (Answers(errors=0.2), r"20\.00% of \d+ requests fail, 0\.00% of the old one's"),
    "slow": (Answers(seconds=0.0116), r"100\.0% of requests take more than 6\.3 ms"),  # 2.9 times 4 ms
    "answers otherwise": (Answers(late=(5.0, 2.0)), r"predictions `probability/yes` are 0\.\d+ apart"),
}


@pytest.mark.parametrize(
    ("mode", "fault"), [("Standard", "errors"), ("Knative", "slow"), ("Standard", "answers otherwise")]
)
def test_a_model_that_is_worse_is_taken_back_at_its_first_share_with_the_reason(
    serving, counts, played, mode, fault
):
    by_steps = serving(mode)
    before = live(played)
    counts.answers[NEW], reason = WORSE[fault]
    with pytest.raises(
        RefusedError, match=rf"{NEW} is worse than {OLD} at 5 %: .*{reason}.*{OLD} serves as"
    ):
        by_steps()
    back = {"Standard": [{OLD: 100, NEW: 0}], "Knative": [{NEW: 0}, {OLD: 0}]}[mode]
    assert steps(played, before) == [*SHARES[mode][:3], *back, {OLD: 100}]


def test_a_model_that_becomes_worse_at_a_larger_share_is_taken_back_from_there(serving, counts, played):
    by_steps = serving("Knative")
    before = live(played)

    def overloaded():
        found = known()
        counts.answers[NEW] = Answers(errors=0.1 if found.get(NEW, 0) >= 50 else 0.0)
        return found

    known, counts.shares = counts.shares, overloaded
    with pytest.raises(RefusedError, match=rf"{NEW} is worse than {OLD} at 50 %: 10\.00% of \d+ requests"):
        by_steps()
    back = [{NEW: 0}, {OLD: 0}, {OLD: 100}]
    assert steps(played, before) == [*SHARES["Knative"][:5], *back]


def test_too_little_traffic_holds_the_share_and_the_same_release_goes_on_from_there(
    serving, counts, played
):
    by_steps = serving("Standard")
    before = live(played)
    counts.requests = 100
    with pytest.raises(HeldError, match=r"cannot be judged at 5 %.* are too few to judge by; 200 of each"):
        by_steps(deadline_seconds=1.0)
    assert steps(played, before) == SHARES["Standard"][:3]
    counts.requests = 4000
    assert by_steps().weights == {NEW: 100}
    assert steps(played, before) == SHARES["Standard"]
