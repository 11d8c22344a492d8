"""Values as YAML for people: in their order, and texts of several lines as lines."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Of PyYAML, which would write several lines as one, with escapes, and name what comes twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def as_yaml(content: Any, *, flow: bool | None = False) -> str:
    """Return values as YAML that reads back as the same.

    Args:
        content: Mappings, lists, texts, numbers, booleans and None.
        flow: Write in braces: everything, nothing, or with None what holds no mapping or list.
    """
    return yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=flow, width=10_000
    )
