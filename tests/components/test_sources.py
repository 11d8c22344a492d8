"""What no source may do, found in the syntax tree."""

import ast
import sys

import pytest

from tests import house

FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"}
FORBIDDEN_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "tf_keras"}
FORBIDDEN_NAMES = {"tf.keras", "tensorflow.keras", "yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader"}
PEER_IN_KERAS_2 = "benchmarks/peers/tfx/features.py"  # TFX 1.16 knows no other; it never runs beside ours
# What a module of `common` may stand on beside the standard library; the images that use it have it.
EXTRAS_OF_COMMON = {
    "component.py": {"kfp"},
    "page.py": {"jinja2"},
    "encoding.py": {"numpy"},
    "saved_models.py": {"numpy", "tensorflow"},
    "schemas.py": {"google", "tensorflow_metadata"},
}


def forbidden(text: str) -> list[str]:
    """List what is forbidden in a source, as `line: what`."""
    return [f"{node.lineno}: {what}" for node in ast.walk(ast.parse(text)) for what in reasons(node)]


def reasons(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        found = [name] if name in FORBIDDEN_CALLS else []
        found += ["shell=True"] if keywords.get("shell", "False") != "False" else []
        bare_load = (
            name in {"yaml.load", "yaml.load_all"} and "Loader" not in keywords and len(node.args) < 2
        )
        return found + ([f"{name} without a safe loader"] if bare_load else [])
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [
            name for name in imported(node) if name.split(".")[0] in FORBIDDEN_MODULES | FORBIDDEN_NAMES
        ]
    if isinstance(node, ast.Attribute):
        return [name for name in [ast.unparse(node)] if name in FORBIDDEN_NAMES]
    return []


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if node.module and not node.level else []


@pytest.mark.parametrize("path", house.sources("components", "pipelines", "tools", "benchmarks"))
def test_source_does_nothing_forbidden(path):
    allowed = ["tf_keras"] if path == PEER_IN_KERAS_2 else []
    found = forbidden((house.ROOT / path).read_text(encoding="utf-8"))
    assert [line.split(": ", 1)[1] for line in found] == allowed, found


@pytest.mark.parametrize(
    "text",
    [
        "eval(x)",
        "exec(x)",
        "os.system(x)",
        "subprocess.run(x, shell=True)",
        "subprocess.run(x, shell=1)",
        "yaml.load(x)",
        "yaml.load(x, Loader=yaml.Loader)",
        "import pickle",
        "from joblib import load",
        "import tf_keras as keras",
        "tf.keras.layers.Dense(1)",
    ],
)
def test_forbidden_things_are_found(text):
    assert forbidden(text)


@pytest.mark.parametrize("path", house.sources("components/common"))
def test_common_stands_on_the_standard_library(path):
    tree = ast.parse((house.ROOT / path).read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    roots = {name.split(".")[0] for node in nodes for name in imported(node)}
    place = path.removeprefix("components/common/")
    extras = EXTRAS_OF_COMMON.get(place, {"numpy"} if place.startswith("twin/") else set())
    assert roots - sys.stdlib_module_names - {"components"} - extras == set()
