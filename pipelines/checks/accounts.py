"""Tokens of service accounts: in a pod that needs none they help only an intruder."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import at
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Manifest

_MOUNT = "automountServiceAccountToken"
_KFP = ("pipeline-runner", "default-editor")  # accounts that KFP's installations give to runs


def service_account_token(manifest: Manifest) -> Iterator[Breach]:
    """Find pods that take a token without saying so, and accounts of runs that give none."""
    for pod in manifest.pods:
        if not pod.partial and pod.spec.get(_MOUNT) is None:
            yield Breach(
                field=f"{pod.field}.{_MOUNT}", message="the pod gets a token of its account without asking",
                fix="set it to `false`; to `true` where the program calls the Kubernetes API",
            )  # fmt: skip
    name, space = (at(manifest.content, "metadata", key) for key in ("name", "namespace"))
    runs = manifest.kind == "ServiceAccount" and (
        name in _KFP or (name, space) in _accounts_of_runs(manifest)
    )
    if runs and manifest.content.get(_MOUNT) is False:
        yield Breach(
            field=_MOUNT, value="false", message="KFP's launcher, in each pod of a run, cannot do without",
            fix="leave it out, and bind a small Role to the account",
        )  # fmt: skip


def _accounts_of_runs(manifest: Manifest) -> list[tuple[object, object]]:
    return [
        (at(one, "spec", "serviceAccount"), at(one, "metadata", "namespace"))
        for one in manifest.beside
        if at(one, "kind") == "ScheduledWorkflow"
    ]
