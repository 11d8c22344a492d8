"""Building: each Dockerfile of `docker/`, with what its first stage may know and no image may hold."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.common.images import is_in_registry
from tools.images.engine import LOCAL, ROOT, ask, do

# What tells pip and uv where packages come from; never a cache or a folder of this machine.
_OF_AN_INDEX = ("INDEX", "INDEX_URL", "TRUSTED_HOST", "INSECURE_HOST", "TIMEOUT")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")


def groups() -> list[str]:
    """List the images: the stems of the Dockerfiles, sorted."""
    return sorted(file.stem for file in (ROOT / "docker").glob("*.Dockerfile"))


def build(names: Iterable[str], engine: str, base: str) -> dict[str, str]:
    """Build images.

    Args:
        names: Of `groups()`.
        engine: Builds them.
        base: Reference of what they stand on.

    Returns:
        A reference to each, by its logical name, that no later build changes.

    Raises:
        StopError: One cannot be built.
    """
    built: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        secrets = write_secrets(Path(scratch), os.environ)
        for name in names:
            tagged = local_name(name)
            do(build_command(name, engine, base, tagged, secrets), f"building millrace/{name}")
            built[f"millrace/{name}"] = _lasting_reference(engine, tagged)
    return built


def local_name(name: str) -> str:
    """Return what an image that is built from this commit is called on this machine."""
    return f"{LOCAL}/millrace/{name}:{revision()[:12]}"


def references_here(lock: Mapping[str, str]) -> dict[str, str]:
    """Return what this machine calls the images of a lock, which after a push names those of a registry.

    Args:
        lock: The content of `docker/images.lock`.
    """
    return {
        logical: local_name(logical.partition("/")[2]) if is_in_registry(reference) else reference
        for logical, reference in lock.items()
    }


def build_command(name: str, engine: str, base: str, tagged: str, secrets: Mapping[str, Path]) -> list[str]:
    """Return the command that builds one image."""
    said = {"BASE_IMAGE": base, "VERSION": version(), "REVISION": revision()}
    settings = [word for key, value in said.items() for word in ("--build-arg", f"{key}={value}")]
    given = [word for key, file in secrets.items() for word in ("--secret", f"id={key},src={file}")]
    own = [] if engine == "docker" else ["--network", "host", "--layers"]
    file = ["--file", f"docker/{name}.Dockerfile"]
    return [engine, "build", *own, *settings, *given, *file, "--tag", tagged, "."]


def write_secrets(folder: Path, variables: Mapping[str, str]) -> dict[str, Path]:
    """Write the builder's index and certificates, as secrets of the first stage.

    Args:
        folder: Where they are written.
        variables: Of the environment. uv knows no settings of pip's: pip's index becomes uv's, too.

    Returns:
        The file of each secret; both are there, and empty when there is nothing to say.
    """
    found = {name: value for name, value in variables.items() if _is_of_an_index(name)}
    if index := variables.get("PIP_INDEX_URL"):
        found.setdefault("UV_DEFAULT_INDEX", index)
    quoted = {name: value.replace("'", "'\\''") for name, value in sorted(found.items())}
    text = "".join(f"{name}='{value}'\n" for name, value in quoted.items())
    (folder / "index").write_text(text, encoding="utf-8")
    bundles = (Path(variables[name]) for name in _CERTIFICATES if name in variables)
    bundle = next((file.read_bytes() for file in bundles if file.is_file()), b"")
    (folder / "certificates").write_bytes(bundle)
    return {name: folder / name for name in ("index", "certificates")}


def _is_of_an_index(name: str) -> bool:
    return name.upper() in _PROXIES or (name.startswith(("UV_", "PIP_")) and name.endswith(_OF_AN_INDEX))


def version() -> str:
    """Return the version of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def revision() -> str:
    """Return the commit that images are made from, with `-dirty` when what they hold differs from it."""
    held = ["components", "docker", "locks", ":!docker/images.lock"]
    changed = ask(["git", "status", "--porcelain", "--", *held])
    return ask(["git", "rev-parse", "HEAD"]) + ("-dirty" if changed else "")


def _lasting_reference(engine: str, tagged: str) -> str:
    """Return the reference by digest; docker knows none before a push, and takes an image's id."""
    if engine == "docker":
        return ask([engine, "image", "inspect", "--format", "{{.Id}}", tagged])
    digest = ask([engine, "images", "--format", "{{.Digest}}", tagged])
    return f"{tagged.rpartition(':')[0]}@{digest}"
