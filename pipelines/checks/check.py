"""Checks files by all rules."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence

from components.common.errors import BadInputError
from pipelines.checks.content import at, mapping
from pipelines.checks.files import Read, read_all
from pipelines.checks.finding import SEVERITIES, Breach, Finding, Severity
from pipelines.checks.manifests import parse_manifest, title
from pipelines.checks.packages import parse_package
from pipelines.checks.rules import RULES, Rule
from pipelines.checks.secret_values import secrets_in
from pipelines.checks.secrets import found_secrets
from pipelines.checks.subject import Manifest, Package, Subject

_LONGEST = 200  # characters of a text that is shown
Checked = tuple[str, Subject]  # `Kind/name` of a manifest, empty for a package in a file of its own


def check_files(
    targets: Sequence[str], *, production: bool = False, ignore: Collection[str] = ()
) -> list[Finding]:
    """Check packages and manifests.

    Args:
        targets: Files, folders, and `-` for standard input.
        production: Judge by what production demands: images by digest, bounds, *restricted*.
        ignore: Names of rules that are left out.

    Returns:
        What was found, the errors first, else in the order of the files.

    Raises:
        BadInputError: A file cannot be read, or there is no such rule.
    """
    rules = _chosen(ignore, production)
    reads = read_all(targets)
    everything = [document for read in reads if not read.package for document in read.documents]
    found = [
        finding
        for read in reads
        for name, subject in _subjects(read, everything)
        for finding in _findings(read.name, name, subject, rules)
    ]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _chosen(ignore: Collection[str], production: bool) -> list[tuple[Rule, Severity]]:
    names = [rule.name for rule in RULES]
    for name in ignore:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            fix = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
            raise BadInputError("no such rule", where="option --ignore", value=name, fix=fix)
    judged: list[tuple[Rule, Severity | None]] = [
        (rule, rule.production if production else rule.severity) for rule in RULES
    ]
    return [(rule, severity) for rule, severity in judged if severity and rule.name not in ignore]


def _subjects(read: Read, everything: list[object]) -> Iterator[Checked]:
    if read.package:
        yield "", parse_package(read.documents, where=read.name, local=True)
        return
    beside = [mapping(one) for one in everything]
    for document in read.documents:
        name, spec = title(document), mapping(document, "spec")
        yield name, parse_manifest(document, beside)
        if mapping(spec, "pipelineSpec"):
            documents = [spec["pipelineSpec"], *filter(None, [at(spec, "platformSpec")])]
            yield name, parse_package(documents, where=f"{read.name}:{name}", local=False)


def _findings(
    file: str, document: str, subject: Subject, rules: Iterable[tuple[Rule, Severity]]
) -> Iterator[Finding]:
    secrets = [secret for *_, secret in found_secrets(subject)]
    for rule, severity in rules:
        for breach in _breaches(rule, subject):
            yield Finding(
                file=file, document=document, task=breach.task, field=breach.field, rule=rule.name,
                severity=severity, message=_shown(breach.message, secrets), fix=breach.fix,
                value=None if breach.value is None else _shown(breach.value, secrets),
            )  # fmt: skip


def _breaches(rule: Rule, subject: Package | Manifest) -> Iterable[Breach]:
    if isinstance(subject, Package):
        return rule.package(subject) if rule.package else ()
    return rule.manifest(subject) if rule.manifest else ()


def _shown(text: str, secrets: Sequence[str]) -> str:
    """Return a text cut, and without secrets: those of the document, and what looks like one."""
    known = [*secrets, *(secret for _, secret in secrets_in(text, source=True))]
    lines = {line for secret in known for line in (secret, *secret.split("\n")) if len(line) > 3}
    for line in sorted(lines, key=len, reverse=True):
        text = text.replace(line, "***")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
