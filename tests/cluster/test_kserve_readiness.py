"""Pods that are ready late, or never, or come and go: what a release to KServe makes of them."""

import threading

import pytest

from components.common.errors import UnavailableError
from components.deployment.kserve_api import MANAGER
from components.deployment.kserve_document import owned
from tests.cluster.nodes import await_so
from tests.cluster.releases import A, B, deployments, live, release, uri

pytestmark = pytest.mark.cluster


@pytest.mark.usefixtures("routing")
def test_a_canary_that_dies_at_a_share_is_taken_back(target_of, played):
    release(target_of(strategy="replace"), A)
    spec = owned(live(played), MANAGER)["spec"]

    def kill():
        await_so(lambda: [one["trafficPercent"] for one in live(played)["spec"].get("canary", [])] == [25])
        played.behaviour[uri(B)] = "dying"

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(UnavailableError, match=r"not ready in time: .*CanaryPredictorReady is not so"):
        release(target_of(steps=[25, 100], timeout_seconds=8.0), B)
    killing.join()
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: list(deployments(played)) == ["flights-predictor"])
