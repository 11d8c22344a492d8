"""Each rule about tasks finds what breaks it, in packages that KFP's compiler wrote, and no more."""

from kfp import dsl, kubernetes

from tests.pipelines.checks.flows import IMAGE, door, dressed, number, places, say


def test_bounds_are_told_by_what_is_missing(check):
    @dsl.pipeline(name="p")
    def pipeline():
        number().set_memory_limit("1G")
        dressed(say())
        dsl.importer(artifact_uri="/data", artifact_class=dsl.Dataset)

    (found,) = check(pipeline, "missing-resources")
    assert (found.task, found.severity) == ("number", "warning")
    assert found.message == "no cpu request, no cpu limit, no memory request"
    assert places(check(pipeline, "missing-timeout")) == [("number", "activeDeadlineSeconds")]
    assert [one.severity for one in check(pipeline, "missing-timeout", production=True)] == ["error"]


def test_task_as_root_or_as_anybody_is_told(check):
    @dsl.pipeline(name="p")
    def pipeline():
        number()
        kubernetes.set_security_context(say(), run_as_user=0, run_as_non_root=False)

    found = check(pipeline, "pod-security-restricted")
    assert places(found) == [
        ("number", "securityContext.runAsNonRoot"), ("say", "securityContext.runAsUser"),
    ]  # fmt: skip


def test_images_are_judged_by_what_names_their_bytes(check):
    @dsl.pipeline(name="p")
    def pipeline():
        for image in ("a", "b:latest", "c:1.2", "host:5000/d", "millrace/ingestion", IMAGE):
            number().set_container_image(image)

    latest, tags = check(pipeline, "image-latest"), check(pipeline, "image-tag", production=True)
    assert [one.value for one in latest] == ["a", "b:latest", "host:5000/d"]
    assert [(one.value, one.severity) for one in tags] == [
        ("c:1.2", "error"),
        ("millrace/ingestion", "error"),
    ]


def test_image_that_no_node_can_pull_is_found_though_it_has_a_digest(check):
    digest = f"sha256:{'0' * 64}"
    nowhere = [f"localhost/millrace/ingestion@{digest}", f"millrace/ingestion@{digest}", digest]

    @dsl.pipeline(name="p")
    def pipeline():
        for image in (*nowhere, f"localhost:5000/millrace/ingestion@{digest}"):
            number().set_container_image(image)

    found = check(pipeline, production=True, rule="image-tag")
    assert [one.value for one in found] == nowhere
    assert {(one.severity, one.message) for one in found} == {("error", "is in no registry")}
    assert check(pipeline, "image-latest") == []


def test_installing_while_a_task_runs_is_told_and_talking_about_it_not(check):
    @dsl.component(base_image=IMAGE, packages_to_install=["pandas==2.0"])
    def installing():
        pass

    @door
    def calling():
        import subprocess
        import sys

        subprocess.run([sys.executable, "-m", "pip", "install", "polars"], check=True)

    @door
    def talking():
        """Say how to: pip install pandas."""
        raise ImportError("pip install pandas")

    @dsl.pipeline(name="p")
    def pipeline():
        installing()
        calling()
        talking()

    found = {one.task: one.value for one in check(pipeline, "install-at-run-time")}
    assert set(found) == {"installing", "calling"}
    assert "pandas==2.0" in found["installing"]
    assert "polars" in found["calling"]


def test_ports_without_a_word_are_named(check):
    @door
    def silent(value: int) -> int:
        return value

    @dsl.pipeline(name="p")
    def pipeline(count: int):
        silent(value=count)

    found = {one.task: one.message for one in check(pipeline, "undescribed-port")}
    assert found == {
        None: "undescribed: input `count`",
        "silent": "undescribed: input `value`, output `Output`",
    }
