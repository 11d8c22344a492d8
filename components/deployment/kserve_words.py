"""Why a model does not serve, in plain words: what KServe says of it, its conditions, and events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TRANSITIONS = {
    "InProgress": "the model is being loaded",
    "BlockedByFailedLoad": "the model did not load",
    "InvalidSpec": "KServe cannot make a server of it",
}
_REASONS = {
    "ModelLoadFailed": "the container that fetches or serves the model ended with an error",
    "RuntimeUnhealthy": "the server is not healthy",
    "RuntimeDisabled": "the ServingRuntime is disabled",
    "NoSupportingRuntime": "no ServingRuntime takes the model format `millrace`",
    "RuntimeNotRecognized": "there is no such ServingRuntime",
    "InvalidPredictorSpec": "the predictor is not in order",
}
_EVENTS = 4


def explain(found: Mapping[str, Any], events: Sequence[Mapping[str, Any]], *, canary: str = "") -> str:
    """Say why a model does not serve.

    Args:
        found: The InferenceService.
        events: Of its namespace.
        canary: Name of the entry of `spec.canary` that is meant; without it, the predictor.
    """
    status, name = found.get("status", {}), found["metadata"]["name"]
    told = [each for each in status.get("canaryStatuses", []) if each["name"] == canary]
    model = told[0].get("modelStatus", {}) if told else {} if canary else status.get("modelStatus", {})
    about = f"{name}-{canary}-predictor" if canary else f"{name}-"
    parts = [*_model(model), *_conditions(status), *_told(events, name, about)]
    return "; ".join(parts) or "KServe's controller has said nothing of it yet"


def _model(status: Mapping[str, Any]) -> Iterator[str]:
    told = _TRANSITIONS.get(status.get("transitionStatus", ""))
    if told is not None:
        yield told
    failure = status.get("lastFailureInfo")
    if failure:
        reason = failure.get("reason", "")
        code = f", exit code {failure['exitCode']}" if failure.get("exitCode") else ""
        said = f": {failure['message'].strip()}" if failure.get("message") else ""
        yield f"{_REASONS.get(reason, reason)} ({reason}{code}){said}"


def _conditions(status: Mapping[str, Any]) -> Iterator[str]:
    for condition in status.get("conditions", []):
        if condition["status"] == "False" and condition["type"] not in ("Ready", "Stopped"):
            said = [condition.get("reason"), condition.get("message")]
            told = ": ".join(each for each in said if each)
            yield f"{condition['type']} is not so ({told or 'no reason'})"


def _told(events: Sequence[Mapping[str, Any]], name: str, about: str) -> Iterator[str]:
    warnings = [
        event for event in events
        if event.get("type") == "Warning" and _concerns(event["involvedObject"], name, about)
    ]  # fmt: skip
    warnings.sort(key=lambda event: event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
    said = [f"{one.get('reason')}: {' '.join(one.get('message', '').split())}" for one in warnings]
    yield from list(dict.fromkeys(reversed(said)))[:_EVENTS]


def _concerns(involved: Mapping[str, Any], name: str, about: str) -> bool:
    if involved.get("kind") == "InferenceService":
        return involved.get("name") == name
    return involved.get("name", "").startswith(about)
