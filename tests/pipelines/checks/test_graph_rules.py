"""Each rule about graphs finds what breaks it, in packages that KFP's compiler wrote, and no more."""

from kfp import dsl, kubernetes

from components.training.component import propose_trials
from pipelines.build import Build
from pipelines.checks.check import check_files
from pipelines.compiling.package import PIPELINES, compile_pipeline
from tests.pipelines.checks.flows import IMAGE, door, number, places, say, sound, words


def test_sound_package_breaks_no_rule_even_of_production(check):
    assert check(sound, production=True) == []


def test_our_pipelines_break_none(tmp_path):
    for name in PIPELINES:
        found = check_files([str(compile_pipeline(name, Build(), tmp_path))])
        assert [one for one in found if one.severity != "note"] == []


def test_item_of_a_written_list_inside_a_branch_dangles(check):
    @dsl.pipeline(name="p")
    def pipeline(flag: bool = True):
        with dsl.If(flag == True), dsl.ParallelFor([{"a": 1}]) as item:  # noqa: E712 - KFP's form
            number(value=item.a)

    (found,) = check(pipeline, "dangling-input")
    assert (found.task, found.severity) == ("condition-1", "error")
    assert "loop-item-param" in found.message


def test_settings_given_by_parameters_do_not_dangle(check):
    @dsl.pipeline(name="p")
    def pipeline(memory: str, cpu: str):
        number().set_memory_limit(memory).set_cpu_request(cpu).set_accelerator_type(say().output)

    assert check(pipeline, "dangling-input") == []


def test_loop_that_ignores_its_item_does_not_say_that_it_waits(check):
    @dsl.pipeline(name="p")
    def ignoring():
        with dsl.ParallelFor(words().output):
            number()

    @dsl.pipeline(name="p")
    def using():
        with dsl.ParallelFor(words().output) as item:
            say(text=item)

    (found,) = check(ignoring, "missing-dependency")
    assert (found.task, "`words`" in found.message, found.severity) == ("for-loop-1", True, "warning")
    assert check(using, "missing-dependency") == []


def test_tasks_that_wait_for_one_another_are_a_broken_graph(check, tmp_path):
    check(sound)
    path = tmp_path / "p.yaml"
    path.write_text(path.read_text().replace("        taskInfo:\n          name: number\n", CYCLE))
    assert [one.rule for one in check_files([str(path)]) if one.severity == "error"] == ["broken-graph"]


CYCLE = "        dependentTasks:\n        - for-loop-2\n        taskInfo:\n          name: number\n"


def test_condition_with_a_quote_in_its_text_is_broken(check):
    @dsl.pipeline(name="p")
    def pipeline(text: str):
        with dsl.If(text == "it's"):
            number()

    assert places(check(pipeline, "broken-condition")) == [("condition-1", "")]


def test_condition_on_a_free_text_is_told_and_one_on_a_boolean_not(check):
    @dsl.pipeline(name="p")
    def pipeline(mode: str):
        with dsl.If(mode == "fast"):
            number()
        with dsl.If(say().output == "x"):
            number()

    found = check(pipeline, "condition-on-text")
    assert places(found) == [(f"condition-{n}", "triggerPolicy.condition") for n in (1, 2)]
    assert check(sound, "condition-on-text") == []


def test_workspace_that_the_pipeline_does_not_have_is_missed(check, tmp_path):
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))

    @dsl.pipeline(name="shared", pipeline_config=config)
    def shared():
        say(text=dsl.WORKSPACE_PATH_PLACEHOLDER)

    assert check(shared, "no-workspace") == []
    (tmp_path / "p.yaml").write_text((tmp_path / "p.yaml").read_text().split("\n---\n")[0])
    (found,) = (one for one in check_files([str(tmp_path / "p.yaml")]) if one.rule == "no-workspace")
    assert found.task == "say"


@dsl.container_component
def first(out: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image=IMAGE, command=["true"])


@dsl.container_component
def second(a: int):
    return dsl.ContainerSpec(image=IMAGE, command=["true"])


@dsl.container_component
def third(a: int):
    return dsl.ContainerSpec(image=IMAGE, command=["true"], args=["3"])


def test_components_that_the_backend_takes_for_one_are_told(check):
    @dsl.pipeline(name="twins")
    def twins():
        first()
        second(a=1)
        third(a=1)

    found = check(twins, "equal-commands")
    assert [(one.task, "`first`" in one.message) for one in found] == [("second", True)]


def test_placeholders_in_texts_mappings_and_json_are_told(check):
    @dsl.container_component
    def post(text: str):
        return dsl.ContainerSpec(
            image=IMAGE, command=["post", "--text", text],
            args=[f'{{"text": "{text}"}}', dsl.IfPresentPlaceholder("text", [text])],
        )  # fmt: skip

    @dsl.pipeline(name="p")
    def pipeline(name: str):
        say(text=f"Hello, {name}", options={"to": name})
        post(text=name)

    assert sorted(places(check(pipeline, "text-in-json"))) == [
        ("post", "container.args[0]"), ("say", "inputs.options.to"), ("say", "inputs.text"),
    ]  # fmt: skip
    assert check(sound, "text-in-json") == []


def test_placeholders_that_kfp_fills_in_as_values_are_not_told_and_those_it_leaves_are(check):
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))

    @dsl.pipeline(name="p", pipeline_config=config)
    def pipeline(memory: str):
        say(text=dsl.PIPELINE_JOB_NAME_PLACEHOLDER).set_memory_limit(memory)
        say(text=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/a")
        say(text=f"of {dsl.PIPELINE_JOB_NAME_PLACEHOLDER}")

    (found,) = check(pipeline, "text-in-json")
    assert (found.task, "leaves" in found.message) == ("say-3", True)


def test_item_of_an_untyped_list_for_a_number_is_told(check):
    @dsl.pipeline(name="p")
    def pipeline(untyped: list):
        with dsl.ParallelFor(untyped) as item:
            number(value=item)

    assert places(check(pipeline, "loop-item")) == [("number", "inputs")]
    assert check(sound, "loop-item") == []


def test_what_only_a_cluster_executes_is_an_error_here_and_a_note_in_production(check):
    @dsl.pipeline(name="p")
    def pipeline():
        kubernetes.mount_pvc(number(), "claim", "/data")
        dsl.importer(artifact_uri="gs://bucket/data", artifact_class=dsl.Dataset)

    found = check(pipeline, "not-here")
    assert {one.severity for one in found} == {"error"}
    assert sorted("a mounted volume claim" in one.message for one in found) == [False, True]
    assert {one.severity for one in check(pipeline, "not-here", production=True)} == {"note"}


def test_component_file_is_not_asked_for_what_its_user_says(check):
    @door
    def read(data: dsl.Input[dsl.Dataset]):
        """Read.

        Args:
            data: Something.
        """

    assert check(number, production=True) == []
    assert check(read) == []


def test_settings_for_clusters_are_noted_and_in_production_not(check):
    assert [one.field for one in check(sound, "without-meaning-here")] == ["securityContext", "resources"]
    assert check(sound, "without-meaning-here", production=True) == []


def test_kubernetes_form_of_a_package_is_checked_alike(check, tmp_path):
    from kfp import compiler
    from kfp.compiler.compiler_utils import KubernetesManifestOptions

    @dsl.pipeline(name="p")
    def pipeline():
        with dsl.ParallelFor(words().output):
            number()

    options = KubernetesManifestOptions(
        pipeline_name="p", pipeline_version_name="p-1", include_pipeline_manifest=True
    )
    path = tmp_path / "m.yaml"
    compiler.Compiler().compile(
        pipeline, str(path), kubernetes_manifest_format=True, kubernetes_manifest_options=options
    )
    found = check_files([str(path)])
    assert {one.document for one in found} == {"PipelineVersion/p-1"}
    assert "missing-dependency" in {one.rule for one in found}


def test_round_that_no_cluster_hands_on_is_refused_with_what_to_do(check):
    @dsl.pipeline(name="p")
    def pipeline(trials: int = 500):
        propose_trials(trials=trials)
        propose_trials(trials=trials, trials_per_task=3)

    (found,) = check(pipeline, "wide-round")
    assert (found.task, found.field, found.severity) == ("propose-trials", "inputs.trials", "error")
    assert "a round of 500 tasks" in found.advice
    assert "let 3 trials share a task, `trials_per_task`" in found.advice
