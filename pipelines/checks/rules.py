"""All rules, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.checks.accounts import service_account_token
from pipelines.checks.bounds import missing_deadline, missing_resources, missing_timeout, wide_rounds
from pipelines.checks.embedded import meaningless_here, refused_here, untyped_items, wanted_secrets
from pipelines.checks.finding import Breach, Severity
from pipelines.checks.images import image_latest, image_tag
from pipelines.checks.installs import installs
from pipelines.checks.pod_security import baseline, restricted, restricted_tasks
from pipelines.checks.ports import undescribed_ports
from pipelines.checks.secrets import secret_in_manifest, secret_values
from pipelines.checks.serving import deployment_mode
from pipelines.checks.subject import Manifest, Package
from pipelines.checks.texts_in_graphs import condition_on_text, text_in_json
from pipelines.checks.wiring import equal_commands, missing_dependency, problems_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: What `--ignore` takes.
        severity: Of a breach.
        production: The same with `--production`; None where it is not asked then.
        about: What it finds, for `docs/checks.md`.
        package: Looks at packages, or None.
        manifest: Looks at manifests, or None.
    """

    name: str
    severity: Severity
    production: Severity | None
    about: str
    package: Callable[[Package], Iterable[Breach]] | None = None
    manifest: Callable[[Manifest], Iterable[Breach]] | None = None


RULES: tuple[Rule, ...] = (
    Rule(
        name="dangling-input", severity="error", production="error", package=problems_of("wiring"),
        about="a task takes what nothing gives; KFP's compiler writes such graphs without a word",
    ),
    Rule(
        name="missing-dependency", severity="warning", production="note", package=missing_dependency,
        about="a task, mostly a loop that ignores its item, does not say for whom it waits",
    ),
    Rule(
        name="broken-graph", severity="error", production="error", package=problems_of("graph"),
        about="tasks wait for one another, or for a task that does not exist",
    ),
    Rule(
        name="broken-condition", severity="error", production="error", package=problems_of("condition"),
        about="a condition that no backend can read, such as one with a quote in its text",
    ),
    Rule(
        name="no-workspace", severity="error", production="error", package=problems_of("workspace"),
        about="a task uses the workspace of a pipeline that has none",
    ),
    Rule(
        name="equal-commands", severity="error", production="error", package=equal_commands,
        about="components with other ports but equal image and command: the backend takes them for one",
    ),
    Rule(
        name="secret-value", severity="error", production="error", package=secret_values,
        manifest=secret_values,
        about="something that looks like a password, key or token; the value is never shown",
    ),
    Rule(
        name="secret-in-manifest", severity="error", production="error", manifest=secret_in_manifest,
        about="a `Secret` with values, in a file",
    ),
    Rule(
        name="pod-security-baseline", severity="error", production="error", manifest=baseline,
        about="a pod that the standard *baseline* refuses: host paths and namespaces, privileges, …",
    ),
    Rule(
        name="pod-security-restricted", severity="warning", production="error", package=restricted_tasks,
        manifest=restricted, about="a pod that a namespace enforcing *restricted* refuses",
    ),
    Rule(
        name="not-here", severity="error", production="note", package=refused_here,
        about="the embedded runner refuses it; a cluster may execute it",
    ),
    Rule(
        name="loop-item", severity="warning", production="error", package=untyped_items,
        about="an item of an untyped list goes where no text is taken; a cluster hands it on as text",
    ),
    Rule(
        name="wide-round", severity="error", production="error", package=wide_rounds,
        about="a round of our search with more than 200 tasks, whose models no cluster hands to one task",
    ),
    Rule(
        name="image-latest", severity="warning", production="error", package=image_latest,
        manifest=image_latest,
        about="an image without a version, or `latest`",
    ),
    Rule(
        name="image-tag", severity="note", production="error", package=image_tag, manifest=image_tag,
        about="an image that is not named by its sha256 digest, or is in no registry",
    ),
    Rule(
        name="install-at-run-time", severity="warning", production="error", package=installs,
        manifest=installs,
        about="`pip install` and its like in a command, or called by a function",
    ),
    Rule(
        name="missing-resources", severity="warning", production="error", package=missing_resources,
        manifest=missing_resources, about="no request or no limit of processors or memory",
    ),
    Rule(
        name="missing-timeout", severity="warning", production="error", package=missing_timeout,
        manifest=missing_deadline, about="a task or job that may hang for ever",
    ),
    Rule(
        name="deployment-mode", severity="warning", production="error", manifest=deployment_mode,
        about="an InferenceService that leaves its mode to the cluster, or a canary that its mode ignores",
    ),
    Rule(
        name="service-account-token", severity="warning", production="error",
        manifest=service_account_token,
        about="a pod that takes a token unasked, or an account of runs without the one that KFP needs",
    ),
    Rule(
        name="condition-on-text", severity="warning", production="warning", package=condition_on_text,
        about="a condition on a text that a caller or a task may choose freely",
    ),
    Rule(
        name="text-in-json", severity="warning", production="warning", package=text_in_json,
        about="a placeholder inside a longer text, a mapping or JSON: a quote in the value breaks the task",
    ),
    Rule(
        name="undescribed-port", severity="note", production="note", package=undescribed_ports,
        about="an input or output that the dashboard shows without a word",
    ),
    Rule(
        name="secret-wanted", severity="note", production=None, package=wanted_secrets,
        about="a secret or config map that `millrace run` is to be given",
    ),
    Rule(
        name="without-meaning-here", severity="note", production=None, package=meaningless_here,
        about="a setting for clusters that changes nothing on one machine",
    ),
)  # fmt: skip
