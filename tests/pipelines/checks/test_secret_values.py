"""What looks like a secret, by the forms that issuers document."""

import pytest

from pipelines.checks.secret_values import names_a_secret, secrets_in

# Put together here, so that no scanner of repositories takes them for real ones.
SECRETS = {
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2,
    "GitLab": "glpat-" + "x9Y8z7W6v5U4t3S2r1Q0",
    "Slack": "xoxb-" + "123456789012-AbCdEfGhIjKl",
    "Google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "Stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "Hugging Face": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "npm": "npm_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmcCJ" + "aBcD1234" * 8,
    "Azure": "AccountName=x;AccountKey=" + "aB3" * 28 + "aB==",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N",
    "header": "Authorization: Bearer " + "abcdef0123456789abcdef0123",
    "login": "postgresql://app:" + "s3cr3tPass@db.example:5432/x",
    "assignment": 'password = "hunter2-canary"',
    "variable": "DB_PASSWORD=hunter2canary",
    "flag": "--api-key 9f8e7d6c5b4a39281706",
}
HARMLESS = {
    "reference": "password: secret:warehouse/password",
    "variable": "PASSWORD=$DB_PASSWORD",
    "placeholder": "token={{$.inputs.parameters['t']}}",
    "path": "password_file=/etc/pw/password",
    "name of a secret": "secretName: warehouse",
    "digest": "image@sha256:" + "0a1b" * 16,
    "count of words": "max_tokens=4096",
    "address without login": "https://example.org/a:b@c",
    "user alone": "postgresql://app@db/x",
    "type": "token: Optional[str] = None",
    "call": "token = read_token(path)",
    "key of a table": "partition_key=customer_id",
    "nested settings": "credentials:\n  fromEnv: false\n",
    "bound": "token_expiration_seconds: 3600",
    "certificate": "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secret_is_recognised(text: str):
    assert [value for _, value in secrets_in(text) if value in text]


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_only_talks_of_secrets_is_none(text: str):
    assert list(secrets_in(text)) == []


def test_long_texts_take_no_squares():
    # With a name tried at each letter this takes minutes.
    assert list(secrets_in("aB3" * 60_000)) == list(secrets_in("a.b-" * 40_000)) == []


def test_names_that_promise_a_secret_are_told_from_those_that_say_where_it_lies():
    assert all(
        map(names_a_secret, ("password", "DB_PASSWORD", "apiKey", "aws_secret_access_key", "authToken"))
    )
    assert not any(
        map(
            names_a_secret,
            (
                "password_file",
                "secretName",
                "tokens",
                "key",
                "secretKey",
                "accessKeyKey",
                "secret_key_ref",
                "author",
            ),
        )
    )
