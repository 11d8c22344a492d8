"""What a run is given of secrets and config maps: checked against its tasks, handed out, and kept quiet."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from components.common.config import require_known
from components.common.errors import BadInputError
from pipelines.local.exchange import Outputs
from pipelines.local.plan import Container, Task
from pipelines.local.secrets.files import read_keys
from pipelines.local.secrets.masking import Mask
from pipelines.local.secrets.wanted import OPTIONS, KeyAsVariable, Kind, MountedFolder, Wanted

KEY_NAME = "secret.key"  # in the cache's folder
_TELLING_BYTES = 8  # what is shorter stands in many a text that is no secret


@dataclass(frozen=True, kw_only=True)
class Given:
    """Secrets and config maps of one run.

    Attributes:
        paths: The file or folder of each, by kind and name.
        keys: Its values by key.
        mask: Hides values in logs and messages: of secrets all, of config maps those that are not short.
    """

    paths: Mapping[tuple[Kind, str], Path] = field(default_factory=dict[tuple[Kind, str], Path])
    keys: Mapping[tuple[Kind, str], Mapping[str, bytes]] = field(
        default_factory=dict[tuple[Kind, str], Mapping[str, bytes]]
    )
    mask: Mask = field(default_factory=Mask)

    def variables(self, container: Container) -> dict[str, str]:
        """Return the variables that the package sets for a container, of given secrets too."""
        wanted = (one for one in container.wanted if isinstance(one, KeyAsVariable))
        found = ((one.variable, self.keys.get((one.kind, one.name), {}).get(one.key)) for one in wanted)
        return {
            **container.environment, **{name: value.decode() for name, value in found if value is not None}
        }  # fmt: skip

    def fingerprint(self, container: Container, folder: Path) -> str:
        """Return what stands in a cache key for the values that a container gets.

        It changes with the values and cannot be computed, nor guessed at, without the key of the cache.

        Args:
            container: Its command.
            folder: Of the cache; its key is made when it is missing.
        """
        if not container.wanted:
            return ""
        values = [
            [one.kind, one.name, key, value.hex()]
            for one in container.wanted
            for key, value in sorted(self.keys.get((one.kind, one.name), {}).items())
            if isinstance(one, MountedFolder) or one.key == key
        ]
        return hmac.new(_cache_key(folder), json.dumps(values).encode(), hashlib.sha256).hexdigest()

    def require_absent(self, task: Task, outputs: Outputs) -> None:
        """Refuse outputs that hold the value of a secret: they are recorded, and shown to everybody.

        Raises:
            BadInputError: One does; short values are not looked for.
        """
        said: dict[str, Any] = {**outputs.parameters}
        said |= {port: dict(found.metadata) for port, found in outputs.artifacts.items()}
        for port, content in said.items():
            for text in _texts(content):
                if any(value in text.encode(errors="surrogateescape") for value in self._telling()):
                    where = f"output `{port}` of task `{task.label}`"
                    fix = "hand on what was found with it, not the secret; tasks can be given it themselves"
                    raise BadInputError("holds the value of a secret", where=where, fix=fix)

    def _telling(self) -> Iterator[bytes]:
        for (kind, _), keys in self.keys.items():
            if kind == "secret":
                yield from (
                    value.strip() for value in keys.values() if len(value.strip()) >= _TELLING_BYTES
                )


NOTHING = Given()


def find_given(
    tasks: Iterable[tuple[Task, Container]], secrets: Mapping[str, Path], config_maps: Mapping[str, Path]
) -> Given:
    """Read secrets and config maps, and check that tasks can be given what they ask for.

    Args:
        tasks: All that execute a command.
        secrets: File or folder of each secret, by name.
        config_maps: The same of config maps.

    Raises:
        BadInputError: One cannot be read, no task asks for it, or a task asks for what is not there.
    """
    asking = [(task, one) for task, container in tasks for one in container.wanted]
    paths: dict[tuple[Kind, str], Path] = {}
    for kind, named in (("secret", secrets), ("config map", config_maps)):
        kind = cast("Kind", kind)
        names = sorted({one.name for _, one in asking if one.kind == kind})
        if named and not names:
            raise BadInputError(f"no task asks for a {kind}", where=f"option {OPTIONS[kind]}")
        require_known(named, names, where=f"option {OPTIONS[kind]}")
        paths |= {(kind, name): path.absolute() for name, path in named.items()}
    keys = {found: read_keys(path, f"{OPTIONS[found[0]]} {found[1]}") for found, path in paths.items()}
    given = Given(paths=paths, keys=keys, mask=Mask(_hidden(keys)))
    for task, one in asking:
        _require(given, one, f"task `{task.label}`")
    return given


def _require(given: Given, one: Wanted, where: str) -> None:
    option, keys = OPTIONS[one.kind], given.keys.get((one.kind, one.name))
    if keys is None:
        if not one.optional:
            what, fix = f"{one.kind} `{one.name}` is not given", f"{option} {one.name}=PATH"
            raise BadInputError(what, where=where, fix=fix)
    elif isinstance(one, MountedFolder):
        found = given.paths[one.kind, one.name]
        if not found.is_dir() or found.resolve() != Path(one.path).resolve():
            what = (
                f"{one.kind} `{one.name}` is wanted as the folder {one.path}, and tasks share our folders"
            )
            fix = f"put its files there, one per key, and say {option} {one.name}={one.path}"
            raise BadInputError(what, where=where, value=str(found), fix=fix)
    elif one.key in keys:
        _require_text(keys[one.key], f"{option} {one.name}, key `{one.key}`")
    elif not one.optional:
        what, known = f"{one.kind} `{one.name}` has no key `{one.key}`", ", ".join(sorted(keys)) or "none"
        raise BadInputError(what, where=where, fix=f"its keys: {known}")


def _require_text(value: bytes, where: str) -> None:
    try:
        bad = "\0" in value.decode()
    except UnicodeDecodeError:
        bad = True
    if bad:
        raise BadInputError("is no text, and a variable takes nothing else", where=where)


def _hidden(keys: Mapping[tuple[Kind, str], Mapping[str, bytes]]) -> Iterator[bytes]:
    for (kind, _), values in keys.items():
        for value in values.values():
            lines = [line.strip() for line in value.splitlines()]
            long = [line for line in (value.strip(), *lines) if len(line) >= _TELLING_BYTES]
            yield from (value.strip(), *long) if kind == "secret" else long


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, (list, dict)):
        pieces = cast("list[Any] | dict[str, Any]", content)
        for inside in [*pieces, *(pieces.values() if isinstance(pieces, dict) else ())]:
            yield from _texts(inside)


def _cache_key(folder: Path) -> bytes:
    """Return the key of a cache; whoever is first makes it."""
    file = folder / KEY_NAME
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{KEY_NAME}.{secrets.token_hex(4)}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_bytes()
