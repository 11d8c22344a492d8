"""Knobs of a release, as users write them."""

import pytest

from components.common.config import build_config
from components.common.errors import BadInputError
from components.deployment.config import DeployConfig


def built(**options):
    return build_config(DeployConfig, options, where="deploy")


def test_shares_are_whole_though_numbers_come_as_doubles():
    assert built(steps=[5.0, 25.0, 100.0]).shares == (5, 25, 100)


@pytest.mark.parametrize(("strategy", "shares"), [("canary", (100,)), ("replace", (100,)), ("ab", (50,))])
def test_each_strategy_has_its_own_default_shares(strategy, shares):
    assert built(strategy=strategy).shares == shares


WRONG = {
    "target in": {"target": "cloud"},
    "engine in": {"engine": "onnx"},
    "strategy in": {"strategy": "blue"},
    "on_inconclusive in": {"on_inconclusive": "promote"},
    "timeout_seconds > 0": {"timeout_seconds": 0.0},
    "deadline_seconds > 0": {"deadline_seconds": float("nan")},
    "interval_seconds >= 0": {"interval_seconds": -1.0},
    "min_requests >= 1": {"min_requests": 0},
    "level <= 0.2": {"level": 0.5},
    "max_error_rate_increase <= 1": {"max_error_rate_increase": 2.0},
    "max_latency_ratio >= 1": {"max_latency_ratio": 0.5},
    "max_prediction_shift <= 1": {"max_prediction_shift": -0.1},
    "sticky is a header": {"sticky": "X User"},
    "or input:NAME": {"sticky": "input:"},
    "list of percents": {"steps": "5"},
    "whole percents": {"steps": [0.5, 100]},
    "of 1 to 100": {"steps": [0, 100]},
    "must ascend": {"steps": [50, 25, 100]},
    "must be 100": {"steps": [5, 25]},
    "no steps but": {"strategy": "replace", "steps": [50, 100]},
    "one share below 100": {"strategy": "ab", "steps": [100]},
}


@pytest.mark.parametrize("told", WRONG)
def test_impossible_knobs_are_refused_with_their_value(told):
    with pytest.raises(BadInputError, match=rf"{told}.*but got {list(WRONG[told])[-1]}="):
        built(**WRONG[told])


def test_a_command_by_hand_has_the_knobs_that_it_needs_to_find_what_was_released(monkeypatch):
    monkeypatch.setenv("MILLRACE_SUPERVISOR", "supervisor.json")
    assert built(strategy="replace").by_hand("promote m") == "`millrace promote m`"
    assert built(target="kserve").by_hand("promote m") == "`millrace promote m --target kserve`"
    held = built(target="kserve", strategy="replace")
    assert held.by_hand("promote m") == "`millrace promote m --target kserve`"
    kserve = {"namespace": "models", "mode": "Knative", "min_replicas": 0.0, "max_replicas": 3}
    found = built(target="kserve", strategy="replace", kserve={**kserve, "prometheus": "http://p:9090"})
    assert found.by_hand("rollback m") == (
        "`millrace rollback m --target kserve -p strategy=replace -p kserve.namespace=models"
        " -p kserve.mode=Knative -p kserve.min_replicas=0`"
    )
