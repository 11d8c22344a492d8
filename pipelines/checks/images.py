"""References of images: what can be moved to other bytes behind one's back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.common.images import is_in_registry
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Box, Subject

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":([\w][\w.-]{0,127})$")
_LOGICAL = re.compile(r"millrace/[a-z-]+$")  # what our doors name, until compiling maps it


def image_latest(subject: Subject) -> Iterator[Breach]:
    """Find images without a tag or digest, or with `latest`: nobody can tell which bytes ran."""
    for box in subject.boxes:
        image = box.image or ""
        tag = _TAG.search(image)
        known = "@" in image or "{{" in image or _LOGICAL.fullmatch(image)
        if image and not known and (tag is None or tag[1] == "latest"):
            yield _breach(box, "names no version" if tag is None else "`latest` is another image each day")


def image_tag(subject: Subject) -> Iterator[Breach]:
    """Find images that are not named by digest, and those that no node can pull."""
    for box in subject.boxes:
        image = box.image or ""
        if not is_in_registry(image):
            yield _nowhere(box)
            continue
        if not image or _DIGEST.search(image):
            continue
        tag = _TAG.search(image)
        if "{{" in image:
            yield _breach(box, "is given by a parameter")
        elif tag and tag[1] != "latest":
            yield _breach(box, "a tag can be moved to other bytes")
        elif "@" in image:
            yield _breach(box, "has no sha256 digest of 64 digits")


def _nowhere(box: Box) -> Breach:
    logical = _LOGICAL.fullmatch(box.image or "")
    return Breach(
        task=box.task, field=f"{box.field}.image", value=box.image,
        message="is our logical name, which no registry knows" if logical else "is in no registry",
        fix="map it to one that is pushed: `millrace compile --images FILE`, or `images` of kustomize",
    )  # fmt: skip


def _breach(box: Box, message: str) -> Breach:
    return Breach(
        task=box.task, field=f"{box.field}.image", value=box.image, message=message,
        fix="name it by digest: `NAME@sha256:…`",
    )  # fmt: skip
