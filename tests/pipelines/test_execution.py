"""What `millrace run` tells of what the runner tells it."""

import contextlib
import types

import pytest

from pipelines import execution
from pipelines.local.events import Notice, PassedOver
from pipelines.request import Request

READY = types.SimpleNamespace(package=None, parameters={}, variables={}, images={}, unfinished=None)


@pytest.mark.parametrize(("pipeline", "told"), [("training", ["b"]), ("package.yaml", ["a", "b"])])
def test_what_has_no_meaning_here_is_told_of_packages_that_people_bring(pipeline, told, monkeypatch):
    def run_package(package, parameters, *, on_event, **_):
        on_event(PassedOver(message="a"))
        on_event(Notice(message="b"))

    monkeypatch.setattr(execution, "run_package", run_package)
    monkeypatch.setattr(execution, "prepared", lambda request: contextlib.nullcontext(READY))
    heard = []
    execution._run(Request(pipeline=pipeline), heard.append)
    assert [event.message for event in heard] == told
