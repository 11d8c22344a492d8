"""Packages are read as PyYAML's own safe loader reads them, which is the oracle."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local.documents import read_documents

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(values, max_size=3), st.sampled_from([None, "'", '"', "|"]))
def test_any_documents_are_read_as_pyyaml_reads_them(documents, style):
    text = yaml.safe_dump_all(documents, default_style=style, allow_unicode=True)
    expected = [found for found in yaml.safe_load_all(text) if found is not None]
    assert read_documents(text.encode()) == expected


@pytest.mark.parametrize(
    "text",
    ["a: &x {b: [1, '1', ~, 0o7, 1e3, yes]}\nc: *x\n", "a: &x {b: 1}\nd: {<<: *x, c: 3}\n", "--- 1\n---\n"],
)  # fmt: skip
def test_anchors_merges_and_plain_scalars_are_those_of_pyyaml(text):
    assert read_documents(text.encode()) == [one for one in yaml.safe_load_all(text) if one is not None]


@pytest.mark.parametrize("text", ["!!python/object:os.system {}", "a: [", "!mine 3"])
def test_what_is_not_safe_or_no_yaml_is_refused(text):
    with pytest.raises(yaml.YAMLError):
        read_documents(text.encode())
