"""What all images stand on: a reference in `docker/BASE_IMAGE`, or a base made from Debian's packages."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from tools.images.engine import LOCAL, ROOT, StopError, do, has

BASE_FILE = ROOT / "docker" / "BASE_IMAGE"
DEBIAN = f"{LOCAL}/millrace/debian-base:trixie"
_KINDS = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1", "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1", "docker.distribution.manifest.v2",
    )
)  # fmt: skip


def find_base(engine: str, wanted: str | None) -> str:
    """Return the reference of the base.

    Args:
        engine: Makes the base when that is wanted.
        wanted: A reference; `debian` makes one from Debian's packages; None takes `docker/BASE_IMAGE`.
    """
    if wanted != "debian":
        return wanted or BASE_FILE.read_text(encoding="utf-8").strip()
    if not has(engine, DEBIAN):
        do([str(ROOT / "docker" / "make_base.sh"), engine, DEBIAN], "making the base")
    return DEBIAN


def pin_base(file: Path = BASE_FILE) -> str:
    """Put the digest that the registry names behind the tag of the base, and return the reference.

    Raises:
        StopError: No registry answers; the file stays as it was.
    """
    tagged = file.read_text(encoding="utf-8").strip().partition("@")[0]
    reference = f"{tagged}@{ask_registry(tagged)}"
    file.write_text(reference + "\n", encoding="utf-8")
    return reference


def ask_registry(tagged: str) -> str:
    """Return the digest that a registry has for a tag.

    Args:
        tagged: `[REGISTRY/]NAME:TAG`; without a registry it is Docker Hub's.

    Raises:
        StopError: The registry does not answer, or does not know the tag.

    Source: OCI distribution specification, "Pulling manifests".
    """
    registry, name, tag = _parts(tagged)
    scheme = "http" if registry.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    url = f"{scheme}://{registry}/v2/{name}/manifests/{tag}"
    try:
        try:
            return _digest(url, None)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            return _digest(url, _token(error.headers.get("WWW-Authenticate", ""), name))
    except (OSError, ValueError) as error:
        said = f"{registry} does not say what {tagged} is ({error}): the base stays a tag"
        raise StopError(said) from error


def _parts(tagged: str) -> tuple[str, str, str]:
    first, _, rest = tagged.partition("/")
    registry, path = (first, rest) if rest and re.search(r"[.:]|^localhost$", first) else ("", tagged)
    name, _, tag = path.rpartition(":") if ":" in path else (path, "", "latest")
    if registry:
        return registry, name, tag
    return "registry-1.docker.io", name if "/" in name else f"library/{name}", tag


def _digest(url: str, token: str | None) -> str:
    headers = {"Accept": _KINDS} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, headers=headers, method="HEAD")  # noqa: S310 - a registry's
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - a registry's
        digest = answer.headers.get("Docker-Content-Digest", "")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"its digest is {digest!r}")
    return digest


def _token(challenge: str, name: str) -> str:
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = {"service": said.get("service", ""), "scope": said.get("scope", f"repository:{name}:pull")}
    url = f"{said.get('realm', '')}?{urllib.parse.urlencode(query)}"
    if not url.startswith("https://"):
        raise ValueError(f"it sends to {url!r} for a token")
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - https
        return json.load(answer)["token"]
