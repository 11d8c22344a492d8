"""Which engine serves a released model: the twin by itself, TensorFlow when it is asked for or must."""

import json
import urllib.request

import pytest

from components.common.errors import BadInputError
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from tests.tiny_model import write_tiny_model


def release(model, out, name, engine):
    config = DeployConfig(target="local", engine=engine)
    return deploy(model, model, out, model_name=name, config=config)


def told(url):
    with urllib.request.urlopen(url.removesuffix("/infer")) as response:  # noqa: S310 - loopback
        return json.loads(response.read())["parameters"]


def test_released_model_says_what_computes_its_answers(supervisor, models, tmp_path):
    by_itself = release(models["first"], tmp_path / "a", "by-itself", "auto")
    assert told(by_itself.url) == {"engine": "twin"}
    asked = release(models["first"], tmp_path / "b", "asked-for", "tensorflow")
    assert told(asked.url) == {"engine": "tensorflow", "reason": "`tensorflow` was asked for"}
    with pytest.raises(BadInputError, match=r"another engine than `twin`.*millrace stop asked-for"):
        release(models["first"], tmp_path / "c", "asked-for", "twin")
    assert told(asked.url)["engine"] == "tensorflow"


def test_model_without_a_proven_twin_is_served_by_tensorflow_unasked(supervisor, tmp_path):
    model = write_tiny_model(
        tmp_path / "model", twin_obstacle="operation `RegexReplace` is not on the list"
    )
    with pytest.raises(BadInputError, match=r"no proven twin.*RegexReplace"):
        release(model, tmp_path / "a", "unproven", "twin")
    assert "unproven" not in [endpoint["name"] for endpoint in supervisor.endpoints()]
    served = told(release(model, tmp_path / "b", "unproven", "auto").url)
    assert served == {"engine": "tensorflow", "reason": "operation `RegexReplace` is not on the list"}
