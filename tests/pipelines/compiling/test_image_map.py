"""A map of images is complete and names ours, or it is refused before anything is written."""

from pathlib import Path

import pytest

from components.common.errors import BadInputError
from pipelines.build import Build
from pipelines.compiling.image_map import check_all_mapped, read_image_map
from pipelines.compiling.package import package_text

REFERENCES = {
    f"millrace/{name}": f"r.example/{name}@sha256:1" for name in ("ingestion", "validation", "deployment")
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("millrace/ingestoin: a", "did you mean `millrace/ingestion`"),
        ("millrace/ingestion: 3", "must be mapped to a reference"),
        ("millrace/ingestion: ''", "must be mapped to a reference"),
        ("- a", "must be a mapping"),
    ],
)
def test_a_wrong_map_is_refused(text, message, tmp_path: Path):
    (tmp_path / "images.lock").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_image_map(tmp_path / "images.lock")


def test_all_images_of_a_pipeline_must_have_a_place():
    check_all_mapped(package_text("screening", Build(images=REFERENCES)), REFERENCES, where="map")
    fewer = {name: value for name, value in REFERENCES.items() if name != "millrace/validation"}
    with pytest.raises(BadInputError, match="says nothing of `millrace/validation`"):
        check_all_mapped(package_text("screening", Build(images=fewer)), fewer, where="map")
