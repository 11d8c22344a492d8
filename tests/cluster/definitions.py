"""Definitions of the resources that manifests hold beside Kubernetes' own.

Those of KServe, Gateway API, KEDA, Prometheus' operator, Argo and Flux are their projects' own, out of the
folders of their Go modules; nothing of them stands in this repository. Those of Kubeflow
(`kubeflow.yaml`) are written by hand, because its module is not to be had: they hold the fields of its Go
types at 2.17.0 that we use, closed, so that a misspelt field is refused. They prove nothing about
Kubeflow's own.
"""

import functools
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.binaries.build import find_go
from tests.cluster.server import Cluster

BY_HAND = [Path(__file__).parent / name for name in ("kubeflow.yaml", "applyset.yaml")]


@dataclass(frozen=True)
class Module:
    """A Go module at a version, and where its definitions lie in it."""

    name: str
    content: str  # Go's own hash of all of it
    files: tuple[str, ...]


KSERVE = "config/crd/full"
MODULES = (
    Module(
        "github.com/kserve/kserve@v0.20.0", "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=",
        (f"{KSERVE}/serving.kserve.io_inferenceservices.yaml",
         f"{KSERVE}/serving.kserve.io_servingruntimes.yaml",
         f"{KSERVE}/serving.kserve.io_clusterservingruntimes.yaml",
         f"{KSERVE}/clusterstoragecontainer/serving.kserve.io_clusterstoragecontainers.yaml"),
    ),
    Module(
        "sigs.k8s.io/gateway-api@v1.4.0", "h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ=",
        ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
         "config/crd/standard/gateway.networking.k8s.io_gateways.yaml"),
    ),
    Module(
        "github.com/kedacore/keda/v2@v2.18.0", "h1:ttR223fii/4QJ0YvtrhcWHaEoezByb/t5CeFopjl6EI=",
        ("config/crd/bases/keda.sh_scaledobjects.yaml",),
    ),
    Module(
        "github.com/prometheus-operator/prometheus-operator@v0.88.0",
        "h1:3T/dCQdk7CUVRqVfwRHoC5g66fC/ML6XQQLtQVL6Q5o=",
        ("example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",),
    ),
    Module(
        "github.com/argoproj/argo-cd/v3@v3.1.9", "h1:9P9vJKo1RGWu6mtQnGu61r+0h3XKlA2j3kVhwogUQ/0=",
        ("manifests/crds/application-crd.yaml",),
    ),
    Module(
        "github.com/argoproj/argo-workflows/v3@v3.7.2", "h1:Fi6j0q2sCg6cfkntKde5KA+TfJgMrq1MzJCmOESlWNw=",
        ("manifests/base/crds/minimal/argoproj.io_workflowtaskresults.yaml",),
    ),
    Module(
        "github.com/fluxcd/kustomize-controller@v1.7.3", "h1:SzNnGn/4ObAPEHHleM5U7y/AKxKXph3Vj6ZhteeXw8M=",
        ("config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",),
    ),
    Module(
        "github.com/fluxcd/source-controller@v1.7.3", "h1:gFfeBiNUgF0kFFGap/rrMeJqz+0Tod0ARENJO8w/UA8=",
        ("config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",),
    ),
)  # fmt: skip


def definitions() -> list[dict]:
    """All definitions."""
    files = [*BY_HAND]
    for module in MODULES:
        folder = folder_of(module.name.partition("@")[0])
        files += [folder / file for file in module.files]
    texts = (file.read_text(encoding="utf-8") for file in files)
    return [one for text in texts for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def define(cluster: Cluster, objects: list[dict]) -> None:
    """Have a cluster know definitions, and wait until it does."""
    answer = cluster.apply(objects)
    assert answer.ok, answer.error
    for _ in range(20):  # kubectl fails while a definition has no conditions at all
        answer = cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        if answer.ok:
            return
        time.sleep(0.5)
    raise AssertionError(answer.error)


def folder_of(name: str) -> Path:
    """Where a module lies, by its name without a version."""
    module = next(one for one in MODULES if one.name.startswith(f"{name}@"))
    told = _downloaded()[module.name]
    assert told["Sum"] == module.content, f"{module.name} is not what it was: {told['Sum']}"
    return Path(told["Dir"])


@functools.cache
def _downloaded() -> dict[str, dict]:
    """What Go says of the modules, downloaded when its cache has them not yet; by `name@version`."""
    names = [module.name for module in MODULES]
    with tempfile.TemporaryDirectory() as outside:  # of any module, so that versions are these
        done = subprocess.run(
            [find_go(), "mod", "download", "-json", *names], cwd=outside, check=True, capture_output=True
        )
    decoder, text, found = json.JSONDecoder(), done.stdout.decode().strip(), {}
    while text:
        told, end = decoder.raw_decode(text)
        found[f"{told['Path']}@{told['Version']}"] = told
        text = text[end:].strip()
    return found
