"""A secret that a source needs reaches the store, and nothing else: all that a run leaves is read."""

import base64
import hashlib
from urllib.parse import quote

import pytest
from kfp import compiler, dsl

from components.ingestion.component import ingest, resolve_sources
from pipelines.build import Build
from pipelines.local import run
from pipelines.secrets import give_secrets
from tests.loopback import Answering, listening

CANARY = "canary/8f2e+51d0=a7c4"
CSV = b"id,n\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(200))


class _Guarded(Answering):
    def answer(self):
        allowed = self.headers.get("Authorization") == f"Bearer {CANARY}"
        self.send(200, CSV) if allowed else self.send(401)


@pytest.fixture
def address():
    with listening(_Guarded) as address:
        yield f"{address}/t.csv#sha256={hashlib.sha256(CSV).hexdigest()}"


@pytest.fixture
def package(tmp_path):
    @dsl.pipeline(name="guarded")
    def pipeline(sources: dict):
        found = resolve_sources(sources=sources, allowed_hosts=["127.0.0.1"]).set_caching_options(False)
        data = ingest(sources=sources, identities=found.output, allowed_hosts=["127.0.0.1"])
        for task, door in ((found, "resolve_sources"), (data, "ingest")):
            give_secrets(task, door, Build(secrets={"web": ["token"]}))

    compiler.Compiler().compile(pipeline, str(tmp_path / "guarded.yaml"))
    return tmp_path / "guarded.yaml"


def traces(folder, secret):
    forms = {secret, quote(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), [path for path in files if any(form.encode() in path.read_bytes() for form in forms)]


@pytest.mark.parametrize("right", [True, False])
def test_secret_of_a_source_is_in_no_log_record_artifact_metadata_or_package(
    right, address, package, tmp_path, capfd
):
    value = CANARY if right else f"wrong-{CANARY}"
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "token").write_text(value)
    sources = {"t": {"uri": address, "credentials": {"bearer": "secret:web/token"}}}
    result = run(package, {"sources": sources}, secrets={"web": tmp_path / "given"}, root=tmp_path / "runs")
    assert result.state == ("SUCCEEDED" if right else "FAILED")
    logs = "".join(path.read_text() for path in (tmp_path / "runs").rglob("*.log"))
    assert ("the server answers 401" in logs) is not right
    searched, found = traces(tmp_path / "runs", CANARY)
    assert searched > 5  # logs, run.json, the package, ML Metadata, artifacts, cache
    assert found == []
    assert CANARY not in package.read_text() + "".join(capfd.readouterr())
    assert CANARY not in str(result)
