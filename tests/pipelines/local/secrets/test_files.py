"""A secret is read from a folder, a YAML file, Kubernetes' own object, or lines; errors do not show it."""

import pytest

from components.common.errors import BadInputError
from pipelines.local.secrets.files import read_keys

WANTED = {"user": b"me", "port": b"080", "yes": b"true"}


def test_folder_has_a_file_per_key_and_kubernetes_own_links_are_passed_over(tmp_path):
    for key, value in WANTED.items():
        (tmp_path / key).write_bytes(value)
    (tmp_path / "..data").write_text("x")
    (tmp_path / "inside").mkdir()
    assert read_keys(tmp_path, "--secret s") == WANTED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "user: me\nport: 080\nyes: true\n"),
        ("a.json", '{"user": "me", "port": "080", "yes": true}'),
        ("a.yaml", "kind: Secret\nmetadata: {}\ndata: {user: bWU=, port: MDgw}\nstringData: {yes: true}\n"),
        ("a.yml", "kind: ConfigMap\ndata: {user: me, port: 080}\nbinaryData: {yes: dHJ1ZQ==}\n"),
        (".env", "# who\nuser=me\n\nexport port = '080'\nyes=\"true\"\n"),
    ],
)  # fmt: skip
def test_values_are_texts_as_they_stand(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_keys(tmp_path / name, "--secret s") == WANTED


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", b"- canary", "no mapping"),
        ("a.yaml", b"canary: [1]", "no mapping"),
        ("a.yaml", b"a: 'canary", "no mapping"),
        ("a.yaml", b"kind: Secret\ndata: {a: canary!}", "no mapping"),
        ("a.env", b"a=1\ncanary", "line 2 is not KEY=VALUE"),
        ("a.env", b"a=canary\xff", "no text"),
    ],
)
def test_error_names_the_option_and_not_what_the_file_holds(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=said) as caught:
        read_keys(tmp_path / name, "--secret s")
    assert "--secret s" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(BadInputError, match=r"No such file.*--secret s.*gone"):
        read_keys(tmp_path / "gone", "--secret s")
