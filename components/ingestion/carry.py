"""What `resolve_sources` hands to `ingest`: which files there are, in one parameter of bounded size.

It is a parameter, because parameters are what Kubeflow's cache goes by: an artifact counts there by its
record, which is a new one in each run of a task that is never cached.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from components.common.config import require_known, whole
from components.common.errors import BadInputError, UnavailableError
from components.ingestion.resolve import resolve_files
from components.ingestion.stores import FoundFile

LARGEST = 64 * 1024  # characters of JSON: half of the argument in which a task gets all of its inputs
_TAG_BYTES = 4


def carry_files(found: Mapping[str, Sequence[FoundFile]]) -> dict[str, Any]:
    """Return the files of each source as a parameter; where they are too many, what finds them again.

    Args:
        found: What `resolve_files` found.

    Returns:
        By source a list of `FoundFile`'s fields. When these take more than `LARGEST`, of every source with
        several files `{files, digest, tags}` instead: their number, the sha256 of all that is known of
        them, and 4 bytes of such a digest for each, in base64. Equal files give equal values.

    Raises:
        BadInputError: That is too much, too: some 12,000 files fit.
    """
    listed: dict[str, Any] = {name: [asdict(file) for file in files] for name, files in found.items()}
    if _size(listed) <= LARGEST:
        return listed
    folded = {name: _fold(files) if len(files) > 1 else listed[name] for name, files in found.items()}
    if _size(folded) > LARGEST:
        what = "more files than a task can be told of"
        fix = f"write fewer, larger ones: some {LARGEST * 3 // 4 // _TAG_BYTES:,} fit"
        raise BadInputError(what, where="parameter `sources`", value=sum(map(len, found.values())), fix=fix)
    return folded


def recall_files(
    sources: Mapping[str, Any],
    identities: Mapping[str, Any],
    *,
    allowed_hosts: Sequence[str] = (),
    timeout_seconds: int = 30,
) -> dict[str, list[FoundFile]]:
    """Return what `carry_files` was given, after KFP has carried it.

    Where the files were too many their source is asked again; those that came since are left out.

    Args:
        sources: The declarations.
        identities: What `carry_files` gave.
        allowed_hosts: As of `resolve_files`.
        timeout_seconds: As of `resolve_files`.

    Raises:
        BadInputError: `identities` does not belong to `sources`, or is not of that form.
        UnavailableError: A file that was found is not there any more, or is another one; or a store does
            not answer.
    """
    require_known(identities, list(sources), where="identities")
    require_known(sources, list(identities), where="sources")
    try:
        listed = {
            name: [FoundFile(**whole(file)) for file in files]
            for name, files in identities.items()
            if not isinstance(files, Mapping)
        }
        folded = {name: sources[name] for name in identities if name not in listed}
        if folded:
            now = resolve_files(folded, allowed_hosts=allowed_hosts, timeout_seconds=timeout_seconds)
            listed |= {name: _sift(name, now[name], identities[name]) for name in folded}
        return {name: listed[name] for name in sorted(sources)}
    except (KeyError, TypeError) as error:
        what, fix = f"not a list of files: {error}", "pass the output of `resolve_sources`"
        raise BadInputError(what, where="parameter `identities`", fix=fix) from error


def _fold(files: Sequence[FoundFile]) -> dict[str, Any]:
    tags = b"".join(_digest(file)[:_TAG_BYTES] for file in files)
    return {"files": len(files), "digest": _digest_all(files), "tags": base64.b64encode(tags).decode()}


def _sift(name: str, files: Iterable[FoundFile], carried: Mapping[str, Any]) -> list[FoundFile]:
    """Return those of the files that were carried."""
    tags = base64.b64decode(carried["tags"])
    wanted = {tags[start : start + _TAG_BYTES] for start in range(0, len(tags), _TAG_BYTES)}
    found = [file for file in files if _digest(file)[:_TAG_BYTES] in wanted]
    if _digest_all(found) != carried["digest"]:
        kept = f"{len(found)} of its {whole(carried['files'])} files are as they were"
        fix = "run again when nothing writes to them"
        raise UnavailableError(f"source changed: {kept}", where=f"sources.{name}", fix=fix)
    return found


def _digest_all(files: Iterable[FoundFile]) -> str:
    return hashlib.sha256(b"".join(map(_digest, files))).hexdigest()


def _digest(file: FoundFile) -> bytes:
    return hashlib.sha256(json.dumps([file.uri, file.identity, file.bytes]).encode()).digest()


def _size(carried: Mapping[str, Any]) -> int:
    return len(json.dumps(carried))
