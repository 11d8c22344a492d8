"""Whole runs, with and without warm parents."""

from functools import partial
from pathlib import Path

import pytest
from kfp import compiler, dsl, kubernetes

from pipelines.local.events import Notice
from pipelines.local.runner import run_package
from pipelines.local.warm import client, parents

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def parent_of(mark: str) -> str:
    import os

    return open(f"/proc/{os.getppid()}/cmdline").read().replace("\0", " ")


@dsl.pipeline(name="plain")
def plain(mark: str = "a"):
    parent_of(mark=mark)


@dsl.pipeline(name="with-variable")
def with_variable(mark: str = "a"):
    parent_of(mark=mark).set_env_variable("OMP_NUM_THREADS", "1")


@dsl.pipeline(name="with-secret")
def with_secret(mark: str = "a"):
    task = parent_of(mark=mark)
    kubernetes.use_secret_as_env(task, "keys", {"id": "KEY_ID"}, optional=True)


@pytest.fixture
def run(tmp_path):
    def run_pipeline(pipeline, **options):
        package = tmp_path / "package.yaml"
        compiler.Compiler().compile(pipeline, str(package))
        events = []
        result = run_package(package, {}, root=tmp_path / "runs", on_event=events.append, **options)
        assert result.state == "SUCCEEDED", result.error
        notices = [event.message for event in events if isinstance(event, Notice)]
        return result, notices

    return run_pipeline


@pytest.fixture
def started(monkeypatch):
    """The parents that were started, each as the modules it imports."""
    found = []

    class Counted(client.WarmParent):
        def __init__(self, variables, modules, within):
            found.append(tuple(modules))
            super().__init__(variables, modules, within)

    monkeypatch.setattr(parents, "WarmParent", Counted)
    return found


def output(result):
    return result.outputs["parent-of"]["Output"]


def test_task_is_forked_from_a_parent(run, started):
    result, notices = run(plain)
    assert "warm/parent.py" in output(result)
    assert len(started) == 1
    assert notices == []


def test_fresh_run_has_no_parents(run, started):
    result, _ = run(plain, fresh=True)
    assert output(result).startswith("sh -ec")
    assert started == []


def test_task_with_variables_of_its_own_is_started_fresh(run, started):
    result, notices = run(with_variable)
    assert output(result).startswith("sh -ec")
    assert started == notices == []


def test_task_is_forked_unless_a_secret_that_it_may_have_is_given(run, started, tmp_path):
    result, _ = run(with_secret)
    assert "warm/parent.py" in output(result)
    (tmp_path / "keys.env").write_text("id=x\n")
    result, _ = run(with_secret, secrets={"keys": tmp_path / "keys.env"})
    assert output(result).startswith("sh -ec")


def test_cached_run_starts_no_parent(run, started):
    run(plain)
    started.clear()
    result, _ = run(plain)
    assert result.tasks[0].cache_hit
    assert started == []


def test_parent_that_cannot_import_makes_the_task_start_fresh_with_a_notice(run, monkeypatch):
    broken = {**parents.declarations(), "everywhere": ["no_such_module"]}
    monkeypatch.setattr(parents, "declarations", lambda: broken)
    result, notices = run(plain)
    assert output(result).startswith("sh -ec")
    assert len(notices) == 1
    assert "no_such_module" in notices[0]


def test_parents_have_ended_when_the_run_has(run, monkeypatch):
    pids = []
    wait_ready = client.Parent.wait_ready
    monkeypatch.setattr(client.Parent, "wait_ready", lambda self: (pids.append(self.pid), wait_ready(self)))
    run(plain)
    assert len(pids) == 2  # the one that starts what cannot be forked, too
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@dsl.component(base_image="millrace/modelling", install_kfp_package=False)
def learn(answers: dsl.Output[dsl.Model], weights: dsl.Output[dsl.Dataset]):
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    tf.config.experimental.enable_op_determinism()
    inputs = np.random.default_rng(0).normal(size=(256, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(inputs, inputs.sum(axis=1, keepdims=True), epochs=2, verbose=0)
    np.savetxt(weights.path, np.concatenate([weight.ravel() for weight in model.get_weights()]))
    np.savetxt(answers.path, model.predict(inputs, verbose=0))


@dsl.pipeline(name="learning")
def learning():
    learn()


def test_forked_and_fresh_training_give_equal_bytes(run, started):
    forked, notices = run(learning, use_cache=False)
    fresh, _ = run(learning, use_cache=False, fresh=True)
    assert notices == []
    digests = [
        {port: found["digest"] for port, found in result.outputs["learn"].items()}
        for result in (forked, fresh)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2
    assert any("tensorflow" in modules for modules in started)
