from kfp import dsl

from pipelines.local.warm.command import as_lightweight, is_lightweight


def commands(**options):
    @dsl.component(base_image="millrace/deployment", **options)
    def greet(name: str) -> str:
        return f"hello {name}"

    container = greet.component_spec.implementation.container
    return [*container.command, *container.args]


def test_what_the_pinned_kfp_writes_is_recognised():
    command = commands(install_kfp_package=False)
    assert is_lightweight(command)
    task = as_lightweight(command, {})
    assert task.program == command[3]
    assert "def greet(name: str)" in task.program
    assert list(task.arguments) == command[4:] == [
        "--executor_input", "{{$}}", "--function_to_execute", "greet",
    ]  # fmt: skip


def test_command_that_installs_something_first_is_another():
    assert not is_lightweight(commands())
    assert not is_lightweight(commands(install_kfp_package=False, packages_to_install=["six"]))


def test_any_change_of_the_script_makes_it_another_command():
    shell, option, script, *rest = commands(install_kfp_package=False)
    assert not is_lightweight([shell, option, f"{script} ", *rest])
    assert not is_lightweight([shell, "-c", script, *rest])
    assert not is_lightweight(["bash", option, script, *rest])
    assert not is_lightweight([shell, option, script])


def test_what_may_be_too_long_for_a_command_is_left_to_the_system():
    command = commands(install_kfp_package=False)
    longest = "x" * ((1 << 17) - 1)
    assert as_lightweight([*command, longest], {}) is not None
    assert as_lightweight([*command, longest + "x"], {}) is None
    assert as_lightweight(command, {"A": longest}) is None
    assert as_lightweight([*command, *[longest] * 9], {}) is None
