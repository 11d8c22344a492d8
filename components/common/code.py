"""The digest of the code that makes models, equal in the repository and in every image."""

from __future__ import annotations

import hashlib
from pathlib import Path

from components.common.storage import file_digest


def code_digest(*rooms: str) -> str:
    """Return the sha256 of the sources of some rooms: Python, and the templates of their reports.

    Args:
        rooms: Folders of `components`, such as `common` or `training`; none means all of them.

    Returns:
        64 hexadecimal digits over relative paths and bytes of `.py` and `.html` files.
    """
    root = Path(__file__).resolve().parents[1]
    folders = [root / room for room in rooms] or [root]
    digest = hashlib.sha256()
    files = (file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".html"))
    for file in sorted(files):
        digest.update(f"{file.relative_to(root).as_posix()}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()
