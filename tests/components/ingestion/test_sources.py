"""What may be written under `sources`; secrets are refused, and not repeated."""

import pytest

from components.common.errors import BadInputError
from components.ingestion.credentials import conceal, reveal
from components.ingestion.sources import read_sources

PIN = "#sha256=" + "0" * 64
CANARY = "canary-7c1f"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"uri": "a.csv", "quarry": "x"}, "did you mean `query`?"),
        ({"uri": ["s3://b/a.csv", "c.csv"]}, "of one scheme"),
        ({"uri": "s3://b/a.csv", "as_of": 1}, "`as_of` belongs to a database"),
        ({"uri": "postgresql://h/d"}, "needs one `uri` and a `query`"),
        ({"uri": "postgresql://h/d", "query": "SELECT 1", "as_of": 3}, "must use `:as_of`"),
        ({"uri": "postgresql://h/d", "query": "SELECT x FROM t WHERE d < :as_of"}, "`as_of` must be given"),
        ({"uri": "a.csv", "window": 3}, "`window` needs {YYYY}"),
        ({"uri": "a-{SPAN}.csv", "window": 0}, "`window` must be a whole number of at least 1"),
        ({"uri": "a.csv", "credentials": {"key": "env:K"}}, "`credentials.key` has no meaning for 'file'"),
        ("http://x.example/a.csv", "needs the digest"),
        (f"http://x.example/../a.csv{PIN}", "URI not allowed"),
        (f"https://x.example/%2e%2e/a.csv{PIN}", "URI not allowed"),
        (f"https://x.example/%252e%252e/a.csv{PIN}", "URI not allowed"),
        ("s3://b/../a.csv", "URI not allowed"),
        ("s3://b/a.csv#part", "only `#sha256=`"),
        ("http://x.example/a.csv#sha256=12", "needs 64 digits, 0 to 9 and a to f"),
        ("http://x.example/a.csv#sha256=" + "A" * 64, "needs 64 digits, 0 to 9 and a to f"),
        (f"http://x.example:99999/a.csv{PIN}", "names no host, or no port"),
        (f"http://x.example:abc/a.csv{PIN}", "names no host, or no port"),
        (f"http://[::1/a.csv{PIN}", "its host is none"),
        (f"http:///a.csv{PIN}", "names no host"),
        (f"http://x.example/é.csv{PIN}", "%C3%A9"),
        ("a.csv#sha256=" + "A" * 64, "needs 64 digits, 0 to 9 and a to f"),
        ("s3://", "names no bucket"),
        ("gs://*/x.csv", "names no bucket"),
    ],
)
def test_wrong_declaration_is_refused_with_its_reason(source, message):
    with pytest.raises(BadInputError) as caught:
        read_sources({"t": source})
    assert message in str(caught.value)
    assert "sources.t" in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        {"uri": f"postgresql://user:{CANARY}@h/d", "query": "SELECT 1"},
        {"uri": f"postgresql://h/d?password={CANARY}", "query": "SELECT 1"},
        f"https://user:{CANARY}@h/a.csv{PIN}",
        f"https://h/a.csv?X-Amz-Signature={CANARY}{PIN}",
        f"https://h/a.csv?access_token={CANARY}{PIN}",
        f"s3://key:{CANARY}@bucket/a.csv",
        f"https://{CANARY}@h/a.csv{PIN}",
        *(
            f"https://h/a.csv?x=1&{key}={CANARY}{PIN}"
            for key in ("key", "pwd", "access_key", "code", "apiKey")
        ),
        {"uri": "s3://b/a.csv", "credentials": {"secret": CANARY}},
        {"uri": "s3://b/a.csv", "credentials": CANARY},
        {"uri": "s3://b/a.csv", "credentials": {"secret": f"secret:../{CANARY}"}},
    ],
)
def test_secret_itself_is_refused_and_not_repeated(source):
    with pytest.raises(BadInputError) as caught:
        read_sources({"t": source})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("key", ["design", "author", "signal", "compass", "monkey"])
def test_harmless_word_that_holds_a_secret_one_is_taken(key):
    uri = f"https://h/a.csv?{key}=1{PIN}"
    assert read_sources({"t": uri})["t"].uris == (uri,)


def test_references_lead_to_environment_file_and_secret(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("two\n")
    monkeypatch.setenv("MILLRACE_SECRET_WARE_HOUSE_PASSWORD", "three")
    monkeypatch.setenv("WAREHOUSE_USER", "one")
    references = {
        "user": "env:WAREHOUSE_USER",
        "key": f"file:{tmp_path}/key",
        "password": "secret:ware-house/password",
    }
    assert reveal(references, where="t") == {"user": "one", "key": "two", "password": "three"}


@pytest.mark.parametrize("reference", ["env:NOT_SET_HERE", "file:/no/such/file", "secret:no/key"])
def test_reference_that_leads_nowhere_is_named(reference):
    with pytest.raises(BadInputError, match=f"a credential is not there — sources.t — got '{reference}'"):
        reveal({"password": reference}, where="sources.t")


def test_reference_to_a_file_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff")
    for path in (tmp_path, tmp_path / "key"):
        with pytest.raises(BadInputError, match="a credential cannot be read — t"):
            reveal({"password": f"file:{path}"}, where="t")


def test_secrets_in_a_library_s_words_are_concealed():
    assert conceal("for 'abcd' and 'abc'", {"a": "abc", "b": "abcd"}) == "for '***' and '***'"
