"""HTML pages for people: one file each, nothing fetched, no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.common.storage import publishing


def write_page(path: Path, template: Path, **values: Any) -> None:
    """Render a room's template into one self-contained HTML file.

    Args:
        path: The file to write.
        template: A Jinja template that extends `page.html` and may import `parts.html`; every value
            is escaped.
        values: What the template names; `title` is required.

    Raises:
        jinja2.UndefinedError: The template names a value that was not given.
    """
    folders = [template.parent, Path(__file__).parent]
    environment = Environment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template(template.name).render(**values)
    with publishing(path) as draft:
        draft.write_text(page, encoding="utf-8")
