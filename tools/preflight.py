"""Says in one line, before anything is downloaded, what this machine lacks; prints the Python to use.

Runs on whatever Python is found first, so it keeps to the standard library and the syntax of 3.6.
"""

import os
import platform
import shutil
import subprocess
import sys
from typing import List, Optional, Sequence, Tuple

Version = Tuple[int, ...]

CANDIDATES = ("python3.11", "python3.12", "python3.13", "python3")
NEWER_GLIBC = (2, 39)  # wheels of TensorFlow Data Validation from Python 3.12 on
OLDEST_GLIBC = (2, 28)  # wheels of pyarrow and polars
ENVIRONMENTS_GIB = 7.5
CACHE_GIB = 1.5  # beside the environments: files are linked, archives are not
MEMORY_GIB = 4.0
MODULES = ("venv", "ensurepip", "ssl", "sqlite3", "ctypes", "bz2", "lzma")
PROBE = (
    "import importlib.util as u, sys; "
    "print(sys.executable, *sys.version_info[:2], sep='\\n'); "
    "print(*[m for m in {!r} if u.find_spec(m) is None])"
).format(MODULES)


def machine_problem(system: str, machine: str, glibc: Version) -> Optional[str]:
    """Return why the wheels cannot run here, or None; `glibc` is empty where there is none."""
    if (system, machine) != ("Linux", "x86_64"):
        return "needs Linux on x86-64, but this is {} on {}".format(system, machine)
    if glibc < OLDEST_GLIBC:
        found = "has glibc " + dotted(glibc) if glibc else "has no glibc"
        return "needs glibc {} or newer, but this machine {}".format(dotted(OLDEST_GLIBC), found)
    return None


def python_problem(version: Version, glibc: Version, lacking: Sequence[str]) -> Optional[str]:
    """Return why a Python of this version, lacking these modules, cannot be used, or None."""
    if not (3, 11) <= version <= (3, 13):
        return "is Python {}".format(dotted(version))
    if version > (3, 11) and glibc < NEWER_GLIBC:
        return "({}) needs glibc {}, here is {}".format(dotted(version), dotted(NEWER_GLIBC), dotted(glibc))
    if lacking:
        return "lacks {} (Debian and Ubuntu: apt-get install python{}-venv)".format(
            ", ".join(lacking), dotted(version)
        )
    return None


def space_problems(tree: str, cache: str) -> List[str]:
    """Return what is missing on the disks that hold the environments and the cache of downloads."""
    if os.stat(tree).st_dev == os.stat(cache).st_dev:
        wanted = [(tree, ENVIRONMENTS_GIB + CACHE_GIB)]
    else:
        wanted = [(tree, ENVIRONMENTS_GIB), (cache, ENVIRONMENTS_GIB)]
    return [
        "needs {:g} GiB of disk at {}, but {:.1f} are free".format(gib, path, free_gib(path))
        for path, gib in wanted
        if free_gib(path) < gib
    ]


def memory_problem(gib: float) -> Optional[str]:
    """Return what is missing in memory, given in GiB, or None."""
    if gib < MEMORY_GIB:
        return "needs {:g} GiB of memory, but there are {:.1f}".format(MEMORY_GIB, gib)
    return None


def choose_python(names: Sequence[str], glibc: Version) -> Tuple[Optional[str], str]:
    """Return the first Python that can be used, or None and why none of the names can."""
    reasons = []
    for name in names:
        found = probe(name)
        if found is None:
            continue
        path, version, lacking = found
        problem = python_problem(version, glibc, lacking)
        if problem is None:
            return path, ""
        reasons.append("{} {}".format(name, problem))
    return None, "; ".join(reasons) or "{} is not there or does not run".format(" or ".join(names))


def probe(name: str) -> Optional[Tuple[str, Version, List[str]]]:
    """Ask a Python for its path, version and missing modules; None when it is absent or does not run.

    A shim of a version manager may lie on the path and yet not run, so only an answer counts.
    """
    try:
        answer = subprocess.run(
            [name, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        path, major, minor, lacking = answer.stdout.decode().split("\n")[:4]
    except (OSError, ValueError):
        return None
    return path, (int(major), int(minor)), lacking.split()


def glibc_version() -> Version:
    """Return the C library's version, or an empty tuple where it is not glibc."""
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, OSError, ValueError):
        return ()
    return tuple(int(part) for part in version.split(".")[:2]) if name == "glibc" else ()


def free_gib(path: str) -> float:
    """Return the space free to this user on the disk that holds a path, in GiB."""
    return shutil.disk_usage(path).free / 2**30


def memory_gib() -> float:
    """Return the memory of the machine, or of the control group when that is less, in GiB."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as stream:
                sizes.append(int(stream.read()))
        except (OSError, ValueError):  # no control group, or "max"
            continue
    return min(sizes) / 2**30


def cache_folder() -> str:
    """Return the folder that uv will keep downloads in, or its nearest parent that exists."""
    named = os.environ.get("UV_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    path = named or os.path.join(os.path.expanduser("~"), ".cache")
    while not os.path.isdir(path):
        path = os.path.dirname(os.path.abspath(path))
    return path


def dotted(version: Version) -> str:
    """Return `3.11` for `(3, 11)`."""
    return ".".join(str(part) for part in version)


def main(named: Sequence[str]) -> int:
    """Print the path of the Python to use, or one line on standard error saying why there is none."""
    glibc = glibc_version()
    problems = [machine_problem(platform.system(), platform.machine(), glibc)]
    problems += [*space_problems(os.getcwd(), cache_folder()), memory_problem(memory_gib())]
    python, reason = choose_python(named or CANDIDATES, glibc)
    if python is None:
        fix = "install Python 3.11 and its venv package, or name one: make PYTHON=/path/to/python3.11"
        problems.append("no Python that can be used: {} — {}".format(reason, fix))
    found = [problem for problem in problems if problem]
    if found:
        line = "preflight: {}\n".format("; ".join(found))
        sys.stderr.buffer.write(line.encode("utf-8"))
        return 2
    print(python)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
