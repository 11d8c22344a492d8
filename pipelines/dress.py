"""What every task of a pipeline wears on a cluster: one place, so that pipelines say only the flow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from components.common.images import image
from pipelines.build import Build
from pipelines.doors import rooms
from pipelines.inputs import describe_inputs
from pipelines.secrets import give_secrets
from pipelines.task_options import TaskOptions, options_of

# Never from a cache, and why.
UNCACHED: Mapping[str, str] = {
    "resolve_sources": "sees what the sources hold now",
    "resolve_baseline": "sees what serves now",
    "deploy_model": "changes what serves",
    "promote": "changes what serves",
    "roll_back": "changes what serves",
}
USER_ID = 65532  # not in passwd: images work under any number


def dressed(build: Build) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let each task that a pipeline's function makes ask for what the build options say.

    Stands between `@dsl.pipeline` and the function, and gives the inputs their descriptions, too.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        from kfp.dsl.pipeline_context import Pipeline

        @functools.wraps(function)
        def defined(*inputs: Any, **named: Any) -> Any:
            returned = function(*inputs, **named)
            current: Any = Pipeline.get_default_pipeline()
            for task in current.tasks.values():
                if task.importer_spec is None:  # that is no pod
                    _dress(task, build)
            return returned

        defined.__doc__ = describe_inputs(function)
        return defined

    return decorate


def _dress(task: Any, build: Build) -> None:
    door = task.component_spec.name.replace("-", "_")
    options = options_of(door, build.tasks)
    task.set_caching_options(door not in UNCACHED)  # whatever this machine has for KFP's default
    _set_image(task, options, build)
    _set_resources(task, options)
    _set_pod(task, options, door)
    give_secrets(task, door, build)


def _set_image(task: Any, options: TaskOptions, build: Build) -> None:
    name = task.container_spec.image
    if options.accelerator and name == image("modelling"):
        name = image("modelling-gpu")
    task.set_container_image(build.images.get(name, name))


def _set_resources(task: Any, options: TaskOptions) -> None:
    for name in ("cpu_request", "cpu_limit", "memory_request", "memory_limit"):
        if (amount := getattr(options, name)) is not None:
            getattr(task, f"set_{name}")(str(amount))
    if options.accelerator:
        task.set_accelerator_type(options.accelerator).set_accelerator_limit(options.accelerators)
    if options.retries:
        wait = f"{options.retry_wait_seconds}s"
        task.set_retry(options.retries, backoff_duration=wait, backoff_factor=2.0)
    for name, value in sorted(options.variables.items()):
        task.set_env_variable(name, value)


def _set_pod(task: Any, options: TaskOptions, door: str) -> None:
    from kfp import kubernetes

    kubernetes.set_security_context(task, run_as_user=USER_ID, run_as_group=USER_ID, run_as_non_root=True)
    ours = {"part-of": "millrace", "component": rooms()[door], "name": door}
    labels = {**{f"app.kubernetes.io/{name}": value for name, value in ours.items()}, **options.labels}
    for name, value in sorted(labels.items()):
        kubernetes.add_pod_label(task, name, value)
    if options.timeout_seconds is not None:
        kubernetes.set_timeout(task, options.timeout_seconds)
    for name, value in sorted(options.node_selector.items()):
        kubernetes.add_node_selector(task, name, value)
    for one in options.all_tolerations():
        kubernetes.add_toleration(
            task, key=one.key, operator=one.operator, value=one.value, effect=one.effect
        )
    for number, volume in enumerate(options.all_volumes()):
        if volume.claim:
            kubernetes.mount_pvc(task, volume.claim, volume.path, volume.sub_path or "")
        else:
            kubernetes.empty_dir_mount(task, f"empty-{number}", volume.path, volume.medium, volume.size)
