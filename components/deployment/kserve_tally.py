"""What Prometheus counted of each revision of a model under KServe.

The series are the server's own (`components/serving/metrics.py`), with the labels that the PodMonitor of
manifests/options/prometheus gives them: `namespace`, `pod`, and the pod's InferenceService and revision.
"""

from __future__ import annotations

import http.client
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from components.common.errors import BadInputError, UnavailableError
from components.common.histograms import between, name_of
from components.deployment.connect import connect
from components.deployment.tally import Histogram, Tally

_REVISION = "millrace_revision"
_TIMEOUT_SECONDS = 30.0

Series = tuple[Mapping[str, str], float]
Server = tuple[str, str]  # revision and pod


def tallies(prometheus: str, namespace: str, model_name: str) -> dict[str, dict[str, Tally]]:
    """Return what each pod of each revision has counted since it started; one that left tells nothing more.

    Args:
        prometheus: Its address.
        namespace: Of the InferenceService.
        model_name: Its name.

    Raises:
        BadInputError: What answers is no Prometheus.
        UnavailableError: Nothing answers.
    """
    chosen = f'{{namespace="{namespace}",serving_kserve_io_inferenceservice="{model_name}"}}'

    def total(metric: str, *labels: str) -> Iterator[Series]:
        query = f"sum by ({', '.join((_REVISION, 'pod', *labels))}) (millrace_{metric}{chosen})"
        return _query(prometheus, query)

    requests: dict[Server, int] = defaultdict(int)
    errors: dict[Server, int] = defaultdict(int)
    for labels, count in total("requests_total", "code"):
        requests[_server(labels)] += int(count)
        errors[_server(labels)] += int(count) if _is_error(labels.get("code", "")) else 0
    seconds = _histograms(total("request_seconds_bucket", "le"))
    predictions = _histograms(total("predictions_bucket", "output", "class", "le"))
    found: dict[str, dict[str, Tally]] = defaultdict(dict)
    for server in {*requests, *seconds, *predictions}:
        revision, pod = server
        found[revision][pod] = Tally(
            requests=requests[server], errors=errors[server],
            seconds=seconds[server].get("", Histogram()), predictions=predictions[server],
        )  # fmt: skip
    return found


def _server(labels: Mapping[str, str]) -> Server:
    return labels[_REVISION], labels.get("pod", "")


def _is_error(code: str) -> bool:
    """Say whether an answer was the server's fault, by HTTP or by gRPC."""
    return code.startswith("5") or code in ("INTERNAL", "UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED")


def _histograms(series: Iterator[Series]) -> dict[Server, dict[str, Histogram]]:
    """Return histograms by server and by output and class, out of cumulative counts by upper bound."""
    below: dict[Server, dict[str, dict[float, int]]] = defaultdict(lambda: defaultdict(dict))
    for labels, count in series:
        below[_server(labels)][name_of(labels)][float(labels["le"])] = int(count)
    found: dict[Server, dict[str, Histogram]] = defaultdict(dict)
    for server, named in below.items():
        for name, cumulative in named.items():
            bounds, counts = between(cumulative)
            found[server][name] = Histogram(bounds=bounds, counts=counts)
    return found


def _query(prometheus: str, query: str) -> Iterator[Series]:
    """Yield labels and value of each series that a query has now; those without a revision are left out."""
    connection = connect(prometheus, timeout_seconds=_TIMEOUT_SECONDS)
    path = urlsplit(prometheus).path.rstrip("/")
    try:
        connection.request("GET", f"{path}/api/v1/query?{urlencode({'query': query})}")
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        fix = "is `deploy.kserve.prometheus` right, and may runs reach it?"
        raise UnavailableError("Prometheus does not answer", where=prometheus, fix=fix) from error
    finally:
        connection.close()
    if status >= 500:
        raise UnavailableError(f"Prometheus answers {status}", where=prometheus)
    try:
        found: list[Any] = json.loads(body)["data"]["result"]
        series = [(one["metric"], float(one["value"][1])) for one in found if one["metric"].get(_REVISION)]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        fix = "name the address of a Prometheus, such as http://prometheus.monitoring:9090"
        raise BadInputError(f"no answer of Prometheus ({status})", where=prometheus, fix=fix) from error
    if not all(math.isfinite(value) for _, value in series):
        raise UnavailableError("Prometheus answers with what is no number", where=prometheus, value=query)
    yield from series
