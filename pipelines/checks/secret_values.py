"""Recognises secrets by their form, where issuers gave them one, and by the name they stand under."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Forms that the issuers document so that scanners know their keys.
_FORMS = {
    "an access key of AWS": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com/services/[\w/]{20,}",
    "an API key of Google": r"\bAIza[\w-]{35}",
    "a key of Stripe": r"\b[rs]k_live_\w{16,}",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{30,}",
    "a token of PyPI": r"\bpypi-AgEIcHlwaS5vcmc[\w-]{40,}",
    "a token of npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a key of an Azure account": r"\bAccountKey=[A-Za-z0-9+/]{60,}=*",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^-]*",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "an authorization header": r"\b[Bb]earer\s+[\w.~+/-]{20,}=*",
}
_ANY = re.compile("|".join(f"(?P<f{number}>{form})" for number, form in enumerate(_FORMS.values())))
_LOGIN = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*+://[^\s/:@'\"]*+:(?P<value>[^\s/@'\"]{3,}+)@")

_SECRET = re.compile(
    r"passw(?:or)?d|passphrase|\bpwd\b|secrets?$|token$|credentials?\b|\bjwt\b|"
    r"\b(?:api|access|secret|private|encryption|account|auth) ?keys?\b|\bkey id\b",
)
_REFERRING = re.compile(
    r"\b(?:name|file|path|dir|ref|type|ur[il]|host|seconds|env|variable|version|count|size|key key)s?$"
)
_WORD_END = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_REFERENCE = re.compile(
    r"(?:secret|env|file):.+|[$<{*].*|\S*\{\{.*|(?:true|false|null|none|optional|required)\b.*", re.I | re.S
)
# A name begins where none was before: to try each letter of a long text would take squares.
_QUOTED = re.compile(r"""(?<![\w.-])([A-Za-z_][\w.-]*+)["']?[ \t]*[=:][ \t]*["']([^"'\n]{4,})["']""")
_SET = re.compile(r"""(?:^|[\s,;?&])([A-Za-z_][\w.-]*+)[ \t]*[=:][ \t]*([^\s"',;&(]{4,}+)(?!\()""")
_FLAG = re.compile(r"""(?:^|\s)--?([A-Za-z_][\w.-]*+)[ \t=]([^\s"',;&(-][^\s"',;&(]{3,})""")


def names_a_secret(name: str) -> bool:
    """Tell whether a name promises a secret itself (`DB_PASSWORD`), not where one lies (`passwordFile`)."""
    words = " ".join(_WORD_END.split(name)).strip().lower()
    is_a_field = name == "secretKey"  # by which Kubernetes and KFP name a key of a secret
    return bool(_SECRET.search(words)) and not is_a_field and not _REFERRING.search(words)


def is_a_value(text: str) -> bool:
    """Tell a value from a reference (`secret:NAME/KEY`, `$NAME`, a placeholder) and from `true`."""
    return len(text.strip()) > 3 and not _REFERENCE.fullmatch(text.strip())


def secrets_in(text: str, *, source: bool = False) -> Iterator[tuple[str, str]]:
    """Find secrets in a text.

    Args:
        text: A value, a command, a script, or lines of settings.
        source: It is code, where a name without quotes is no value.

    Yields:
        What it looks like, and the secret itself.
    """
    for found in _ANY.finditer(text):
        number = int(str(found.lastgroup)[1:])
        yield list(_FORMS)[number], found[0]
    for found in _LOGIN.finditer(text):
        if is_a_value(found["value"]):
            yield "a login in an address", found["value"]
    for pattern in (_QUOTED,) if source else (_QUOTED, _SET, _FLAG):
        for name, value in pattern.findall(text):
            if names_a_secret(name) and is_a_value(value):
                yield f"the value of `{name}`", value
