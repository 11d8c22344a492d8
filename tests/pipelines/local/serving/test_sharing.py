"""Who answers which request, what is counted of it, and who may change that."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.common.control import call_control
from components.common.errors import BadInputError
from components.serving.metrics import ServingMetrics
from pipelines.local.serving.assign import assign
from pipelines.local.serving.tally import read_predictions
from tests.pipelines.local.serving import conftest as at
from tests.tiny_model import ROWS, expected_probability, v2_body


@pytest.fixture(scope="module")
def both(supervisor, models):
    """Two ready revisions under the name `shared`, the first with all requests."""
    first, second = (at.apply(supervisor, "shared", models[name]) for name in ("good", "other"))
    for revision in (first, second):
        assert at.settle(supervisor, "shared", revision)["state"] == "ready"
    at.weigh(supervisor, "shared", {first: 100})
    return first, second


def share(supervisor, weights, sticky=None):
    at.weigh(supervisor, "shared", weights, sticky=sticky)


def answered_by(supervisor, **headers):
    data = json.dumps(v2_body(ROWS)).encode()
    request = urllib.request.Request(f"{supervisor.url}/v2/models/shared/infer", data, headers)  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
        return response.headers["Millrace-Revision"]


def test_keys_are_shared_by_weight_and_a_growing_share_keeps_its_own():
    keys = [f"user-{number}" for number in range(10_000)]
    small = {key for key in keys if assign(key, "m", {"new": 10, "old": 90}) == "new"}
    large = {key for key in keys if assign(key, "m", {"new": 40, "old": 60}) == "new"}
    assert 900 < len(small) < 1100  # three standard deviations of a binomial are 90
    assert 3850 < len(large) < 4150
    assert small < large
    other = {key for key in keys if assign(key, "m", {"newer": 10, "old": 90}) == "newer"}
    assert len(small & other) < 200  # others come first when another revision is new: 100 by chance


def test_assignment_is_the_digest_that_it_is_said_to_be():
    """So that it can be worked out elsewhere; this test does, by hand."""
    place = int(hashlib.sha256(b"m\nnew\nann").hexdigest()[:16], 16) % 10_000
    assert assign("ann", "m", {"new": place // 100 + 1, "old": 99 - place // 100}) == "new"
    assert assign("ann", "m", {"new": place // 100, "old": 100 - place // 100}) == "old"


def test_a_header_decides_who_answers_and_without_it_chance_does(supervisor, both):
    first, second = both
    weights = {second: 50, first: 50}
    share(supervisor, weights, sticky="X-User")
    for user in ("ann", "bob", "cid", "dan"):
        seen = {answered_by(supervisor, **{"X-User": user}) for _ in range(10)}
        assert seen == {assign(user, "shared", weights)}, user
    assert {answered_by(supervisor) for _ in range(40)} == set(both)
    share(supervisor, {first: 100})
    assert {answered_by(supervisor, **{"X-User": user}) for user in ("ann", "bob", "cid", "dan")} == {first}


def test_user_whose_revision_is_gone_is_answered_by_the_other(supervisor, both):
    first, second = both
    weights = {second: 50, first: 50}
    share(supervisor, weights, sticky="X-User")
    user = next(name for name in map(str, range(99)) if assign(name, "shared", weights) == second)
    os.kill(at.revisions(supervisor, "shared")[second]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while at.revisions(supervisor, "shared")[second]["state"] == "ready":  # nobody noticed yet
        assert time.monotonic() < deadline
    assert answered_by(supervisor, **{"X-User": user}) == first
    at.settle(supervisor, "shared", second)
    share(supervisor, {first: 100})


def test_tally_counts_what_the_shares_sent_and_leaves_out_what_was_picked(supervisor, both):
    first, second = both

    def tally():
        return call_control(supervisor.control, "GET", "/endpoints/shared/tally")["revisions"]

    before = tally()
    for _ in range(3):
        assert at.ask(supervisor, "shared")[0] == 200
    assert at.ask(supervisor, "shared", revision=second)[0] == 200
    urllib.request.urlopen(f"{supervisor.url}/v2/models/shared")  # noqa: S310 - not a request for an answer
    after = tally()
    assert after[first]["requests"] - before[first]["requests"] == 3
    assert after[second]["requests"] == before[second]["requests"]
    assert after[first]["errors"] == before[first]["errors"]
    assert sum(after[first]["seconds"]["counts"]) == after[first]["requests"]
    counted = after[first]["predictions"]["probability"]
    old = before[first]["predictions"]["probability"]
    added = [now - then for now, then in zip(counted["counts"], old["counts"], strict=True)]
    places = Counter(bisect_left(counted["bounds"], expected_probability(row)) for row in ROWS)
    assert added == [3 * places[place] for place in range(len(added))]


def test_counts_of_prometheus_become_counts_between_bounds():
    text = """# TYPE millrace_predictions histogram
millrace_predictions_bucket{class="",le="0.5",model="m",output="p",revision="r"} 2.0
millrace_predictions_bucket{class="",le="1",model="m",output="p",revision="r"} 5.0
millrace_predictions_bucket{class="",le="+Inf",model="m",output="p",revision="r"} 6.0
millrace_predictions_bucket{class="late",le="+Inf",model="m",output="q",revision="r"} 4.0
"""
    assert read_predictions(text) == {
        "p": {"bounds": [0.5, 1.0], "counts": [2, 3, 1]},
        "q/late": {"bounds": [], "counts": [4]},
    }


def test_a_servers_text_is_read_as_prometheus_reads_it():
    """Both whole, whatever a class is called; the parser is Prometheus's own."""
    classes = ["a b", 'say "so"', "back\\slash", "two\nlines", "curly}", "a=b,c", "\\n", "é\u2028ü", ""]
    server = ServingMetrics(
        "m", "r", "twin", [{"name": "p", "shape": [-1, len(classes)], "classes": classes}]
    )
    server.count_answer({}, {"p": np.linspace(0, 1, 50 * len(classes)).reshape(50, -1)})
    text = server.exposition().decode()
    below = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "millrace_predictions_bucket":
                below[sample.labels["class"]][float(sample.labels["le"])] = sample.value
    assert set(below) == set(classes)
    found = read_predictions(text)
    assert set(found) == {f"p/{each}" if each else "p" for each in classes}
    for each, counts in below.items():
        told = found[f"p/{each}" if each else "p"]
        assert told["bounds"] == sorted(counts)[:-1]
        assert list(accumulate(told["counts"])) == [counts[bound] for bound in sorted(counts)]
        assert sum(told["counts"]) == 50


def test_revision_with_a_share_beside_another_is_not_removed(supervisor, both):
    first, second = both
    share(supervisor, {second: 25, first: 75})
    with pytest.raises(BadInputError, match="shares the requests with another"):
        call_control(supervisor.control, "DELETE", f"/endpoints/shared/revisions/{second}")
    assert at.revisions(supervisor, "shared")[second]["weight"] == 25
    share(supervisor, {first: 100})


def test_claim_is_kept_from_others_until_given_back_or_its_process_ends(supervisor):
    def claim(holder, pid):
        return call_control(supervisor.control, "PUT", "/claims/wanted", {"holder": holder, "pid": pid})[
            "holder"
        ]

    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert claim("one", process.pid) == "one"
    assert claim("two", os.getpid()) == "one"
    assert claim("one", process.pid) == "one"  # again renews it
    call_control(supervisor.control, "DELETE", "/claims/wanted", {"holder": "two"})
    assert claim("two", os.getpid()) == "one"
    process.kill()  # and nobody reaps it
    deadline = time.monotonic() + 5
    while (held := claim("two", os.getpid())) != "two":
        assert time.monotonic() < deadline, held
        time.sleep(0.01)
    process.communicate()
    call_control(supervisor.control, "DELETE", "/claims/wanted", {"holder": "two"})
    assert claim("three", os.getpid()) == "three"
    call_control(supervisor.control, "DELETE", "/claims/wanted", {"holder": "three"})
    with pytest.raises(BadInputError, match="no such process"):
        claim("four", process.pid)
