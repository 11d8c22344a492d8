import pytest
from kfp import compiler, dsl

from pipelines.local.reading import read_package
from pipelines.local.resources import memory_bytes
from pipelines.local.walks import container_tasks


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, 0),
        ({"resourceMemoryRequest": "512Mi"}, 512 << 20),
        ({"resourceMemoryRequest": "1.5G", "resourceMemoryLimit": "4G"}, 1_500_000_000),
        ({"resourceMemoryLimit": "2Gi", "memoryLimit": 1.0}, 2 << 30),
        ({"memoryRequest": 0.25}, 250_000_000),
        ({"resourceMemoryRequest": "{{$.inputs.parameters['memory']}}"}, 0),
        ({"resourceMemoryRequest": "1000"}, 1000),
        ({"resourceCpuRequest": "2"}, 0),
    ],
)
def test_memory_is_read_as_kubernetes_reads_it(resources, expected):
    assert memory_bytes(resources) == expected


@dsl.component(base_image="millrace/deployment", install_kfp_package=False)
def work():
    pass


@dsl.pipeline(name="large")
def large():
    work().set_memory_request("3Gi").set_memory_limit("4Gi")


def test_memory_request_of_a_compiled_task_reaches_the_plan(tmp_path):
    compiler.Compiler().compile(large, str(tmp_path / "large.yaml"))
    ((_, container),) = container_tasks(read_package(tmp_path / "large.yaml").graph)
    assert container.memory_bytes == 3 << 30
