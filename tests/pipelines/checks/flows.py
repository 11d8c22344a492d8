"""Doors of which the tests make packages."""

from functools import partial
from typing import List  # noqa: UP035 - KFP's form

from kfp import dsl, kubernetes

IMAGE = f"registry.example/door@sha256:{'0' * 64}"
door = partial(dsl.component, base_image=IMAGE, install_kfp_package=False)


@door
def number(value: int = 1) -> int:
    """Give a number.

    Args:
        value: A number.

    Returns:
        Output: The same.
    """
    return value


@door
def say(text: str = "", options: dict = {}) -> str:  # noqa: B006 - KFP's form
    """Say something.

    Args:
        text: What to say.
        options: How.

    Returns:
        Output: What was said.
    """
    return f"{text}{options}"


@door
def words() -> List[str]:  # noqa: UP006 - KFP's form
    """Give words.

    Returns:
        Output: Words.
    """
    return ["a"]


def places(findings):
    """Where findings are: task and field."""
    return [(one.task, one.field) for one in findings]


def dressed(task):
    """Give a task all that production demands."""
    task.set_cpu_request("1").set_cpu_limit("1").set_memory_request("1G").set_memory_limit("1G")
    kubernetes.set_timeout(task, 60)
    kubernetes.set_security_context(task, run_as_user=65532, run_as_non_root=True)
    return task


@dsl.pipeline(name="sound")
def sound(count: int, loud: bool = False):
    """Keep every rule.

    Args:
        count: A number.
        loud: Say it.
    """
    first = dressed(number(value=count))
    with dsl.ParallelFor([1, 2]) as item:
        dressed(number(value=item)).after(first)
    with dsl.If(loud == True):  # noqa: E712 - KFP's form
        dressed(say(text="loud"))
